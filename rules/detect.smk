# Every face that the detector sees in a person's crop, above a low score; choosing among them comes later.


rule detect:
    input:
        crops="results/crops/{split}/{movie}.arrow",
        models=FACES.detection_files,
    output:
        "results/detections/{split}/{movie}.arrow",
    log:
        "results/logs/detect/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/detect/{split}/{movie}.tsv"
    group:
        "faces"
    conda:
        "../envs/faces.yaml"
    threads: 1 if ENGINE == "dlib" else 8
    resources:
        gpu=1,
        mem_mb=growing(6000),
        runtime=growing(120),
    params:
        code=code("detect"),
        engine=ENGINE,
        options=FACES.detection,
    script:
        "../src/detect.py"
