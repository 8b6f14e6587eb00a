"""Shots, person boxes, tracks and the search on the generated film, by detector and by samples a second; and the cost.

    python bench/films.py                      the scores, and how fast each stage is
    python bench/films.py --minutes 1 10 60    how time and memory grow with a film's length
    python bench/films.py --pack FOLDER        the same work by insightface's FaceAnalysis, with the files of a pack
    python bench/films.py --transnetv2         with TransNetV2's shots, which take minutes without a GPU
    python bench/films.py --screen-time 0 1 2  time on screen in the films of these seeds, if every track is named right
                                               (by `faces`, or with --detector ssdlite)

YOLOX is among the detectors where ../shared has its file, or with --yolox FILE. Where nothing else is said, seconds are
those of the processor, all threads together, so that other work on the machine does not count.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pyarrow as pa

from castsearch import files
from castsearch.boxes import overlap
from castsearch.data.crops import crops_of, read_crops
from castsearch.data.films import find_films
from castsearch.demo.film import RATE, write_film
from castsearch.evaluation import film_scores as evaluation
from castsearch.evaluation.film_truth import SAME_PERSON, Truth, label_candidates, read_truth
from castsearch.evaluation.metrics import average_precision
from castsearch.faces import engines
from castsearch.faces.detection import detect_table
from castsearch.faces.embedding import embed_table
from castsearch.film import detectors
from castsearch.film.decode import Film
from castsearch.film.follow import Followers
from castsearch.film.followed import join_boxes
from castsearch.film.persons import find_persons
from castsearch.film.shot_changes import find_changes
from castsearch.film.shots import join_changes
from castsearch.film.track_crops import cut_out, join_crops
from castsearch.film.tracks import track_table
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.gallery import load_gallery
from castsearch.search.variant import Variant

YOLOX = Path(__file__).parents[2] / "shared/models/yolox_nano.onnx"
ENGINE = "yunet_sface"
RATES = (1, 2, 5, 12.5)
LEAST_OVERLAP = 0.2  # of a box that shows somebody: boxes that are grown from faces overlap the truth by little


def processor_seconds(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds of the processor that a call takes, and what it returns."""
    before = os.times()
    result = work()
    after = os.times()
    return after.user + after.system - before.user - before.system, result


def kinds(yolox: Path | None) -> dict[str, dict]:
    """The detectors and their options."""
    engine = {"engine": ENGINE, "options": {"detector": None, "recogniser": None}}
    return {"faces": engine, "ssdlite": engine} | ({"yolox": {"file": yolox}} if yolox else {})


def search_score(folder: Path, video: Film, cast: dict, tracks: pa.Table, truth: Truth) -> float:
    """Mean average precision of the default search by faces, over the boxes that were found."""
    engine = engines.load(ENGINE).make({"detector": None, "recogniser": None})
    crops, faces = (folder / f"{name}.arrow" for name in ("crops", "faces"))
    files.write_table(crops, join_crops("demo", cast, [cut_out(video, "demo", tracks)], "stop"))
    people = read_crops(crops)
    files.write_table(faces, embed_table(people, detect_table(people, engine), engine))
    labels = label_candidates(files.read_table(crops), truth)
    gallery = load_gallery([crops], {ENGINE: [faces]}, {})
    [ranked] = rank_gallery(gallery, {}, [Variant("diffusion", ENGINE, (), "diffusion")])
    return float(np.mean([average_precision(labels[row["cast"]], row["ranking"]) for row in ranked.to_pylist()]))


def scores(folder: Path, yolox: Path | None) -> pd.DataFrame:
    """The table of detectors and rates."""
    film = find_films(str(folder))["demo"]
    truth = read_truth(film.truth)
    rows = []
    with Film(film.video) as video:
        shots = join_changes([find_changes(video, "adaptive")])
        for kind, options in kinds(yolox).items():
            for rate in RATES:
                persons = find_persons(video, detectors.make(kind, options), rate)
                tracks = track_table([persons], shots)
                precision, recall = evaluation.score_boxes(evaluation.detections(persons), truth, rate)
                found = evaluation.detections(tracks)
                rows.append(
                    {
                        "detector": kind,
                        "fps": rate,
                        "AP50": precision,
                        "recall": recall,
                        "IDF1": evaluation.score_tracks(found, truth, rate).f1,
                        "IDF1 at 0.3": evaluation.score_tracks(found, truth, rate, SAME_PERSON).f1,
                        "mAP": search_score(folder, video, film.cast, tracks, truth),
                    }
                )
    return pd.DataFrame(rows)


