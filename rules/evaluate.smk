# Average precision and CMC of every variant: per query, per movie, and overall.


rule evaluate:
    input:
        crops=of_movies("results/crops/{split}/{movie}.arrow", LABELLED),
        rankings=of_groups("results/rankings/{split}/{group}.arrow", LABELLED),
        labels=[SPLITS[split]["labels"] for split in LABELLED],
        after=BEHIND_ANCIENT,
    output:
        queries=report(
            "results/tables/queries.tsv",
            category="Scores",
            labels={"what": "each portrait"},
            caption="../docs/captions/scores.rst",
        ),
        movies=report(
            "results/tables/movies.tsv",
            category="Scores",
            labels={"what": "each movie"},
            caption="../docs/captions/scores.rst",
        ),
        ablation=report(
            "results/tables/ablation.tsv",
            category="Scores",
            labels={"what": "variants of the search"},
            caption="../docs/captions/ablation.rst",
        ),
        markdown="results/tables/ablation.md",
        latex="results/tables/ablation.tex",
        figure=report(
            "results/tables/ablation.svg",
            category="Scores",
            labels={"what": "variants of the search, drawn"},
            caption="../docs/captions/ablation.rst",
        ),
    log:
        "results/logs/evaluate.log",
    benchmark:
        "results/benchmarks/evaluate.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(RANKED_MB),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("evaluate"),
        splits=LABELLED,
        labels=contents(SPLITS[split]["labels"] for split in LABELLED),
        titles=TITLES,
        across=ACROSS,
        on_bad_image=DATA["on_bad_image"],
        config=value_digest(CONFIG_OF_RESULTS),
        seeds=SEEDS,
        packages=PACKAGES,
    script:
        "../src/scripts/evaluate.py"
