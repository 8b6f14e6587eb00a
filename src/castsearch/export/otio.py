"""OpenTimelineIO: a track for each person, with a clip of the film for each appearance, at the time of the film."""

import logging
import re
from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from castsearch.export.film_timeline import NTSC, Appearance, FilmTimeline

logger = logging.getLogger(__name__)

_MILLISECONDS = 1000  # a second, for a film whose frames come at no constant rate
# OpenTimelineIO takes more, such as negative numbers.
_TIME_CODE = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d[:;.]\d{2,3}", re.ASCII)


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    rate = float(timeline.rate) if timeline.constant else _MILLISECONDS
    first = first_frame(timeline, rate)
    made = otio.schema.Timeline(timeline.film)
    for person, appearances in timeline.by_person().items():
        track = otio.schema.Track(person, kind=otio.schema.TrackKind.Video)
        until = 0
        for each in appearances:
            clip = make_clip(timeline, each, rate, first)
            start = clip.source_range.start_time.value - first
            duration = clip.source_range.duration.value
            if start > until:
                track.append(otio.schema.Gap(duration=RationalTime(start - until, rate)))
            if duration:
                track.append(clip)
            until = start + duration
        made.tracks.append(track)
    return {f"{timeline.film}.otio": made.to_json_string() + "\n"}


def make_clip(timeline: FilmTimeline, appearance: Appearance, rate: float, first: int) -> otio.schema.Clip:
    """Make the clip of an appearance, in whole frames of a rate, of a film that begins at the frame `first`."""
    start, end = round(appearance.start * rate), round(appearance.end * rate)
    length = round((timeline.times[-1] if len(timeline.times) else 0) * rate) + 1
    media = otio.schema.ExternalReference(
        timeline.uri, available_range=TimeRange(RationalTime(first, rate), RationalTime(length, rate))
    )
    source = TimeRange(RationalTime(first + start, rate), RationalTime(end - start, rate))
    metadata = {"castsearch": {"track": appearance.track, "confidence": round(appearance.confidence, 4)}}
    return otio.schema.Clip(appearance.person, media, source, metadata)


def _every_frame(code: str, rate: Fraction) -> int:
    """Count the frames up to a code that leaves out no number, at any rate; OpenTimelineIO knows few, not 16 or 120.

    Raises:
        ValueError: the code has more frames in a second than the rate, or a second has no whole number of codes.
    """
    codes = round(rate)  # in a second of the code, which lasts 1.001 seconds at 30000/1001
    hours, minutes, seconds, frames = map(int, code.split(":"))
    if frames >= codes or rate not in (codes, codes / NTSC):
        raise ValueError
    return ((60 * hours + minutes) * 60 + seconds) * codes + frames


def first_frame(timeline: FilmTimeline, rate: float) -> int:
    """Count the frames of a rate up to a film's time code, by which editing programs find its frames; 0 without one."""
    if timeline.timecode is None:
        return 0
    try:
        if not _TIME_CODE.fullmatch(timeline.timecode):
            raise ValueError
        code = timeline.timecode.replace(".", ";")  # FFmpeg takes both for the sign of a drop-frame code
        if ";" in code:
            return round(RationalTime.from_timecode(code, float(timeline.rate)).to_seconds() * rate)
        return round(_every_frame(code, timeline.rate) / timeline.rate * Fraction(rate))
    except ValueError:
        logger.warning(
            "%s: its time code %r is not one of its rate, %.3f frames a second, so frames are counted from 0",
            timeline.film,
            timeline.timecode,
            float(timeline.rate),
        )
        return 0
