# What a run was: the workflow, its configuration, seeds, versions and models, its inputs and outputs, as an RO-Crate that
# is the folder of results. Whatever else ran, this follows.


rule provenance:
    input:
        results=OUTCOME,
        pages="results/report",
        given=[as_it_is(path) for path in GIVEN],
        engines=[
            path
            for engine in FACES
            for path in of_movies(
                f"results/faces/{engine}/{{split}}/{{movie}}.arrow", SEARCH
            )[:1]
        ],
        weights=list(BODY_FILES.values()),
    output:
        crate="results/ro-crate-metadata.json",
        workflow="results/provenance/Snakefile",
        config="results/provenance/config.yaml",
    log:
        "results/logs/provenance.log",
    benchmark:
        "results/benchmarks/provenance.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 1
    resources:
        mem_mb=growing(600),
        runtime=growing(60),  # all of the user's films are read
    params:
        code=lambda wildcards: code("provenance"),
        licences=LICENCES,
        networks=list(NETWORKS),
        imported=IMPORTED,
        config=value_digest(config),
        computing=value_digest(CONFIG_OF_RESULTS),
        seeds=SEEDS,
        packages=PACKAGES,
    script:
        "../src/scripts/provenance.py"
