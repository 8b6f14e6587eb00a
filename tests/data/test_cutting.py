import errno
import io
import re
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from castsearch.data.crops import crops_of, decode_rgb
from castsearch.data.cutting import clip, crop_movie
from castsearch.errors import InputError
from castsearch.files import read_table

SOURCE = "val.json: movie tt1"


@pytest.fixture
def images(tmp_path):
    """A folder with a portrait and a 40×30 frame whose left half is red, its right half blue."""
    frame = np.zeros((30, 40, 3), np.uint8)
    frame[:, :20, 0] = frame[:, 20:, 2] = 255
    (tmp_path / "tt1").mkdir()
    Image.fromarray(frame).save(tmp_path / "tt1/frame.jpg", quality=95, subsampling=0)
    Image.new("RGB", (11, 13), "white").save(tmp_path / "tt1/portrait.jpg")
    return tmp_path


def entry(*candidates, cast=({"id": "nm1", "img": "tt1/portrait.jpg", "label": "nm1"},)):
    return {"cast": list(cast), "candidates": list(candidates)}


def candidate(name="a", bbox=(20, 0, 20, 30), img="tt1/frame.jpg"):
    return {"id": name, "img": img, "bbox": list(bbox), "label": "nm1"}


def table_of(entry, images, on_bad_image="stop"):
    path = images / "crops.arrow"
    crop_movie(path, "val", "tt1", entry, source=SOURCE, images=images, on_bad_image=on_bad_image)
    return read_table(path)


def cut(entry, images, on_bad_image="stop"):
    return table_of(entry, images, on_bad_image).to_pylist()


def test_a_candidate_is_cut_out_and_a_portrait_kept_whole(images):
    portrait, person = cut(entry(candidate()), images)
    assert (portrait["role"], portrait["width"], portrait["height"]) == ("cast", 11, 13)
    assert [person[key] for key in ("x", "y", "width", "height")] == [20, 0, 20, 30]
    pixels = decode_rgb(person["image"])
    assert pixels.shape == (30, 20, 3)
    assert pixels[:, 5:, 2].min() > 240
    assert pixels[:, 5:, 0].max() < 15


def test_rows_follow_the_annotation_though_frames_are_decoded_once(images):
    other = {"id": "b", "img": "tt1/portrait.jpg", "bbox": [0, 0, 5, 5]}
    rows = cut(entry(candidate("z"), other, candidate("a")), images)
    assert [row["id"] for row in rows] == ["nm1", "z", "b", "a"]


def test_frames_that_are_one_file_by_symbolic_links_are_one_frame(images):
    (images / "link.jpg").symlink_to("tt1/frame.jpg")
    (images / "other").symlink_to("tt1")
    boxes = [candidate("a"), candidate("b", img="link.jpg"), candidate("c", img="other/frame.jpg")]
    assert {row["frame"] for row in cut(entry(*boxes), images)[1:]} == {"tt1/frame.jpg"}


@pytest.mark.parametrize(
    ("bbox", "clipped"),
    [
        ((-5, -5, 10, 10), (0, 0, 5, 5)),
        ((35, 25, 10, 10), (35, 25, 40, 30)),
        ((1.5, 1.5, 2, 2), (1, 1, 4, 4)),
        ((-9, -9, 99, 99), (0, 0, 40, 30)),
        ((40, 0, 5, 5), None),
        ((-5, 0, 5, 5), None),
        ((3, 3, 0, 5), None),
        ((1e308, 0, 1e308, 5), None),
        ((-1e308, -1e308, 1.7e308, 1.7e308), (0, 0, 40, 30)),
        ((3, 3, 5, -5), None),
    ],
)
def test_a_box_is_clipped_to_its_frame(bbox, clipped):
    assert clip(bbox, 40, 30) == clipped


