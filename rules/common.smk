# What the rules share: the validated configuration, the movies of each split, and what each rule's result depends on.
import os
import re
from functools import lru_cache

import yaml
from snakemake.exceptions import ResourceValidationError, WorkflowError

from castsearch import (
    configuration,
    dataset,
    face_models,
    licences,
    provenance,
    variants,
)
from castsearch.demo import movie_ids
from castsearch.errors import InputError

# OpenMP threads that spin while they wait take the cores from the jobs beside them, and glibc would hand a training
# step's memory back to the kernel only to ask for it again.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "2000000000")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "4000000000")


def or_stop(function, *arguments):
    """Turn a user's mistake into Snakemake's own kind of message, which has no stack trace."""
    try:
        return function(*arguments)
    except InputError as error:
        raise WorkflowError(str(error)) from None


def is_name(claim):
    """Whether a resource is a name, or none: Snakemake reads it as Python, in which 12345 and all are no names."""
    try:
        meant = claim.evaluate(
            None, input=(), attempt=1, threads=1, rulename="", async_run=None
        )
    except ResourceValidationError:
        return False
    except Exception:
        return True  # an expression that needs a job
    return not meant.is_evaluable() and not isinstance(meant.value, int)


def check_claims(settings):
    """Stop a run whose profile leaves open what only its user can know, the account and the partitions."""
    claims = [("default-resources", settings.default_resources)]
    claims += [
        (f"set-resources: {rule}", claim)
        for rule, claim in settings.overwrite_resources.items()
    ]
    for place, claimed in claims:
        for name, claim in (claimed or {}).items():
            if claim.raw == "SET_ME":
                raise WorkflowError(
                    f"{place}: {name} is SET_ME: in your profile, put your cluster's there, or null for none"
                )
            if name in ("slurm_account", "slurm_partition") and not is_name(claim):
                raise WorkflowError(
                    f"{place}: {name} is {claim.raw}, which Python takes for no name: "
                    f"in your profile, write \"'{claim.raw}'\""
                )


def check_gpus(settings, gpus):
    """Stop a run that would submit trainings to a cluster with fewer GPUs than they are to have."""
    allowed = workflow.global_resources.get("gpu").value
    on_cluster = "slurm_partition" in (settings.default_resources or {})
    if on_cluster and allowed is not None and allowed < gpus:
        raise WorkflowError(
            f"reid.gpus is {gpus}, but your profile's resources allow a job {allowed}: "
            f"write gpu: {gpus} there, and cores: {8 * gpus}"
        )


with open(f"{workflow.basedir}/schemas/config.schema.yaml") as file:
    or_stop(configuration.validate, config, yaml.safe_load(file))

# Not once more in the jobs, which are given less than the run.
if workflow.is_main_process:
    check_claims(workflow.resource_settings)
    if any("weights" not in network for network in config["reid"]["networks"]):
        check_gpus(workflow.resource_settings, config["reid"]["gpus"])

DATA = config["data"]
DEMO = DATA["source"] == "demo"
TRAIN, SEARCH = DATA["train"], DATA["search"]
NETWORKS = {network["name"]: network for network in config["reid"]["networks"]}
TRAINED = [name for name, network in NETWORKS.items() if "weights" not in network]
ACROSS = config["search"]["scope"] == "split"
MAIN = variants.Variant(
    config["faces"]["engine"],
    tuple(NETWORKS),
    config["fusion"]["face_rerank"],
    config["fusion"]["body_rerank"],
    config["search"]["method"],
)
VARIANTS = (
    or_stop(variants.listed, config["variants"], MAIN, ACROSS)
    if config["variants"]
    else variants.ablation(MAIN.engine, MAIN.networks, across=ACROSS)
)
RERANKED = variants.reranked(VARIANTS)
BASELINE = variants.Variant(MAIN.engine, method=MAIN.method)
FACES = {
    engine: or_stop(face_models.plan, engine, config["faces"][engine])
    for engine in dict.fromkeys(variant.engine for variant in VARIANTS)
}
CHECKPOINTS = {
    model: checkpoint
    for models in FACES.values()
    for model, checkpoint in models.checkpoints.items()
}
VERIFIED = {
    model: f"{model.removesuffix('.onnx')}.verified.tsv"
    for model in CHECKPOINTS
    if config["faces"]["mxnet"]["verify"]
}
if workflow.is_main_process and not all(map(os.path.exists, VERIFIED.values())):
    or_stop(face_models.mxnet_python, config["faces"]["mxnet"]["python"])