def shown(boxes: pd.DataFrame, truth: Truth) -> list[str]:
    """Whom each box shows: the person whose true box it overlaps most; "" where that is little."""
    frames = {moment: frame for frame, moment in enumerate(truth.times.tolist())}
    names = []
    for moment, box in zip(boxes["time"], boxes["box"], strict=True):
        overlaps = overlap(np.array([box]), truth.boxes[frames[moment]])[0]
        names.append(
            truth.persons[frames[moment]][overlaps.argmax()] if overlaps.max(initial=0) >= LEAST_OVERLAP else ""
        )
    return names


def on_screen(boxes: pd.DataFrame, times: np.ndarray) -> int:
    """How many of these times lie within a track."""
    spans = boxes.groupby("track")["time"].agg(["min", "max"]).to_numpy()
    return int(((spans[:, :1] <= times) & (times <= spans[:, 1:])).any(axis=0).sum())


def screen_time(folder: Path, seed: int, kind: str, rate: float = 5) -> pd.DataFrame:
    """The table of people of the film of a seed: seconds on screen by a detector, if each track has the right name.

    `right` and `wrong` are seconds to which the person was followed: where they are, and where they are not.
    """
    write_film(folder / str(seed), seed)
    film = find_films(str(folder))[str(seed)]
    truth = read_truth(film.truth)
    every = round(RATE / rate)
    with Film(film.video) as video:
        shots = join_changes([find_changes(video, "adaptive")])
        tracks = track_table([find_persons(video, detectors.make(kind, kinds(None)[kind]), rate)], shots)
        followers = Followers(tracks, shots)
        cut_out(video, "demo", tracks, followers=followers)
    boxes = pd.DataFrame(join_boxes(tracks, [followers.table()]).to_pylist())
    boxes["shown"] = shown(boxes, truth)
    names = boxes[boxes["found"]].groupby("track")["shown"].agg(lambda own: own.mode()[0])
    boxes["person"] = boxes["track"].map(names)
    rows = []
    for person in film.cast:
        own = boxes[boxes["person"] == person]
        followed, right = ~own["found"], own["shown"] == person
        counts = {
            "true": sum(person in persons for persons in truth.persons[::every]),
            "found": on_screen(own[own["found"]], truth.times[::every]),
            "followed": on_screen(own, truth.times[::every]),
            "right": (followed & right).sum(),
            "wrong": (followed & ~right).sum(),
        }
        seconds = {name: count / rate for name, count in counts.items()}
        errors = {f"{name}, %": 100 * (seconds[name] / seconds["true"] - 1) for name in ("found", "followed")}
        rows.append({"seed": seed, "person": person} | seconds | errors)
    return pd.DataFrame(rows)


def shot_scores(folder: Path, names: list[str]) -> pd.DataFrame:
    """The table of shot detectors, with seconds of the processor a minute of film."""
    film = find_films(str(folder))["demo"]
    truth = read_truth(film.truth)
    rows = []
    with Film(film.video) as video:
        minutes = float(video.duration) / 60
        for name in names:
            took, changes = processor_seconds(lambda name=name: find_changes(video, name))
            rates = evaluation.score_shots([shot.start for shot in join_changes([changes])][1:], truth)
            rows.append({"detector": name, **rates._asdict(), "seconds a minute": took / minutes})
    return pd.DataFrame(rows)


def in_turns(*works: Callable[[], object], rounds: int = 5) -> list[float]:
    """Seconds by the clock that calls take, one after the other and again: the median of each."""
    took: list[list[float]] = []
    for _ in range(rounds):
        took.append([])
        for work in works:
            before = time.perf_counter()
            work()
            took[-1].append(time.perf_counter() - before)
    return np.median(took, axis=0).tolist()


