# Whom each box shows, and how sure that is, from the shares of the submission's search.


rule names:
    input:
        crops=searched("results/crops/{split}/{movie}.arrow"),
        rankings="results/rankings/{split}/{group}.arrow",
    output:
        "results/names/{split}/{group}.tsv",
    log:
        "results/logs/names/{split}/{group}.log",
    benchmark:
        "results/benchmarks/names/{split}/{group}.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(names_mb),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("names"),
        variant=MAIN.key,
        min_confidence=config["search"]["min_confidence"],
    script:
        "../src/scripts/names.py"
