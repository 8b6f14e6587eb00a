import pandas as pd
import pytest
from factories.crops import write_crops

from castsearch import files
from castsearch.cli import main
from castsearch.data.name_tables import write_names
from castsearch.workflow.deletion import movies_left


@pytest.fixture
def results(tmp_path):
    """Results of two movies, of which one has ada in its cast, and names carl by a correction."""
    for movie, label in (("m", "ada"), ("m2", "bo")):
        cast = [{"id": f"{movie}.1", "role": "cast", "label": label, "frame": "f", "image": b"x"}]
        write_crops(tmp_path / f"crops/val/{movie}.arrow", cast)
        names = pd.DataFrame(
            {"movie": movie, "box": ["b"], "frame": ["f"], "person": ["carl" if label == "ada" else label]}
        )
        names = names.assign(time=pd.NA, shot=pd.NA, track=pd.NA, confidence=0.9, likeliest=names["person"])
        write_names(tmp_path / f"names/val/{movie}.tsv", names)
        for path in ("faces/e/val/{}.arrow", "bodies/n/val/{}.npy", "export/{}/{}.cvat.xml", "report/val/{}.html"):
            files.write_text(tmp_path / path.format(movie, movie), label)
    for path in (
        "tables/screen_time.tsv",
        "report.html",
        "logs/report.log",
        "provenance/config.yaml",
        "reid/n/weights.safetensors",
    ):
        files.write_text(tmp_path / path, "ada")
    return tmp_path


@pytest.mark.parametrize("person", ["ada", "m.1", "carl"])
def test_nothing_of_a_person_is_left(results, person, capsys):
    assert main(["delete-person", person, "--results", str(results)]) == 0
    left = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert left == {
        "crops/val/m2.arrow",
        "names/val/m2.tsv",
        "faces/e/val/m2.arrow",
        "bodies/n/val/m2.npy",
        "export/m2/m2.cvat.xml",
        "reid/n/weights.safetensors",  # which the message names
    }
    assert "A network in" in capsys.readouterr().out


@pytest.mark.parametrize(("person", "stay"), [("ada", True), ("carl", False)])
def test_boxes_of_a_film_stay_where_the_person_is_named_nowhere(results, person, stay):
    boxes = [results / "persons/m/0.arrow", results / "tracks/faces/e/films/m.arrow"]
    for path in boxes:
        files.write_text(path, "")
    assert main(["delete-person", person, "--results", str(results)]) == 0
    assert [path.exists() for path in boxes] == [stay, stay]


def test_movies_that_were_searched_as_one_go_together(results):
    files.write_text(results / "rankings/val/all.arrow", "ada")
    assert main(["delete-person", "ada", "--results", str(results)]) == 0
    assert not (results / "rankings/val/all.arrow").exists()


def test_nothing_is_deleted_for_a_name_that_nobody_has(results, capsys):
    before = sorted(results.rglob("*"))
    assert main(["delete-person", "eve", "--results", str(results)]) == 1
    assert "eve: is in no movie there" in capsys.readouterr().err
    assert sorted(results.rglob("*")) == before


def test_nothing_is_left_of_a_movie_and_all_of_the_others(results):
    before = {path for path in results.rglob("*") if path.is_file()}
    assert main(["delete-movie", "m", "--results", str(results)]) == 0
    gone = {path.relative_to(results).parts[0] for path in before if not path.exists()}
    assert gone == {"crops", "names", "faces", "bodies", "export", "report"}
    assert not [path for path in before if not path.exists() and "m2" in path.name]


def test_other_files_that_have_the_name_of_a_movie_stay(results):
    for path in ("crops/val/0.arrow", "persons/0/0.arrow", "persons/m/0.arrow", "export/0.5/0.5.vtt"):
        files.write_text(results / path, "")
    assert main(["delete-movie", "0", "--results", str(results)]) == 0
    left = [path for path in ("persons/0", "persons/m/0.arrow", "export/0.5/0.5.vtt") if (results / path).exists()]
    assert left == ["persons/m/0.arrow", "export/0.5/0.5.vtt"]


@pytest.mark.parametrize("name", ["val", "crops"])
def test_a_split_or_a_kind_of_results_is_not_deleted_as_a_movie(results, name, capsys):
    assert main(["delete-movie", name, "--results", str(results)]) == 1
    assert f"{name}: nothing there was made of a movie" in capsys.readouterr().err


def test_nothing_is_deleted_if_one_of_the_movies_is_not_there(results, capsys):
    before = sorted(results.rglob("*"))
    assert main(["delete-movie", "m", "none", "--results", str(results)]) == 1
    assert "none: nothing there was made of a movie of this name" in capsys.readouterr().err
    assert sorted(results.rglob("*")) == before


def test_movies_that_the_configuration_has_no_longer_are_found(results):
    files.write_text(results / "crops/train/0/old.arrow", "")
    files.write_text(results / "appearances/val/v1.2.tsv", "")
    files.write_text(results / "crops/val/.m3.0123.arrow", "")  # of a job that was killed
    files.write_text(results / "crops/set.2/m2.arrow", "")
    assert movies_left(results, ["m2"]) == ["m", "old", "v1.2"]
    assert movies_left(results / "none", []) == []