def speeds(folder: Path, yolox: Path | None, rate: float = 5) -> pd.DataFrame:
    """Stages against what they are made of: frames or samples a second by the clock, with one thread for each part.

    The last column is the stage's speed over that of the slower of the two.
    """
    film = find_films(str(folder))["demo"]
    rows = []
    with Film(film.video) as video:
        frames = sum(1 for _ in video.frames())
        decoding, shots = in_turns(lambda: sum(1 for _ in video.frames()), lambda: find_changes(video, "adaptive"))
        rows.append(("shots, adaptive", frames, decoding, np.nan, shots))
        images = [frame.rgb() for frame in video.samples(rate)]
        for kind, options in kinds(yolox).items():
            detector = detectors.make(kind, options)
            took = in_turns(
                lambda: [frame.rgb() for frame in video.samples(rate)],
                lambda d=detector: list(d.detect(iter(images))),
                lambda d=detector: find_persons(video, d, rate),
            )
            rows.append((f"persons, {kind}", len(images), *took))
    table = pd.DataFrame(rows, columns=["stage", "frames", "decoding", "network", "whole"])
    slower = table[["decoding", "network"]].max(axis=1)
    speed = {name: table["frames"] / table[name] for name in ("decoding", "network", "whole")}
    return pd.DataFrame({"stage": table["stage"], **speed, "of the slower": slower / table["whole"]})


def against_insightface(folder: Path, pack: Path, rate: float = 5) -> pd.DataFrame:
    """Processor seconds for a minute of film: insightface's FaceAnalysis on every sample, and our stages to the faces.

    Both use the files of `pack` and one thread. FaceAnalysis gets the frames by OpenCV, as its users do it, and
    describes each face. Here the boxes of `faces` become tracks, and the best few of each are described.
    """
    from insightface.app import FaceAnalysis  # noqa: PLC0415 (it is needed for this comparison alone)

    film = find_films(str(folder))["demo"]
    app = FaceAnalysis(str(pack), providers=["CPUExecutionProvider"], allowed_modules=["detection", "recognition"])
    app.prepare(-1, det_size=(640, 640))
    options = {"pack": str(pack), "side": 640, "recogniser": None}
    engine = engines.load("insightface").make(options)
    detector = detectors.make("faces", {"engine": "insightface", "options": options})
    minutes = 0.0

    def theirs() -> None:
        capture = cv2.VideoCapture(film.video)
        step, number = capture.get(cv2.CAP_PROP_FPS) / rate, 0
        while capture.grab():
            if number % step < 1:
                app.get(capture.retrieve()[1])
            number += 1

    def boxes() -> pa.Table:
        with Film(film.video) as video:
            return find_persons(video, detector, rate)

    def ours() -> None:
        with Film(film.video) as video:
            tracks = track_table([boxes()], join_changes([find_changes(video, "adaptive")]))
            people = crops_of(join_crops("demo", {}, [cut_out(video, "demo", tracks)], "stop"))
            embed_table(people, detect_table(people, engine), engine)

    with Film(film.video) as video:
        minutes = float(video.duration) / 60
    theirs()  # the first run loads what is loaded at first use
    rows = {"FaceAnalysis, each sample": theirs, "persons": boxes, "shots to described faces": ours}
    seconds = [min(processor_seconds(work)[0] for _ in range(2)) / minutes for work in rows.values()]
    return pd.DataFrame(
        {"what": rows.keys(), "seconds a minute": seconds, "times as fast": seconds[0] / np.array(seconds)}
    )


def costs(folder: Path, yolox: Path | None, rate: float = 5) -> pd.DataFrame:
    """Seconds of the processor for a minute of film, by stage; and of the network alone, on frames that are decoded."""
    film = find_films(str(folder))["demo"]
    rows = {}
    with Film(film.video) as video:
        minutes = float(video.duration) / 60
        rows["decode every frame"] = processor_seconds(lambda: sum(1 for _ in video.frames()))[0]
        images = [frame.rgb() for frame in video.samples(rate)]
        shots = join_changes([find_changes(video, "adaptive")])
        for kind, options in kinds(yolox).items():
            detector = detectors.make(kind, options)
            rows[f"{kind}, the network alone"] = processor_seconds(lambda d=detector: list(d.detect(iter(images))))[0]
            took, persons = processor_seconds(lambda d=detector: find_persons(video, d, rate))
            rows[f"{kind}, persons"] = took
            tracks = track_table([persons], shots)
            for what, followers in {"": None, ", following": Followers(tracks, shots)}.items():
                cut = partial(cut_out, video, "demo", tracks, followers=followers)
                rows[f"{kind}, cut_tracks{what}"] = processor_seconds(cut)[0]
    table = pd.DataFrame({"stage": rows.keys(), "seconds a minute": np.array(list(rows.values())) / minutes})
    return table


