# Cast search: a portrait of each cast member and all person boxes of a movie in, a ranking of the boxes out.
# Try `snakemake --cores all`; what it will do is in config.yaml, how it does it in rules/, in this order.
import sys

from snakemake.utils import min_version

min_version("9.16.3")
sys.path.insert(0, f"{workflow.basedir}/src")


configfile: f"{workflow.basedir}/config.yaml"


SOURCES = {"demo": "demo", "files": "challenge", "films": "films"}


include: "rules/checks.smk"
include: "rules/common.smk"
include: f"rules/source_{SOURCES[config['data']['source']]}.smk"
include: "rules/plan.smk"


if config["data"]["source"] != "films":

    include: "rules/crop.smk"


include: "rules/import_mxnet.smk"
include: "rules/insightface_pack.smk"
include: "rules/detect.smk"
include: "rules/embed_faces.smk"
include: "rules/train_reid.smk"
include: "rules/import_reid.smk"
include: "rules/embed_bodies.smk"
include: "rules/rerank.smk"
include: "rules/fuse.smk"
include: "rules/submission.smk"
include: "rules/names.smk"
include: "rules/appearances.smk"
include: "rules/evaluate.smk"
include: "rules/evaluate_names.smk"
include: "rules/report.smk"
include: "rules/params.smk"


rule all:
    default_target: True
    input:
        expand("results/submission/{split}.txt", split=SEARCH),
        "results/tables/ablation.tsv" if LABELLED else [],
        "results/tables/screen_time.tsv" if NAMED else [],
        "results/tables/names.tsv" if NAMED and LABELLED else [],
        "results/report.html",
        SOURCE_RESULTS,
