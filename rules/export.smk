# Who appears when, as files for other people's tools, in the formats that the configuration chooses.
from castsearch.export.formats import FORMATS


def group_of(wildcards):
    """What the film of a job was searched with."""
    return "all" if ACROSS else wildcards.movie


rule export:
    input:
        video=video,
        # Not the table of appearances, which is made in one job with those of all films.
        names=lambda wildcards: f"results/names/films/{group_of(wildcards)}.tsv",
        groups=lambda wildcards: f"results/groups/films/{group_of(wildcards)}.tsv",
        tracks="results/tracks/{movie}.arrow",
        followed=of_parts("results/tracks/followed/{movie}/{part}.arrow"),
        shots="results/shots/{movie}.tsv",
    output:
        directory("results/export/{movie}"),
    log:
        "results/logs/export/{movie}.log",
    benchmark:
        "results/benchmarks/export/{movie}.tsv"
    conda:
        "../envs/export.yaml"
    threads: 1
    resources:
        mem_mb=decoding_mb("export"),
        runtime=growing(10),
    params:
        code=lambda wildcards: code(
            "export", *(FORMATS[name] for name in config["export"])
        ),
        formats=config["export"],
        step=lambda wildcards: STEPS[wildcards.movie],
    script:
        "../src/scripts/export.py"
