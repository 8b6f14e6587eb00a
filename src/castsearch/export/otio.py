"""OpenTimelineIO: a track for each person, with a clip of the film for each appearance, at the time of the film."""

import logging
import re

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from castsearch.export.film_timeline import Appearance, FilmTimeline

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


def first_frame(timeline: FilmTimeline, rate: float) -> int:
    """Count the frames of a rate up to a film's time code, by which editing programs find its frames; 0 without one."""
    if timeline.timecode is None:
        return 0
    try:
        if not _TIME_CODE.fullmatch(timeline.timecode):
            raise ValueError
        dropped = timeline.timecode.replace(".", ";")  # FFmpeg takes both for the sign of a drop-frame code
        return round(RationalTime.from_timecode(dropped, float(timeline.rate)).to_seconds() * rate)
    except ValueError:
        logger.warning(
            "%s: its time code %r is not one of its rate, %.3f frames a second, so frames are counted from 0",
            timeline.film,
            timeline.timecode,
            float(timeline.rate),
        )
        return 0
