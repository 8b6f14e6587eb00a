import io
import json
from collections import OrderedDict
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from castsearch import files
from castsearch.data.crops import crop_table, crops_of
from castsearch.evaluation import tables
from castsearch.report import page

HOSTILE = """<script>alert(1)</script>"'&"""


class Page(HTMLParser):
    """The tags and the text of a page; a tag that is closed wrongly is an error."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self._open = [], [], []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def words(self):
        return " ".join(" ".join(self.text).split())


def jpeg(color, size=(60, 120)):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


def crops_of_movie(rows, name="m", split="val"):
    """A movie's people, from rows (id, role, image, whether a face was detected)."""
    keys = ("id", "role", "image")
    people = [dict(zip(keys, row, strict=False)) | {"width": 60, "height": 120} for row in rows]
    return crops_of(crop_table(split, name, people))


def write_movie(folder, rows, name="m", split="val"):
    """Make the crops of a movie, and write its table of faces."""
    faces = folder / f"{split}_{name}_faces.arrow"
    files.write_table(faces, pa.table({"id": [row[0] for row in rows], "detected": [row[3] for row in rows]}))
    return crops_of_movie(rows, name, split), faces


@pytest.fixture
def movie(tmp_path):
    """One cast member; m_0 shows it with a face, m_1 without one, m_2 is another person, m_3 cannot be read."""
    crops, faces = write_movie(
        tmp_path,
        [
            ("m_nm1", "cast", jpeg("red"), True),
            ("m_0", "candidate", jpeg("green"), True),
            ("m_1", "candidate", jpeg("blue"), False),
            ("m_2", "candidate", jpeg("black"), True),
            ("m_3", "candidate", None, False),
        ],
    )
    return page.Movie(
        crops=crops,
        faces=faces,
        rankings={"m_nm1": ["m_0", "m_1", "m_2", "m_3"]},
        baseline={"m_nm1": ["m_0", "m_2", "m_1", "m_3"]},
        labels={"m_nm1": ["m_0", "m_1"]},
    )


@pytest.fixture
def training(tmp_path):
    log = tmp_path / "triplet.tsv"
    log.write_text("epoch\tlearning_rate\tloss\ttop1\n1\t0.0003\t2.5\t0.4\n2\t0.0003\t1.5\t0.8\n")
    return {"triplet": log}


def render(movies, **changes):
    def scores(rankings):
        labels = {cast: ids for movie in movies for cast, ids in movie.labels.items()}
        answers = {cast: ids for movie in movies for cast, ids in rankings(movie).items()}
        return tables.summarize(tables.score_queries(labels, answers, dict.fromkeys(labels, "m"))).to_dict()

    ablation = pd.DataFrame(
        [
            {"split": "val", "title": "face", "description": "faces alone", **scores(lambda movie: movie.baseline)},
            {
                "split": "val",
                "title": "face+body",
                "description": "faces, then bodies",
                **scores(lambda movie: movie.rankings),
            },
        ]
    )
    arguments = {
        "ablation": ablation,
        "title": "Cast search",
        "variant": "face+body",
        "baseline": "face",
        "skipped": [],
        "training": {},
        "config": {"fusion": {"thresholds": [0.5, 0.4]}},
        "models": [{"model": "dlib", "file": "model.dat", "sha256": "00ff", "licence": "CC0-1.0"}],
        "versions": {"torch": "1.2.3"},
    }
    return page.render(movies, **(arguments | changes))


def test_the_page_says_what_was_found(movie, training):
    shown = Page(render([movie], training=training))
    words = shown.words()
    assert "mAP 1.000 by face alone 0.833, +0.167" in words
    assert "Crops without a face found 100 % of 1 that show the cast; by face alone 0 %" in words
    assert "Cast members 1 a query each, in 1 movie" in words
    assert "Candidates 4 1 without a face" in words
    assert "face+body (shown below) faces, then bodies" in words
    assert "AP 1.000 by face alone 0.833 2 of 2 right among the first 2" in words
    assert "m_nm1 rank 3 → 2" in words  # in the gallery of those found without a face
    assert "thresholds: - 0.5 - 0.4" in words
    assert "dlib model.dat 00ff CC0-1.0" in words
    assert "torch 1.2.3" in words
    figures = [image["alt"] for image in shown.all("img") if "epoch" in image["alt"]]
    assert figures == [
        "loss by epoch: loss",
        "accuracy on the training images by epoch: top1",
        "learning rate by epoch: learning_rate",
    ]


