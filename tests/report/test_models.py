import json

import pyarrow as pa

from castsearch import files
from castsearch.report.models import list_models


def test_the_models_of_every_engine_are_listed(tmp_path):
    paths = [tmp_path / name for name in ("yunet_sface", "insightface")]
    for path in paths:
        engine = {"engine": path.name, "models": [{"file": "a.dat", "sha256": "0"}]}
        files.write_table(path, pa.table({"id": []}).replace_schema_metadata({"engine": json.dumps(engine)}))
    models = list_models(paths, {"yunet_sface": "free", "insightface": "for research"}, {}, {})
    assert [(model["model"], model["licence"]) for model in models] == [
        ("yunet_sface", "free"),
        ("insightface", "for research"),
    ]


def test_a_network_that_was_not_trained_has_the_licence_of_its_file(tmp_path):
    files.write_text(tmp_path / "weights.safetensors", "")
    networks = dict.fromkeys("ab", tmp_path / "weights.safetensors")
    own, given = list_models([], {}, networks, {"b": "published.pth"})
    assert (own["licence"], given["licence"]) == ("trained by this run", "that of published.pth")
