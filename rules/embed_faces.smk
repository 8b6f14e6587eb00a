# The face of each person, selected among the detections, aligned and embedded.


rule embed_faces:
    input:
        crops="results/crops/{split}/{movie}.arrow",
        detections="results/detections/{split}/{movie}.arrow",
        models=FACES.embedding_files,
    output:
        "results/faces/{split}/{movie}.arrow",
    log:
        "results/logs/embed_faces/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/embed_faces/{split}/{movie}.tsv"
    group:
        "faces"
    conda:
        "../envs/faces.yaml"
    threads: 1 if ENGINE == "dlib" else 8
    resources:
        gpu=1,
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        code=code("embed_faces"),
        engine=ENGINE,
        options=FACES.embedding,
        selection=config["faces"]["selection"],
    script:
        "../src/embed_faces.py"
