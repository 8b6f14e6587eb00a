"""OpenTimelineIO: a track for each person, with a clip of the film for each appearance, at the time of the film."""

import logging

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from castsearch.export.film_timeline import Appearance, FilmTimeline

logger = logging.getLogger(__name__)

_MILLISECONDS = 1000  # a second, for a film whose frames come at no constant rate


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    rate = float(timeline.rate) if timeline.constant else _MILLISECONDS
    made = otio.schema.Timeline(timeline.film)
    for person, appearances in timeline.by_person().items():
        track = otio.schema.Track(person, kind=otio.schema.TrackKind.Video)
        until = 0
        for each in appearances:
            clip = make_clip(timeline, each, rate)
            start = clip.source_range.start_time.value - _first(timeline, rate)
            duration = clip.source_range.duration.value
            if start > until:
                track.append(otio.schema.Gap(duration=RationalTime(start - until, rate)))
            if duration:
                track.append(clip)
            until = start + duration
        made.tracks.append(track)
    return {f"{timeline.film}.otio": made.to_json_string() + "\n"}


def make_clip(timeline: FilmTimeline, appearance: Appearance, rate: float) -> otio.schema.Clip:
    """Make the clip of an appearance, in whole frames of a rate, from the film's own time code on."""
    first = _first(timeline, rate)
    start, end = round(appearance.start * rate), round(appearance.end * rate)
    length = round((timeline.times[-1] if len(timeline.times) else 0) * rate) + 1
    media = otio.schema.ExternalReference(
        timeline.uri, available_range=TimeRange(RationalTime(first, rate), RationalTime(length, rate))
    )
    source = TimeRange(RationalTime(first + start, rate), RationalTime(end - start, rate))
    metadata = {"castsearch": {"track": appearance.track, "confidence": round(appearance.confidence, 4)}}
    return otio.schema.Clip(appearance.person, media, source, metadata)


def _first(timeline: FilmTimeline, rate: float) -> int:
    """The film's beginning in frames of a rate, by which editing programs find what is cut out of it."""
    if timeline.timecode is None:
        return 0
    try:
        return round(RationalTime.from_timecode(timeline.timecode, float(timeline.rate)).to_seconds() * rate)
    except ValueError:  # it is not of this rate, or no time code
        logger.warning("%s: its time code %r is not used: it does not fit its rate", timeline.film, timeline.timecode)
        return 0
