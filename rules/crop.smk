# Every person of a movie, cut out of its frame. The annotation file is `ancient` and each movie's part of it a
# parameter: a movie that is added or corrected reruns alone.


rule crop:
    input:
        annotations=lambda wildcards: ancient(SPLITS[wildcards.split]["annotations"]),
        images=MOVIE_FILES,
    output:
        "results/crops/{split}/{movie}.arrow",
    log:
        "results/logs/crop/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/crop/{split}/{movie}.tsv"
    group:
        "crop"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),  # the largest picture that is read, turned, takes 1.5 GB
        runtime=growing(20),
    params:
        code=code("crop"),
        images=lambda wildcards: SPLITS[wildcards.split]["images"],
        digest=lambda wildcards: DIGESTS[wildcards.split][wildcards.movie],
        on_bad_image=DATA["on_bad_image"],
    script:
        "../src/scripts/crop.py"
