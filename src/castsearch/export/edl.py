"""CMX 3600 edit decision list: all appearances of the first person one after the other, then those of the next.

It has one track, so that each appearance is an event, whose source times are the film's. Its rate is exact: at 29.97
in place of 30000/1001, the adapter refuses to read what it wrote. But the adapter writes drop-frame codes at that rate;
those of a film whose own code counts every frame are written at 30. There are no codes for rates such as 16; then the
nearest whole rate that has them counts, which keeps to the clock.
"""

from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from castsearch.export.film_timeline import USUAL_RATES, FilmTimeline
from castsearch.export.otio import first_frame, make_clip


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    rate = _rate_with_codes(timeline.rate)
    first = first_frame(timeline, rate)
    every_frame = timeline.timecode is not None and not {";", "."} & set(timeline.timecode)
    written = float(round(rate)) if every_frame else rate
    track = otio.schema.Track(timeline.film, kind=otio.schema.TrackKind.Video)
    for appearances in timeline.by_person().values():
        clips = [make_clip(timeline, each, rate, first) for each in appearances]
        for clip in clips:  # the name becomes the reel; without it, the file's URI would: my%20film.mp4 as my20film
            clip.media_reference.name = timeline.film
            clip.source_range = TimeRange(
                RationalTime(clip.source_range.start_time.value, written),
                RationalTime(clip.source_range.duration.value, written),
            )
        track.extend([clip for clip in clips if clip.source_range.duration.value > 0])
    made = otio.schema.Timeline(timeline.film)
    made.tracks.append(track)
    # The adapter cannot write a track without events.
    empty = f"TITLE: {timeline.film}\n"
    text = otio.adapters.write_to_string(made, "cmx_3600", rate=written) if len(track) else empty
    return {f"{timeline.film}.edl": text}


def _rate_with_codes(rate: Fraction) -> float:
    whole = [usual for usual in USUAL_RATES if usual.denominator == 1]
    return float(rate if rate in USUAL_RATES else min(whole, key=lambda usual: abs(usual - rate)))
