# Every person of a movie, cut out of its frame. The annotation file is `ancient` and each movie's part of it a
# parameter: a movie that is added or corrected reruns alone. A parameter says where images are that no rule makes; those
# that one makes are found where their movies' folders are, which a storage may have copied.

# Whose faces and bodies are described, and the folder of what is made of them.
PEOPLE = ["results/crops/{split}/{movie}.arrow"]
OF_PEOPLE = "results"


rule crop:
    input:
        annotations=lambda wildcards: ancient(SPLITS[wildcards.split]["annotations"]),
        images=MOVIE_FILES,
    output:
        "results/crops/{split}/{movie}.arrow",
    log:
        "results/logs/crop/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/crop/{split}/{movie}.tsv"
    cache: SHARED
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(
            lambda wildcards: claims.crop_mb(PIXELS[wildcards.split][wildcards.movie])
        ),
        runtime=growing(20),
    params:
        code=lambda wildcards: code("crop"),
        images=lambda wildcards: SPLITS[wildcards.split].get("images"),
        digest=lambda wildcards: DIGESTS[wildcards.split][wildcards.movie],
        on_bad_image=DATA["on_bad_image"],
    script:
        "../src/scripts/crop.py"


# Movies that are not searched are cut in batches. Only trainings read their crops, and read them all, so a job for each
# would gain nothing; Snakemake walks the history of every job that needs a network, which so stays short.
rule crop_training:
    input:
        annotations=lambda wildcards: ancient(SPLITS[wildcards.split]["annotations"]),
        images=lambda wildcards: expand(
            MOVIE_FILES,
            split=wildcards.split,
            movie=BATCHES[wildcards.split][wildcards.batch],
        ),
    output:
        directory("results/crops/{split}/{batch}"),
    log:
        "results/logs/crop_training/{split}/{batch}.log",
    benchmark:
        "results/benchmarks/crop_training/{split}/{batch}.tsv"
    wildcard_constraints:
        batch=r"\d+",
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(
            lambda wildcards: claims.crop_mb(max(PIXELS[wildcards.split].values()))
        ),
        runtime=growing(240),
    params:
        code=lambda wildcards: code("crop_training"),
        images=lambda wildcards: SPLITS[wildcards.split].get("images"),
        digests=lambda wildcards: {
            movie: DIGESTS[wildcards.split][movie]
            for movie in BATCHES[wildcards.split][wildcards.batch]
        },
        on_bad_image=DATA["on_bad_image"],
    script:
        "../src/scripts/crop_training.py"
