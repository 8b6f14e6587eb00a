# Films and portraits: each film becomes shots, person boxes, tracks, and a crop table. There is one split, "films", in
# which each film is a movie. plan.smk says what each name is.
from castsearch.data import films
from castsearch.film import detectors
from castsearch.film.decode import outline

FILM = config["film"]
FILMS = or_stop(films.find_films, config["data"]["films"], config["data"]["cast"])
OUTLINES = {film: or_stop(outline, files.video) for film, files in FILMS.items()}
PARTS = {
    film: films.number_of_parts(claimed.duration, FILM["minutes"])
    for film, claimed in OUTLINES.items()
}
FILM_WARNING = detectors.warning(FILM["persons"]["detector"])
DETECTION = or_stop(planning.plan_persons, config, f"{RESULTS}/models")
SCORED = all(files.truth for files in FILMS.values())
SPLITS = {"films": {"labels": "results/tables/labels/films.json" if SCORED else None}}
SOURCE_RESULTS = ["results/tables/films.tsv"] if SCORED else []
SOURCE_RESULTS += [f"results/export/{film}" for film in FILMS if config["export"]]
SOURCE_FILES = [
    path
    for files in FILMS.values()
    for path in (files.video, *sum(files.cast.values(), []), files.truth)
    if path
]
MOVIES = {"films": list(FILMS)}
SIZES = {
    "films": {
        film: (
            sum(map(len, files.cast.values())),
            claims.film_tracks(OUTLINES[film].duration),
        )
        for film, files in FILMS.items()
    }
}
PIXELS = {"films": {film: claimed.pixels for film, claimed in OUTLINES.items()}}
DATA_SEEDS = {}
STEPS = {
    film: 1 / (files.fps or FILM["persons"]["fps"]) for film, files in FILMS.items()
}


def of_parts(pattern):
    """Input function: `pattern` with every part of a job's film filled in."""
    return lambda wildcards: [
        pattern.format(movie=wildcards.movie, part=part)
        for part in range(PARTS[wildcards.movie])
    ]


def bounds(wildcards):
    """Start and end of a job's part, in seconds."""
    return films.part_bounds(
        int(wildcards.part), PARTS[wildcards.movie], FILM["minutes"]
    )


def decoding_mb(work, more=0):
    """Claim on memory of a job that decodes a film."""
    return growing(
        lambda wildcards: claims.frames_mb(work, PIXELS["films"][wildcards.movie], more)
    )


@lru_cache(maxsize=None)
def portrait_pixels(path):
    """How many pixels a portrait has, which many films may share."""
    # Here, since no other job needs Pillow to be planned.
    from castsearch.data.images import claimed_pixels

    return claimed_pixels(path)


def portraits_mb(wildcards):
    """Claim on memory of a job that reads the portraits of a film, one after the other."""
    cast = FILMS[wildcards.movie].cast.values()
    return claims.crop_mb(max(map(portrait_pixels, sum(cast, [])), default=0))


def video(wildcards):
    """The file of a job's film."""
    return as_it_is(FILMS[wildcards.movie].video)


def which_video(wildcards):
    """What tells a job's film from another one that has taken its place, perhaps with an older time."""
    return sampled(FILMS[wildcards.movie].video)


wildcard_constraints:
    part=r"\d+",


include: "shots.smk"
include: "persons.smk"
include: "tracks.smk"
include: "embed_portraits.smk"
include: "export.smk"


if SCORED:

    include: "score_films.smk"
