"""The searches that a run compares, resolved from its configuration: after this, no default is left open."""

from collections.abc import Iterator, Mapping
from typing import Any

from castsearch.errors import InputError
from castsearch.faces import engines
from castsearch.search.methods import METHODS
from castsearch.search.variant import Variant


def submitted(config: Mapping[str, Any]) -> Variant:
    """Return the search of the submission."""
    return _resolve({}, config)


def baseline(config: Mapping[str, Any]) -> Variant:
    """Return the search by faces alone, with which the report compares the submission's."""
    return _resolve({"networks": [], "face_rerank": False}, config)


def compared(config: Mapping[str, Any]) -> list[Variant]:
    """Return the rows of the ablation table, each search once.

    Without entries under `variants`, these are each method with faces alone, with bodies, with either re-ranked, and
    with each network alone; otherwise the entries, after the baseline and the submission's search.

    Raises:
        InputError: an entry searches with an unknown network, in a way that its method cannot, or under the title of
            another search.
    """
    if not config["variants"]:
        every = (*(_resolve(entry, config) for entry in _default_entries(config)), baseline(config), submitted(config))
        return list({variant.key: variant for variant in every}.values())
    searches = {variant.key: variant for variant in (baseline(config), submitted(config))}
    for number, entry in enumerate(config["variants"]):
        place = f"config: variants.{number}"
        _check(entry, config, place)
        variant = _resolve(entry, config)
        known = searches.setdefault(variant.key, variant)
        if known is variant and any(
            other.title == variant.title for other in searches.values() if other is not variant
        ):
            raise InputError(
                f"{place}: its name {entry.get('name', variant.title)!r} is another's; give it a name of its own"
            )
    return list(searches.values())


def _default_entries(config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Entries as under `variants`, for the default comparison of all methods."""
    networks = _networks(config)
    for name, method in METHODS.items():
        if _across(config) and not method.across:
            continue
        plain = {"method": name, "face_rerank": False, "body_rerank": False}
        faces, bodies = ((False, True) if able else (False,) for able in (method.face_rerank, method.body_rerank))
        yield from (plain | {"networks": [], "face_rerank": face} for face in faces)
        if networks:
            yield from (plain | {"face_rerank": face, "body_rerank": body} for face in faces for body in bodies)
        if len(networks) > 1 and method.each_network:
            yield from (plain | {"networks": [network]} for network in networks)


def _resolve(entry: Mapping[str, Any], config: Mapping[str, Any]) -> Variant:
    """The search that an entry under `variants` asks for; what it leaves out is as in the submission's search."""
    fusion = config["fusion"]
    name = entry.get("method", config["search"]["method"])
    method = METHODS[name]
    engine = entry.get("engine", config["faces"]["engine"])
    networks = tuple(entry.get("networks", _networks(config)))
    face_rerank = entry.get("face_rerank", fusion["face_rerank"]) and method.face_rerank
    body_rerank = entry.get("body_rerank", fusion["body_rerank"]) and method.body_rerank and bool(networks)
    search = "face*" if face_rerank else "face"
    search += f"+{'body*' if body_rerank else 'body'}[{','.join(networks)}]" if networks else ""
    own = "/".join(f"{value:g}" for value in entry.get("thresholds", ()))
    return Variant(
        key=":".join(filter(None, (name, engine, search, own))),
        engine=engine,
        networks=networks,
        method=name,
        face_rerank=_reranking(config, "face") if face_rerank else None,
        body_rerank=_reranking(config, "body") if body_rerank else None,
        thresholds=_thresholds(entry, fusion, engine, face_rerank) if method.thresholds else (),
        title=f"{name} {entry['name']}" if "name" in entry else _title(name, search, own, engine, config),
        description=_description(name, networks, face_rerank, body_rerank),
    )


def _title(method: str, search: str, thresholds: str, engine: str, config: Mapping[str, Any]) -> str:
    """A short title that always names the method: `cascade face*+body[mgn]`; * is re-ranked."""
    title = f"{method} {search}"
    title += f" at {thresholds}" if thresholds else ""
    return title if engine == config["faces"]["engine"] else f"{title} by {engine}"


def _description(method: str, networks: tuple[str, ...], face_rerank: bool, body_rerank: bool) -> str:
    what = "faces, re-ranked" if face_rerank else "faces"
    if networks:
        what += f"; bodies{', re-ranked' if body_rerank else ''}, by {' and '.join(networks)}"
    else:
        what += " alone"
    return f"{what}; by {method}"


def _thresholds(
    entry: Mapping[str, Any], fusion: Mapping[str, Any], engine: str, face_rerank: bool
) -> tuple[float, ...]:
    """The entry's own thresholds, taken as they are; or else the run's, or else the engine's.

    Re-ranked similarities have a scale of their own, and so a first threshold of their own.
    """
    if "thresholds" in entry:
        return tuple(entry["thresholds"])
    first, *others = fusion["thresholds"] or engines.load(engine).THRESHOLDS
    return (fusion["reranked_threshold"] if face_rerank else first, *others)


def _reranking(config: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Method and parameters of the re-ranking of faces or of bodies."""
    method = config["rerank"]["method"]
    return {"method": method} | config["rerank"][method][kind]


def _check(entry: Mapping[str, Any], config: Mapping[str, Any], place: str) -> None:
    """Refuse an entry that asks for what cannot be searched.

    Raises:
        InputError: names the key.
    """
    name = entry.get("method", config["search"]["method"])
    method, networks = METHODS[name], entry.get("networks", _networks(config))
    if unknown := sorted(set(networks) - set(_networks(config))):
        raise InputError(f"{place}.networks: not in reid.networks: {', '.join(unknown)}")
    if entry.get("thresholds") and not method.thresholds:
        raise InputError(f"{place}.thresholds: the method {name} has none")
    if entry.get("face_rerank") and not method.face_rerank:
        raise InputError(f"{place}.face_rerank: the method {name} takes cosines of faces as they are")
    if entry.get("body_rerank") and not method.body_rerank:
        raise InputError(f"{place}.body_rerank: the method {name} links bodies as they are")
    if entry.get("body_rerank") and not networks:
        raise InputError(f"{place}.body_rerank: there are no networks whose bodies could be re-ranked")
    if _across(config) and not method.across:
        able = ", ".join(name for name, method in METHODS.items() if method.across)
        raise InputError(f"{place}.method: search.scope split needs more memory with {name}; {able} can do it")


def _across(config: Mapping[str, Any]) -> bool:
    return config["search"]["scope"] == "split"


def _networks(config: Mapping[str, Any]) -> list[str]:
    return [network["name"] for network in config["reid"]["networks"]]
