# Where a film cuts from one picture to another: in each of its parts, and then in the whole film; and a picture of each
# shot.
TRANSNETV2 = FILM["shots"]["detector"] == "transnetv2"


rule changes:
    input:
        video,
    output:
        "results/shots/parts/{movie}/{part}.json",
    log:
        "results/logs/changes/{movie}/{part}.log",
    benchmark:
        "results/benchmarks/changes/{movie}/{part}.tsv"
    cache: SHARED
    conda:
        "../envs/film.yaml"
    threads: 2
    resources:
        gpu=1 if TRANSNETV2 else 0,
        mem_mb=decoding_mb("transnetv2" if TRANSNETV2 else "changes"),
        runtime=growing(6 * FILM["minutes"]),
    params:
        code=lambda wildcards: code(
            "changes", *(["castsearch.film.transnetv2"] if TRANSNETV2 else [])
        ),
        video=which_video,
        bounds=bounds,
        detector=FILM["shots"]["detector"],
        threshold=FILM["shots"]["threshold"],
    script:
        "../src/scripts/changes.py"


rule shots:
    input:
        of_parts("results/shots/parts/{movie}/{part}.json"),
    output:
        "results/shots/{movie}.tsv",
    log:
        "results/logs/shots/{movie}.log",
    benchmark:
        "results/benchmarks/shots/{movie}.tsv"
    conda:
        "../envs/film.yaml"
    threads: 1
    resources:
        mem_mb=growing(600),
        runtime=growing(5),
    params:
        code=lambda wildcards: code("shots"),
        shortest=FILM["shots"]["shortest"],
    script:
        "../src/scripts/shots.py"


rule shot_pictures:
    input:
        video=video,
        shots="results/shots/{movie}.tsv",
    output:
        "results/shots/pictures/{movie}/{part}.arrow",
    log:
        "results/logs/shot_pictures/{movie}/{part}.log",
    benchmark:
        "results/benchmarks/shot_pictures/{movie}/{part}.tsv"
    conda:
        "../envs/film.yaml"
    threads: 2
    resources:
        mem_mb=decoding_mb("stills"),
        runtime=growing(6 * FILM["minutes"]),
    params:
        code=lambda wildcards: code("shot_pictures"),
        video=which_video,
        bounds=bounds,
    script:
        "../src/scripts/shot_pictures.py"
