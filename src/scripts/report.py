from castsearch.data.rankings import read_doubts
from castsearch.evaluation import tables
from castsearch.report import movie_results, pages
from castsearch.report.film_reading import read_films
from castsearch.report.models import list_models
from castsearch.report.timeline import read_timelines
from castsearch.tsv import write_tsv
from castsearch.workflow import provenance
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    shown, left_out = movie_results.read_movies(
        inputs.crops,
        inputs.faces,
        inputs.rankings,
        dict(zip(params.splits, inputs.labels, strict=True)),
        variant=params.variant,
        baseline=params.baseline,
        across=params.across,
        on_unclear=params.on_unclear,
        top=params.top,
    )
    run = pages.Run(
        title=params.title,
        variant=params.variant_title,
        baseline=params.baseline_title,
        ablation=tables.read_ablation(inputs.ablation or None, params.descriptions),
        skipped=left_out + movie_results.read_skipped([*inputs.train_crops, *inputs.crops]),
        doubts=read_doubts(inputs.rankings),
        histories=dict(zip(params.trained, inputs.histories, strict=True)),
        config=snakemake.config,
        models=list_models(
            inputs.engines,
            params.licences,
            dict(zip(params.networks, inputs.weights, strict=True)),
            params.imported,
        ),
        versions=provenance.software(snakemake.scriptdir, params.packages),
        top=params.top,
        pictures=params.pictures,
        corrections=params.corrections,
    )
    listed = pages.write_pages(
        run,
        shown,
        snakemake.output.index,
        snakemake.output.movies,
        timelines=read_timelines(
            inputs.appearances,
            inputs.crops,
            inputs.faces,
            zip(params.splits_of_review, inputs.review, strict=True),
            inputs.summaries,
        ),
        films=read_films(params.parts, inputs.shots, inputs.changes, inputs.shot_pictures, params.film_warning),
    )
    write_tsv(snakemake.output.portraits, movie_results.portraits(listed))
