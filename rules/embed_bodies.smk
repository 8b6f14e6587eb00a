# The ReID features of one network for all candidates of a movie.
from castsearch.reid import kinds


def describer_of(wildcards):
    """The module that describes people by a job's network."""
    return kinds.MODULES[NETWORKS[wildcards.network]["kind"]]


def describer_options(wildcards):
    """What decides on the features of a job's network, apart from its weights."""
    network = NETWORKS[wildcards.network]
    if network["kind"] == "onnx":
        return {key: network[key] for key in kinds.ONNX_OPTIONS}
    return {"precision": network.get("precision", RECIPE["precision"])}


rule embed_bodies:
    input:
        crops="results/crops/{split}/{movie}.arrow",
        weights=lambda wildcards: BODY_FILES[wildcards.network],
    output:
        "results/bodies/{network}/{split}/{movie}.npy",
    log:
        "results/logs/embed_bodies/{network}/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/embed_bodies/{network}/{split}/{movie}.tsv"
    conda:
        "../envs/reid.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("embed_bodies", describer_of(wildcards)),
        module=describer_of,
        options=describer_options,
        weights=lambda wildcards: contents([BODY_FILES[wildcards.network]]),
    script:
        "../src/scripts/embed_bodies.py"
