# The faces of a film's portraits, put before those of its boxes: the table of faces that other movies get at once.


rule embed_portraits:
    input:
        crops="results/crops/{split}/{movie}.arrow",
        boxes="results/tracks/faces/{engine}/{split}/{movie}.arrow",
        models=lambda wildcards: [
            *map(as_it_is, FACES[wildcards.engine].embedding_files)
        ],
        verified=lambda wildcards: verified(FACES[wildcards.engine].embedding_files),
    output:
        "results/faces/{engine}/{split}/{movie}.arrow",
    log:
        "results/logs/embed_portraits/{engine}/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/embed_portraits/{engine}/{split}/{movie}.tsv"
    cache: SHARED
    conda:
        "../envs/faces.yaml"
    threads: lambda wildcards: engines.load(wildcards.engine).THREADS
    resources:
        gpu=1,
        mem_mb=growing(lambda wildcards: max(claims.FACES_MB[wildcards.engine])),
        runtime=growing(30),
    params:
        code=lambda wildcards: code(
            "embed_portraits", f"castsearch.faces.engines.{wildcards.engine}"
        ),
        movie=lambda wildcards: wildcards.movie,  # as in detect.smk
        options=lambda wildcards: FACES[wildcards.engine].embedding,
        models=lambda wildcards: contents(FACES[wildcards.engine].embedding_files),
        gpus=lambda wildcards: FACES[wildcards.engine].gpus,
        selection=config["faces"]["selection"],
    script:
        "../src/scripts/embed_portraits.py"
