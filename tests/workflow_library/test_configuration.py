import copy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from castsearch.demo.people import PEOPLE
from castsearch.errors import InputError
from castsearch.faces import engines
from castsearch.reid import networks
from castsearch.workflow import configuration, contradictions
from castsearch.workflow.configuration import validate_config
from castsearch.workflow.planning import adapt, check_files, plan_engine, plan_persons, recipe_of

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(path, value):
    """The default configuration with the value at a dotted path replaced."""
    config = copy.deepcopy(DEFAULT)
    *parents, last = path.split(".")
    place = config
    for key in parents:
        place = place[int(key) if isinstance(place, list) else key]
    place[last] = value
    return config


def test_the_default_is_valid():
    validate_config(DEFAULT, SCHEMA)


@pytest.mark.parametrize("name", ["timm/convnext_tiny", "timm/vit_small_patch16_224.augreg_in1k"])
def test_a_timm_model_may_be_named_with_or_without_its_weights_tag(name):
    config = changed("reid.networks.0.backbone", name)
    config["reid"]["networks"][0]["imagenet"] = "weights/of_it.safetensors"
    validate_config(config, SCHEMA)


def test_one_more_name_in_the_schema_is_one_more_backbone():
    schema = copy.deepcopy(SCHEMA)
    schema["$defs"]["backbone"]["else"]["enum"].append("resnet34")
    network = {"name": "own", "kind": "mgn", "backbone": "resnet34", "imagenet": "own.pth"}
    config = changed("reid.networks", [network])
    validate_config(config, schema)
    assert networks.build("mgn", "resnet34", 0).feature_size == 4 * 512


def test_where_timm_is_not_installed_its_models_are_left_to_the_training(monkeypatch):
    monkeypatch.setattr(contradictions, "find_spec", lambda _: None)
    config = changed("reid.networks.0.backbone", "timm/resnet5")
    config["reid"]["networks"][0]["imagenet"] = "weights/of_it.safetensors"
    validate_config(config, SCHEMA)


EXAMPLES = [["demo"], ["challenge"], ["bag_of_tricks"], ["challenge", "bag_of_tricks"]]


@pytest.mark.parametrize("names", EXAMPLES, ids="+".join)
def test_the_examples_are_valid(names):
    merged = copy.deepcopy(DEFAULT)
    for name in names:
        update_config(merged, yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text()))
    validate_config(merged, SCHEMA)


def test_a_network_with_trained_weights_needs_no_people_and_takes_no_recipe():
    network = {"name": "mgn", "kind": "mgn", "backbone": "resnet50", "weights": "mgn.pth", "precision": "bfloat16"}
    config = changed("reid.networks", [network])
    config["data"]["train"] = []
    validate_config(config, SCHEMA)
    for key, value in {"epochs": 1, "imagenet": "resnet50.pth"}.items():
        network[key] = value
        with pytest.raises(InputError, match=rf"^config: reid\.networks\.0: .*'{key}' was unexpected"):
            validate_config(config, SCHEMA)
        del network[key]


ONNX = {"name": "own", "kind": "onnx", "file": "own.onnx", "height": 256, "width": 128, "channels": "rgb"}
ONNX |= {"mean": [123.7, 116.3, 103.5], "std": 58}


def test_a_network_in_onnx_says_how_it_sees_its_images_and_nothing_else():
    validate_config(changed("reid.networks", [ONNX]), SCHEMA)
    for key in ("backbone", "imagenet", "epochs", "precision"):
        with pytest.raises(InputError, match=rf"^config: reid\.networks\.0: .*'{key}' was unexpected"):
            validate_config(changed("reid.networks", [ONNX | {key: DEFAULT["reid"]["recipe"].get(key, "x")}]), SCHEMA)


@pytest.mark.parametrize(("networks", "expected"), [([], []), ([ONNX], ["own"]), (None, ["imagenet"])])
def test_where_nobody_trains_networks_that_need_no_training_describe_bodies(networks, expected):
    config = changed("data.train", [])
    if networks is not None:
        config["reid"]["networks"] = networks
    validate_config(config, SCHEMA)
    adapt(config)
    assert [network["name"] for network in config["reid"]["networks"]] == expected