def test_every_picture_says_in_words_what_its_frame_says_in_color(movie):
    shown = Page(render([movie]))
    cast_section = [attributes["alt"] for attributes in shown.all("img")][-4:]
    assert cast_section == [
        "portrait of m_nm1",
        "m_0, rank 1, right",
        "m_1, rank 2, right, no face",
        "m_2, rank 3, wrong",
    ]
    assert "m_3, rank 4, wrong" in [attributes.get("aria-label") for attributes in shown.all("span")]
    assert "1 ✓" in shown.words()
    assert "3 ✗" in shown.words()


def test_only_the_top_of_a_ranking_is_shown(movie):
    words = Page(render([movie], top=2)).words()
    assert "2 ✓" in words
    assert "3 ✗" not in words


def test_a_picture_is_small_whatever_the_crop_was(movie, tmp_path):
    crops, faces = write_movie(tmp_path, [("m_nm1", "cast", jpeg("red", (3000, 2000)), True)])
    shown = Page(render([replace(movie, crops=crops, faces=faces, rankings={}, baseline={})]))
    assert [(int(i["width"]), int(i["height"])) for i in shown.all("img")] == [(160, 107)]


def test_the_page_needs_nothing_but_itself(movie, training):
    shown = Page(render([movie], training=training))
    for _, attributes in shown.tags:
        for name in ("src", "href", "xlink:href", "data", "action", "srcset", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:image/"))
    assert "url(http" not in render([movie])
    assert "link" not in {tag for tag, _ in shown.tags}


def test_the_same_run_gives_the_same_page(movie, training):
    assert render([movie], training=training) == render([movie], training=training)


def test_hostile_names_stay_text(tmp_path):
    crops, faces = write_movie(
        tmp_path,
        [(HOSTILE + "cast", "cast", jpeg("red"), True), (HOSTILE, "candidate", jpeg("blue"), False)],
    )
    rankings = {HOSTILE + "cast": [HOSTILE]}
    movie = page.Movie(crops, faces, rankings, {}, rankings)
    log = tmp_path / "log.tsv"
    log.write_text(f"epoch\t{HOSTILE.replace(chr(34), '')}\n1\t2\n")
    hostile = {
        "title": HOSTILE,
        "skipped": [(HOSTILE, HOSTILE)],
        "training": {HOSTILE: log},
        "config": {HOSTILE: HOSTILE},
        "models": [dict.fromkeys(("model", "file", "sha256", "licence"), HOSTILE)],
        "versions": {HOSTILE: HOSTILE},
    }
    shown = Page(render([movie], **hostile))
    assert len(shown.all("script")) == len(Page(render([movie])).all("script"))
    assert HOSTILE in shown.words()


def test_without_labels_nothing_is_scored_or_marked(movie):
    shown = Page(render([replace(movie, labels={})], ablation=pd.DataFrame()))
    assert "There are no labels here" in shown.words()
    assert "mAP" not in shown.words()
    assert "✓" not in shown.words()
    assert {"m_0, rank 1", "m_1, rank 2, no face"} <= {attributes.get("alt") for attributes in shown.all("img")}


def test_labels_of_other_movies_change_nothing(movie):
    more = replace(movie, labels=movie.labels | {"n_nm1": ["n_0"]})
    assert render([more], ablation=pd.DataFrame()) == render([movie], ablation=pd.DataFrame())


def test_a_search_of_all_movies_shows_people_of_others(movie, tmp_path):
    rows = [("n_nm1", "cast", jpeg("red"), True), ("n_0", "candidate", jpeg("white"), False)]
    crops, faces = write_movie(tmp_path, rows, name="n")
    rankings = {"m_nm1": ["m_0", "n_0", "m_1", "m_2", "m_3"], "n_nm1": ["n_0", "m_0", "m_1", "m_2", "m_3"]}
    labels = {"m_nm1": ["m_0", "m_1", "n_0"], "n_nm1": ["m_0", "m_1", "n_0"]}
    both = {"rankings": rankings, "labels": labels}
    shown = Page(render([replace(movie, **both), page.Movie(crops, faces, baseline={}, **both)]))
    assert "n_0, rank 2, right, no face" in [image["alt"] for image in shown.all("img")]


def test_a_search_of_all_movies_shows_no_people_of_another_split(movie, tmp_path):
    movies = [replace(movie, rankings={"m_nm1": ["k"]}, labels={})]
    for split, has_face in (("val", False), ("test", True)):
        crops, faces = write_movie(tmp_path, [("k", "candidate", jpeg("white"), has_face)], "k", split)
        movies.append(page.Movie(crops, faces, rankings={}, baseline={}, labels={}))
    assert "k, rank 1, no face" in [image["alt"] for image in Page(render(movies, ablation=pd.DataFrame())).all("img")]


def test_every_labelled_split_has_its_scores(movie):
    scores = dict.fromkeys(["mAP", "CMC@1", "CMC@5", "CMC@10"], 0.25)
    ablation = pd.DataFrame(
        [
            {"split": split, "title": variant, "description": "", **scores}
            for split in ("val", "test")
            for variant in ("face", "face+body")
        ]
    )
    words = Page(render([movie], ablation=ablation)).words()
    assert "mAP on val 0.250" in words
    assert "mAP on test 0.250" in words
    assert words.count("face+body (shown below)") == 2


def test_a_search_by_face_alone_is_compared_with_nothing(movie):
    words = Page(render([replace(movie, rankings=movie.baseline)], variant="face")).words()
    assert "by face alone" not in words
    assert "compared with" not in words


def test_a_cast_member_that_no_crop_shows_has_no_ap(movie):
    words = Page(render([replace(movie, labels={"m_nm1": []})])).words()
    assert "there is no AP" in words
    assert "nan" not in words


def test_a_movie_without_cast_says_so(movie, tmp_path):
    crops, faces = write_movie(tmp_path, [("m_0", "candidate", jpeg("red"), True)])
    words = Page(render([replace(movie, crops=crops, faces=faces, rankings={}, baseline={}, labels={})])).words()
    assert "nobody to search for" in words


def test_a_movie_without_candidates_says_so(movie, tmp_path):
    crops, faces = write_movie(tmp_path, [("m_nm1", "cast", jpeg("red"), True)])
    words = Page(
        render([replace(movie, crops=crops, faces=faces, rankings={"m_nm1": []}, baseline={}, labels={})])
    ).words()
    assert "The movie has no candidates" in words


def test_no_movie_at_all_is_a_page_too():
    assert "The run searched no movie" in Page(render([])).words()


def test_skipped_records_are_listed_with_their_reason(movie):
    words = Page(render([movie], skipped=[("m_3", "frame.jpg: there is no such image")])).words()
    assert "m_3 frame.jpg: there is no such image" in words
    assert "None: every record of the data could be used" not in words


def test_that_nothing_was_skipped_is_said(movie):
    assert "None: every record of the data could be used" in Page(render([movie])).words()


def test_movies_show_the_rankings_and_labels_of_their_own_split(tmp_path):
    crops = [tmp_path / f"{split}.arrow" for split in ("val", "test")]
    for path in crops:
        files.write_table(path, crop_table(path.stem, "m", []))
    faces = [tmp_path / f"{split}_faces.arrow" for split in ("val", "test")]
    rankings = {"val": {"face": {"ada": ["1"]}}, "test": {"face": {"ada": ["2"]}, "both": {"ada": ["3"]}}}
    labels = {"val": {"ada": ["1"]}}
    movies = page.read_movies(crops, faces, rankings, labels, variant="both", baseline="face")
    assert [(movie.rankings, movie.baseline, movie.labels) for movie in movies] == [
        ({}, {"ada": ["1"]}, {"ada": ["1"]}),
        ({"ada": ["3"]}, {"ada": ["2"]}, {}),
    ]


def test_the_models_of_every_engine_are_listed(tmp_path):
    paths = [tmp_path / name for name in ("dlib", "insightface")]
    for path in paths:
        engine = {"engine": path.name, "models": [{"file": "a.dat", "sha256": "0"}]}
        files.write_table(path, pa.table({"id": []}).replace_schema_metadata({"engine": json.dumps(engine)}))
    licences = {"dlib": "free", "insightface": "research"}
    listed = page.list_models(paths, licences, {}, {})
    assert {model["model"]: model["licence"] for model in listed} == licences


def test_a_network_that_was_not_trained_has_the_licence_of_its_file(tmp_path):
    files.write_text(tmp_path / "weights.safetensors", "")
    own, given = page.list_models([], {}, dict.fromkeys("ab", tmp_path / "weights.safetensors"), {"b": "published.pth"})
    assert (own["licence"], given["licence"]) == ("trained by this run", "that of published.pth")


def test_a_configuration_that_was_read_from_json_is_shown_like_any_other(movie):
    config = OrderedDict(data=OrderedDict(source="demo"))
    assert "data: source: demo" in Page(render([movie], config=config)).words()
