# An index with the tables and the configuration, and a page of pictures for each movie.


rule report:
    input:
        crops=of_movies("results/crops/{split}/{movie}.arrow", SEARCH),
        train_crops=TRAINING_CROPS,
        faces=of_movies(
            f"results/faces/{MAIN.engine}/{{split}}/{{movie}}.arrow", SEARCH
        ),
        engines=[
            path
            for engine in FACES
            for path in of_movies(
                f"results/faces/{engine}/{{split}}/{{movie}}.arrow", SEARCH
            )[:1]
        ],
        rankings=of_groups("results/rankings/{split}/{group}.arrow", SEARCH),
        appearances=(
            of_movies("results/appearances/{split}/{movie}.tsv", SEARCH)
            if NAMED
            else []
        ),
        review=(
            of_groups("results/review/{split}/{group}.tsv", SEARCH) if NAMED else []
        ),
        summaries=(
            ["results/tables/screen_time.tsv", "results/tables/together.tsv"]
            if NAMED
            else []
        ),
        shots=expand("results/shots/{movie}.tsv", movie=PARTS),
        changes=of_films("results/shots/parts/{movie}/{part}.json"),
        shot_pictures=of_films("results/shots/pictures/{movie}/{part}.arrow"),
        labels=[SPLITS[split]["labels"] for split in LABELLED],
        after=BEHIND_ANCIENT,
        ablation="results/tables/ablation.tsv" if LABELLED else [],
        weights=list(BODY_FILES.values()),
        histories=expand("results/reid/{network}/history.tsv", network=TRAINED),
    output:
        index=report(
            "results/report.html",
            category="Overview",
            labels={"what": "all movies"},
            caption="../docs/captions/report.rst",
        ),
        portraits=report(
            "results/tables/portraits.tsv",
            category="Overview",
            labels={"what": "portraits to check"},
            caption="../docs/captions/portraits.rst",
        ),
        movies=report(
            directory("results/report"),
            patterns=["{split}/{movie}.html"],
            category="Movies",
            subcategory="{split}",
            labels={"movie": "{movie}"},
            caption="../docs/captions/movie.rst",
        ),
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(RESULTS_MB),
        runtime=growing(20),
    params:
        code=lambda wildcards: code("report"),
        title="Cast search",
        splits=LABELLED,
        splits_of_review=(
            [split for split in SEARCH for _ in GROUPS[split]] if NAMED else []
        ),
        labels=contents(SPLITS[split]["labels"] for split in LABELLED),
        variant=MAIN.key,
        baseline=BASELINE.key,
        across=ACROSS,
        on_unclear=config["search"]["on_unclear_portrait"],
        variant_title=MAIN.title,
        baseline_title=BASELINE.title,
        descriptions={each.key: each.description for each in VARIANTS},
        networks=list(NETWORKS),
        trained=TRAINED,
        licences=LICENCES,
        imported=IMPORTED,
        top=config["report"]["crops"],
        pictures=config["report"]["pictures"],
        corrections=[list(row[1:]) for row in CORRECTIONS],
        parts=PARTS,
        film_warning=FILM_WARNING,
        config=value_digest(config),
        packages=PACKAGES,
    script:
        "../src/scripts/report.py"
