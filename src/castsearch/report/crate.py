"""A run as a Workflow Run RO-Crate: what was run, with what, on which files, by whom, when, and what came out.

The crate is the folder of results. It follows RO-Crate 1.1 and the profiles Process Run Crate 0.5, Workflow Run Crate
0.5 and Workflow RO-Crate 1.0. Files outside of it, as the user's films and models are, have no address that others
could follow, so they are named by their content, as RFC 6920 does it.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from rocrate.model import ContextEntity, DataEntity, Entity
from rocrate.rocrate import ROCrate

from castsearch import files

FILE_NAME = "ro-crate-metadata.json"

_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_PARAMETER_PROFILE = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
# Not among the terms of RO-Crate 1.1; as the profiles define it.
_TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
_MIT = "https://spdx.org/licenses/MIT"
_MEDIA_TYPES = {
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}
_DESCRIPTION = (
    "For a portrait of each cast member, the person boxes of the movie ranked by who they show, with scores and "
    "reports where labels are known."
)


@dataclass(frozen=True)
class Execution:
    """What a crate says of a run.

    Attributes:
        workflow: path of the workflow's main file, inside the folder of results.
        config: path of the run's whole configuration, inside the folder of results.
        commit: of the workflow.
        config_digest: what tables of results cite the configuration by.
        seeds: what each seed is for, and the seed.
        versions: version per program or package.
        models: for each model file its `model`, `file`, `sha256` and `licence`.
        given: paths of the user's files.
        results: paths of the results, files and folders, inside the folder of results.
        run_by: `name` of who ran it, and perhaps an `orcid`; None leaves it open.
    """

    workflow: str | Path
    config: str | Path
    commit: str
    config_digest: str
    seeds: Mapping[str, int]
    versions: Mapping[str, str]
    models: Sequence[Mapping[str, str]]
    given: Sequence[str | Path]
    results: Sequence[str | Path]
    run_by: Mapping[str, str] | None


def write_crate(path: str | Path, run: Execution) -> None:
    """Write the metadata of a crate, which is the folder that `path` is in.

    The same files, with the same times, give the same bytes. A run is said to have lasted from the oldest of its
    results to the newest.

    Args:
        path: of the metadata, which has to be named `FILE_NAME`.
        run: what to say.
    """
    folder = Path(path).parent
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(_TERMS)
    inputs, outputs = _inputs(crate, folder, run), _outputs(crate, folder, run.results)
    workflow = _workflow(crate, folder, run)
    workflow["input"] = _parameters(crate, inputs)
    workflow["output"] = _parameters(crate, outputs)
    action = _action(crate, workflow, inputs, outputs, _first_and_last(run.results))
    _describe(crate, run, action)
    files.write_json(path, crate.metadata.generate())


def _inputs(crate: ROCrate, folder: Path, run: Execution) -> dict[str, list[Entity]]:
    """What the run was given, by kind."""
    return {
        "configuration": [
            _inside(crate, folder, run.config, name="The whole configuration", identifier=run.config_digest)
        ],
        "file": [_by_content(crate, path) for path in run.given],
        "model": [_model(crate, model) for model in run.models],
        "seed": [
            _context(crate, f"#seed-{name}", "PropertyValue", name=f"seed of {name}", value=seed)
            for name, seed in run.seeds.items()
        ],
    }


def _outputs(crate: ROCrate, folder: Path, results: Iterable[str | Path]) -> dict[str, list[Entity]]:
    """What came out, by kind: the first part of its path."""
    outputs: dict[str, list[Entity]] = {}
    for result in results:
        kind = _within(folder, result).partition("/")[0].partition(".")[0]
        kind += "-folder" if Path(result).is_dir() else ""
        outputs.setdefault(kind, []).append(_inside(crate, folder, result))
    return outputs


def _workflow(crate: ROCrate, folder: Path, run: Execution) -> Entity:
    """The crate's main entity, still without what it takes and makes."""
    workflow = crate.add_workflow(
        dest_path=_within(folder, run.workflow), main=True, lang="snakemake", lang_version=run.versions.get("snakemake")
    )
    workflow["name"] = "Cast search"
    workflow["encodingFormat"] = "text/plain"
    workflow["conformsTo"] = {"@id": _WORKFLOW_PROFILE}
    workflow["version"] = run.commit
    workflow["sha256"] = files.file_digest(run.workflow)
    workflow["license"] = _context(crate, _MIT, "CreativeWork", name="MIT License")
    workflow["creator"] = _context(crate, "#authors", "Organization", name="The castsearch authors")
    workflow["softwareRequirements"] = [
        _context(crate, f"#software-{name}", "SoftwareApplication", name=name, softwareVersion=version)
        for name, version in run.versions.items()
    ]
    return workflow


