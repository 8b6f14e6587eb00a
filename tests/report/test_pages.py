import io
import json
from collections import OrderedDict
from dataclasses import replace
from html.parser import HTMLParser
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from castsearch.report import pages
from castsearch.report.film_reading import FilmReading, PicturedShot
from castsearch.report.movie_results import Hit, MovieResults, Query
from castsearch.report.timeline import Lane, Picture, Span, Timeline

HOSTILE = """<script>alert(1)</script>"'&"""


class Page(HTMLParser):
    """The tags and the text of a page; a tag that is closed wrongly is an error."""

    VOID = frozenset({"meta", "img", "br", "input"})

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

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def words(self):
        return " ".join(" ".join(self.text).split())


class Held(NamedTuple):
    """A picture that is no file's."""

    data: bytes

    def read(self):
        return self.data


def picture(color, size=(60, 120)):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return Held(buffer.getvalue())


def scores(mean, queries=1):
    return pd.Series({"queries": queries, "mAP": mean, "CMC@1": 1.0, "CMC@5": 1.0, "CMC@10": 1.0})


NO_SCORES = scores(float("nan"), queries=0)
UNREADABLE = None


@pytest.fixture
def movie():
    """One cast member: 0 shows it with a face, 1 without one, 2 is another person, 3 cannot be read."""
    hits = [
        Hit("m_0", 1, 1, True, 2, False, picture("green")),
        Hit("m_1", 2, 3, True, 2, True, picture("blue")),
        Hit("m_2", 3, 2, False, 2, False, picture("black")),
        Hit("m_3", 4, 4, False, 2, False, UNREADABLE),
    ]
    query = Query("m_nm1", "ada", picture("red"), 1, "its face", None, hits, True, 2, 1.0, 5 / 6)
    return MovieResults("val", "m", [query], 4, 1, scores(1.0), scores(5 / 6))


@pytest.fixture
def unlabelled(movie):
    hits = [replace(hit, right=None, num_relevant=0) for hit in movie.queries[0].hits]
    query = replace(movie.queries[0], hits=hits, labelled=False, num_relevant=0)
    return replace(movie, queries=[query], scores=NO_SCORES, scores_before=NO_SCORES)


@pytest.fixture
def run():
    rows = [
        {"split": "val", "title": "face", "description": "faces alone", **scores(5 / 6)},
        {"split": "val", "title": "face+body", "description": "faces, then bodies", **scores(1.0)},
    ]
    return pages.Run(
        title="Cast search",
        variant="face+body",
        baseline="face",
        ablation=pd.DataFrame(rows),
        skipped=[],
        histories={},
        config={"cascade": {"thresholds": [0.5, 0.4]}},
        models=[{"model": "yunet_sface", "file": "model.dat", "sha256": "00ff", "licence": "CC0-1.0"}],
        versions={"torch": "1.2.3"},
        top=20,
    )


def index(run, *movies):
    return Page(pages.render_index(run, movies, "report"))


def page(run, movie):
    return Page(pages.render_movie(run, movie, "../../report.html"))


def test_the_index_says_what_was_found(run, movie):
    words = index(run, movie).words()
    assert "mAP 1.000 by face alone 0.833, +0.167" in words
    assert "Crops without a face found 100 % of 1 that show the cast; by face alone 0 %" in words
    assert "Portraits 1 a query each, in 1 movie" in words
    assert "Candidates 4 1 without a face" in words
    assert "face+body (shown) faces, then bodies" in words
    assert "m_nm1 rank 3 → 2" in words  # in the gallery of those found without a face
    assert "thresholds: - 0.5 - 0.4" in words
    assert "yunet_sface model.dat 00ff CC0-1.0" in words
    assert "torch 1.2.3" in words


def test_the_page_of_a_movie_shows_each_ranking(run, movie):
    shown = page(run, movie)
    assert "AP 1.000 by face alone 0.833 2 of 2 right among the first 2" in shown.words()
    assert [image["alt"] for image in shown.all("img")] == [
        "portrait of m_nm1",
        "m_0, rank 1, right",
        "m_1, rank 2, right, no face",
        "m_2, rank 3, wrong",
    ]
    assert "cannot be read" in shown.words()


