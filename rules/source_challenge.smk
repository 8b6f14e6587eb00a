# Movies in the challenge's own format. Each source_*.smk defines the same names: the files of each split, its movies,
# what a movie's crops depend on besides files, the seeds with which the data were made, and
# the seconds between samples, of which only films have some.
from castsearch.data import challenge

SPLITS = {
    split: config["data"]["files"][split]
    for split in dict.fromkeys(config["data"]["train"] + config["data"]["search"])
}
or_stop(configuration.check_files, SPLITS)
DIGESTS = {
    split: {
        movie: challenge.movie_digest(entry)
        for movie, entry in or_stop(
            challenge.load_annotations, files["annotations"]
        ).items()
    }
    for split, files in SPLITS.items()
}
MOVIES = {split: list(movies) for split, movies in DIGESTS.items()}
DATA_SEEDS = {}
SOURCE_RESULTS = []
STEPS = {}
MOVIE_FILES = []  # image files are not watched, since there are so many
