# A ReID network whose trained weights are given: they are checked, and take the place of a training's.


rule import_reid:
    input:
        lambda wildcards: NETWORKS[wildcards.network]["weights"],
    output:
        "results/reid/{network}/weights.safetensors",
    log:
        "results/logs/import_reid/{network}.log",
    benchmark:
        "results/benchmarks/import_reid/{network}.tsv"
    wildcard_constraints:
        network="|".join(name for name in NETWORKS if name not in TRAINED) or "none",
    conda:
        "../envs/reid.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        code=code("import_reid"),
        weights=lambda wildcards: contents([NETWORKS[wildcards.network]["weights"]]),
        kind=lambda wildcards: NETWORKS[wildcards.network]["kind"],
        backbone=lambda wildcards: NETWORKS[wildcards.network]["backbone"],
    script:
        "../src/scripts/import_reid.py"