def test_portraits_of_one_person_are_one_of_the_cast_and_have_one_ranking(run, movie):
    more = replace(movie, queries=[movie.queries[0], replace(movie.queries[0], cast="m_nm1.2")])
    shown = page(run, more)
    assert "Cast members 1 by 2 portraits" in shown.words()
    assert "m_nm1.2" in shown.words()
    assert [image["alt"] for image in shown.all("img")].count("m_0, rank 1, right") == 1
    assert "The same ranking as above" in shown.words()


def test_no_more_crops_are_shown_than_asked_for(run, movie):
    assert len(page(replace(run, top=1), movie).all("img")) == 2


def test_index_and_pages_link_to_each_other(run, movie, tmp_path):
    pages.write_pages(run, [movie], tmp_path / "report.html", tmp_path / "report")
    [link] = [a["href"] for a in Page((tmp_path / "report.html").read_text()).all("a") if a["href"][0] != "#"]
    there = tmp_path / link
    [back] = [a["href"] for a in Page(there.read_text()).all("a")]
    assert (there.parent / back).resolve() == tmp_path / "report.html"


def test_a_page_is_written_before_the_next_movie_is_read(run, movie, tmp_path):
    def movies():
        yield movie
        assert (tmp_path / "report/val/m.html").exists()
        yield replace(movie, name="n")

    listed = pages.write_pages(run, movies(), tmp_path / "report.html", tmp_path / "report")
    assert [each.name for each in listed] == ["m", "n"]


def test_a_page_needs_nothing_but_itself(run, movie, tmp_path):
    (tmp_path / "history.tsv").write_text("epoch\tloss\n1\t2\n2\t1\n")
    run = replace(run, histories={"triplet": tmp_path / "history.tsv"})
    for html in (pages.render_index(run, [movie], "report"), pages.render_movie(run, movie, "../../report.html")):
        shown = Page(html)
        for _, attributes in shown.tags:
            for name in ("src", "xlink:href", "data", "action", "srcset", "poster"):
                assert attributes.get(name, "#").startswith(("#", "data:image/"))
        assert "url(http" not in html
        assert "link" not in {tag for tag, _ in shown.tags}


def test_the_same_run_gives_the_same_pages(run, movie):
    assert pages.render_index(run, [movie], "report") == pages.render_index(run, [movie], "report")
    assert pages.render_movie(run, movie, "..") == pages.render_movie(run, movie, "..")


def test_hostile_names_stay_text(run, movie, tmp_path):
    (tmp_path / "history.tsv").write_text("epoch\tloss\n1\t2\n")
    query = replace(movie.queries[0], cast=HOSTILE, hits=[replace(movie.queries[0].hits[0], id=HOSTILE)])
    hostile_movie = replace(movie, name=HOSTILE, queries=[query])
    hostile_run = replace(
        run,
        title=HOSTILE,
        skipped=[(HOSTILE, HOSTILE)],
        histories={HOSTILE: tmp_path / "history.tsv"},
        config={HOSTILE: HOSTILE},
        models=[dict.fromkeys(("model", "file", "sha256", "licence"), HOSTILE)],
        versions={HOSTILE: HOSTILE},
    )
    for shown in (index(hostile_run, hostile_movie), page(hostile_run, hostile_movie)):
        assert len(shown.all("script")) == 1
        assert HOSTILE in shown.words()


def test_the_curves_of_a_training_are_shown(run, tmp_path):
    (tmp_path / "history.tsv").write_text("# a remark\nepoch\tlearning_rate\tloss\n1\t0.0003\t2.5\n2\t0.0003\t1.5\n")
    shown = index(replace(run, histories={"triplet": tmp_path / "history.tsv"}))
    assert [image["alt"] for image in shown.all("img")] == [
        "loss by epoch: loss",
        "learning rate by epoch: learning_rate",
    ]


