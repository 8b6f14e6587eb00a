"""Tab-separated text as TIB AV-Analytics writes it: a file for each person, with a row for each appearance.

TIB AV-Analytics itself imports ELAN's files alone, which `elan` writes.
"""

import json
import re

from castsearch.export.film_timeline import FilmTimeline

_HEADER = (
    "start hh:mm:ss.ms", "start in seconds", "duration hh:mm:ss.ms", "duration in seconds", "annotations",
)  # fmt: skip
_LONGEST = 200  # bytes of a name in that of a file, which may have 255


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    texts = {}
    for number, (person, appearances) in enumerate(timeline.by_person().items(), start=1):
        lines = ["\t".join(_HEADER)]
        for each in appearances:
            length = each.end - each.start
            times = (_clock(each.start), f"{each.start:.3f}", _clock(length), f"{length:.3f}")
            lines.append("\t".join((*times, json.dumps([person], ensure_ascii=False))))
        name = re.sub(r"[^\w.-]", "_", person).encode()[:_LONGEST].decode(errors="ignore")
        texts[f"{timeline.film}.tib/{number:02d}-{name}.tsv"] = "\n".join(lines) + "\n"
    return texts or {f"{timeline.film}.tib/nobody.tsv": "\t".join(_HEADER) + "\n"}


def _clock(time: float) -> str:
    seconds, milliseconds = divmod(round(1000 * time), 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}"
