# What this run does: which splits, variants, engines and networks, and which movies are searched together.
#
# The data source has defined, in its source_*.smk:
#   SPLITS          by split its files: "labels", and what else the source itself needs
#   MOVIES          by split its movies
#   SIZES           by split and movie the number of portraits and that of candidates, as far as known
#   PIXELS          by split and movie about how many pixels a frame has; 0 or None where that is not known
#   DATA_SEEDS      by name the seeds with which the data were made
#   STEPS           by film the seconds from one sampled frame to the next; empty for a source without films
#   PARTS           by film in how many parts it is worked on; likewise
#   FILM_WARNING    what the detector of persons in films does not see; None where there is nothing to say
#   SOURCE_RESULTS  what `rule all` makes of this source in addition
#   SOURCE_FILES    files of the user's that all is made of, as far as they are watched
# and for cropping, which films do without:
#   DIGESTS         by split and movie what the movie's crops depend on, apart from files
#   MOVIE_FILES     the pattern of further input files of a movie
import json
import re

from castsearch.data.corrections import correction_files, read_corrections
from castsearch.faces import engines
from castsearch.reid import kinds
from castsearch.search import variant as searches
from castsearch.search.methods import METHODS
from castsearch.workflow import variants
from castsearch.workflow.code_digest import COMPUTING
from castsearch.workflow.provenance import value_digest

DATA = config["data"]
TRAIN, SEARCH = DATA["train"], DATA["search"]
NETWORKS = {network["name"]: network for network in config["reid"]["networks"]}
TRAINED = [name for name, network in NETWORKS.items() if planning.is_trained(network)]
# The file that a network's features come from; of a network in ONNX, the user's own.
BODY_FILES = {
    name: (
        as_it_is(network["file"])
        if "file" in network
        else f"results/reid/{name}/weights.safetensors"
    )
    for name, network in NETWORKS.items()
}
# Where those networks come from that this run does not train.
IMPORTED = {
    name: network.get("weights")
    or network.get("file")
    or f"the ImageNet weights of {network['backbone']}"
    for name, network in NETWORKS.items()
    if name not in TRAINED
}
ACROSS = config["search"]["scope"] == "split"
# Movies that are searched each by itself have the cores side by side.
SEARCH_THREADS = 4 if ACROSS else 1
MAIN = variants.submitted(config)
BASELINE = variants.baseline(config)
VARIANTS = or_stop(variants.compared, config)
TITLES = json.dumps({variant.key: variant.title for variant in VARIANTS})
FACES = {
    engine: or_stop(planning.plan_engine, config, engine, f"{RESULTS}/models")
    for engine in dict.fromkeys(variant.engine for variant in VARIANTS)
}
LICENCES = {engine: engines.load(engine).LICENCE for engine in FACES}
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
    or_stop(planning.check_mxnet, config["faces"]["mxnet"]["python"])


def contents(files):
    """Digests of those files that a user names, and no rule makes; unpacked and copied files keep old times.

    Use it in a parameter that takes the wildcards alone: Snakemake does not remember parameters that take the input.
    """
    return [
        digest(file)
        for file in files
        if not file.startswith(f"{RESULTS}/") and os.path.isfile(file)
    ]


def verified(files):
    """What confirms those model files that are imported, where that is asked for; to confirm it again reruns nothing."""
    return [ancient(as_it_is(VERIFIED[file])) for file in files if file in VERIFIED]


# What a result is to be cited with, those of it that are installed where the tables are made.
PACKAGES = ["snakemake", *sum(COMPUTING.values(), [])]
SEEDS = DATA_SEEDS | {
    name: NETWORKS[name].get("seed", config["reid"]["recipe"]["seed"])
    for name in TRAINED
}

# The configuration that results are made with; the report's section only decides on how they are shown.
CONFIG_OF_RESULTS = {key: value for key, value in config.items() if key != "report"}
CORRECTED = (
    or_stop(correction_files, config["search"]["corrections"])
    if config["search"]["corrections"]
    else []
)
# All files of the user's, for the record of the run; of models, those that are changed before they are used.
GIVEN = [
    *SOURCE_FILES,
    *map(str, CORRECTED),
    *[path for checkpoint in CHECKPOINTS.values() for path in checkpoint],
    *[
        network[key]
        for network in NETWORKS.values()
        for key in ("weights", "imagenet")
        if network.get(key, "packaged") != "packaged"
    ],
]

# What is searched together: each movie by itself, or all movies of a split.
GROUPS = {
    split: (
        {"all": movies} if ACROSS and movies else {movie: [movie] for movie in movies}
    )
    for split, movies in MOVIES.items()
}


