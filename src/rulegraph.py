import json
import sys
import tempfile
from pathlib import Path

from castsearch.files import write_json
from castsearch.logs import logging_to
from castsearch.rulegraph import print_jobs, summarize_jobs

with logging_to(snakemake.log[0]), tempfile.NamedTemporaryFile("w", suffix=".json") as config:
    json.dump(snakemake.config, config)
    config.flush()
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(Path(snakemake.scriptdir).resolve().parent / "Snakefile"),
        "--dag",
        "dot",
    ]
    command += ["--configfile", config.name, "--workflow-profile", "none", "--nolock"]
    write_json(snakemake.output[0], summarize_jobs(print_jobs(command)))