def test_a_picture_is_never_enlarged_and_has_pixels_for_dense_screens(run, movie):
    query = replace(movie.queries[0], image=picture("red", (400, 267)), hits=[])
    [image] = page(run, replace(movie, queries=[query])).all("img")
    assert (image["width"], image["height"]) == ("160", "107")
    query = replace(query, image=picture("red", (40, 20)))
    [image] = page(run, replace(movie, queries=[query])).all("img")
    assert (image["width"], image["height"]) == ("40", "20")


def test_without_labels_nothing_is_scored_or_marked(run, unlabelled):
    run = replace(run, ablation=pd.DataFrame())
    assert "There are no labels here" in index(run, unlabelled).words()
    for words in (index(run, unlabelled).words(), page(run, unlabelled).words()):
        assert "mAP" not in words
        assert "✓" not in words
    alts = [image["alt"] for image in page(run, unlabelled).all("img")]
    assert {"m_0, rank 1", "m_1, rank 2, no face"} <= set(alts)


def test_every_labelled_split_has_its_scores(run, movie):
    ablation = pd.concat([run.ablation, run.ablation.assign(split="test", mAP=0.25)])
    words = index(replace(run, ablation=ablation), movie).words()
    assert "mAP on val 1.000" in words
    assert "mAP on test 0.250" in words


def test_a_search_by_face_alone_is_compared_with_nothing(run, movie):
    run, movie = replace(run, variant="face"), replace(movie, queries=[replace(movie.queries[0], hits=[])])
    for words in (index(run, movie).words(), page(run, movie).words()):
        assert "by face alone" not in words
        assert "compared with" not in words


def test_a_cast_member_that_no_crop_shows_has_no_ap(run, movie):
    query = replace(movie.queries[0], hits=[], num_relevant=0, ap=float("nan"), ap_before=float("nan"))
    words = page(run, replace(movie, queries=[query])).words()
    assert "there is no AP" in words
    assert "nan" not in words


def test_a_movie_without_cast_says_so(run, movie):
    words = page(run, replace(movie, queries=[], scores=NO_SCORES, scores_before=NO_SCORES)).words()
    assert "nobody to search for" in words


def test_a_movie_without_candidates_says_so(run, movie):
    query = replace(movie.queries[0], hits=[])
    assert "The movie has no candidates" in page(run, replace(movie, queries=[query])).words()


def test_no_movie_at_all_is_a_page_too(run):
    assert "The run searched no movie" in index(run).words()


def test_a_doubtful_portrait_is_shown_on_the_index_and_on_its_page(run, movie):
    movie = replace(movie, queries=[replace(movie.queries[0], warning="no face found")])
    assert "m_nm1 no face found" in index(run, movie).words()
    assert "Check the portrait: no face found" in page(run, movie).words()


def test_where_all_portraits_are_clear_none_is_to_be_checked(run, movie):
    assert "Portraits to check" not in index(run, movie).words()


def test_doubtful_features_are_shown_first_of_all_tables(run, movie):
    words = index(replace(run, doubts=[("val/m", "net: the bodies are alike")]), movie).words()
    assert "val/m : net: the bodies are alike" in words
    assert "Features to check" not in index(run, movie).words()


def test_skipped_records_are_listed_with_their_reason(run):
    words = index(replace(run, skipped=[("m_3", "frame.jpg: there is no such image")])).words()
    assert "m_3 frame.jpg: there is no such image" in words
    assert "None: every record of the data could be used" not in words


def test_that_nothing_was_skipped_is_said(run):
    assert "None: every record of the data could be used" in index(run).words()


def test_a_configuration_that_was_read_from_json_is_shown_like_any_other(run):
    config = OrderedDict(data=OrderedDict(source="demo"))
    assert "data: source: demo" in index(replace(run, config=config)).words()