def test_networks_that_can_be_trained_are():
    config = copy.deepcopy(DEFAULT)
    adapt(config)
    assert config == DEFAULT


@pytest.mark.parametrize("change", [{"search": ["test"]}, {"train": ["train", "val"]}, {"movies": 0}])
def test_the_best_epoch_needs_labelled_movies_to_tell_it(change):
    config = copy.deepcopy(DEFAULT)
    config["reid"]["networks"][1]["use"] = "best"
    validate_config(config, SCHEMA)
    if "movies" in change:
        config["data"]["demo"]["movies"]["val"] = 0
    else:
        config["data"] |= change
    with pytest.raises(InputError, match=r"^config: reid: use best of mgn: no searched split has labels"):
        validate_config(config, SCHEMA)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("colour", 1, "config: top level: unknown key colour"),
        ("faces.yunet_sface.detecter", None, "yunet_sface: unknown key detecter; known here: detector, recogniser"),
        ("reid.recipe.epoch", 1, r"config: reid\.recipe: .*'epoch' was unexpected"),
        ("reid.networks.0.lr", 1, r"config: reid\.networks\.0: .*'lr' was unexpected"),
        ("data.demo.faceless", "some", r"config: data\.demo\.faceless: 'some' is not of type 'number'"),
        ("fusion.face_rerank", "yes", r"config: fusion\.face_rerank: 'yes' is not of type 'boolean'"),
        ("faces.engine", "magic", r"config: faces\.engine: 'magic' is not one of"),
        ("reid.recipe.warmup", 12, r"config: reid\.networks\.0: warmup takes all of its 12 epochs"),
        ("reid.recipe.erasing_area", [0.4, 0.02], r"config: reid\.networks\.0: erasing_area: 0\.4 is above 0\.02"),
        (
            "data.files",
            {"val": {"annotations": "a{b}.json", "images": "."}},
            r"files\.val\.annotations: 'a\{b\}\.json'",
        ),
        ("reid.gpus", 25, r"config: reid\.gpus: more than the images of a batch of reid\.networks\.0"),
        ("data.search", [], r"config: data\.search: \[\] should be non-empty"),
        ("data.source", "files", r"config: data\.train: the split train has no entry under data\.files"),
        ("data.demo.others", 9, r"config: data\.demo: cast \+ others"),
        ("reid.networks.1.name", "triplet", r"config: reid\.networks: the name triplet occurs twice"),
        ("reid.networks.0.backbone", "resnet50", r"config: reid\.networks\.0\.imagenet: only mobilenet_v2 is packaged"),
        ("reid.networks.0.backbone", "resnet18", r"config: reid\.networks\.0\.backbone: 'resnet18' is not one of"),
        ("reid.networks.0.backbone", "timm/resnet5", r"networks\.0\.backbone: timm/resnet5 is none of timm's models"),
        ("reid.networks.0.backbone", "timm/resnet50.x", r"networks\.0\.backbone: timm/resnet50\.x is none of timm's"),
        (
            "reid.networks",
            [{"name": "own", "kind": "onnx"}],
            r"reid\.networks\.0: 'file' is a required property",
        ),
        ("reid.networks", ["triplet"], r"config: reid\.networks\.0: 'triplet' is not of type 'mapping'"),
        ("export", "elan", r"config: export: 'elan' is not of type 'list'"),
        ("data.films", "a\nb", r"config: data\.films: 'a\\nb' does not match .*; it is a path without braces"),
        ("reid.networks.0.name", "triplet\n", r"config: reid\.networks\.0\.name: 'triplet\\n' does not match"),
        (
            "data.films",
            {"x": {"video": 2019}},
            r"x\.video: 2019 is not of type 'string'; .*: put it into quotation marks",
        ),
        ("film.persons.fps", 0.0001, r"config: film\.persons\.fps: 0\.0001 is less than the minimum of 0\.001"),
        ("reid.recipe.seed", 2**32, r"config: reid\.recipe\.seed: 4294967296 is greater than the maximum"),
        ("reid.untrained.0.epochs", 3, r"config: reid\.untrained\.0: .*'epochs' was unexpected"),
        ("rerank.method", "magic", r"config: rerank\.method: 'magic' is not one of"),
        ("search.method", "magic", r"config: search\.method: 'magic' is not one of"),
        ("fusion.body_rerank", True, r"config: fusion\.body_rerank: search\.method diffusion"),
        ("data.demo.movies.train", 0, r"config: data\.demo\.movies: no movie to train the networks on"),
        ("reid.recipe.schedule", "linear", r"config: reid\.recipe\.schedule: 'linear' is not one of"),
        ("reid.recipe.people", 1, r"config: reid\.recipe\.people: 1 is less than the minimum of 2"),
        (
            "reid.recipe.margin",
            "sfot",
            r"config: reid\.recipe\.margin: 'soft' was expected, and 'sfot' is not of type 'number'",
        ),
        (
            "reid.recipe.learning_rate",
            "3e-4",
            r"'3e-4' is not of type 'number'; YAML takes it for a text: write 0\.0003",
        ),
        ("reid.recipe.epochs", "12", r"'12' is not of type 'integer'; .*YAML takes it for a text: write 12"),
        ("reid.recipe.learning_rate", float("nan"), r"config: reid\.recipe\.learning_rate: nan is no finite number"),
        ("faces.selection", {"centre_band": [0.9, 0.1]}, r"config: faces\.selection\.centre_band: 0\.9 is not below"),
        ("fusion.thresholds", [0.4, 0.5], r"config: fusion\.thresholds: each must not be above"),
    ],
)
def test_what_cannot_work_is_refused_with_the_name_of_its_key(path, value, message):
    with pytest.raises(InputError, match=message):
        validate_config(changed(path, value), SCHEMA)


