import json
from pathlib import Path

import pandas as pd

from castsearch import crops, dataset, evaluation, files, provenance, report, results
from castsearch.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    cast = results.cast_names(files.read_table(path) for path in inputs.crops)
    labels, movies, skipped, engine = {}, [], [], {}
    for path in inputs.labels:
        found = dataset.load_labels(path)
        skipped += dataset.check_labels(path, found, cast, "skip")  # "stop" has stopped the evaluation
        labels |= evaluation.across_movies(found, cast) if params.across else found
    for path in dict.fromkeys([*inputs.train_crops, *inputs.crops]):
        skipped += crops.problems(files.read_table(path))
    ranked = results.read_rankings(inputs.rankings)
    for crop_table, face_table in zip(inputs.crops, inputs.faces, strict=True):
        movie = report.Movie(
            name=Path(crop_table).stem,
            crops=Path(crop_table),
            faces=Path(face_table),
            rankings=ranked.get(params.variant.name, {}),
            baseline=ranked.get(params.baseline.name, {}),
            labels=labels,
        )
        movies.append(movie)
        engine = json.loads(files.read_table(face_table).schema.metadata[b"engine"])
    models = report.list_models(engine, dict(zip(params.networks, inputs.weights, strict=True)))
    descriptions = {variant.name: variant.description for variant in params.variants}
    ablation = pd.read_csv(inputs.ablation, sep="\t") if inputs.ablation else pd.DataFrame(columns=["variant"])
    ablation["description"] = ablation["variant"].map(descriptions)
    graph = json.loads(Path(inputs.rulegraph).read_text())
    page = report.render(
        movies,
        ablation,
        title=params.title,
        variant=params.variant.name,
        baseline=params.baseline.name,
        skipped=skipped,
        training=dict(zip(params.networks, inputs.histories, strict=True)),
        config=snakemake.config,
        models=models,
        versions={"castsearch": provenance.commit(snakemake.scriptdir), **provenance.versions(params.packages)},
        edges=graph["edges"],
        jobs=graph["jobs"],
        top=params.top,
    )
    files.write_text(snakemake.output[0], page)
