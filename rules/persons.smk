# The boxes of all persons in the sampled frames of each part of a film.


rule persons:
    input:
        video=video,
        models=[as_it_is(file) for file in DETECTION.files],
    output:
        "results/persons/{movie}/{part}.arrow",
    log:
        "results/logs/persons/{movie}/{part}.log",
    benchmark:
        "results/benchmarks/persons/{movie}/{part}.tsv"
    cache: SHARED
    conda:
        "../envs/film.yaml"
    threads: DETECTION.threads
    resources:
        gpu=1,
        mem_mb=decoding_mb(
            (
                "torchvision"
                if FILM["persons"]["detector"] == "torchvision"
                else "persons"
            ),
            claims.detector_mb(
                FILM["persons"]["detector"],
                config["faces"]["engine"],
                sum(map(planning.file_mb, DETECTION.files)),
            ),
        ),
        runtime=growing(12 * FILM["minutes"]),
    params:
        code=lambda wildcards: code("persons", *DETECTION.modules),
        video=which_video,
        bounds=bounds,
        fps=lambda wildcards: FILMS[wildcards.movie].fps or FILM["persons"]["fps"],
        detector=FILM["persons"]["detector"],
        options=DETECTION.options,
        models=lambda wildcards: contents(DETECTION.files),
    script:
        "../src/scripts/persons.py"


# The weights of one of torchvision's detectors, where no file is named.
rule torchvision_detector:
    output:
        "results/models/torchvision/{name}.pth",
    log:
        "results/logs/torchvision_detector/{name}.log",
    benchmark:
        "results/benchmarks/torchvision_detector/{name}.tsv"
    wildcard_constraints:
        name="[a-z0-9_]+",
    localrule: True  # where a cluster is started from, there is a network
    conda:
        "../envs/film.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        code=lambda wildcards: code("torchvision_detector"),
    script:
        "../src/scripts/torchvision_detector.py"
