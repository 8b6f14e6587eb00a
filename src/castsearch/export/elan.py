"""ELAN's annotation format (EAF 3.0), with a tier for each person, as ELAN and TIB AV-Analytics open it.

Annotations of one tier cannot overlap in ELAN.
"""

import mimetypes
from xml.etree import ElementTree

from castsearch.export.film_timeline import FilmTimeline

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_TYPE = "default-lt"


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    # A date of its own would give other bytes each time.
    document = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "castsearch",
            "DATE": "1970-01-01T00:00:00+00:00",
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ElementTree.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    mime = mimetypes.guess_type(timeline.video.name)[0] or "video/*"
    ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=timeline.uri, MIME_TYPE=mime)
    order = ElementTree.SubElement(document, "TIME_ORDER")
    slots = 0
    for person, appearances in timeline.by_person().items():
        tier = ElementTree.SubElement(document, "TIER", LINGUISTIC_TYPE_REF=_TYPE, TIER_ID=person)
        for each in appearances:
            for time in (each.start, each.end):
                slots += 1
                name = f"ts{slots}"
                ElementTree.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=name, TIME_VALUE=str(round(1000 * time)))
            ends = {"TIME_SLOT_REF1": f"ts{slots - 1}", "TIME_SLOT_REF2": f"ts{slots}"}
            annotation = ElementTree.SubElement(tier, "ANNOTATION")
            aligned = ElementTree.SubElement(
                annotation, "ALIGNABLE_ANNOTATION", ends | {"ANNOTATION_ID": f"a{slots // 2}"}
            )
            ElementTree.SubElement(aligned, "ANNOTATION_VALUE").text = person
    kind = {"LINGUISTIC_TYPE_ID": _TYPE, "GRAPHIC_REFERENCES": "false", "TIME_ALIGNABLE": "true"}
    ElementTree.SubElement(document, "LINGUISTIC_TYPE", kind)
    ElementTree.indent(document)
    text = ElementTree.tostring(document, encoding="unicode")
    return {f"{timeline.film}.eaf": f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'}
