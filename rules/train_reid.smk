# One ReID network, trained on the people of the training movies. Checkpoints are no output: they outlive a killed
# job, and the next one goes on from the last.


rule train_reid:
    input:
        crops=of_movies("results/crops/{split}/{movie}.arrow", TRAIN),
        imagenet=lambda wildcards: [
            path
            for path in [NETWORKS[wildcards.network]["imagenet"]]
            if path != "packaged"
        ],
    output:
        weights="results/reid/{network}/weights.safetensors",
        history="results/reid/{network}/history.tsv",
    log:
        "results/logs/train_reid/{network}.log",
    benchmark:
        "results/benchmarks/train_reid/{network}.tsv"
    conda:
        "../envs/reid.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=growing(8000),
        runtime=growing(1440),
    params:
        code=code("train_reid"),
        network=lambda wildcards: NETWORKS[wildcards.network],
        recipe=config["reid"]["recipe"],
        checkpoints=lambda wildcards: f"results/reid/{wildcards.network}/checkpoints",
    script:
        "../src/train_reid.py"
