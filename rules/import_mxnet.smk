# The seed system's face networks are MXNet checkpoints: each becomes an ONNX file, without MXNet, …


rule import_mxnet:
    input:
        lambda wildcards: CHECKPOINTS[
            f"results/models/{wildcards.part}/{wildcards.checkpoint}.onnx"
        ],
    output:
        "results/models/{part}/{checkpoint}.onnx",
    log:
        "results/logs/import_mxnet/{part}/{checkpoint}.log",
    benchmark:
        "results/benchmarks/import_mxnet/{part}/{checkpoint}.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(10),
    params:
        code=code("import_mxnet"),
        checkpoint=lambda wildcards, input: contents(input),
        size=lambda wildcards: face_models.INPUT_SIZES[wildcards.part],
    script:
        "../src/import_mxnet.py"


# … and is compared with MXNet on demand, which runs in an environment of its own and nowhere else.
rule verify_mxnet:
    input:
        rules.import_mxnet.input,
        "results/models/{part}/{checkpoint}.onnx",
    output:
        "results/models/{part}/{checkpoint}.verified.tsv",
    log:
        "results/logs/verify_mxnet/{part}/{checkpoint}.log",
    benchmark:
        "results/benchmarks/verify_mxnet/{part}/{checkpoint}.tsv"
    # The jobs that wait for the import take days, so a wrong one had better be known first.
    priority: 1
    conda:
        "../envs/faces.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        code=code("verify_mxnet"),
        python=config["faces"]["mxnet"]["python"],
        shapes=lambda wildcards: face_models.TRIAL_SHAPES[wildcards.part],
    script:
        "../src/verify_mxnet.py"
