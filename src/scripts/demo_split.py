import json
from pathlib import Path

from castsearch.demo.movies import write_split
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    annotations = {Path(path).stem: json.loads(Path(path).read_text()) for path in snakemake.input}
    write_split(snakemake.wildcards.split, annotations, Path(snakemake.output.annotations).parent)
