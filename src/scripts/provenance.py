import json
from pathlib import Path

import yaml

from castsearch import files
from castsearch.report.crate import Execution, write_crate
from castsearch.report.models import list_models
from castsearch.workflow import provenance
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    files.write_text(output.workflow, Path(snakemake.scriptdir, "../../Snakefile").read_text())
    files.write_text(output.config, yaml.safe_dump(json.loads(json.dumps(snakemake.config)), sort_keys=False))
    made_with = provenance.made_with(snakemake.scriptdir, params.computing, params.seeds, params.packages)
    run = Execution(
        workflow=output.workflow,
        config=output.config,
        commit=made_with["commit"],
        config_digest=made_with["configuration"],
        seeds=params.seeds,
        versions=provenance.versions(params.packages),
        models=list_models(
            inputs.engines, params.licences, dict(zip(params.networks, inputs.weights, strict=True)), params.imported
        ),
        given=inputs.given,
        results=[*inputs.results, inputs.pages],
        run_by=snakemake.config["report"]["run_by"],
    )
    write_crate(output.crate, run)
