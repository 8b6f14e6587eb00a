import errno
import importlib.util
import io
import os
import random
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps, PngImagePlugin

from castsearch.data.images import BEHIND, claimed_pixels, read_rgb
from castsearch.errors import InputError

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'


def test_the_beginning_of_a_picture_says_how_many_pixels_it_has(tmp_path, picture):
    whole = saved(tmp_path / "whole.png", picture).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:60])
    (tmp_path / "none.png").write_bytes(whole[:10])
    found = [claimed_pixels(tmp_path / name) for name in ("whole.png", "cut.png", "none.png", "missing.png")]
    assert found == [24 * 16, 24 * 16, 0, 0]


@pytest.fixture
def picture():
    """24 × 16 pixels, of which each corner has another colour."""
    picture = Image.new("RGB", (24, 16), "green")
    picture.paste("white", (0, 0, 8, 16))
    picture.paste("red", (0, 0, 8, 8))
    return picture


def saved(path, image, **options):
    image.save(path, **options)
    return path


def pixels(path):
    image = read_rgb(path)
    assert image.mode == "RGB"
    return np.asarray(image)


def png(*parts):
    """A PNG of these chunks, each a kind and what it holds."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def as_grey(value, alpha):
    return round((value * alpha + BEHIND[0] * (255 - alpha)) / 255)


@pytest.mark.parametrize("alpha", [0, 100, 255])
@pytest.mark.parametrize(
    ("suffix", "mode"), [("png", "RGBA"), ("png", "LA"), ("tif", "RGBA"), ("tif", "LA"), ("webp", "RGBA")]
)
def test_what_is_transparent_shows_grey(tmp_path, suffix, mode, alpha):
    image = Image.new(mode, (4, 4), (250, 250, 250, alpha) if mode == "RGBA" else (250, alpha))
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    found = pixels(saved(tmp_path / f"a.{suffix}", image, **options))
    np.testing.assert_allclose(found, as_grey(250, alpha), atol=1)


@pytest.mark.parametrize(
    ("image", "transparent", "suffix"),
    [
        (Image.new("RGB", (4, 4), (9, 200, 90)), (9, 200, 90), "png"),
        (Image.new("L", (4, 4), 200), 200, "png"),
        (Image.new("1", (4, 4), 1), 1, "png"),
        (Image.new("RGB", (4, 4), "red").convert("P", palette=Image.Palette.ADAPTIVE), 0, "png"),
        (Image.new("RGB", (4, 4), "red").convert("P", palette=Image.Palette.ADAPTIVE), b"\0\xff", "png"),
        (Image.new("RGB", (4, 4), "red").convert("P", palette=Image.Palette.ADAPTIVE), 0, "gif"),
        (Image.fromarray(np.full((4, 4), 40000, np.uint16)), 40000, "png"),
    ],
    ids=["RGB", "L", "1", "palette", "palette of alphas", "GIF", "16 bits"],
)
def test_a_transparent_colour_shows_grey(tmp_path, image, transparent, suffix):
    path = saved(tmp_path / f"a.{suffix}", image, transparency=transparent)
    assert (pixels(path) == BEHIND).all()


GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOUR = np.stack([GREY, GREY.T, GREY[::-1]], axis=2)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("zero", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "int8"])
def test_grey_tiffs_are_read_right_or_refused(tmp_path, byteorder, compression, zero, kind):
    stored = {
        "uint8": GREY,
        "uint16": GREY.astype(np.uint16) * 257,
        "int8": (GREY.astype(int) - 128).astype(np.int8),
    }[kind]
    options = {"photometric": zero, "compression": compression, "byteorder": byteorder}
    tifffile.imwrite(tmp_path / "a.tif", stored, **options)
    expected = GREY if zero == "minisblack" else 255 - GREY
    if zero == "miniswhite" and (kind == "int8" or (kind, byteorder) == ("uint16", ">")):  # which Pillow does not know
        with pytest.raises(InputError, match=r"is a TIFF of a kind that is not read, or .*; convert it to unsigned 8"):
            read_rgb(tmp_path / "a.tif")
    else:
        np.testing.assert_array_equal(pixels(tmp_path / "a.tif"), np.repeat(expected[..., None], 3, axis=2))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_colour_tiffs_are_read_right(tmp_path, byteorder, compression, planes, kind):
    stored = COLOUR.astype(kind) * (257 if kind is np.uint16 else 1)
    if planes == "separate":
        stored = np.ascontiguousarray(stored.transpose(2, 0, 1))
    options = {"photometric": "rgb", "compression": compression, "byteorder": byteorder, "planarconfig": planes}
    tifffile.imwrite(tmp_path / "a.tif", stored, **options)
    np.testing.assert_array_equal(pixels(tmp_path / "a.tif"), COLOUR)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
def test_every_orientation_of_exif_is_followed(tmp_path, picture, orientation, suffix):
    path = saved(tmp_path / f"a.{suffix}", picture, exif=exif_of(orientation))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    np.testing.assert_array_equal(pixels(path), expected)


@pytest.mark.parametrize(("bits", "colours"), [(1, 1), (2, 1), (4, 1), (16, 1), (16, 3)])
def test_a_transparent_colour_is_in_the_files_own_values(tmp_path, bits, colours):
    pixel = b"\x12\x34" * colours if bits == 16 else b"\x80"
    part = struct.unpack(f">{colours}H", pixel) if bits == 16 else (pixel[0] >> (8 - bits),)
    header = struct.pack(">IIBBBBB", 1, 1, bits, 2 if colours == 3 else 0, 0, 0, 0)
    transparent = struct.pack(f">{colours}H", *part)
    parts = ((b"IHDR", header), (b"tRNS", transparent), (b"IDAT", zlib.compress(b"\0" + pixel)), (b"IEND", b""))
    (tmp_path / "a.png").write_bytes(png(*parts))
    assert (pixels(tmp_path / "a.png") == BEHIND).all()


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
def test_an_orientation_that_only_xmp_states_is_not_followed(tmp_path, picture, suffix):
    options = {"xmp": XMP}
    if suffix == "png":
        options = {"pnginfo": PngImagePlugin.PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    elif suffix == "tif":
        options = {"tiffinfo": {700: XMP}}
    path = saved(tmp_path / f"a.{suffix}", picture, **options)
    assert b"tiff:Orientation" in path.read_bytes()
    assert read_rgb(path).size == picture.size


def test_an_orientation_in_a_text_of_imagemagicks_is_not_followed(tmp_path, picture):
    exif = b"Exif\0\0" + exif_of(6).tobytes().removeprefix(b"Exif\0\0")
    profile = zlib.compress(b"\nexif\n%8d\n%s\n" % (len(exif), exif.hex().encode()))
    path = saved(tmp_path / "a.png", picture)
    path.write_bytes(with_chunk(path.read_bytes(), b"zTXt", b"Raw profile type exif\0\0" + profile))
    assert read_rgb(path).size == picture.size


def test_a_mistyped_tag_beside_the_orientation_does_not_matter(tmp_path):
    exif = exif_of(6)
    exif[0x0100] = 11
    path = saved(tmp_path / "a.jpg", Image.new("RGB", (11, 13)), exif=exif)
    long, ascii_text = struct.pack(">HH", 0x0100, 4), struct.pack(">HH", 0x0100, 2)
    path.write_bytes(path.read_bytes().replace(long, ascii_text))
    assert read_rgb(path).size == (13, 11)


def with_chunk(data, kind, content, checksum=None):
    """A PNG with one more chunk after its header."""
    part = kind + content
    checksum = zlib.crc32(part) if checksum is None else checksum
    return data[:33] + struct.pack(">I", len(content)) + part + struct.pack(">I", checksum) + data[33:]


@pytest.mark.parametrize(
    ("kind", "content", "checksum"),
    [
        (b"eXIf", bytes(40), None),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 8\nno hex!!"), None),
        (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(5_000_000)), None),
        (b"iCCP", b"profile\0\0" + zlib.compress(bytes(5_000_000)), None),
        (b"tEXt", b"Comment\0wrong checksum", 1),
        (b"gAMA", b"\0", None),
        (b"pHYs", b"\0", None),
        (b"cHRM", b"\0", None),
        (b"sRGB", b"", None),
        (b"iTXt", b"x", None),
        (b"acTL", b"x", None),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) and len(value) == 4 else "",
)
def test_damaged_chunks_beside_the_pixels_do_not_matter(tmp_path, picture, kind, content, checksum):
    path = saved(tmp_path / "a.png", picture)
    path.write_bytes(with_chunk(path.read_bytes(), kind, content, checksum))
    np.testing.assert_array_equal(pixels(path), np.asarray(picture))


def test_the_orientation_counts_beside_a_damaged_text(tmp_path, picture):
    path = saved(tmp_path / "a.png", picture, exif=exif_of(6))
    path.write_bytes(with_chunk(path.read_bytes(), b"tEXt", b"Comment\0wrong checksum", 1))
    assert read_rgb(path).size == (16, 24)


def test_an_xmp_tag_of_an_unusual_type_does_not_matter(tmp_path, picture):
    for kind in (2, 3, 4, 5, 9, 11, 12, 13):
        path = saved(tmp_path / "a.tif", picture, tiffinfo={700: XMP})
        data = path.read_bytes()
        entry = data.index(struct.pack("<HH", 700, 1))
        path.write_bytes(data[:entry] + struct.pack("<HH", 700, kind) + data[entry + 4 :])
        np.testing.assert_array_equal(pixels(path), np.asarray(picture))


def test_a_mistyped_tag_in_an_avif_does_not_matter(tmp_path, picture):
    exif = exif_of(6)
    exif[0x010F] = "somebody"
    path = saved(tmp_path / "a.avif", picture, exif=exif)
    data, expected = path.read_bytes(), pixels(path)
    path.write_bytes(data.replace(b"\x0f\x01\x02\0", b"\0\x01\x02\0").replace(b"\x01\x0f\0\x02", b"\x01\0\0\x02"))
    assert path.read_bytes() != data
    np.testing.assert_array_equal(pixels(path), expected)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_no_change_of_bytes_in_metadata_changes_the_pixels(tmp_path, picture, suffix):
    """But of the orientation, which turns them."""
    draw = random.Random(0)
    marker = bytes(range(32, 96)) * 3
    exif = exif_of(1)
    exif[0x010E], exif[0x8298] = marker.decode(), "somebody"
    options = {
        "jpg": {"comment": marker, "xmp": XMP, "exif": exif},
        "webp": {"xmp": XMP, "exif": exif, "lossless": True},
    }
    options |= {"png": {"exif": exif}, "tif": {"tiffinfo": {700: XMP, 270: marker.decode()}, "icc_profile": marker}}
    path = saved(tmp_path / f"a.{suffix}", picture, **options[suffix])
    data, expected = path.read_bytes(), pixels(path)
    turned = [np.asarray(Image.fromarray(expected).transpose(turn)) for turn in Image.Transpose] + [expected]
    start = max(data.find(XMP), data.find(b"Exif\0\0"), data.find(b"eXIf"), data.find(marker))
    for _ in range(200):
        changed = bytearray(data)
        for _ in range(draw.randint(1, 8)):
            changed[draw.randrange(start + 4, start + 90)] = draw.randrange(256)
        path.write_bytes(changed)
        found = pixels(path)
        assert any(np.array_equal(found, each) for each in turned)


def test_a_jpeg_without_its_last_bytes_is_used(tmp_path, picture):
    for progressive in (False, True):
        path = saved(tmp_path / "a.jpg", picture, progressive=progressive)
        data, expected = path.read_bytes(), pixels(path)
        for missing in (1, 2):
            path.write_bytes(data[:-missing])
            np.testing.assert_array_equal(pixels(path), expected)


@pytest.mark.parametrize("missing", [3, 4, 8, 20, 200])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_pixels_is_refused(tmp_path, missing, progressive):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    path = saved(tmp_path / "a.jpg", noise, progressive=progressive)
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(InputError, match=r"not a complete image \(image file is truncated"):
        read_rgb(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "is a pointer of Git LFS"),
        (b"\n<!DOCTYPE html>\n<html><body>404", "is a page of HTML"),
        (b"<svg xmlns='x'/>", "is an SVG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "is a JPEG 2000"),
        (b"\xff\x0a\0\0", "is a JPEG XL"),
        (b"%PDF-1.7", "is a PDF"),
        (b"8BPS\0\1", "is a Photoshop file"),
        (b"\0\0\0\x20ftypisom\0\0", "is a video"),
        (b"PK\x03\x04", "is a ZIP archive"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "not a complete image"),
        (b'{"error": "not found"}', "is JSON, as servers send"),
        (b"../.git/annex/objects/x/MD5E-s1--x.jpg\n", "is a pointer of git-annex"),
        (b"\x89PNG\n\x1a\n\0\0", "is a PNG that was copied as text"),
        (b"\x89PNG\r\r\n\x1a\r\n\0\0", "is a PNG that was copied as text"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a complete image"),
        (b"II*\0\x10\0\0\0CR\2\0", "is a raw photograph"),
        (b"\x93NUMPY\1\0", "is an array of NumPy"),
        (b"\0\0\1\xba\0", "is a video"),
        (b"P6 2 2 255\n", "is a Netpbm"),
        (b"not found\n", "is a text"),
        (b"\xfenothing known", "not a complete image of the formats JPEG, PNG"),
    ],
)
def test_what_is_no_image_is_named(tmp_path, content, what):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(f"a.jpg: {what}")) as caught:
        read_rgb(path)
    assert "\n" not in str(caught.value)


def test_a_heic_is_named_with_the_package_that_reads_it(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(InputError, match="is a HEIC, which is read where the package pillow-heif is installed"):
        read_rgb(tmp_path / "a.jpg")


@pytest.mark.skipif(not importlib.util.find_spec("pillow_heif"), reason="pillow-heif is not installed")
def test_a_heic_is_read_where_its_package_is_installed(tmp_path, picture):
    pillow_heif = importlib.import_module("pillow_heif")

    pillow_heif.register_heif_opener()
    picture.save(tmp_path / "a.jpg", format="HEIF")
    np.testing.assert_allclose(pixels(tmp_path / "a.jpg"), np.asarray(picture), atol=60)


def test_a_picture_of_too_many_pixels_says_what_to_do(tmp_path):
    header = struct.pack(">IIBBBBB", 14000, 13000, 8, 2, 0, 0, 0)
    empty = png((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    (tmp_path / "a.png").write_bytes(empty)
    with pytest.raises(InputError, match=r"a\.png: has more than 178 megapixels, .*; scale it down"):
        read_rgb(tmp_path / "a.png")


@pytest.mark.parametrize(
    "number", [errno.ESTALE, errno.EIO, errno.EACCES, errno.EMFILE, errno.ETIMEDOUT, errno.ENFILE, errno.EINTR]
)
def test_a_failing_file_system_says_nothing_about_the_picture(tmp_path, picture, monkeypatch, number):
    path = saved(tmp_path / "a.png", picture)

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(io, "open", fail)
    with pytest.raises(OSError, match=re.escape(os.strerror(number))) as caught:
        read_rgb(path)
    assert caught.value.errno == number


@pytest.mark.parametrize("name", ["", "a.png/b.png", "x" * 300 + ".png", "loop.png"])
def test_what_is_no_file_is_the_records_fault(tmp_path, picture, name):
    saved(tmp_path / "a.png", picture)
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(InputError, match=r"there is no such image|is a folder or a device"):
        read_rgb(tmp_path / name)


@pytest.mark.parametrize(("there", "wanted"), [("Zoe\u0308.png", "Zo\u00eb.png"), ("A.JPG", "a.jpg")])
def test_a_name_that_looks_the_same_is_pointed_out(tmp_path, picture, there, wanted):
    saved(tmp_path / there, picture)
    with pytest.raises(InputError, match="there is no such image; there is " + re.escape(ascii(there))):
        read_rgb(Path(tmp_path, wanted))


def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match="is a folder or a device"):
        read_rgb(tmp_path / "a.png")
