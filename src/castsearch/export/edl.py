"""CMX 3600 edit decision list: all appearances of the first person one after the other, then those of the next.

It has one track, so that each appearance is an event, whose source times are the film's. Its rate is exact: at 29.97
in place of 30000/1001, the adapter refuses to read what it wrote.
"""

import opentimelineio as otio

from castsearch.export.film_timeline import FilmTimeline
from castsearch.export.otio import make_clip


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    rate = float(timeline.rate)
    track = otio.schema.Track(timeline.film, kind=otio.schema.TrackKind.Video)
    for appearances in timeline.by_person().values():
        clips = [make_clip(timeline, each, rate) for each in appearances]
        for clip in clips:  # the name becomes the reel; without it, the file's URI would: my%20film.mp4 as my20film
            clip.media_reference.name = timeline.film
        track.extend([clip for clip in clips if clip.source_range.duration.value > 0])
    made = otio.schema.Timeline(timeline.film)
    made.tracks.append(track)
    # The adapter cannot write a track without events.
    empty = f"TITLE: {timeline.film}\n"
    text = otio.adapters.write_to_string(made, "cmx_3600", rate=rate) if len(track) else empty
    return {f"{timeline.film}.edl": text}
