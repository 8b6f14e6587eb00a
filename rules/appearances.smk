# Who is on screen from when to when, for how long, and with whom: the tables of all movies.


rule appearances:
    input:
        names=of_groups("results/names/{split}/{group}.tsv", SEARCH),
        groups=of_groups("results/groups/{split}/{group}.tsv", SEARCH),
        tracks=expand("results/tracks/{movie}.arrow", movie=STEPS),
        followed=of_films("results/tracks/followed/{movie}/{part}.arrow"),
        shots=expand("results/shots/{movie}.tsv", movie=STEPS),
    output:
        appearances=of_movies("results/appearances/{split}/{movie}.tsv", SEARCH),
        screen_time=report(
            "results/tables/screen_time.tsv",
            category="Who appears when",
            labels={"what": "time on screen"},
            caption="../docs/captions/appearances.rst",
        ),
        together=report(
            "results/tables/together.tsv",
            category="Who appears when",
            labels={"what": "time together"},
            caption="../docs/captions/appearances.rst",
        ),
        graph="results/tables/together.graphml",
    log:
        "results/logs/appearances.log",
    benchmark:
        "results/benchmarks/appearances.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(max(RESULTS_MB, FILMS_MB)),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("appearances"),
        splits=[split for split in SEARCH for _ in GROUPS[split]],
        movies=[(split, movie) for split in SEARCH for movie in MOVIES[split]],
        films=PARTS,
        steps=list(STEPS.values()),
    script:
        "../src/scripts/appearances.py"
