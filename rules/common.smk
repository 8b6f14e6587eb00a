# What the rules share: the digest of the code behind a rule, claims that grow, and the files of many movies.
import os
from functools import lru_cache

from castsearch.files import file_digest, sampled_digest
from castsearch.workflow import claims
from castsearch.workflow.code_digest import source_digest

# OpenMP threads that spin while they wait take the cores from the jobs beside them, and glibc would hand a training
# step's memory back to the kernel only to ask for it again.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "2000000000")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "4000000000")
# Several pictures are worked on at the same time. If OpenCV used several threads for each, all would take a tenth longer.
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

# Products of NumPy's differ in their last bits by the number of threads. The search divides its work itself.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Jobs import the library that `code` digests, even where another castsearch is installed.
LIBRARY = f"{ROOT}/src"
PYTHON_PATHS = os.environ.get("PYTHONPATH", "").split(os.pathsep)
if PYTHON_PATHS[0] != LIBRARY:
    # `snakemake --lint` takes an index into os.environ for a variable that users must set.
    os.environ.update(
        PYTHONPATH=os.pathsep.join(filter(None, [LIBRARY, *PYTHON_PATHS]))
    )


# Where results are. A module may have a prefix, which Snakemake puts before the paths of its rules and before no others.
RESULTS = workflow.modifier.path_modifier.replace_prefix("results")


def as_it_is(path):
    """A path that no prefix is put before: of a user's file, or of one that has the prefix already."""
    return path if RESULTS == "results" else local(path)


# Whether results that two people with one film would both compute are shared by their runs, which `--cache` asks for.
# Not those of frames in files, since Snakemake would tell them by their annotations and no pixels.
SHARED = workflow.enable_cache and config["data"]["source"] != "files"


@lru_cache(maxsize=None)
def code(rule_name, *modules):
    """Digest of the code of a rule, and of the modules that it chooses by name; as a parameter, it triggers reruns.

    Rules ask for it in a function: to read the code of all rules would take most of the time in which a job starts.
    """
    return source_digest(ROOT / f"src/scripts/{rule_name}.py", modules)


@lru_cache(maxsize=None)
def digest(path):
    """Digest of a file of the user's."""
    return or_stop(file_digest, path)


@lru_cache(maxsize=None)
def sampled(path):
    """Digest of a film."""
    return or_stop(sampled_digest, path)


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


def of_films(pattern):
    """`pattern` with every part of every film filled in, film by film; nothing of a source without films."""
    return [
        pattern.format(movie=movie, part=part)
        for movie, parts in PARTS.items()
        for part in range(parts)
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


def growing(base):
    """A resource that doubles its claim whenever the job is tried again; `base` may be a function of the wildcards."""
    return lambda wildcards, attempt: (
        base(wildcards) if callable(base) else base
    ) * 2 ** (attempt - 1)
