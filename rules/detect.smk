# Every face that the detector sees in a person's crop, above a low score; choosing among them comes later.


rule detect:
    input:
        crops=PEOPLE,
        models=lambda wildcards: [
            *map(as_it_is, FACES[wildcards.engine].detection_files)
        ],
        verified=lambda wildcards: verified(FACES[wildcards.engine].detection_files),
    output:
        f"{OF_PEOPLE}/detections/{{engine}}/{{split}}/{{movie}}.arrow",
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
        movie=lambda wildcards: wildcards.movie,  # is in the ids, and Snakemake's cache sees no wildcards
        options=lambda wildcards: FACES[wildcards.engine].detection,
        models=lambda wildcards: contents(FACES[wildcards.engine].detection_files),
        gpus=lambda wildcards: FACES[wildcards.engine].gpus,
    script:
        "../src/scripts/detect.py"
