import json

from castsearch import files
from castsearch.data.crops import read_crops, read_splits
from castsearch.data.rankings import by_split, read_rankings
from castsearch.evaluation import tables
from castsearch.evaluation.labels import cast_of, read_labels
from castsearch.report import page
from castsearch.workflow import provenance
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    titles = json.loads(params.titles)
    ablation = tables.read_ablation(inputs.ablation or None, json.loads(params.descriptions))
    crops = read_splits(inputs.crops)
    shown = [params.variant, params.baseline]
    rankings = {
        split: {variant: read_rankings(paths, variant) for variant in shown}
        for split, paths in by_split(inputs.rankings).items()
    }
    labels, skipped = {}, []
    for split, path in zip(params.splits, inputs.labels, strict=True):
        cast = cast_of(crops.get(split, ()))
        labels[split], left_out = read_labels(path, cast, "skip", params.across)  # "stop" has stopped there
        skipped += left_out
    for path in dict.fromkeys([*inputs.train_crops, *inputs.crops]):
        skipped += read_crops(path).problems
    movies = page.read_movies(
        inputs.crops, inputs.faces, rankings, labels, variant=params.variant, baseline=params.baseline
    )
    text = page.render(
        movies,
        ablation,
        title=params.title,
        variant=titles[params.variant],
        baseline=titles[params.baseline],
        skipped=skipped,
        training=dict(zip(params.trained, inputs.histories, strict=True)),
        config=snakemake.config,
        models=page.list_models(
            inputs.engines,
            params.licences,
            dict(zip(params.networks, inputs.weights, strict=True)),
            params.imported,
        ),
        versions={"castsearch": provenance.commit(snakemake.scriptdir), **provenance.versions(params.packages)},
        top=params.top,
    )
    files.write_text(snakemake.output[0], text)
