# The ReID features of one network for all candidates of a movie.


rule embed_bodies:
    input:
        crops="results/crops/{split}/{movie}.arrow",
        weights="results/reid/{network}/weights.safetensors",
    output:
        "results/bodies/{network}/{split}/{movie}.npy",
    log:
        "results/logs/embed_bodies/{network}/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/embed_bodies/{network}/{split}/{movie}.tsv"
    group:
        "bodies_{network}"
    conda:
        "../envs/reid.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        code=code("embed_bodies"),
        precision=lambda wildcards: NETWORKS[wildcards.network].get(
            "precision", config["reid"]["recipe"]["precision"]
        ),
    script:
        "../src/scripts/embed_bodies.py"
