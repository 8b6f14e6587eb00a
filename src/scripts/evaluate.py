import json

from castsearch import files
from castsearch.evaluation import score_figures, tables
from castsearch.tsv import write_tsv
from castsearch.workflow import provenance
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    scores = tables.score_variants(
        dict(zip(params.splits, inputs.labels, strict=True)),
        inputs.crops,
        inputs.rankings,
        json.loads(params.titles),
        on_bad=params.on_bad_image,
        across=params.across,
    )
    made_with = provenance.made_with(snakemake.scriptdir, params.config, params.seeds, params.packages)
    write_tsv(output.queries, scores.queries, made_with)
    write_tsv(output.movies, scores.movies, made_with)
    write_tsv(output.ablation, scores.ablation, made_with)
    shown = tables.for_people(scores.ablation)
    files.write_text(output.markdown, tables.to_markdown(shown, made_with))
    files.write_text(output.latex, tables.to_latex(shown, made_with))
    files.write_text(output.figure, score_figures.score_bars(shown))
