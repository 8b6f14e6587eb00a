# The reference system's face networks are MXNet checkpoints: each becomes an ONNX file, without MXNet, …

from castsearch.faces.mxnet import network_files


rule import_mxnet:
    input:
        lambda wildcards: [
            *map(as_it_is, CHECKPOINTS[f"{RESULTS}/models/{wildcards.model}.onnx"])
        ],
    output:
        "results/models/{model}.onnx",
    log:
        "results/logs/import_mxnet/{model}.log",
    benchmark:
        "results/benchmarks/import_mxnet/{model}.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 1
    resources:
        mem_mb=growing(2400),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("import_mxnet"),
        checkpoint=lambda wildcards: contents(
            CHECKPOINTS[f"{RESULTS}/models/{wildcards.model}.onnx"]
        ),
        size=lambda wildcards: network_files.INPUT_SIZES[
            wildcards.model.partition("/")[0]
        ],
    script:
        "../src/scripts/import_mxnet.py"


# … and is compared with MXNet on demand, which runs in an environment of its own and nowhere else. What the networks
# are for waits until they are confirmed.
rule verify_mxnet:
    input:
        rules.import_mxnet.input,
        "results/models/{model}.onnx",
    output:
        "results/models/{model}.verified.tsv",
    log:
        "results/logs/verify_mxnet/{model}.log",
    benchmark:
        "results/benchmarks/verify_mxnet/{model}.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 1
    resources:
        mem_mb=growing(2900),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("verify_mxnet"),
        python=config["faces"]["mxnet"]["python"],
        shapes=lambda wildcards: network_files.TRIAL_SHAPES[
            wildcards.model.partition("/")[0]
        ],
    script:
        "../src/scripts/verify_mxnet.py"
