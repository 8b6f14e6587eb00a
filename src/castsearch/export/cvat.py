"""CVAT for video 1.1: the boxes of every track with its person as the label, to be corrected there and read again."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from castsearch.boxes import overlap
from castsearch.data.corrections import COLUMNS
from castsearch.data.nameless import UNKNOWN, is_nameless
from castsearch.errors import InputError, one_line
from castsearch.export.film_timeline import Box, FilmTimeline

logger = logging.getLogger(__name__)

_CORNERS = ("xtl", "ytl", "xbr", "ybr")  # left, top, right and bottom, as attributes of a box
_SAME_BOX = 0.8  # share of the union; CVAT numbers tracks anew, so that they are known by where they are


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    document = ElementTree.Element("annotations")
    _text(document, "version", "1.1")
    task = ElementTree.SubElement(ElementTree.SubElement(document, "meta"), "task")
    last = max(0, len(timeline.times) - 1)
    values = {"name": timeline.film, "size": last + 1, "mode": "interpolation", "start_frame": 0, "stop_frame": last}
    for name, value in values.items():
        _text(task, name, str(value))
    labels = ElementTree.SubElement(task, "labels")
    for person in sorted({each.person for each in timeline.appearances} | {UNKNOWN}):
        label = ElementTree.SubElement(labels, "label")
        _text(label, "name", person)
        ElementTree.SubElement(label, "attributes")
    size = ElementTree.SubElement(task, "original_size")
    for name, pixels in zip(("width", "height"), timeline.size, strict=True):
        _text(size, name, str(pixels))
    for each in timeline.appearances:
        track = ElementTree.SubElement(document, "track", id=str(each.track), label=each.person, source="auto")
        for box in each.boxes:
            _box(track, box, outside=False)
        after = max(each.boxes[-1].frame + 1, timeline.frame_at(each.end))
        if after <= last:
            _box(track, each.boxes[-1]._replace(frame=after), outside=True)
    ElementTree.indent(document)
    text = ElementTree.tostring(document, encoding="unicode")
    return {f"{timeline.film}.cvat.xml": f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'}


def read_track_names(path: str | Path, timeline: FilmTimeline) -> dict[int, str]:
    """Read whom tracks show from a file that CVAT exported, or that `render` wrote.

    The log warns of what is lost: boxes that lie where no track does, and all but one of a track's several labels.

    Args:
        path: the file `annotations.xml`.
        timeline: of the film, with the tracks that are looked for. Tracks are known by a box that they have in a frame.

    Returns:
        The label of each track that is found again; of several, the one of most boxes.

    Raises:
        InputError: the file cannot be read, is none of CVAT for video, or is of another film.
    """
    by_frame: dict[int, list[tuple[int, Box]]] = {}
    for each in timeline.appearances:
        for box in each.boxes:
            by_frame.setdefault(box.frame, []).append((each.track, box))
    labels: dict[int, Counter[str]] = {}
    astray = []
    drawn = _read_tracks(path)
    for number, label, boxes in drawn:
        places = (_track_there(box, by_frame.get(box.frame, [])) for box in boxes)
        same = Counter(track for track in places if track is not None)
        if boxes and not same:
            astray.append(f"track {number}, {one_line(label)}")
        for track, count in same.items():
            labels.setdefault(track, Counter())[label] += count
    if astray and not labels:
        raise InputError(
            f"{path}: none of its {len(drawn)} tracks lies where one of {timeline.film} does; it may be of another "
            "film, or the film's tracks have changed since it was exported"
        )
    for words in astray:
        logger.warning("%s: %s: lies where no track of %s does, so it is left out", path, words, timeline.film)
    for track, own in labels.items():
        best, *others = (one_line(label) for label, _ in own.most_common())
        for other in others:
            message = "%s: track %d of %s is both %s and %s there; it is taken for %s"
            logger.warning(message, path, track, timeline.film, best, other, best)
    return {track: own.most_common(1)[0][0] for track, own in labels.items()}


def _read_tracks(path: str | Path) -> list[tuple[str, str, list[Box]]]:
    """Number, label and boxes of each track in a file of CVAT for video, without boxes that are outside the picture."""
    try:
        document = ElementTree.parse(path).getroot()  # noqa: S314 (expat of Python 3.11 limits what entities expand to)
    except (OSError, ElementTree.ParseError, LookupError, ValueError) as error:  # the last two, of its encoding
        raise InputError(f"{path}: cannot be read as CVAT's XML: {error}") from None
    if document.tag != "annotations":
        raise InputError(f"{path}: is no file of CVAT for video: it begins with {document.tag}, not annotations")
    if document.find("image") is not None:
        raise InputError(f"{path}: is a file of CVAT for images, which has no tracks; export CVAT for video 1.1")
    tracks = []
    for track in document.iter("track"):
        try:
            boxes = [
                Box(int(box.attrib["frame"]), *(float(box.attrib[name]) for name in _CORNERS))
                for box in track.iter("box")
                if box.get("outside") != "1"
            ]
            tracks.append((track.get("id", "?"), track.attrib["label"], boxes))
        except (KeyError, ValueError) as error:
            raise InputError(f"{path}: track {track.get('id')}: is incomplete: {error}") from None
    return tracks


def _track_there(box: Box, others: Sequence[tuple[int, Box]]) -> int | None:
    """The track whose box, of those in the same frame, lies where a box does; None for none."""
    overlaps = overlap(np.array([box[1:]]), np.array([own[1:] for _, own in others]).reshape(-1, 4))[0]
    return others[int(overlaps.argmax())][0] if overlaps.max(initial=0) >= _SAME_BOX else None


def corrections(path: str | Path, timeline: FilmTimeline) -> str:
    """Return what somebody has changed in CVAT, as the text of a file of corrections.

    Args:
        path: see `read_track_names`.
        timeline: the film as it was exported.

    Raises:
        InputError: see `read_track_names`.
    """
    labels = read_track_names(path, timeline)
    lines = ["\t".join(COLUMNS)]
    for each in timeline.appearances:
        person = _of_cast(labels.get(each.track, each.person))
        if person != _of_cast(each.person):
            lines.append(f"{timeline.film}\ttrack {each.track}\t{person}\tyes")
    return "\n".join(lines)


def _of_cast(person: str) -> str:
    """A cast member, or UNKNOWN also for the groups of unknown people."""
    return UNKNOWN if is_nameless(person) else person


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _box(track: ElementTree.Element, box: Box, outside: bool) -> None:
    corners = zip(_CORNERS, box[1:], strict=True)
    flags = {"frame": str(box.frame), "keyframe": "1", "outside": str(int(outside)), "occluded": "0"}
    ElementTree.SubElement(track, "box", flags | {name: f"{value:.2f}" for name, value in corners} | {"z_order": "0"})
