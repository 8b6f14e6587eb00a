# Networks that this run does not train. Trained weights that are given are checked, and take the place of a training's.


rule import_reid:
    input:
        lambda wildcards: as_it_is(NETWORKS[wildcards.network]["weights"]),
    output:
        "results/reid/{network}/weights.safetensors",
    log:
        "results/logs/import_reid/{network}.log",
    benchmark:
        "results/benchmarks/import_reid/{network}.tsv"
    wildcard_constraints:
        network="|".join(name for name in NETWORKS if "weights" in NETWORKS[name])
        or "none",
    conda:
        "../envs/reid.yaml"
    threads: 1
    resources:
        mem_mb=growing(
            lambda wildcards: claims.reid_weights_mb(WEIGHTS_MB[wildcards.network])
        ),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("import_reid"),
        weights=lambda wildcards: contents([NETWORKS[wildcards.network]["weights"]]),
        kind=lambda wildcards: NETWORKS[wildcards.network]["kind"],
        backbone=lambda wildcards: NETWORKS[wildcards.network]["backbone"],
    script:
        "../src/scripts/import_reid.py"


# A backbone that ImageNet's classes trained describes people as it is.
rule pretrained_reid:
    input:
        lambda wildcards: [
            as_it_is(path)
            for path in [NETWORKS[wildcards.network]["imagenet"]]
            if path != "packaged"
        ],
    output:
        "results/reid/{network}/weights.safetensors",
    log:
        "results/logs/pretrained_reid/{network}.log",
    benchmark:
        "results/benchmarks/pretrained_reid/{network}.tsv"
    wildcard_constraints:
        network="|".join(
            name for name in NETWORKS if NETWORKS[name]["kind"] == "pretrained"
        )
        or "none",
    conda:
        "../envs/reid.yaml"
    threads: 1
    resources:
        mem_mb=growing(
            lambda wildcards: claims.reid_weights_mb(WEIGHTS_MB[wildcards.network])
        ),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("pretrained_reid"),
        imagenet=lambda wildcards: contents([NETWORKS[wildcards.network]["imagenet"]]),
        backbone=lambda wildcards: NETWORKS[wildcards.network]["backbone"],
    script:
        "../src/scripts/pretrained_reid.py"