def test_a_whole_number_may_be_written_with_a_point():
    config = changed("report.crops", 5.0)
    config["data"]["demo"]["movies"]["train"] = 10.0
    config["reid"]["networks"][0]["epochs"] = 13.0
    validate_config(config, SCHEMA)
    found = [
        config["report"]["crops"],
        config["data"]["demo"]["movies"]["train"],
        config["reid"]["networks"][0]["epochs"],
    ]
    assert found == [5, 10, 13]
    assert all(isinstance(value, int) for value in found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key a occurs twice, in lines 1 and 3"),
        ("a:\n  b: 1\n  b: 2\n", "the key b occurs twice, in lines 2 and 3"),
        ("a: [{b: 1, 'b': 2}]\n", "the key b occurs twice, in lines 1 and 1"),
        ('{"a": 1, "a": 2}', "the key a occurs twice, in lines 1 and 1"),
        ("a:\n  b: 010\n", "line 2: YAML takes 010 for another number; write it in decimals"),
        ("a: [1:30]\n", "line 1: YAML takes 1:30 for another number; write it in decimals"),
        ("a: [", "cannot be read"),
    ],
)
def test_what_yaml_understands_otherwise_than_people_is_refused(tmp_path, text, problem):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"mine\.yaml: {problem}"):
        configuration.check_keys(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    "text", ["", "a: {b: 1}\nc: {b: 1}\n", "a: &a {b: 1}\nc: *a\n", "a: &a [*a]\n", "a: [0, 0.5, '010']"]
)
def test_a_file_without_that_passes(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text)
    configuration.check_keys(tmp_path / "mine.yaml")


@pytest.mark.parametrize("folder", ["a b", "it's", "a&b", "$HOME", "[a]", "(a)", "a;b"])
def test_a_python_that_snakemake_cannot_start_is_refused(folder):
    with pytest.raises(InputError, match="move the project to a folder without it"):
        configuration.check_interpreter(f"/home/{folder}/.venv/bin/python")


@pytest.mark.parametrize("folder", ["a-b_c.d", "Zoë", "a+b", "a,b", "a=b"])
def test_a_python_in_any_other_folder_is_not(folder):
    configuration.check_interpreter(f"/home/{folder}/.venv/bin/python")


def test_a_whole_split_is_searched_by_diffusion_alone():
    config = changed("search", DEFAULT["search"] | {"method": "cascade", "scope": "split"})
    with pytest.raises(
        InputError, match=r"config: search\.scope: split needs more memory with search\.method cascade; diffusion can"
    ):
        validate_config(config, SCHEMA)
    validate_config(changed("search.scope", "split"), SCHEMA)


