"""W3C Web Annotation as JSON-LD: each appearance identifies a person in a time and a place of the film.

The place is the box that holds all boxes of the track, as a media fragment.
"""

import json

from castsearch.export.film_timeline import Appearance, FilmTimeline


def render(timeline: FilmTimeline) -> dict[str, str]:
    """Return the texts of the format's files by their names."""
    page = {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": f"urn:castsearch:{timeline.film}",
        "type": "AnnotationPage",
        "items": [_annotation(timeline, each) for each in timeline.named],
    }
    text = json.dumps(page, indent=1, ensure_ascii=False)
    return {f"{timeline.film}.annotations.jsonld": text + "\n"}


def _annotation(timeline: FilmTimeline, appearance: Appearance) -> dict[str, object]:
    selector = {
        "type": "FragmentSelector",
        "conformsTo": "http://www.w3.org/TR/media-frags/",
        "value": f"t={appearance.start:.3f},{appearance.end:.3f}&xywh={_place(appearance)}",
    }
    return {
        "id": f"urn:castsearch:{timeline.film}:{appearance.track}",
        "type": "Annotation",
        "motivation": "identifying",
        "body": {"type": "TextualBody", "value": appearance.person, "purpose": "identifying"},
        "target": {"source": timeline.uri, "selector": selector},
    }


def _place(appearance: Appearance) -> str:
    left, top = min(box.left for box in appearance.boxes), min(box.top for box in appearance.boxes)
    right, bottom = max(box.right for box in appearance.boxes), max(box.bottom for box in appearance.boxes)
    return f"{left:.0f},{top:.0f},{right - left:.0f},{bottom - top:.0f}"
