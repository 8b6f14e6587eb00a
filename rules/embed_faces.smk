# The face of each person, selected among the detections, aligned and embedded.


rule embed_faces:
    input:
        crops=PEOPLE,
        detections=f"{OF_PEOPLE}/detections/{{engine}}/{{split}}/{{movie}}.arrow",
        models=lambda wildcards: [
            *map(as_it_is, FACES[wildcards.engine].embedding_files)
        ],
        verified=lambda wildcards: verified(FACES[wildcards.engine].embedding_files),
    output:
        f"{OF_PEOPLE}/faces/{{engine}}/{{split}}/{{movie}}.arrow",
    log:
        "results/logs/embed_faces/{engine}/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/embed_faces/{engine}/{split}/{movie}.tsv"
    cache: SHARED
    conda:
        "../envs/faces.yaml"
    threads: lambda wildcards: engines.load(wildcards.engine).THREADS
    resources:
        gpu=1,
        mem_mb=growing(lambda wildcards: claims.FACES_MB[wildcards.engine][1]),
        runtime=growing(30),
    params:
        code=lambda wildcards: code(
            "embed_faces", f"castsearch.faces.engines.{wildcards.engine}"
        ),
        movie=lambda wildcards: wildcards.movie,  # as in detect.smk
        options=lambda wildcards: FACES[wildcards.engine].embedding,
        models=lambda wildcards: contents(FACES[wildcards.engine].embedding_files),
        gpus=lambda wildcards: FACES[wildcards.engine].gpus,
        selection=config["faces"]["selection"],
    script:
        "../src/scripts/embed_faces.py"