def timeline(name="ada"):
    known = Span("track 4", name, name, "0:04.0", "0:08.0", 50, 50, 0, 0.6, seconds=(4.0, 8.0))
    unknown = replace(known, box="track 2", person="unknown", left=10, width=20)
    again = replace(known, box="track 3", person="unknown 1", likeliest="", picture=Picture(picture("red"), 9.0))
    lanes = [
        Lane(name, "0:04.0", [known], 1),
        Lane("unknown 1", "0:04.0", [again], 1),
        Lane("unknown", "", [unknown], 1),
    ]
    return Timeline("seconds", ["0:00.0"], lanes, [unknown])


def test_the_page_has_a_button_for_each_appearance(run, movie):
    both = replace(movie, queries=[movie.queries[0], replace(movie.queries[0], person="bo")])
    page = Page(pages.render_movie(run, both, "..", timeline()))
    buttons = [button for button in page.all("button") if "data-box" in button]
    assert [button["data-box"] for button in buttons] == ["track 4", "track 3", "track 2", "track 2"]
    assert buttons[0]["aria-label"] == "ada from 0:04.0 to 0:08.0, 60 % ada, track 4"
    assert [button.get("data-likeliest") for button in buttons] == [None, None, "ada", "ada"]
    assert "ada bo unknown" in page.words()


def test_a_page_goes_on_with_the_corrections_of_its_movie_and_shows_no_others(run, movie):
    given = [["m", "track 4", "bo", "no"], ["other", "track 5", "carl", "yes"]]
    html = pages.render_movie(replace(run, corrections=given), movie, "..", timeline())
    assert 'answers = [["m", "track 4", "bo", "no"]], unsaved' in html
    assert "carl" not in html


def test_a_page_says_who_of_the_cast_is_named_nowhere(run, movie):
    both = replace(movie, queries=[movie.queries[0], replace(movie.queries[0], person="bo")])
    some, nobody, everybody = (
        Page(pages.render_movie(run, cast, "..", timeline(name))).words()
        for cast, name in ((both, "ada"), (movie, "unknown 2"), (movie, "ada"))
    )
    assert "Nowhere named: bo ." in some
    assert "Nobody of the cast is named." in nobody
    assert "named" not in everybody.partition("Look at these first")[0]


def test_the_index_says_who_is_longest_on_screen(run, movie):
    named, unnamed = (
        Page(pages.render_index(run, [movie], "report", {("val", "m"): timeline(name)})).words()
        for name in ("ada", "unknown 2")
    )
    assert "Longest on screen" in named
    assert "ada 0:04.0" in named
    assert "nobody has a name" in unnamed
    assert "Longest on screen" not in index(run, movie).words()


def test_the_index_says_who_is_in_several_movies(run, movie):
    timelines = {("val", "m"): timeline(), ("val", "m2"): timeline(), ("val", "m3"): timeline("bo")}
    movies = [replace(movie, name=name) for name in ("m", "m2", "m3")]
    shown = Page(pages.render_index(run, movies, "report", timelines))
    assert "Person Movies Time on screen ada 2 m 0:04.0 , m2 0:04.0 Variants" in shown.words()
    assert [link["href"] for link in shown.all("a")].count("report/val/m2.html") == 2


@pytest.mark.parametrize(("time", "words"), [("1", "ada 1 frame ,"), ("2", "ada 2 frames ,")])
def test_the_index_counts_frames_where_a_movie_has_no_times(run, movie, time, words):
    lanes = [Lane("ada", time, [], 1), Lane("bo", "1", [], 1)]
    shown = Page(pages.render_index(run, [movie], "report", {("val", "m"): Timeline("frames", [], lanes, [])}))
    assert words in shown.words()


def test_an_appearance_in_a_film_says_from_when_to_when_to_play(run, movie):
    page = Page(pages.render_movie(run, movie, "..", timeline()))
    spans = [button for button in page.all("button") if "data-box" in button]
    assert (spans[0]["data-from"], spans[0]["data-to"]) == ("4.00", "8.00")
    assert [field["id"] for field in page.all("input") if field.get("type") == "file"] == ["film"]
    frames = replace(timeline(), unit="frames")
    assert "file" not in [
        field.get("type") for field in Page(pages.render_movie(run, movie, "..", frames)).all("input")
    ]


