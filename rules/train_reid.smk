# One ReID network, trained on the people of the training movies. Checkpoints are no output: they outlive a killed
# job, and the next one goes on from the last.
VALIDATED = [split for split in LABELLED if split not in TRAIN]
# The jobs that read label files get this input as well. When an earlier job runs, Snakemake 9 does not look for other
# reasons to run a job, such as a changed label file, even if every path between the two leads through `ancient`.
BEHIND_ANCIENT = ["results/reid/validation.arrow"] if TRAINED else []
VALIDATION_CROPS = of_movies("results/crops/{split}/{movie}.arrow", VALIDATED)


# One file whatever the searched movies are, so that another of them does not train the networks again. It is
# made of at most fifty movies, evenly spread, since all are in the history of each job that needs a network.
rule validation_set:
    input:
        crops=VALIDATION_CROPS[:: 1 + len(VALIDATION_CROPS) // 50],
        labels=[SPLITS[split]["labels"] for split in VALIDATED],
    output:
        "results/reid/validation.arrow",
    log:
        "results/logs/validation_set.log",
    benchmark:
        "results/benchmarks/validation_set.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(650),
        runtime=growing(30),
    params:
        code=lambda wildcards: code("validation_set"),
        splits=VALIDATED,
        labels=contents(SPLITS[split]["labels"] for split in VALIDATED),
    script:
        "../src/scripts/validation_set.py"


rule train_reid:
    input:
        crops=TRAINING_CROPS,
        imagenet=lambda wildcards: [
            as_it_is(path)
            for path in [NETWORKS[wildcards.network]["imagenet"]]
            if path != "packaged"
        ],
        # Where it does not decide on the weights, it is no reason to train again.
        validation=lambda wildcards: (
            "results/reid/validation.arrow"
            if (config["reid"]["recipe"] | NETWORKS[wildcards.network])["use"]
            == "best"
            else ancient("results/reid/validation.arrow")
        ),
    output:
        weights="results/reid/{network}/weights.safetensors",
        history=report(
            "results/reid/{network}/history.tsv",
            category="Training",
            labels={"network": "{network}"},
            caption="../docs/captions/training.rst",
        ),
    log:
        "results/logs/train_reid/{network}.log",
    benchmark:
        "results/benchmarks/train_reid/{network}.tsv"
    wildcard_constraints:
        network="|".join(TRAINED) or "none",
    conda:
        "../envs/reid.yaml"
    threads: 8 * config["reid"]["gpus"]
    resources:
        gpu=config["reid"]["gpus"],
        mem_mb=growing(training_mb),
        runtime=growing(1440),
    params:
        code=lambda wildcards: code("train_reid"),
        imagenet=lambda wildcards: NETWORKS[wildcards.network]["imagenet"],
        contents=lambda wildcards: contents([NETWORKS[wildcards.network]["imagenet"]]),
        recipe=lambda wildcards: planning.recipe_of(
            config["reid"], NETWORKS[wildcards.network]
        ),
        checkpoints=lambda wildcards: f"{RESULTS}/reid/{wildcards.network}/checkpoints",
        logs=lambda wildcards: f"{RESULTS}/logs/train_reid/{wildcards.network}",
    script:
        "../src/scripts/train_reid.py"
