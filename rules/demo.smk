# The embedded data set: photographed faces on drawn bodies, in the challenge's format.


rule demo_movie:
    output:
        images=directory("results/demo/{split}/{movie}"),
        annotation="results/demo/annotations/{split}/{movie}.json",
    log:
        "results/logs/demo_movie/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/demo_movie/{split}/{movie}.tsv"
    group:
        "demo"
    conda:
        "../envs/demo.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("demo_movie"),
        settings={key: value for key, value in DATA["demo"].items() if key != "movies"},
    script:
        "../src/demo_movie.py"


rule demo_split:
    input:
        lambda wildcards: of_movies(
            "results/demo/annotations/{split}/{movie}.json", [wildcards.split]
        ),
    output:
        annotations="results/demo/{split}.json",
        labels="results/demo/{split}_label.json",
    log:
        "results/logs/demo_split/{split}.log",
    benchmark:
        "results/benchmarks/demo_split/{split}.tsv"
    group:
        "demo"
    conda:
        "../envs/demo.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        code=code("demo_split"),
    script:
        "../src/demo_split.py"
