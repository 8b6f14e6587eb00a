import pytest

from castsearch.data.films import FilmFiles, find_films, number_of_parts, part_bounds, passed_over
from castsearch.data.nameless import UNKNOWN
from castsearch.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """A folder of a film: a video, a portrait of Ada, and two of Bo."""
    for name in ("film.mkv", "ada.jpg", "bo/old.png", "bo/young.JPG", "notes.txt", ".DS_Store", "bo/._old.png"):
        path = tmp_path / "films/mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "films"


def found(folder):
    own = folder / "mine"
    return FilmFiles(
        str(own / "film.mkv"),
        {"ada": [str(own / "ada.jpg")], "bo": [str(own / "bo/old.png"), str(own / "bo/young.JPG")]},
    )


def test_a_folder_has_a_video_and_portraits(folder):
    assert find_films({"mine": str(folder / "mine")}) == {"mine": found(folder)}


def test_a_folder_of_folders_has_a_film_in_each(folder):
    assert find_films(str(folder)) == {"mine": found(folder)}


@pytest.mark.parametrize("name", ["eve.avif", "eve.HEIC", "eve.jfif"])
def test_a_portrait_of_any_usual_format_is_found(folder, name):
    (folder / "mine" / name).touch()
    assert list(find_films(str(folder))["mine"].cast) == ["ada", "bo", "eve"]


@pytest.mark.parametrize("name", ["cast", "Portraits"])
def test_a_folder_may_hold_the_portraits_of_all_people(folder, name):
    own = folder / "mine"
    (own / name).mkdir()
    for portrait in ("ada.jpg", "bo"):
        (own / portrait).rename(own / name / portrait)
    assert {person: len(paths) for person, paths in find_films(str(folder))["mine"].cast.items()} == {"ada": 1, "bo": 2}


@pytest.mark.parametrize("image", [None, "2010/eve.jpg"])
def test_a_persons_folder_without_an_image_is_refused_among_portraits(folder, image):
    eve = folder / "mine/cast/eve"
    (eve / (image or "x")).parent.mkdir(parents=True)
    if image:
        (eve / image).touch()
    with pytest.raises(InputError, match=r"data\.films\.mine: .*cast/eve: this folder has no image"):
        find_films(str(folder))
    with pytest.raises(InputError, match=r"data\.cast: .*cast/eve: this folder has no image"):
        find_films({"x": {"video": str(folder / "mine/film.mkv")}}, str(folder / "mine"))


def test_folders_of_films_may_lie_beside_the_portraits_of_all(folder):
    (folder / "mine/2001").mkdir()
    (folder / "mine/film.mkv").rename(folder / "mine/2001/film.mkv")
    assert list(find_films(str(folder / "mine"), str(folder / "mine"))["film"].cast) == ["ada", "bo"]


@pytest.mark.parametrize("name", ["subtitles", "cast/@eaDir"])
def test_a_folder_that_need_not_be_a_persons_may_have_no_image(folder, name):
    (folder / "mine" / name).mkdir(parents=True)
    assert list(find_films(str(folder))["mine"].cast) == ["ada", "bo"]


def test_a_film_is_named_by_its_files(folder):
    own = folder / "mine"
    entry = {"video": str(own / "film.mkv"), "cast": {"ada": str(own / "ada.jpg")}, "fps": 2}
    assert find_films({"x": entry})["x"] == FilmFiles(str(own / "film.mkv"), {"ada": [str(own / "ada.jpg")]}, 2)


def test_a_folder_may_have_the_truth(folder):
    (folder / "mine/truth.json").touch()
    assert find_films(str(folder))["mine"].truth == str(folder / "mine/truth.json")


def test_a_file_and_a_folder_of_one_name_are_one_person(folder):
    (folder / "mine/bo.jpg").touch()
    assert len(find_films(str(folder))["mine"].cast["bo"]) == 3


