"""WebVTT: the names of people on screen, where they stand, as browsers and players show it beside the film.

Heights are numbers of lines: where they are in per cent, Chromium moves names to the left of their place.
"""

import html

from castsearch.export.film_timeline import Appearance, FilmTimeline

_LINES = 14  # that fit into the height, in Chromium


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    cues = [
        f"{_timestamp(each.start)} --> {_timestamp(each.end)} {_place(each, timeline.size)}\n"
        f"{html.escape(each.person, quote=False)}\n"
        for each in timeline.named
        if _timestamp(each.start) < _timestamp(each.end)
    ]
    return {f"{timeline.film}.vtt": "\n".join(["WEBVTT\n", *cues])}


def _timestamp(time: float) -> str:
    seconds, milliseconds = divmod(round(1000 * time), 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}"


def _place(appearance: Appearance, size: tuple[int, int]) -> str:
    """Where the person is in the middle of the time: above the head, centred."""
    box = appearance.boxes[len(appearance.boxes) // 2]
    x, line = 50 * (box.left + box.right) / size[0], round(_LINES * box.top / size[1]) - 1
    return f"line:{min(max(line, 0), _LINES - 1)} position:{min(max(x, 0), 100):.1f}% align:center"
