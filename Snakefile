# Cast search: a portrait of each cast member and all person boxes of a movie in, a ranking of the boxes out.
# Try `snakemake --cores all`; what it will do is in config.yaml, how it does it in rules/, in this order.
import sys
from pathlib import Path

import yaml
from snakemake.utils import min_version, update_config

min_version("9.16.3")
# This folder, also where another workflow includes this file, has it as a module, or a link to it.
ROOT = Path(workflow.current_basedir, "Snakefile").resolve().parent
if not (ROOT / "config.yaml").is_file():
    sys.exit(
        f"{workflow.current_basedir}: this workflow needs its library, which does not come with a Snakefile from a "
        "server: clone the repository at that tag, and name the clone's Snakefile"
    )
sys.path.insert(0, f"{ROOT}/src")

# Not by `configfile:`, which is left out where a module is given its configuration.
DEFAULTS = yaml.safe_load((ROOT / "config.yaml").read_text())
update_config(DEFAULTS, config)
config = DEFAULTS


report: f"{ROOT}/docs/captions/workflow.rst"


# The image that containers/castsearch.def makes, in the working folder. Its name stays the same, since Snakemake runs
# every job again whose image has another name. Without `--sdm apptainer` it is not used.
IMAGE = "castsearch.sif"


container: IMAGE


SOURCES = {"demo": "demo", "files": "challenge", "films": "films"}


include: f"{ROOT}/rules/checks.smk"
include: f"{ROOT}/rules/common.smk"
include: f"{ROOT}/rules/source_{SOURCES[config['data']['source']]}.smk"
include: f"{ROOT}/rules/plan.smk"
include: f"{ROOT}/rules/start.smk"


if config["data"]["source"] != "films":

    include: f"{ROOT}/rules/crop.smk"


include: f"{ROOT}/rules/import_mxnet.smk"
include: f"{ROOT}/rules/insightface_pack.smk"
include: f"{ROOT}/rules/detect.smk"
include: f"{ROOT}/rules/embed_faces.smk"
include: f"{ROOT}/rules/train_reid.smk"
include: f"{ROOT}/rules/import_reid.smk"
include: f"{ROOT}/rules/embed_bodies.smk"
include: f"{ROOT}/rules/rerank.smk"
include: f"{ROOT}/rules/fuse.smk"
include: f"{ROOT}/rules/submission.smk"
include: f"{ROOT}/rules/names.smk"
include: f"{ROOT}/rules/appearances.smk"
include: f"{ROOT}/rules/evaluate.smk"
include: f"{ROOT}/rules/evaluate_names.smk"
include: f"{ROOT}/rules/report.smk"
include: f"{ROOT}/rules/provenance.smk"
include: f"{ROOT}/rules/params.smk"
include: f"{ROOT}/rules/sharing.smk"


rule all:
    default_target: True
    input:
        OUTCOME,
        "results/ro-crate-metadata.json",
