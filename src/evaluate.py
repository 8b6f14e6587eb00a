from castsearch import figures, files, results
from castsearch.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    (queries, movies, ablation), lines = results.evaluate(
        dict(zip(params.splits, inputs.labels, strict=True)),
        inputs.crops,
        inputs.rankings,
        [variant.name for variant in params.variants],
        on_bad=params.on_bad_image,
        across=params.across,
    )
    print(*lines, sep="\n")
    results.write_tsv(output.queries, queries)
    results.write_tsv(output.movies, movies)
    results.write_tsv(output.ablation, ablation)
    files.write_text(output.markdown, results.to_markdown(ablation))
    names = [f"{split} {variant}" for split, variant in zip(ablation["split"], ablation["variant"], strict=True)]
    files.write_text(output.figure, figures.score_bars(names, ablation["mAP"]))
