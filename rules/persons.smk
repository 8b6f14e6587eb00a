# The boxes of all persons in the sampled frames of each part of a film.


rule persons:
    input:
        video=video,
        models=DETECTION.files,
    output:
        "results/persons/{movie}/{part}.arrow",
    log:
        "results/logs/persons/{movie}/{part}.log",
    benchmark:
        "results/benchmarks/persons/{movie}/{part}.tsv"
    group:
        "persons"
    conda:
        "../envs/film.yaml"
    threads: DETECTION.threads
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(12 * FILM["minutes"]),
    params:
        code=code("persons", *DETECTION.modules),
        bounds=bounds,
        fps=lambda wildcards: FILMS[wildcards.movie].fps or FILM["persons"]["fps"],
        detector=FILM["persons"]["detector"],
        options=DETECTION.options,
        models=lambda wildcards: contents(DETECTION.files),
    script:
        "../src/scripts/persons.py"