def in_batches(movies):
    """The movies that a job cuts: 16, and more where there would be more than 32 jobs."""
    size = max(16, -(-len(movies) // 32))
    return {
        str(start // size): movies[start : start + size]
        for start in range(0, len(movies), size)
    }


# The movies that are not searched, by the batch that they are cut in.
BATCHES = {split: in_batches(MOVIES[split]) for split in TRAIN if split not in SEARCH}
TRAINING_CROPS = of_movies(
    "results/crops/{split}/{movie}.arrow", [split for split in TRAIN if split in SEARCH]
) + [
    f"results/crops/{split}/{batch}"
    for split, batches in BATCHES.items()
    for batch in batches
]


def size_of(split, group):
    """How many portraits and candidates a group has."""
    return [
        sum(numbers)
        for numbers in zip(*(SIZES[split][movie] for movie in GROUPS[split][group]))
    ]


def search_mb(networks, searches, megabytes=claims.search_mb):
    """Claim on memory of a job that reads the features of these networks for these variants."""

    def claimed(wildcards, threads, attempt):
        portraits, candidates = size_of(wildcards.split, wildcards.group)
        first = megabytes(candidates, portraits, len(networks), searches, threads)
        return first * 2 ** (attempt - 1)

    return claimed


def search_minutes(searches):
    """Claim on time of a job that makes these variants, or what they need."""

    def minutes(wildcards):
        _, candidates = size_of(wildcards.split, wildcards.group)
        return claims.search_minutes(candidates, searches)

    return growing(minutes)


# What jobs claim that read the results of all movies, and of all films, one film after the other.
SEARCHED = [size_of(split, group) for split in SEARCH for group in GROUPS[split]]
RANKED = sum(portraits * candidates for portraits, candidates in SEARCHED)
RANKED_MB = claims.ranked_mb(RANKED)
RESULTS_MB = claims.results_mb(sum(candidates for _, candidates in SEARCHED))
FILMS_MB = claims.film_mb(config["film"]["minutes"] * max(PARTS.values(), default=0))
WEIGHTS_MB = {
    name: planning.file_mb(
        network.get("file") or network.get("weights") or network["imagenet"]
    )
    for name, network in NETWORKS.items()
}


def training_mb(wildcards):
    """Claim on memory of a training."""
    recipe = planning.recipe_of(config["reid"], NETWORKS[wildcards.network])
    return claims.training_mb(
        recipe["people"] * recipe["images"],
        recipe["height"] * recipe["width"],
        config["reid"]["gpus"],
    )


LABELLED = [split for split in SEARCH if SPLITS[split].get("labels")]
NAMED = METHODS[MAIN.method].shares

# What a run is for; all other results are on the way to these.
TABLES = [
    "portraits",
    *(["queries", "movies", "ablation"] if LABELLED else []),
    *(["screen_time", "together"] if NAMED else []),
    *(["names", "reliability"] if NAMED and LABELLED else []),
]
OUTCOME = [
    *expand("results/submission/{split}.txt", split=SEARCH),
    *expand("results/tables/{name}.tsv", name=TABLES),
    "results/report.html",
    *SOURCE_RESULTS,
]

CORRECTIONS = (
    or_stop(read_corrections, config["search"]["corrections"], sum(MOVIES.values(), []))
    if config["search"]["corrections"]
    else []
)


def corrected(wildcards):
    """What somebody has corrected in the movies of a job's group."""
    movies = GROUPS[wildcards.split][wildcards.group]
    return [list(row) for row in CORRECTIONS if row.movie in movies]


def describer_of(wildcards):
    """The module that describes people by a job's network."""
    return kinds.MODULES[NETWORKS[wildcards.network]["kind"]]


def describer_options(wildcards):
    """What decides on the features of a job's network, apart from its weights."""
    network = NETWORKS[wildcards.network]
    if network["kind"] == "onnx":
        return {key: network[key] for key in kinds.ONNX_OPTIONS}
    return {
        "precision": network.get("precision", config["reid"]["recipe"]["precision"])
    }


wildcard_constraints:
    split="|".join(SPLITS),
    movie="[A-Za-z0-9][A-Za-z0-9._-]*",
    group="[A-Za-z0-9][A-Za-z0-9._-]*",
    network="|".join(NETWORKS) or "none",
    engine="|".join(FACES),
    model="|".join(
        re.escape(path.removeprefix(f"{RESULTS}/models/").removesuffix(".onnx"))
        for path in CHECKPOINTS
    )
    or "none",