def test_a_folder_of_images_that_is_not_there_is_refused_by_key(tmp_path):
    check_files({"val": {"images": str(tmp_path)}})
    with pytest.raises(InputError, match=r"config: data\.files\.val\.images: no such folder: .*typo"):
        check_files({"val": {"images": str(tmp_path / "typo")}})


def test_the_number_of_photographed_people_is_the_demos():
    assert len(PEOPLE) == contradictions.PHOTOGRAPHED


def test_a_missing_section_of_an_engine_is_filled_in_with_what_config_yaml_says():
    config = copy.deepcopy(DEFAULT)
    for name in engines.available():
        config["faces"].pop(name, None)
    validate_config(config, SCHEMA)
    assert {name: config["faces"][name] for name in engines.available() if name in DEFAULT["faces"]} == {
        name: section for name, section in DEFAULT["faces"].items() if name in engines.available()
    }


def test_a_missing_model_file_is_refused_by_its_key():
    config = changed("faces.insightface.recogniser", {"file": "none.onnx"})
    with pytest.raises(InputError, match=r"^faces\.insightface\.recogniser: none\.onnx: the model file is missing"):
        plan_engine(config, "insightface", "models")


def test_a_missing_file_of_a_detector_of_persons_is_refused_by_its_key():
    config = changed("film.persons", {"detector": "yolox", "yolox": {"file": "none.onnx"}})
    with pytest.raises(InputError, match=r"film\.persons\.yolox\.file: none\.onnx: there is no such file"):
        plan_persons(config, "models")


def test_detectors_that_see_faces_take_the_face_engine():
    for kind in ("faces", "ssdlite"):
        planned = plan_persons(changed("film.persons.detector", kind), "models")
        assert planned.options == {"engine": "yunet_sface", "options": {"detector": None}}
        assert planned.modules == (f"castsearch.film.detectors.{kind}", "castsearch.faces.engines.yunet_sface")


def test_a_networks_own_keys_change_the_recipe_that_all_share():
    reid = {"recipe": {"epochs": 3, "people": 2}}
    network = {"name": "a", "kind": "mgn", "imagenet": "packaged", "epochs": 5}
    assert recipe_of(reid, network) == {"epochs": 5, "kind": "mgn", "people": 2}


def test_every_wrong_key_is_named_at_once():
    config = changed("faces.yunet_sface.detector", 1)
    config["report"]["crops"] = 0
    with pytest.raises(InputError, match=r"faces\.yunet_sface\.detector.*\n.*report\.crops"):
        validate_config(config, SCHEMA)


@pytest.mark.parametrize(
    ("key", "value", "source"),
    [
        ("films", "my_films", "films"),
        ("cast", "portraits", "films"),
        ("files", {"val": {"annotations": "a", "images": "a"}}, "files"),
    ],
)
def test_data_of_another_source_are_refused_and_not_passed_over(key, value, source):
    message = rf"data\.{key}: the source demo does not read it; set data\.source to {source}"
    with pytest.raises(InputError, match=message):
        validate_config(changed(f"data.{key}", value), SCHEMA)


def test_only_films_are_exported_and_only_by_a_method_that_names_boxes():
    with pytest.raises(InputError, match=r"export: only films have times"):
        validate_config(changed("export", ["elan"]), SCHEMA)
    config = changed("export", ["elan"])
    config["data"] |= {"source": "films", "films": {"m": "folder"}}
    config["search"]["method"] = "cascade"
    with pytest.raises(InputError, match=r"export: search\.method cascade names no boxes; diffusion does"):
        validate_config(config, SCHEMA)


def test_an_unknown_format_is_refused():
    with pytest.raises(InputError, match=r"export\.0: 'pdf' is not one of \['elan'"):
        validate_config(changed("export", ["pdf"]), SCHEMA)


def test_corrections_need_a_method_that_can_use_them():
    config = changed("search", DEFAULT["search"] | {"method": "cascade", "corrections": "c.tsv"})
    with pytest.raises(InputError, match=r"search\.corrections: search\.method cascade cannot use them; diffusion can"):
        validate_config(config, SCHEMA)
