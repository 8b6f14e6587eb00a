# Who of the unknown people is the same person, over the graph of the submission's search, and whom to look at first.


rule groups:
    input:
        crops=searched("results/crops/{split}/{movie}.arrow"),
        faces=searched(f"results/faces/{MAIN.engine}/{{split}}/{{movie}}.arrow"),
        bodies=searched_by(
            "results/bodies/{network}/{split}/{movie}.npy", network=MAIN.networks
        ),
        names="results/names/{split}/{group}.tsv",
    output:
        groups="results/groups/{split}/{group}.tsv",
        review="results/review/{split}/{group}.tsv",
    log:
        "results/logs/groups/{split}/{group}.log",
    benchmark:
        "results/benchmarks/groups/{split}/{group}.tsv"
    conda:
        "../envs/core.yaml"
    threads: SEARCH_THREADS
    resources:
        mem_mb=search_mb(MAIN.networks, []),
        runtime=growing(20),
    params:
        code=lambda wildcards: code("groups"),
        engine=MAIN.engine,
        on_unclear=config["search"]["on_unclear_portrait"],
        networks=list(MAIN.networks),
    script:
        "../src/scripts/groups.py"