@pytest.fixture
def archive(tmp_path):
    """A folder of films, some in folders of their own, and one of portraits."""
    for name in ("films/1950/a.mp4", "films/1950/poster.jpg", "films/1951/mai/b.mkv", "films/c.MP4", "films/.t/d.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("cast/ada.jpg", "cast/bo/1.jpg", "own/ada.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_with_a_cast_for_all_every_video_below_a_folder_is_a_film(archive):
    cast = {"ada": [f"{archive}/cast/ada.jpg"], "bo": [f"{archive}/cast/bo/1.jpg"]}
    videos = {"a": "1950/a.mp4", "b": "1951/mai/b.mkv", "c": "c.MP4"}
    expected = {name: FilmFiles(f"{archive}/films/{path}", cast) for name, path in videos.items()}
    assert find_films(f"{archive}/films", f"{archive}/cast") == expected


def test_what_is_not_read_beside_videos_of_one_cast_is_known(archive):
    (archive / "films/1951/truth.json").touch()
    (archive / "films/cast").symlink_to(archive / "cast")
    films = find_films(f"{archive}/films", f"{archive}/films/cast")
    assert passed_over(f"{archive}/films", films) == [
        f"{archive}/films/1950/poster.jpg",
        f"{archive}/films/1951/truth.json",
    ]


def test_videos_are_found_behind_symbolic_links_to_folders(archive):
    (archive / "nas").mkdir()
    (archive / "nas/e.mp4").touch()
    (archive / "films/1951/linked").symlink_to(archive / "nas")
    (archive / "nas/back").symlink_to(archive / "films")
    assert sorted(find_films(f"{archive}/films", {})) == ["a", "b", "c", "e"]


def test_a_symbolic_link_to_a_video_that_is_gone_is_refused(archive):
    (archive / "films/gone.mp4").symlink_to(archive / "none.mp4")
    with pytest.raises(InputError, match=r"gone\.mp4: there is no such file"):
        find_films(f"{archive}/films", {})


@pytest.mark.parametrize("name", ["films/{year}/e.mp4", "films/a\nb/e.mp4", "films/\udce9/e.mp4", "cast/bo/{2}.jpg"])
def test_a_path_that_snakemake_would_misread_is_refused(archive, name):
    (archive / name).parent.mkdir(exist_ok=True)
    (archive / name).touch()
    with pytest.raises(InputError, match="a path has no braces and no control characters, and is in UTF-8; rename it"):
        find_films(f"{archive}/films", f"{archive}/cast")


def test_a_film_has_its_own_cast_besides_that_of_all(archive):
    film = {"video": f"{archive}/films/c.MP4", "cast": f"{archive}/own"}
    found = find_films({"c": film}, {"ada": f"{archive}/cast/ada.jpg", "eve": f"{archive}/cast/bo/1.jpg"})["c"].cast
    assert found == {
        "ada": [f"{archive}/own/ada.jpg", f"{archive}/cast/ada.jpg"],
        "eve": [f"{archive}/cast/bo/1.jpg"],
    }


def test_one_portrait_of_two_people_in_the_cast_for_all_is_refused(archive):
    cast = {"ada": f"{archive}/own/ada.jpg", "eve": f"{archive}/own/../own/ada.jpg"}
    with pytest.raises(InputError, match=r"data\.cast: .*ada\.jpg: is a portrait of both ada and eve"):
        find_films(f"{archive}/films", cast)


@pytest.mark.parametrize(
    "names", [[("c", ("ada", "1", "2")), ("c", ("ada.2", "3"))], [("c", ("d.ada", "1")), ("c.d", ("ada", "2"))]]
)
def test_names_by_which_two_portraits_have_one_id_are_refused(tmp_path, names):
    films = {}
    for film, (person, *portraits) in names:
        paths = [tmp_path / f"{portrait}.jpg" for portrait in portraits]
        for path in (*paths, tmp_path / "x.mp4"):
            path.touch()
        entry = films.setdefault(film, {"video": str(tmp_path / "x.mp4"), "cast": {}})
        entry["cast"][person] = list(map(str, paths))
    with pytest.raises(InputError, match=r"would have the id c\.(ada\.2|d\.ada), as that of .*; rename"):
        find_films(films)


def test_two_videos_of_one_name_below_a_folder_are_refused(archive):
    (archive / "films/1951/a.mov").touch()
    with pytest.raises(InputError, match=r"1951/a\.mov: has the name of .*1950/a\.mp4; rename one"):
        find_films(f"{archive}/films", {})


@pytest.mark.parametrize(
    ("folder", "message"),
    [("none", "none: there is no such folder"), ("films", "films: has no portrait; put an image")],
)
def test_a_folder_that_has_no_portraits_is_refused_as_cast(archive, folder, message):
    (archive / "films/1950/poster.jpg").unlink()
    with pytest.raises(InputError, match=f"data.cast: .*{message}"):
        find_films(f"{archive}/films", f"{archive}/{folder}")


REFUSALS = {
    "no film": ({}, "data.films: there is no film"),
    "no folder": ("{folder}/other", "data.films: .*other: there is no such folder"),
    "no film's folder": ({"x": "{folder}/other"}, "data.films.x: .*other: there is no such folder"),
    "no video": ({"x": {"video": "{folder}/none.mp4"}}, r"data.films.x.video: .*none\.mp4: there is no such file"),
    "no portrait": (
        {"x": {"video": "{folder}/mine/film.mkv", "cast": {"ada": ["{folder}/none.jpg"]}}},
        r"data.films.x.cast.ada: .*none\.jpg: there is no such file",
    ),
    "no truth": ({"x": {"video": "{folder}/mine/film.mkv", "truth": "none.json"}}, "data.films.x.truth: none.json"),
    "a film's name": ({"../x": "{folder}/mine"}, "data.films: '../x': a name holds only"),
    "a name that begins with a dash": ({"-x": "{folder}/mine"}, "begins with a letter or digit, such as 'x'"),
    "a name with accent, blank and apostrophe": ({"Zoë O'Brien": "{folder}/mine"}, "such as 'Zoe_OBrien'"),
    "a name that is nearly the one of those without one": ({"unknown!": "{folder}/mine"}, "letter or digit$"),
    "one film's folder in place of a folder of films": ("{folder}/mine", "mine: has film.mkv itself, where a folder"),
    "a person's name": (
        {"x": {"video": "{folder}/mine/film.mkv", "cast": {"a/b": "{folder}/mine/ada.jpg"}}},
        "data.films.x.cast: 'a/b': a name holds only",
    ),
    "too long a name": ({"x" * 201: "{folder}/mine"}, "data.films: 'x+': a name holds only up to 200 letters"),
    "the name of those without one": (
        {"x": {"video": "{folder}/mine/film.mkv", "cast": {UNKNOWN: "{folder}/mine/ada.jpg"}}},
        "data.films.x.cast: unknown: stands for whoever has no name",
    ),
    "a number as name": ({1: "{folder}/mine"}, "data.films: YAML does not read the name 1 as text; put it"),
}


@pytest.mark.parametrize(("films", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_not_there_or_has_no_name_is_refused(folder, films, message):
    def filled(value):
        if isinstance(value, dict):
            return {key: filled(part) for key, part in value.items()}
        return [filled(part) for part in value] if isinstance(value, list) else value.format(folder=folder)

    with pytest.raises(InputError, match=message):
        find_films(filled(films))


def test_a_portrait_that_is_named_twice_counts_once(folder):
    own = folder / "mine"
    (own / "link.jpg").symlink_to("ada.jpg")
    paths = [f"{own}/ada.jpg", f"{own}/./bo/../ada.jpg", f"{own}/link.jpg"]
    assert find_films({"x": {"video": f"{own}/film.mkv", "cast": {"ada": paths}}})["x"].cast == {"ada": paths[:1]}


def test_one_portrait_of_two_people_is_refused(folder):
    own = folder / "mine"
    (own / "bo/ada.png").symlink_to("../ada.jpg")
    with pytest.raises(InputError, match=r"bo/ada\.png: is a portrait of both ada and bo"):
        find_films(str(folder))
    cast = {"ada": f"{own}/ada.jpg", "eve": f"{own}/bo/../ada.jpg"}
    with pytest.raises(InputError, match=r"data\.films\.x\.cast: .*ada\.jpg: is a portrait of both ada and eve"):
        find_films({"x": {"video": f"{own}/film.mkv", "cast": cast}})


@pytest.mark.parametrize(("there", "wanted"), [("Zoe\u0308.mkv", "Zo\u00eb.mkv"), ("FILM.MKV", "film.mkv")])
def test_a_file_of_nearly_that_name_is_pointed_out(tmp_path, there, wanted):
    (tmp_path / there).touch()
    with pytest.raises(InputError, match=r"there is no such file; there is .*, in other capitals or other Unicode"):
        find_films({"x": {"video": f"{tmp_path}/{wanted}"}})


def test_a_folder_with_two_videos_is_refused(folder):
    (folder / "mine/other.mp4").touch()
    with pytest.raises(InputError, match=r"one video file was expected in a film's folder, not film\.mkv, other\.mp4"):
        find_films(str(folder))


@pytest.mark.parametrize(("duration", "parts"), [(None, 1), (0.5, 1), (600, 1), (600.1, 2), (3000, 5), (1e12, 1000)])
def test_a_part_is_a_number_of_minutes(duration, parts):
    assert number_of_parts(duration, 10) == parts


def test_the_last_part_has_no_end():
    assert [part_bounds(part, 3, 10) for part in range(3)] == [(0, 600), (600, 1200), (1200, None)]
