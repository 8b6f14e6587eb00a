# Who appears when, as files for other people's tools, in the formats that the configuration chooses.
from castsearch.export.formats import FORMATS


rule export:
    input:
        video=video,
        appearances="results/appearances/films/{movie}.tsv",
        tracks="results/tracks/{movie}.arrow",
        followed=of_parts("results/tracks/followed/{movie}/{part}.arrow"),
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
    script:
        "../src/scripts/export.py"
