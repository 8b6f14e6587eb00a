# Re-ranking of faces and bodies among what is searched together: all of the search that no threshold touches.


rule rerank:
    input:
        crops=searched("results/crops/{split}/{movie}.arrow"),
        faces=searched_by("results/faces/{engine}/{split}/{movie}.arrow", engine=FACES),
        bodies=searched_by(
            "results/bodies/{network}/{split}/{movie}.npy", network=NETWORKS
        ),
    output:
        "results/rerank/{split}/{group}.npz",
    log:
        "results/logs/rerank/{split}/{group}.log",
    benchmark:
        "results/benchmarks/rerank/{split}/{group}.tsv"
    conda:
        "../envs/core.yaml"
    threads: SEARCH_THREADS
    resources:
        mem_mb=search_mb(NETWORKS, VARIANTS, claims.rerank_mb),
        runtime=search_minutes(VARIANTS),
    params:
        code=lambda wildcards: code("rerank"),
        engines=list(FACES),
        on_unclear=config["search"]["on_unclear_portrait"],
        networks=list(NETWORKS),
        similarities=searches.to_json(searches.reranked_similarities(VARIANTS)),
    script:
        "../src/scripts/rerank.py"