def _action(
    crate: ROCrate,
    workflow: Entity,
    inputs: Mapping[str, Sequence[Entity]],
    outputs: Mapping[str, Sequence[Entity]],
    times: tuple[str, str],
) -> Entity:
    """The run itself, between its two times."""
    start, end = times
    return crate.add_action(
        workflow,
        identifier="#run",
        object=_distinct(chain.from_iterable(inputs.values())),
        result=_distinct(chain.from_iterable(outputs.values())),
        properties={
            "name": "A run of the cast search",
            "startTime": start,
            "endTime": end,
            "description": _DESCRIPTION,
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )


def _describe(crate: ROCrate, run: Execution, action: Entity) -> None:
    """Say of the crate as a whole what it is, by whom, and on what terms."""
    crate.name = "Cast search: results of a run"
    crate.description = _DESCRIPTION
    crate.datePublished = action["endTime"]
    crate.license = _terms(crate, run.models)
    crate.root_dataset["conformsTo"] = [
        _context(crate, address, "CreativeWork", name=name, version=version)
        for address, (name, version) in _PROFILES.items()
    ]
    crate.root_dataset["mentions"] = action
    if run.run_by:
        crate.root_dataset["author"] = action["agent"] = _context(
            crate, run.run_by.get("orcid") or "#who-ran-it", "Person", name=run.run_by["name"]
        )


def _first_and_last(paths: Iterable[str | Path]) -> tuple[str, str]:
    times = [Path(path).stat().st_mtime for path in paths]
    first, last = (datetime.fromtimestamp(int(time), UTC).isoformat() for time in (min(times), max(times)))
    return first, last


def _within(folder: Path, path: str | Path) -> str:
    return Path(path).relative_to(folder).as_posix()


def _context(crate: ROCrate, identifier: str, kind: str, **properties: object) -> Entity:
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _inside(crate: ROCrate, folder: Path, path: str | Path, **properties: object) -> Entity:
    """A file of the crate, or a folder."""
    place = _within(folder, path)
    if Path(path).is_dir():
        return crate.add_dataset(dest_path=place, properties={"name": place})
    return crate.add_file(dest_path=place, properties={"name": place, **_content(path), **properties})


def _content(path: str | Path) -> dict[str, object]:
    return {
        "sha256": files.file_digest(path),
        "contentSize": str(Path(path).stat().st_size),
        "encodingFormat": _media_type(path),
    }


def _media_type(path: str | Path) -> str:
    return _MEDIA_TYPES.get(Path(path).suffix.lower(), "application/octet-stream")


def _by_content(crate: ROCrate, path: str | Path) -> Entity:
    return _outside(crate, {"name": Path(path).name, **_content(path)})


def _model(crate: ROCrate, model: Mapping[str, str]) -> Entity:
    licence = _context(crate, f"#terms-{model['model']}", "CreativeWork", name=model["licence"])
    return _outside(
        crate,
        {
            "name": f"{model['model']}: {model['file']}",
            "sha256": model["sha256"],
            "encodingFormat": _media_type(model["file"]),
            "license": licence,
        },
    )


def _outside(crate: ROCrate, properties: dict[str, object]) -> Entity:
    """A file that is not in the crate, with its `sha256` among the properties."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(str(properties["sha256"]))).decode().rstrip("=")
    return crate.add(DataEntity(crate, f"ni:///sha-256;{digest}", properties={"@type": "File", **properties}))


def _parameters(crate: ROCrate, groups: Mapping[str, Sequence[Entity]]) -> Entity | list[Entity]:
    """What the workflow takes or makes, by kind, and which entities of this run are of each."""
    parameters = []
    for name, entities in groups.items():
        if entities:
            parameter = _context(
                crate,
                f"#parameter-{name}",
                "FormalParameter",
                name=name,
                additionalType=entities[0].type,
                multipleValues=name != "configuration",
                conformsTo={"@id": _PARAMETER_PROFILE},
                workExample=_distinct(entities),
            )
            for entity in entities:
                entity["exampleOfWork"] = parameter
            parameters.append(parameter)
    return _distinct(parameters)


def _distinct(entities: Iterable[Entity]) -> Entity | list[Entity]:
    """The entities without those that are named twice, as files of the same content are; of a single one no list."""
    distinct = list({entity.id: entity for entity in entities}.values())
    return distinct[0] if len(distinct) == 1 else distinct


def _terms(crate: ROCrate, models: Sequence[Mapping[str, str]]) -> Entity:
    terms = sorted({f"{model['model']}: {model['licence']}" for model in models})
    return _context(
        crate,
        "#terms",
        "CreativeWork",
        name="Terms of use",
        description="; ".join(["Those of the movies, and of the models", *terms]),
    )
