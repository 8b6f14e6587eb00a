# Movies in the challenge's own format. plan.smk says what each name is.
from castsearch.data import challenge

SPLITS = {
    split: {key: as_it_is(path) for key, path in config["data"]["files"][split].items()}
    for split in dict.fromkeys(config["data"]["train"] + config["data"]["search"])
}
or_stop(planning.check_files, SPLITS)
DIGESTS, SIZES, PIXELS = {}, {}, {}
for split, files in SPLITS.items():
    entries = or_stop(challenge.load_annotations, files["annotations"])
    DIGESTS[split] = {
        movie: challenge.movie_digest(entry) for movie, entry in entries.items()
    }
    SIZES[split] = {
        movie: (len(entry["cast"]), len(entry["candidates"]))
        for movie, entry in entries.items()
    }
    PIXELS[split] = {
        movie: challenge.frame_pixels(entry) for movie, entry in entries.items()
    }
MOVIES = {split: list(movies) for split, movies in DIGESTS.items()}
DATA_SEEDS = {}
SOURCE_RESULTS = []
SOURCE_FILES = [
    config["data"]["files"][split][key]
    for split in SPLITS
    for key in ("annotations", "labels")
    if key in SPLITS[split]
]
STEPS = {}
PARTS = {}
FILM_WARNING = None
MOVIE_FILES = []  # image files are not watched, since there are too many