def test_a_lane_shows_the_first_portrait_of_its_person(run, movie):
    second = replace(movie.queries[0], image=picture("blue"))
    with_two = replace(movie, queries=[movie.queries[0], second])
    assert with_two.portraits == {"ada": movie.queries[0].image}
    stranger = timeline("bo")
    shown = [
        pages.render_movie(run, with_two, "..", lanes).count('class="lane-name"><img')
        for lanes in (timeline(), stranger)
    ]
    assert shown == [1, 0]


def test_an_unknown_person_has_pictures_and_can_be_named(run, movie):
    page = Page(pages.render_movie(run, movie, "..", timeline()))
    assert "track 3" in " ".join(image["alt"] for image in page.all("img"))
    [button] = [button for button in page.all("button") if button.get("class") == "name"]
    assert json.loads(button["data-boxes"]) == ["track 3"]


def test_without_pictures_nobody_is_shown(run, movie):
    html = pages.render_movie(replace(run, pictures=False), movie, "..", timeline())
    assert {image.get("src") for image in Page(html).all("img")} == {None}  # empty frames of what is chosen
    assert "data:image" not in html + pages.render_index(replace(run, pictures=False), [movie], "report")


def test_a_page_of_two_hours_can_be_sent_by_mail(run, movie):
    """5,000 appearances, of which each has a picture of its own, and 12 portraits with 20 crops each."""
    rng = np.random.default_rng(0)
    looks = []
    for _ in range(40):
        buffer = io.BytesIO()
        blurred = Image.fromarray(rng.integers(0, 256, (12, 6, 3), np.uint8)).resize(
            (150, 300), Image.Resampling.BICUBIC
        )
        blurred.save(buffer, "JPEG")
        looks.append(Held(buffer.getvalue()))
    span = timeline().lanes[0].spans[0]
    spans = [
        replace(span, box=f"track {number}", left=number / 50, width=0.02, picture=Picture(looks[number % 40], 1.0))
        for number in range(5000)
    ]
    lanes = [Lane(f"unknown {number}", "0:04.0", spans[number::50], 1) for number in range(50)]
    hits = [replace(movie.queries[0].hits[0], image=looks[number]) for number in range(20)]
    queries = [replace(movie.queries[0], person=f"person {number}", hits=hits) for number in range(12)]
    html = pages.render_movie(run, replace(movie, queries=queries), "..", Timeline("seconds", ["0"], lanes, spans[:12]))
    assert html.count("data:image") > 1000
    assert len(html.encode()) < 5_000_000


def test_a_page_without_a_timeline_has_no_section_for_it(run, movie):
    assert "Timeline" not in page(run, movie).words()


def test_names_on_the_timeline_that_look_like_code_are_text(run, movie):
    hostile = replace(movie, queries=[replace(movie.queries[0], person=HOSTILE)], name=HOSTILE)
    assert len(Page(pages.render_movie(run, hostile, "..", timeline(HOSTILE))).all("script")) == 1


def reading(warning=None, damaged=0):
    shots = [PicturedShot(1, "0:00.0", "0:01.5", picture("red")), PicturedShot(2, "0:01.5", "0:04.0", UNREADABLE)]
    return FilmReading(shots, 100, damaged, warning)


def test_the_page_of_a_film_shows_its_shots(run, movie):
    html = pages.render_movie(run, movie, "..", film=reading())
    assert "Shots 1 0:00.0–0:01.5 2 0:01.5–0:04.0" in Page(html).words()
    assert html.count("<img") == 1 + pages.render_movie(run, movie, "..").count("<img")
    hidden = replace(run, pictures=False)
    assert pages.render_movie(hidden, movie, "..", film=reading()).count("<img") == 0


def test_the_page_of_a_film_says_what_was_not_seen(run, movie):
    words = Page(pages.render_movie(run, movie, "..", film=reading("Nobody from behind", 1200))).words()
    assert "Nobody from behind." in words
    assert "1,200 damaged packets of the film were left out; 100 frames could be read." in words
    assert "damaged" not in Page(pages.render_movie(run, movie, "..", film=reading())).words()