def truncated(images):
    data = (images / "tt1/frame.jpg").read_bytes()
    (images / "tt1/cut.jpg").write_bytes(data[: len(data) // 2])
    return "tt1/cut.jpg"


def saved(images, array, name):
    Image.fromarray(array).save(images / "tt1" / name)
    return f"tt1/{name}"


def twelve_bits(images):
    name = saved(images, np.zeros((3, 4), np.uint16), "twelve.tif")
    sixteen, twelve = (struct.pack("<HHIHxx", 258, 3, 1, bits) for bits in (16, 12))
    (images / name).write_bytes((images / name).read_bytes().replace(sixteen, twelve))
    return name


def postscript(images):
    (images / "tt1/frame.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    return "tt1/frame.eps"


def wide(images):
    return candidate(bbox=(0, 0, 65501, 1), img=saved(images, np.zeros((1, 65501, 3), np.uint8), "wide.png"))


BAD = {
    "missing frame": (lambda images: candidate(img="tt1/none.jpg"), "there is no such image"),
    "truncated frame": (lambda images: candidate(img=truncated(images)), "not a complete image"),
    "box of no size": (lambda images: candidate(bbox=(3, 3, 0, 9)), "has no area in"),
    "box outside": (lambda images: candidate(bbox=(90, 0, 9, 9)), "no part of box"),
    "absolute path": (lambda images: candidate(img="/etc/hostname"), "does not stay inside"),
    "climbing path": (lambda images: candidate(img="../a.jpg"), "does not stay inside"),
    "backslashes": (lambda images: candidate(img="tt1\\frame.jpg"), "has backslashes; folders are separated by '/'"),
    "line break": (lambda images: candidate(img="tt1/a\nb.jpg"), r"tt1/a\\nb\.jpg: there is no such image"),
    "no path": (lambda images: candidate(img="\ud800"), "is not a path"),
    "no label": (lambda images: candidate() | {"label": ["nm1"]}, "neither a text nor null"),
    "32 bits": (lambda images: candidate(img=saved(images, np.zeros((3, 4), np.int32), "i.tif")), "8 or 16 bits"),
    "floats": (lambda images: candidate(img=saved(images, np.zeros((3, 4), np.float32), "f.tif")), "8 or 16 bits"),
    "12 bits": (lambda images: candidate(img=twelve_bits(images)), "8 or 16 bits"),
    "PostScript": (lambda images: candidate(img=postscript(images)), "is a PostScript file"),
    "wide box": (wide, r"65501x1 pixels of tt1/wide\.png, more than a JPEG's 65500"),
    "huge box": (lambda images: candidate(bbox=(10**400, 0, 5, 5)), "not four finite numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_stops_with_one_line_naming_file_and_record(images, case):
    make, reason = BAD[case]
    with pytest.raises(InputError, match=f"val.json: movie tt1: candidate a: .*{reason}") as caught:
        cut(entry(make(images)), images)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_keeps_its_row_when_skipped(images, case):
    make, reason = BAD[case]
    table = table_of(entry(make(images), candidate("good")), images, "skip")
    assert table["image"].is_null().to_pylist() == [False, True, False]
    [(name, why)] = crops_of(table).problems
    assert name == "a"
    assert re.search(reason, why)


def test_a_failing_file_system_stops_the_movie_even_when_skipping(images, monkeypatch):
    works = io.open

    def fail(path, *rest, **more):
        if str(path).endswith(".jpg"):
            raise OSError(errno.ESTALE, "Stale file handle")
        return works(path, *rest, **more)

    monkeypatch.setattr(io, "open", fail)
    with pytest.raises(InputError, match=r"tt1/.*\.jpg cannot be read now: Stale file handle; run it again"):
        cut(entry(candidate()), images, "skip")


def test_a_duplicate_is_dropped_and_listed_when_skipped(images):
    table = table_of(entry(candidate(), candidate()), images, "skip")
    assert table["id"].to_pylist() == ["nm1", "a"]
    assert [name for name, _ in crops_of(table).problems] == ["a"]


def test_boxes_that_seem_to_be_corners_stop_the_movie_unless_skipping(images, caplog):
    corners = [candidate(str(number), (15 + number, 2, 25 + number, 28)) for number in range(10)]
    with pytest.raises(InputError, match=r"tt1: half of the boxes leave .* `bbox` is x, y, width, height"):
        cut(entry(*corners), images)
    assert len(cut(entry(*corners), images, "skip")) == 11
    assert "`bbox` is x, y, width, height" in caplog.text


@pytest.mark.parametrize("other", [(20, 0, 20, 30), (15, 2, 45, 28)], ids=["no corner", "too wide for a corner"])
def test_boxes_that_leave_their_frame_are_no_corners_if_one_cannot_be(images, other):
    boxes = [candidate(str(number), (15 + number, 2, 25 + number, 28)) for number in range(10)]
    assert len(cut(entry(*boxes, candidate("other", other)), images)) == 12


@pytest.mark.parametrize(
    ("bad", "reason"),
    [(candidate(img="tt1/none.jpg"), "candidate a: .*no such image"), ({"id": "a b"}, "candidate 0: has no id")],
)
def test_a_movie_of_which_no_candidate_can_be_used_stops_even_when_skipping(images, bad, reason):
    with pytest.raises(InputError, match=f"{images}: none of the movie's candidates can be used; .*{reason}") as caught:
        cut(entry(bad), images, "skip")
    assert "\n" not in str(caught.value)


def test_a_movie_without_anybody_gives_an_empty_table(images):
    assert table_of(entry(cast=()), images, "stop").num_rows == 0


def test_a_portrait_that_the_camera_turned_is_turned_back(images):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to show
    Image.new("RGB", (11, 13)).save(images / "tt1/portrait.jpg", exif=exif)
    [portrait] = cut(entry(), images)
    assert (portrait["width"], portrait["height"]) == (13, 11)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_every_orientation_is_followed(images, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.new("RGB", (24, 16))
    picture.paste("white", (0, 0, 8, 16))
    picture.paste("red", (0, 0, 8, 8))
    picture.save(images / f"tt1/turned.{suffix}", exif=exif)
    [portrait] = cut(entry(cast=[{"id": "nm1", "img": f"tt1/turned.{suffix}"}]), images)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(images / f"tt1/turned.{suffix}")))
    np.testing.assert_allclose(decode_rgb(portrait["image"]), expected, atol=9)


def test_a_mistyped_tag_beside_the_orientation_does_not_matter(images):
    exif = Image.Exif()
    exif[0x0100], exif[0x0112] = 11, 6
    Image.new("RGB", (11, 13)).save(images / "tt1/portrait.jpg", exif=exif)
    content = (images / "tt1/portrait.jpg").read_bytes()
    long, ascii_text = struct.pack(">HH", 0x0100, 4), struct.pack(">HH", 0x0100, 2)
    (images / "tt1/portrait.jpg").write_bytes(content.replace(long, ascii_text))
    [portrait] = cut(entry(), images)
    assert (portrait["width"], portrait["height"]) == (13, 11)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_of_grey_become_8(images, suffix):
    grey = np.repeat(np.uint16([0, 257 * 40, 257 * 40 + 200, 65535]), 16).reshape(4, 16).repeat(16, axis=0)
    [portrait] = cut(entry(cast=[{"id": "nm1", "img": saved(images, grey, f"grey.{suffix}")}]), images)
    pixels = decode_rgb(portrait["image"])
    np.testing.assert_allclose(pixels[8::16, 8], np.repeat([[0], [40], [41], [255]], 3, axis=1), atol=1)


def test_the_comment_of_a_frame_does_not_go_along(images):
    frame = Image.new("P", (11, 13))
    frame.info["comment"] = bytes(70000)  # more than JPEG allows
    frame.save(images / "tt1/commented.gif")
    [portrait] = cut(entry(cast=[{"id": "nm1", "img": "tt1/commented.gif"}]), images)
    assert "comment" not in Image.open(io.BytesIO(portrait["image"])).info


def test_a_grey_image_becomes_rgb(images):
    Image.new("L", (11, 13), 128).save(images / "tt1/portrait.jpg")
    [portrait] = cut(entry(), images)
    assert Image.open(io.BytesIO(portrait["image"])).mode == "RGB"
