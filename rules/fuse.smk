# The ranking of a movie's candidates for each of its cast, once for every variant of the search.


rule fuse:
    input:
        crops="results/crops/{split}/{movie}.arrow",
        faces="results/faces/{split}/{movie}.arrow",
        bodies=expand(
            "results/bodies/{network}/{{split}}/{{movie}}.npy", network=NETWORKS
        ),
        reranked="results/rerank/{split}/{movie}.npz",
    output:
        "results/rankings/{split}/{movie}.arrow",
    log:
        "results/logs/fuse/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/fuse/{split}/{movie}.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code("fuse"),
        networks=list(NETWORKS),
        variants=VARIANTS,
        thresholds=config["fusion"]["thresholds"],
        reranked_threshold=config["fusion"]["reranked_threshold"],
    script:
        "../src/fuse.py"
