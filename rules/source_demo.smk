# The embedded data set: photographed faces on drawn bodies, in the challenge's format. plan.smk says what each name is.
from castsearch.demo import movie_ids

SPLITS = {
    split: {
        "annotations": f"results/demo/{split}.json",
        "labels": None if split == "test" else f"results/demo/{split}_label.json",
    }
    for split in config["data"]["demo"]["movies"]
}
MOVIES = {
    split: movie_ids(split, number)
    for split, number in config["data"]["demo"]["movies"].items()
}
SIZES = {
    split: dict.fromkeys(
        movies, (config["data"]["demo"]["cast"], config["data"]["demo"]["candidates"])
    )
    for split, movies in MOVIES.items()
}
# A demo movie's own folder is the input of its crop job. Its name must be remembered nevertheless: Snakemake's cache sees
# no wildcards, and would give all movies the crops of one.
DIGESTS = {
    split: {movie: movie for movie in movies} for split, movies in MOVIES.items()
}
PIXELS = {split: dict.fromkeys(movies, 0) for split, movies in MOVIES.items()}
DATA_SEEDS = {"demo": config["data"]["demo"]["seed"]}
SOURCE_RESULTS = []
SOURCE_FILES = []
STEPS = {}
PARTS = {}
FILM_WARNING = None
MOVIE_FILES = "results/demo/{split}/{movie}"


rule demo_movie:
    output:
        images=directory("results/demo/{split}/{movie}"),
        annotation="results/demo/annotations/{split}/{movie}.json",
    log:
        "results/logs/demo_movie/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/demo_movie/{split}/{movie}.tsv"
    conda:
        "../envs/demo.yaml"
    threads: 1
    resources:
        mem_mb=growing(600),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("demo_movie"),
        settings={
            key: value
            for key, value in config["data"]["demo"].items()
            if key != "movies"
        },
    script:
        "../src/scripts/demo_movie.py"


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
    conda:
        "../envs/demo.yaml"
    threads: 1
    resources:
        mem_mb=growing(600),
        runtime=growing(5),
    params:
        code=lambda wildcards: code("demo_split"),
    script:
        "../src/scripts/demo_split.py"
