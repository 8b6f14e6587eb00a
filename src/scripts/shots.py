import json
from pathlib import Path

from castsearch.film.shots import Changes, join_changes, write_shots
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    parts = [Changes(**json.loads(Path(path).read_text())) for path in snakemake.input]
    write_shots(snakemake.output[0], join_changes(parts, snakemake.params.shortest))
