# How right the names of boxes are, and how right the confidence in them is.


rule evaluate_names:
    input:
        crops=of_movies("results/crops/{split}/{movie}.arrow", LABELLED),
        names=of_groups("results/names/{split}/{group}.tsv", LABELLED),
        appearances=of_movies("results/appearances/{split}/{movie}.tsv", LABELLED),
        labels=[SPLITS[split]["labels"] for split in LABELLED],
        after=BEHIND_ANCIENT,
    output:
        scores=report(
            "results/tables/names.tsv",
            category="Names",
            labels={"what": "how right the names are"},
            caption="../docs/captions/names.rst",
        ),
        reliability="results/tables/reliability.tsv",
        figure=report(
            "results/tables/reliability.svg",
            category="Names",
            labels={"what": "how right the confidence is"},
            caption="../docs/captions/names.rst",
        ),
    log:
        "results/logs/evaluate_names.log",
    benchmark:
        "results/benchmarks/evaluate_names.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(RESULTS_MB),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("evaluate_names"),
        splits=LABELLED,
        movies=[(split, movie) for split in LABELLED for movie in MOVIES[split]],
        splits_of_names=[split for split in LABELLED for _ in GROUPS[split]],
        labels=contents(SPLITS[split]["labels"] for split in LABELLED),
        on_bad_image=DATA["on_bad_image"],
    script:
        "../src/scripts/evaluate_names.py"
