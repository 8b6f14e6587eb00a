import pandas as pd

from castsearch import dataset, evaluation, figures, files, results
from castsearch.crops import problems
from castsearch.logs import logging_to

with logging_to(snakemake.log[0]):
    crops = [files.read_table(path) for path in snakemake.input.crops]
    names = results.cast_names(crops)
    for table in crops:
        for name, reason in problems(table):
            print(f"skipped {name}: {reason}")
    rankings = results.read_rankings(snakemake.input.rankings)
    variants = [variant.name for variant in snakemake.params.variants]
    tables = []
    for split, path in zip(snakemake.params.splits, snakemake.input.labels, strict=True):
        labels = dataset.load_labels(path)
        for name, reason in dataset.check_labels(path, labels, names, snakemake.params.on_bad_image):
            print(f"skipped {name}: {reason}")
            del labels[name]
        if snakemake.params.across:
            labels = evaluation.across_movies(labels, names)
        scored = results.score_variants(labels, rankings, variants)
        for table in scored:
            table.insert(0, "split", split)
        tables.append(scored)
    queries, movies, ablation = map(pd.concat, zip(*tables, strict=True))
    results.write_tsv(snakemake.output.queries, queries)
    results.write_tsv(snakemake.output.movies, movies)
    results.write_tsv(snakemake.output.ablation, ablation)
    files.write_text(snakemake.output.markdown, results.to_markdown(ablation))
    names = [f"{split} {variant}" for split, variant in zip(ablation["split"], ablation["variant"], strict=True)]
    files.write_text(snakemake.output.figure, figures.score_bars(names, ablation["mAP"]))
