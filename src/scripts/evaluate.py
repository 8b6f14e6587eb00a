from castsearch import files
from castsearch.evaluation import tables
from castsearch.report import figures
from castsearch.workflow import provenance
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    (queries, movies, ablation), lines = tables.evaluate(
        dict(zip(params.splits, inputs.labels, strict=True)),
        inputs.crops,
        inputs.rankings,
        [variant.name for variant in params.variants],
        on_bad=params.on_bad_image,
        across=params.across,
    )
    print(*lines, sep="\n")
    made_with = {
        "commit": provenance.commit(snakemake.scriptdir),
        "configuration": f"sha256 {provenance.value_digest(params.config)}",
        "seeds": ", ".join(f"{name} {seed}" for name, seed in params.seeds.items()),
        "versions": ", ".join(map(" ".join, provenance.versions(params.packages).items())),
    }
    tables.write_tsv(output.queries, queries, made_with)
    tables.write_tsv(output.movies, movies, made_with)
    tables.write_tsv(output.ablation, ablation, made_with)
    files.write_text(output.markdown, tables.to_markdown(ablation, made_with))
    files.write_text(output.latex, tables.to_latex(ablation, made_with))
    names = [f"{split} {variant}" for split, variant in zip(ablation["split"], ablation["variant"], strict=True)]
    files.write_text(output.figure, figures.score_bars(names, ablation["mAP"]))
