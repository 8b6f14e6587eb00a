# The boxes of one person in one shot, and the crop table of the film: of each track the boxes that stand for it, cut out
# of the film's parts, with the portraits of the cast. In the same pass, people are followed to where no box was found.

# Whose faces and bodies are described, and the folder of what is made of them: the boxes of a film. Its portraits are
# described by themselves (embed_portraits.smk), so that boxes need not be described anew for another portrait.
PEOPLE = of_parts("results/tracks/crops/{movie}/{part}.arrow")
OF_PEOPLE = "results/tracks"


rule tracks:
    input:
        shots="results/shots/{movie}.tsv",
        persons=of_parts("results/persons/{movie}/{part}.arrow"),
    output:
        "results/tracks/{movie}.arrow",
    log:
        "results/logs/tracks/{movie}.log",
    benchmark:
        "results/benchmarks/tracks/{movie}.tsv"
    conda:
        "../envs/film.yaml"
    threads: 1
    resources:
        mem_mb=growing(
            lambda wildcards: claims.film_mb(FILM["minutes"] * PARTS[wildcards.movie])
        ),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("tracks"),
        gap=FILM["tracks"]["gap"],
        boxes=FILM["tracks"]["boxes"],
    script:
        "../src/scripts/tracks.py"


rule cut_tracks:
    input:
        video=video,
        shots="results/shots/{movie}.tsv",
        tracks="results/tracks/{movie}.arrow",
    output:
        crops="results/tracks/crops/{movie}/{part}.arrow",
        followed="results/tracks/followed/{movie}/{part}.arrow",
    log:
        "results/logs/cut_tracks/{movie}/{part}.log",
    benchmark:
        "results/benchmarks/cut_tracks/{movie}/{part}.tsv"
    conda:
        "../envs/film.yaml"
    threads: 2
    resources:
        mem_mb=decoding_mb("stills"),
        runtime=growing(6 * FILM["minutes"]),
    params:
        code=lambda wildcards: code("cut_tracks"),
        video=which_video,
        bounds=bounds,
    script:
        "../src/scripts/cut_tracks.py"


rule crop_film:
    input:
        portraits=lambda wildcards: [
            *map(as_it_is, sum(FILMS[wildcards.movie].cast.values(), []))
        ],
        parts=of_parts("results/tracks/crops/{movie}/{part}.arrow"),
    output:
        "results/crops/films/{movie}.arrow",
    log:
        "results/logs/crop_film/{movie}.log",
    benchmark:
        "results/benchmarks/crop_film/{movie}.tsv"
    cache: SHARED
    conda:
        "../envs/film.yaml"
    threads: 1
    resources:
        mem_mb=growing(portraits_mb),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("crop_film"),
        movie=lambda wildcards: wildcards.movie,  # is in the ids, and Snakemake's cache sees no wildcards
        cast=lambda wildcards: FILMS[wildcards.movie].cast,
        portraits=lambda wildcards: contents(
            sum(FILMS[wildcards.movie].cast.values(), [])
        ),
        on_bad_image=config["data"]["on_bad_image"],
    script:
        "../src/scripts/crop_film.py"
