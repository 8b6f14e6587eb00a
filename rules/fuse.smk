# The ranking of the candidates for each of the cast, once for every variant of the search.


rule fuse:
    input:
        crops=searched("results/crops/{split}/{movie}.arrow"),
        faces=searched_by("results/faces/{engine}/{split}/{movie}.arrow", engine=FACES),
        bodies=searched_by(
            "results/bodies/{network}/{split}/{movie}.npy", network=NETWORKS
        ),
        reranked="results/rerank/{split}/{group}.npz",
    output:
        "results/rankings/{split}/{group}.arrow",
    log:
        "results/logs/fuse/{split}/{group}.log",
    benchmark:
        "results/benchmarks/fuse/{split}/{group}.tsv"
    conda:
        "../envs/core.yaml"
    threads: SEARCH_THREADS
    resources:
        mem_mb=search_mb(NETWORKS, VARIANTS),
        runtime=search_minutes(VARIANTS),
    params:
        code=lambda wildcards: code(
            "fuse", *sorted({METHODS[each.method].module for each in VARIANTS})
        ),
        engines=list(FACES),
        on_unclear=config["search"]["on_unclear_portrait"],
        networks=list(NETWORKS),
        variants=searches.to_json(VARIANTS),
        corrections=corrected,
    script:
        "../src/scripts/fuse.py"
