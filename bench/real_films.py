"""Measure who is said to appear when in films whose frames were labelled by hand.

    python bench/real_films.py SET CHECKOUT OUT            write OUT/SET.yaml, a configuration with the films of a set
    .venv/bin/snakemake --configfile OUT/SET.yaml
    python bench/real_films.py SET CHECKOUT OUT --score    print precision, recall and F1 of the run's results

SET and CHECKOUT are those of `bench/real_sets.py`; the set's pictures are frames of videos. Each video is a film with
the whole cast, so that some of the cast may not be in it. `--join` makes one film of all videos, in the set's order,
where each holds a shot. At every labelled frame, the names of the boxes are compared with who appears at its time.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
import pandas as pd
import yaml
from real_sets import SETS


def read_times(path: Path) -> list[float]:
    """When each frame of a video is shown, in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def labelled_frames(described: Mapping[str, Any]) -> dict[str, dict[int, set[str]]]:
    """By video the labelled frames, each with who of the cast is in it."""
    found: dict[str, dict[int, set[str]]] = {}
    for name, boxes in described["pictures"].items():
        video, _, frame = name.partition("@")
        found.setdefault(video, {})[int(frame)] = {who for who, *_ in boxes} & set(described["cast"])
    return found


def join(videos: Sequence[Path], out: Path) -> None:
    """Encode videos of one size and rate one after the other."""
    number = 0
    with av.open(str(out), "w") as film:
        stream: Any = None
        for path in videos:
            with av.open(str(path)) as container:
                own = container.streams.video[0]
                if stream is None:
                    stream = film.add_stream("libx264", rate=own.average_rate, options={"crf": "16"})
                    stream.width, stream.height, stream.pix_fmt = own.width, own.height, "yuv420p"
                for frame in container.decode(own):
                    frame.pts, frame.time_base = number, 1 / stream.codec_context.framerate
                    film.mux(stream.encode(frame))
                    number += 1
        film.mux(stream.encode())


def films_of(name: str, checkout: Path, out: Path, joined: bool) -> Iterator[tuple[str, Path, dict[float, set[str]]]]:
    """The name of each film, its file, and by time who of the cast is in its labelled frames."""
    frames = labelled_frames(json.loads(SETS.read_text())[name])
    if not joined:
        for number, (video, own) in enumerate(frames.items(), start=1):
            times = read_times(checkout / video)
            yield f"{name}_{number}", checkout / video, {times[frame]: people for frame, people in own.items()}
        return
    path, videos = out / f"{name}.mp4", [checkout / video for video in frames]
    if not path.exists():  # a newer file would make every result of the film anew
        join(videos, path)
    begins = accumulate((len(read_times(video)) for video in videos), initial=0)
    times = read_times(path)
    shown = {
        times[begin + frame]: people
        for begin, own in zip(begins, frames.values(), strict=False)
        for frame, people in own.items()
    }
    yield name, path, shown


def score(appearances: pd.DataFrame, shown: Mapping[float, set[str]], cast: set[str]) -> dict[str, float]:
    """Precision, recall and F1 of who appears, over all pairs of a labelled frame and a person of the cast."""
    said = {
        time: set(appearances["person"][(appearances["start"] <= time) & (time < appearances["end"])]) & cast
        for time in shown
    }
    right = sum(len(said[time] & people) for time, people in shown.items())
    given, true = (sum(map(len, each.values())) for each in (said, shown))
    rates = {"precision": right / max(1, given), "recall": right / max(1, true)}
    return {"frames": len(shown), "people": true} | rates | {"F1": 2 * right / max(1, given + true)}


def main() -> None:
    """Write a configuration, or score its run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=json.loads(SETS.read_text()), help="name of the set")
    parser.add_argument("checkout", type=Path, help="clone of its repository")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--join", action="store_true", help="make one film of all videos")
    parser.add_argument("--score", action="store_true", help="score the results in this folder")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    portraits = json.loads(SETS.read_text())[options.set]["cast"]
    films, rows = {}, []
    for film, path, shown in films_of(options.set, options.checkout.resolve(), options.out.resolve(), options.join):
        cast = {who: str(options.checkout.resolve() / portrait) for who, portrait in portraits.items()}
        films[film] = {"video": str(path), "cast": cast}
        if options.score:
            appearances = pd.read_csv(f"results/appearances/films/{film}.tsv", sep="\t")
            rows.append({"film": film} | score(appearances, shown, set(portraits)))
    if options.score:
        print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3f"))
    else:
        configuration = options.out / f"{options.set}.yaml"
        configuration.write_text(yaml.safe_dump({"data": {"source": "films", "films": films}}))
        print(configuration)


if __name__ == "__main__":
    main()
