from castsearch import files, results
from castsearch.logs import logging_to
from castsearch.reid import validation

with logging_to(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    crops, labels = results.by_split(inputs.crops), {}
    for split, path in zip(params.splits, inputs.labels, strict=True):
        cast = results.read_cast(crops.get(split, ()))
        labels |= results.read_labels(path, cast, params.on_bad_image, across=False)[0]
    files.write_table(snakemake.output[0], validation.collect(inputs.crops, labels))
