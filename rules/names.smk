# Whom each box shows, and how sure that is, from the shares of the submission's search; who of the unknown people is the
# same person, over the graph of that search; and whom to look at first. A movie takes seconds, so it is one job.


rule names:
    input:
        crops=searched("results/crops/{split}/{movie}.arrow"),
        faces=searched(f"results/faces/{MAIN.engine}/{{split}}/{{movie}}.arrow"),
        bodies=searched_by(
            "results/bodies/{network}/{split}/{movie}.npy", network=MAIN.networks
        ),
        rankings="results/rankings/{split}/{group}.arrow",
    output:
        names="results/names/{split}/{group}.tsv",
        groups="results/groups/{split}/{group}.tsv",
        review="results/review/{split}/{group}.tsv",
    log:
        "results/logs/names/{split}/{group}.log",
    benchmark:
        "results/benchmarks/names/{split}/{group}.tsv"
    conda:
        "../envs/core.yaml"
    threads: SEARCH_THREADS
    resources:
        mem_mb=search_mb(MAIN.networks, []),
        runtime=growing(20),
    params:
        code=lambda wildcards: code("names"),
        variant=MAIN.key,
        min_confidence=config["search"]["min_confidence"],
        engine=MAIN.engine,
        on_unclear=config["search"]["on_unclear_portrait"],
        networks=list(MAIN.networks),
    script:
        "../src/scripts/names.py"
