import json
import subprocess
import sys

import pytest
import torch
import yaml

from castsearch.cli import main
from castsearch.demo.movies import MovieSettings
from castsearch.reid.networks import build, load_weights


def test_a_real_submission_gets_its_published_score(wider, capsys):
    assert main(["evaluate", str(wider / "val_label.json"), str(wider / "val_rank.txt")]) == 0
    printed = capsys.readouterr().out
    assert "mAP      0.712862\n" in printed
    assert "147 scored, 147 of 147 answered" in printed
    assert sum(line.strip().startswith("tt") for line in printed.splitlines()) == 19


@pytest.fixture
def scored_split(tmp_path):
    """Labels, a submission that fits them, and the split's annotation."""
    paths = [tmp_path / name for name in ("label.json", "rank.txt", "val.json")]
    candidates = [{"id": f"m_{i}", "img": "m/f.jpg", "bbox": [0, 0, 1, 1]} for i in range(3)]
    paths[0].write_text(json.dumps({"m_nm1": ["m_1"]}))
    paths[1].write_text("m_nm1 m_0,m_1\n")
    paths[2].write_text(json.dumps({"m": {"cast": [{"id": "m_nm1", "img": "m/1.jpg"}], "candidates": candidates}}))
    return paths


def test_a_submission_that_fits_its_split_is_scored(scored_split, capsys):
    labels, submission, split = map(str, scored_split)
    assert main(["evaluate", labels, submission, "--split", split]) == 0
    assert "mAP      0.500000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        (1, "m_nm1 m_0\nm_nm2 m_1\n", "rank.txt: line 2: unknown cast id 'm_nm2'"),
        (0, '{"m_nm1": ["m_1"', "label.json: "),
        (0, '{"m_nm7": ["m_1"]}', "label.json: cast m_nm7: "),
        (0, '{"m_nm1": ["m_9"]}', "label.json: cast m_nm1: candidate m_9: "),
        (2, '{"m": 3}', "val.json: movie m: "),
    ],
)
def test_bad_input_is_one_line_and_status_1(scored_split, capsys, file, text, reason):
    scored_split[file].write_text(text)
    labels, submission, split = map(str, scored_split)
    assert main(["evaluate", labels, submission, "--split", split]) == 1
    printed = capsys.readouterr()
    assert reason in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_the_movie_of_a_query_is_the_split_s_and_not_read_from_its_id(scored_split, capsys):
    for path in scored_split:
        path.write_text(path.read_text().replace("m_nm1", "bob_smith"))
    labels, submission, split = map(str, scored_split)
    assert main(["evaluate", labels, submission, "--split", split]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "m"


def test_without_a_split_the_labels_say_which_cast_ids_there_are(scored_split, capsys):
    scored_split[1].write_text("m_nm9 m_0\n")
    assert main(["evaluate", *map(str, scored_split[:2])]) == 1
    assert "line 1: unknown cast id 'm_nm9'" in capsys.readouterr().err


def test_a_search_of_all_movies_may_find_candidates_of_a_movie_without_cast(scored_split, capsys):
    labels, submission, split = scored_split
    annotations = json.loads(split.read_text())
    annotations["n"] = {"cast": [], "candidates": [{"id": "n_0", "img": "n/f.jpg", "bbox": [0, 0, 1, 1]}]}
    split.write_text(json.dumps(annotations))
    submission.write_text("m_nm1 n_0,m_1\n")
    arguments = ["evaluate", str(labels), str(submission), "--split", str(split)]
    assert main([*arguments, "--across"]) == 0
    assert "mAP      0.500000" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "candidate 'n_0' of cast id 'm_nm1' belongs to another movie" in capsys.readouterr().err


def test_a_search_of_all_movies_is_scored_across_them(scored_split, capsys):
    labels, submission, split = scored_split
    annotations = json.loads(split.read_text())
    annotations["n"] = json.loads(json.dumps(annotations["m"]).replace('"m_', '"n_'))
    for movie in annotations.values():
        movie["cast"][0]["label"] = "nm1"
    split.write_text(json.dumps(annotations))
    labels.write_text(json.dumps({"m_nm1": ["m_1"], "n_nm1": ["n_2"]}))
    submission.write_text("m_nm1 m_1,n_2\nn_nm1 m_1,n_2\n")
    arguments = ["evaluate", str(labels), str(submission), "--split", str(split)]
    assert main(arguments) == 1
    assert "belongs to another movie" in capsys.readouterr().err
    assert main([*arguments, "--across"]) == 0
    assert "mAP      1.000000" in capsys.readouterr().out


@pytest.mark.parametrize("program", [["castsearch.evaluation"], ["castsearch.cli", "evaluate"]])
def test_a_module_runs_as_a_program(scored_split, program):
    command = [sys.executable, "-m", *program, *scored_split[:2]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "mAP      0.500000" in done.stdout, done.stderr


def test_across_movies_needs_the_split_that_names_them(scored_split, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", *map(str, scored_split[:2]), "--across"])
    assert "--across needs --split" in capsys.readouterr().err


def test_published_weights_are_checked_and_converted(tmp_path, capsys):
    network = build("triplet", "mobilenet_v2", 3)
    torch.save(network.state_dict(), tmp_path / "published.pth")
    converted = tmp_path / "weights.safetensors"
    arguments = ["weights", str(tmp_path / "published.pth"), "--kind", "triplet", "--backbone", "mobilenet_v2"]

    assert main([*arguments, "--output", str(converted)]) == 0

    assert "triplet on mobilenet_v2" in capsys.readouterr().out
    assert load_weights(converted).kind == "triplet"


def test_weights_of_another_network_are_refused(tmp_path, capsys):
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pth")
    assert main(["weights", str(tmp_path / "other.pth"), "--kind", "triplet", "--backbone", "mobilenet_v2"]) == 1
    assert "other.pth: not the weights of triplet on mobilenet_v2" in capsys.readouterr().err


def test_the_demo_is_written_in_the_challenges_format(tmp_path):
    assert main(["demo", str(tmp_path), "--train", "0", "--val", "1", "--test", "0"]) == 0
    [entry] = json.loads((tmp_path / "val.json").read_text()).values()
    labels = json.loads((tmp_path / "val_label.json").read_text())
    assert [member["id"] for member in entry["cast"]] == list(labels)
    assert all((tmp_path / "val" / record["img"]).is_file() for part in entry.values() for record in part)


def test_the_demo_is_that_of_the_workflow(pytestconfig):
    demo = yaml.safe_load((pytestconfig.rootpath / "config.yaml").read_text())["data"]["demo"]
    del demo["movies"]
    assert MovieSettings() == MovieSettings(**demo)


def test_scoring_a_file_loads_no_network_library():
    code = "import castsearch.cli, castsearch.evaluation.submission_scores, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