def lengthen(source: str, path: Path, minutes: float) -> None:
    """Repeat a film, made smaller and with half its frames, until it is so long: it is encoded once."""
    small = path.with_suffix(".small.mp4")
    with Film(source) as film, av.open(str(small), "w") as written:
        stream = written.add_stream("libx264", rate=Fraction(25, 2), options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv420p"
        stream.codec_context.time_base = Fraction(2, 25)
        for number, frame in enumerate(islice(film.frames(), 0, None, 2)):
            picture = av.VideoFrame.from_ndarray(frame.rgb(256), "rgb24")
            picture.pts, picture.time_base = number, Fraction(2, 25)
            written.mux(stream.encode(picture))
        written.mux(stream.encode(None))
    with av.open(str(small)) as opened, av.open(str(path), "w") as written:
        stream = opened.streams.video[0]
        length = float(stream.duration * stream.time_base)
        target = written.add_stream_from_template(stream)
        for repeat in range(round(60 * minutes / length) or 1):
            opened.seek(0)
            for packet in opened.demux(stream):
                if packet.dts is None:
                    continue
                packet.pts += round(repeat * length / packet.time_base)
                packet.dts += round(repeat * length / packet.time_base)
                packet.stream = target
                written.mux(packet)


GROWTH = """
import resource, sys, time
from castsearch.film import detectors
from castsearch.film.track_crops import cut_out
from castsearch.film.decode import Film
from castsearch.film.persons import find_persons
from castsearch.film.shot_changes import find_changes
from castsearch.film.shots import Shot, join_changes
from castsearch.film.tracks import track_table
def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
with Film(sys.argv[1]) as film:
    shots = join_changes([find_changes(film, "adaptive")])
    print(*used())
    options = {"engine": "yunet_sface", "options": {"detector": None, "recogniser": None}}
    persons = find_persons(film, detectors.make("faces", options), 1)
    print(*used())
    tracks = track_table([persons], shots)
    print(*used())
    cut_out(film, "long", tracks)
    print(*used())
print(len(persons), len(set(tracks["track"].to_pylist())))
"""


def growth(folder: Path, minutes: list[float]) -> pd.DataFrame:
    """Processor seconds and largest memory until the end of each stage, each in one pass, by length of the film."""
    source, rows = find_films(str(folder))["demo"].video, []
    for length in minutes:
        with tempfile.TemporaryDirectory() as place:
            lengthen(source, Path(place, "long.mp4"), length)
            line = [sys.executable, "-c", GROWTH, str(Path(place, "long.mp4"))]
            done = subprocess.run(line, capture_output=True, text=True, check=True)
        *stages, (boxes, tracks) = [line.split() for line in done.stdout.splitlines()]
        row: dict[str, float] = {"minutes": length, "boxes": int(boxes), "tracks": int(tracks)}
        before = 0.0
        for name, (seconds, megabytes) in zip(("shots", "persons", "tracks", "cut_tracks"), stages, strict=True):
            row |= {f"{name}, s": float(seconds) - before, f"{name}, MB": float(megabytes)}
            before = float(seconds)
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yolox", type=Path, default=YOLOX if YOLOX.exists() else None)
    parser.add_argument("--transnetv2", action="store_true")
    parser.add_argument("--minutes", type=float, nargs="*", default=[])
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--screen-time", type=int, nargs="*", default=[], metavar="SEED")
    parser.add_argument("--detector", choices=["faces", "ssdlite"], default="faces", help="of --screen-time")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if not arguments.screen_time:
            write_film(folder / "demo")
        if arguments.screen_time:
            tables = [pd.concat(screen_time(folder, seed, arguments.detector) for seed in arguments.screen_time)]
        elif arguments.minutes:
            tables = [growth(folder, arguments.minutes)]
        elif arguments.pack:
            tables = [against_insightface(folder, arguments.pack)]
        else:
            names = ["adaptive", "content", "histogram"] + ["transnetv2"] * arguments.transnetv2
            tables = [shot_scores(folder, names), scores(folder, arguments.yolox)]
            tables += [costs(folder, arguments.yolox), speeds(folder, arguments.yolox)]
    for table in tables:
        print(table.to_markdown(index=False, floatfmt=".3f"), end="\n\n")


if __name__ == "__main__":
    main()
