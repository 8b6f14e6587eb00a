# k-reciprocal re-ranking of faces and bodies within a movie: everything of the search that no threshold touches.


rule rerank:
    input:
        crops="results/crops/{split}/{movie}.arrow",
        faces="results/faces/{split}/{movie}.arrow",
        bodies=expand(
            "results/bodies/{network}/{{split}}/{{movie}}.npy", network=NETWORKS
        ),
    output:
        "results/rerank/{split}/{movie}.npz",
    log:
        "results/logs/rerank/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/rerank/{split}/{movie}.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code("rerank"),
        networks=list(NETWORKS),
        variants=VARIANTS,
        face=config["rerank"]["face"],
        body=config["rerank"]["body"],
    script:
        "../src/rerank.py"
