# Every face that the detector sees in a person's crop, above a low score; choosing among them comes later.


rule detect:
    input:
        crops="results/crops/{split}/{movie}.arrow",
        models=lambda wildcards: [
            *map(as_it_is, FACES[wildcards.engine].detection_files)
        ],
        verified=lambda wildcards: verified(FACES[wildcards.engine].detection_files),
    output:
        "results/detections/{engine}/{split}/{movie}.arrow",
    log:
        "results/logs/detect/{engine}/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/detect/{engine}/{split}/{movie}.tsv"
    cache: SHARED
    conda:
        "../envs/faces.yaml"
    threads: lambda wildcards: engines.load(wildcards.engine).THREADS
    resources:
        gpu=1,
        mem_mb=growing(lambda wildcards: claims.FACES_MB[wildcards.engine][0]),
        runtime=growing(120),
    params:
        code=lambda wildcards: code(
            "detect", f"castsearch.faces.engines.{wildcards.engine}"
        ),
        options=lambda wildcards: FACES[wildcards.engine].detection,
        models=lambda wildcards: contents(FACES[wildcards.engine].detection_files),
        gpus=lambda wildcards: FACES[wildcards.engine].gpus,
    script:
        "../src/scripts/detect.py"
