"""OpenTimelineIO: a track for each person, with a clip of the film for each appearance, at the time of the film."""

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from castsearch.export.film_timeline import Appearance, FilmTimeline

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
            start, duration = clip.source_range.start_time.value, clip.source_range.duration.value
            if start > until:
                track.append(otio.schema.Gap(duration=RationalTime(start - until, rate)))
            if duration:
                track.append(clip)
            until = start + duration
        made.tracks.append(track)
    return {f"{timeline.film}.otio": made.to_json_string() + "\n"}


def make_clip(timeline: FilmTimeline, appearance: Appearance, rate: float) -> otio.schema.Clip:
    """Make the clip of an appearance, in whole frames of a rate."""
    start, end = round(appearance.start * rate), round(appearance.end * rate)
    length = round((timeline.times[-1] if len(timeline.times) else 0) * rate) + 1
    media = otio.schema.ExternalReference(
        timeline.uri, available_range=TimeRange(RationalTime(0, rate), RationalTime(length, rate))
    )
    source = TimeRange(RationalTime(start, rate), RationalTime(end - start, rate))
    metadata = {"castsearch": {"track": appearance.track, "confidence": round(appearance.confidence, 4)}}
    return otio.schema.Clip(appearance.person, media, source, metadata)
