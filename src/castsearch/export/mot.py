"""MOT 1.1, as CVAT and the tools of the MOT Challenge read it: gt.txt with a row per box, and labels.txt with people.

Columns: frame from 1, track, left, top, width, height in pixels, 1 for a box that counts, number of the label from 1,
and visibility.
"""

from castsearch.export.film_timeline import FilmTimeline


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    people = sorted({each.person for each in timeline.appearances})
    rows = sorted(
        (box.frame + 1, each.track, box.left, box.top, box.right - box.left, box.bottom - box.top, each.person)
        for each in timeline.appearances
        for box in each.boxes
    )
    lines = [
        f"{frame},{track},{left:.2f},{top:.2f},{width:.2f},{height:.2f},1,{people.index(person) + 1},1\n"
        for frame, track, left, top, width, height, person in rows
    ]
    folder = f"{timeline.film}.mot/gt"
    return {f"{folder}/gt.txt": "".join(lines), f"{folder}/labels.txt": "".join(f"{name}\n" for name in people)}
