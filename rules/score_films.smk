# Films of which somebody knows who is where: the scores of shots, boxes and tracks, and whom each candidate shows.


rule film_scores:
    input:
        shots=expand("results/shots/{movie}.tsv", movie=FILMS),
        persons=of_films("results/persons/{movie}/{part}.arrow"),
        tracks=expand("results/tracks/{movie}.arrow", movie=FILMS),
        truths=[as_it_is(files.truth) for files in FILMS.values()],
    output:
        "results/tables/films.tsv",
    log:
        "results/logs/film_scores.log",
    benchmark:
        "results/benchmarks/film_scores.tsv"
    conda:
        "../envs/film.yaml"
    threads: 1
    resources:
        mem_mb=growing(lambda wildcards: FILMS_MB),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("film_scores"),
        truths=lambda wildcards: contents(files.truth for files in FILMS.values()),
        parts=PARTS,
    script:
        "../src/scripts/film_scores.py"


rule film_labels:
    input:
        crops=expand("results/crops/films/{movie}.arrow", movie=FILMS),
        truths=[as_it_is(files.truth) for files in FILMS.values()],
    output:
        "results/tables/labels/films.json",
    log:
        "results/logs/film_labels.log",
    benchmark:
        "results/benchmarks/film_labels.tsv"
    conda:
        "../envs/film.yaml"
    threads: 1
    resources:
        mem_mb=growing(lambda wildcards: FILMS_MB),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("film_labels"),
        truths=lambda wildcards: contents(files.truth for files in FILMS.values()),
    script:
        "../src/scripts/film_labels.py"