@lru_cache(maxsize=None)
def code(rule_name):
    """Digest of a rule's script and the library code that it reaches; as a parameter, it triggers reruns."""
    return provenance.source_digest(f"{workflow.basedir}/src/{rule_name}.py")


digest = lru_cache(maxsize=None)(provenance.file_digest)


def contents(files):
    """Digests of those model files that no rule makes; a parameter, since unpacked and copied files keep old times."""
    return [
        digest(file)
        for file in files
        if file not in CHECKPOINTS and os.path.isfile(file)
    ]


def verified(files):
    """What confirms those model files that are imported, where that is asked for; to confirm it again reruns nothing."""
    return [ancient(VERIFIED[file]) for file in files if file in VERIFIED]


if DEMO:
    SPLITS = {
        split: {
            "annotations": f"results/demo/{split}.json",
            "images": f"results/demo/{split}",
            "labels": None if split == "test" else f"results/demo/{split}_label.json",
        }
        for split in DATA["demo"]["movies"]
    }
    MOVIES = {
        split: movie_ids(split, number)
        for split, number in DATA["demo"]["movies"].items()
    }
    # A demo movie's own folder is the input of its crop job, so nothing more needs to be remembered.
    DIGESTS = {split: dict.fromkeys(movies, "demo") for split, movies in MOVIES.items()}
else:
    SPLITS = {split: DATA["files"][split] for split in dict.fromkeys(TRAIN + SEARCH)}
    or_stop(configuration.check_files, SPLITS)
    DIGESTS = {
        split: {
            movie: dataset.movie_digest(entry)
            for movie, entry in or_stop(
                dataset.load_annotations, files["annotations"]
            ).items()
        }
        for split, files in SPLITS.items()
    }
    MOVIES = {split: list(movies) for split, movies in DIGESTS.items()}

# What a result is to be cited with, those of it that are installed where the tables are made.
PACKAGES = ["snakemake", *sum(provenance.COMPUTING.values(), [])]
SEEDS = {"demo": DATA["demo"]["seed"]} if DEMO else {}
SEEDS |= {
    name: NETWORKS[name].get("seed", config["reid"]["recipe"]["seed"])
    for name in TRAINED
}

# What is searched together: each movie by itself, or all movies of a split.
GROUPS = {
    split: (
        {"all": movies} if ACROSS and movies else {movie: [movie] for movie in movies}
    )
    for split, movies in MOVIES.items()
}

# Features of hundreds to thousands of candidates, or of tens of thousands, by each network.
SEARCH_MB = (8000 + 1500 * len(NETWORKS)) if ACROSS else (2000 + 60 * len(NETWORKS))

LABELLED = [split for split in SEARCH if SPLITS[split].get("labels")]


onstart:
    for engine in FACES:
        print(
            f"Face models of {engine}: {licences.FACE_MODELS[engine]}",
            file=sys.stderr,
        )


wildcard_constraints:
    split="|".join(SPLITS),
    movie="[A-Za-z0-9][A-Za-z0-9._-]*",
    group="[A-Za-z0-9][A-Za-z0-9._-]*",
    network="|".join(NETWORKS) or "none",
    engine="|".join(FACES),
    model="|".join(
        re.escape(path.removeprefix("results/models/").removesuffix(".onnx"))
        for path in CHECKPOINTS
    )
    or "none",


def of_movies(pattern, splits):
    """`pattern` with every movie of the splits filled in; other wildcards, doubled braces, are left as they are."""
    return [
        pattern.format(split=split, movie=movie)
        for split in splits
        for movie in MOVIES[split]
    ]


def of_groups(pattern, splits):
    """`pattern` with every group of movies of the splits filled in."""
    return [
        pattern.format(split=split, group=group)
        for split in splits
        for group in GROUPS[split]
    ]


def searched(pattern):
    """Input function: `pattern` with the movies of a job's group filled in."""

    def paths(wildcards):
        movies = GROUPS[wildcards.split][wildcards.group]
        return [pattern.format(split=wildcards.split, movie=movie) for movie in movies]

    return paths


def searched_by(pattern, **names):
    """Input function: `pattern` with the movies of a job's group by the first name, then by the next, and so on."""
    patterns = expand(pattern, **names, allow_missing=True)
    return lambda wildcards: [
        path for part in patterns for path in searched(part)(wildcards)
    ]


def reranking(kind):
    """Method and parameters of the re-ranking of faces or of bodies."""
    method = config["rerank"]["method"]
    options = config["rerank"]["ecn" if method == "ecn" else kind]
    return {"method": method, **options}


def growing(base):
    """A resource that doubles its claim whenever the job is tried again."""
    return lambda wildcards, attempt: base * 2 ** (attempt - 1)
