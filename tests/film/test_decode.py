import errno
import gc
import os
import struct
from fractions import Fraction
from itertools import chain, pairwise

import av
import numpy as np
import pytest
from factories.clips import HEIGHT, WIDTH, damage, number_of, numbered, write
from PIL import Image

from castsearch.data.films import number_of_parts, part_bounds
from castsearch.errors import InputError
from castsearch.film.decode import Film, outline

NO_SCENE_CUTS = {"sc_threshold": "0"}


def numbers(count):
    return [numbered(number) for number in range(count)]


def times(path, **part):
    with Film(path) as film:
        return [frame.time for frame in film.frames(**part)]


def shown(path, *part):
    """Number and pixels of every frame of a part."""
    with Film(path) as film:
        images = [frame.rgb() for frame in film.frames(*part)]
    return [number_of(image) for image in images], [image.tobytes() for image in images]


def one_image(path):
    with Film(path) as film:
        return next(film.frames()).rgb()


def packet_times(path):
    """What the container itself says, without any decoding."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return sorted(packet.pts * packet.time_base for packet in container.demux(stream) if packet.pts is not None)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_a_constant_rate_with_b_frames(tmp_path, name):
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = write(tmp_path / name, numbers(30), rate=25, codec=codec, options={"bf": "0"} if codec == "mpeg4" else {})
    assert [round(float(time), 3) for time in times(path)] == [round(n / 25, 3) for n in range(30)]
    assert shown(path)[0] == list(range(30))


def test_a_rate_that_no_float_holds(tmp_path):
    rate = Fraction(30000, 1001)
    path = write(tmp_path / "a.mp4", numbers(30), rate=rate)
    assert times(path) == [n / rate for n in range(30)]


def test_a_variable_rate(tmp_path):
    wanted = [Fraction(n * n, 100) for n in range(12)]
    path = write(tmp_path / "a.mp4", numbers(12), times=wanted)
    assert times(path) == wanted


def test_the_last_frame_is_shown_up_to_the_end_of_the_stream(tmp_path):
    wanted = [Fraction(time, 25) for time in (0, 1, 32, 33)]  # B-frames, which lend the last frame the pause's length
    path = write(tmp_path / "a.mp4", numbers(4), times=wanted)
    with Film(path) as film:
        assert [frame.duration for frame in film.frames()] == [Fraction(time, 25) for time in (1, 31, 1, 1)]


@pytest.mark.parametrize("name", ["a.ts", "a.mkv"])
def test_time_stamps_that_begin_late_are_counted_from_there(tmp_path, name):
    path = write(tmp_path / name, numbers(10), shift=1000)
    assert packet_times(path)[0] > 999
    assert [round(float(time), 3) for time in times(path)] == [n / 25 for n in range(10)]


def test_a_picture_that_begins_after_the_sound(tmp_path):
    path = write(tmp_path / "a.mkv", numbers(10), shift=1, sound_from=0)
    assert float(times(path)[0]) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("name", ["film.mov", "film.mkv"])
def test_the_time_code_of_a_film_is_read(tmp_path, name):
    def coded(stream):
        stream.metadata["timecode"] = "10:00:00:00"

    with Film(write(tmp_path / name, numbers(2), prepare=coded)) as film:
        assert film.timecode == "10:00:00:00"
    with Film(write(tmp_path / f"no_{name}", numbers(2))) as film:
        assert film.timecode is None


def test_an_edit_list_hides_the_frames_before_its_start(tmp_path):
    path = write(tmp_path / "a.mp4", numbers(20), shift=Fraction(-4, 25))
    assert shown(path)[0] == list(range(4, 20))
    assert times(path)[0] == 0


CODECS = {
    "h264, open groups": ("a.mp4", "libx264", NO_SCENE_CUTS | {"g": "25", "x264-params": "open-gop=1:bframes=3"}),
    "h264 in MPEG-TS": ("a.ts", "libx264", NO_SCENE_CUTS | {"g": "25", "x264-params": "open-gop=1:bframes=3"}),
    "h264, refreshed row by row": ("b.ts", "libx264", {"x264-params": "intra-refresh=1:keyint=20:bframes=0"}),
    "hevc, open groups": ("a.mkv", "libx265", {"x265-params": "keyint=25:open-gop=1:log-level=none"}),
    "mpeg2": ("a.mpg", "mpeg2video", {"g": "12", "bf": "2"}),
}


@pytest.mark.parametrize(("name", "codec", "options"), CODECS.values(), ids=CODECS)
def test_parts_have_the_frames_of_one_pass(tmp_path, name, codec, options):
    path = write(tmp_path / name, numbers(200), rate=10, codec=codec, options=options)
    whole_numbers, whole_pixels = shown(path)
    bounds = [0, 7.77, 9.5, 12, None]
    parts = [shown(path, start, end) for start, end in pairwise(bounds)]
    assert whole_numbers == list(range(200))
    assert [*chain.from_iterable(part[0] for part in parts)] == whole_numbers
    assert [*chain.from_iterable(part[1] for part in parts)] == whole_pixels


def test_samples_are_the_first_frame_of_each_interval(tmp_path):
    path = write(tmp_path / "a.mp4", numbers(60), rate=30)
    with Film(path) as film:
        sampled = [frame.time for frame in film.samples(4)]
    assert sampled == [Fraction(n, 30) for n in (0, 8, 15, 23, 30, 38, 45, 53)]


@pytest.mark.parametrize("bounds", [[0, 0.5, 1.1, 1.3, None], [0, 2, None]])
def test_parts_have_the_samples_of_one_pass(tmp_path, bounds):
    path = write(tmp_path / "a.mp4", numbers(60), rate=30)
    with Film(path) as film:
        whole = [frame.time for frame in film.samples(4)]
        parts = [[f.time for f in film.samples(4, *part)] for part in pairwise(bounds)]
    assert [*chain.from_iterable(parts)] == whole


def test_a_film_with_fewer_frames_than_samples_has_each_once(tmp_path):
    path = write(tmp_path / "a.mp4", numbers(4), times=[Fraction(n) for n in range(4)])
    with Film(path) as film:
        assert [frame.time for frame in film.samples(5)] == [0, 1, 2, 3]


def quadrants():
    """Red, green, blue and white, from the top left clockwise to blue below on the right."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[: HEIGHT // 2, : WIDTH // 2] = 255, 0, 0
    image[: HEIGHT // 2, WIDTH // 2 :] = 0, 255, 0
    image[HEIGHT // 2 :, WIDTH // 2 :] = 0, 0, 255
    image[HEIGHT // 2 :, : WIDTH // 2] = 255, 255, 255
    return image


def corners(image):
    """The colours of the four corners, clockwise from the top left."""
    names = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}
    found = [image[y, x] for y, x in ((8, 8), (8, -8), (-8, -8), (-8, 8))]
    return [names[tuple((pixel > 127).astype(int).tolist())] for pixel in found]


@pytest.mark.parametrize(
    ("degrees", "flips", "expected"),
    [
        (90, {}, ["green", "blue", "white", "red"]),
        (180, {}, ["blue", "white", "red", "green"]),
        (-90, {}, ["white", "red", "green", "blue"]),
        (0, {"hflip": True}, ["green", "red", "white", "blue"]),
        (0, {"vflip": True}, ["white", "blue", "green", "red"]),
    ],
)
def test_the_display_matrix_turns_and_mirrors(tmp_path, degrees, flips, expected):
    path = write(
        tmp_path / "a.mp4", [quadrants()], prepare=lambda stream: stream.set_display_rotation(degrees, **flips)
    )
    image = one_image(path)
    assert corners(image) == expected
    assert image.shape[:2] == ((WIDTH, HEIGHT) if degrees in (90, -90) else (HEIGHT, WIDTH))
    with Film(path) as film:
        assert next(film.frames()).size == image.shape[1::-1]


@pytest.mark.parametrize(("ratio", "size"), [(Fraction(2), (2 * WIDTH, HEIGHT)), (Fraction(1, 2), (WIDTH, 2 * HEIGHT))])
def test_pixels_become_square(tmp_path, ratio, size):
    def prepare(stream):
        stream.codec_context.sample_aspect_ratio = ratio

    path = write(tmp_path / "a.mp4", [quadrants()], prepare=prepare)
    assert one_image(path).shape[1::-1] == size
    assert outline(path).pixels == size[0] * size[1]


def test_a_smaller_picture_keeps_its_shape(tmp_path):
    with Film(write(tmp_path / "a.mp4", [quadrants()])) as film:
        assert next(film.frames()).rgb(longest=64).shape == (48, 64, 3)


def test_interlaced_frames_have_no_comb(tmp_path):
    """A white square that jumps between the fields; half its rows are in each place."""
    pictures = []
    for number in range(6):
        image = np.full((HEIGHT, WIDTH, 3), 16, np.uint8)
        image[24:72:2, 10 + 12 * number : 40 + 12 * number] = 235
        image[25:72:2, 16 + 12 * number : 46 + 12 * number] = 235
        pictures.append(image)
    path = write(
        tmp_path / "a.mpg", pictures, codec="mpeg2video", options={"flags": "+ildct+ilme", "top": "1", "qscale": "1"}
    )
    with Film(path) as film:
        frame = list(film.frames())[3]
    assert frame.picture.interlaced_frame

    def comb(image):
        rows = image[30:66].astype(int).mean(axis=2)
        return np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:]).mean()

    assert comb(frame.rgb()) < 0.3 * comb(frame.picture.to_ndarray(format="rgb24"))


def test_an_interlaced_picture_of_two_lines_stays_as_it_is(tmp_path):
    pictures = [np.full((2, WIDTH, 3), 128, np.uint8)] * 2
    path = write(tmp_path / "a.mpg", pictures, codec="mpeg2video", options={"flags": "+ildct+ilme"})
    with Film(path) as film:
        frame = next(film.frames())
    assert frame.picture.interlaced_frame
    assert frame.rgb().shape == (2, WIDTH, 3)


def test_a_picture_that_cannot_be_converted_is_refused_by_name(tmp_path):
    """Interlaced, of five lines, made smaller: each field has an odd number of lines."""
    pictures = [np.zeros((5, WIDTH, 3), np.uint8)] * 2
    path = write(tmp_path / "a.mpg", pictures, codec="mpeg2video", options={"flags": "+ildct+ilme"})
    with Film(path) as film, pytest.raises(InputError, match=rf"a\.mpg: 0\.000 s: a frame has {WIDTH}x5 pixels"):
        next(film.frames()).rgb(WIDTH // 4)


def luma(value, height=HEIGHT, width=WIDTH, matrix=9, transfer=16, primaries=9):
    """A grey 10-bit frame with a signal value between 0 and 1."""
    frame = av.VideoFrame(width, height, "yuv420p10le")
    for place, plane in enumerate(frame.planes):
        code = round(64 + 876 * value) if place == 0 else 512
        plane.update(np.full(plane.buffer_size // 2, code, np.uint16).tobytes())
    frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries = matrix, 1, transfer, primaries
    return frame


def coloured(stream, matrix, transfer, primaries):
    context = stream.codec_context
    context.colorspace, context.color_trc, context.color_primaries, context.color_range = matrix, transfer, primaries, 1


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (0.5, 127), (1, 255)])
def test_ten_bits_become_eight(tmp_path, value, expected):
    frame = luma(value, matrix=1, transfer=1, primaries=1)
    path = write(
        tmp_path / "a.mkv", [frame], codec="ffv1", pixels="yuv420p10le", prepare=lambda s: coloured(s, 1, 1, 1)
    )
    assert np.abs(one_image(path).astype(int) - expected).max() <= 1


PQ = {
    0.5806: 255,  # reference white of 203 cd/m²
    0.7518: 255,  # a highlight of 1000 cd/m²
    0.4403: 142,  # 50 cd/m²: BT.709 of a quarter of the reference white
    0.0: 0,
}
HLG = {0.75: 255}  # reference white


@pytest.mark.parametrize(("transfer", "shades"), [(16, PQ), (18, HLG)], ids=["PQ", "HLG"])
def test_the_reference_white_of_hdr_is_white(tmp_path, transfer, shades):
    path = write(
        tmp_path / "a.mkv",
        [luma(value, transfer=transfer) for value in shades],
        codec="ffv1",
        pixels="yuv420p10le",
        prepare=lambda s: coloured(s, 9, transfer, 9),
    )
    with Film(path) as film:
        found = np.array([frame.rgb() for frame in film.frames()], int)
    assert np.abs(found - np.reshape([*shades.values()], (-1, 1, 1, 1))).max() <= 4


@pytest.mark.parametrize(("size", "matrix"), [((640, 480), "601"), ((1280, 720), "709")])
def test_a_matrix_that_is_not_named_follows_the_number_of_lines(tmp_path, size, matrix):
    frame = av.VideoFrame(*size, "yuv420p")
    for plane, code in zip(frame.planes, (81, 90, 240), strict=True):  # red by BT.601
        plane.update(np.full(plane.buffer_size, code, np.uint8).tobytes())
    path = write(tmp_path / "a.mkv", [frame], codec="ffv1")
    expected = {"601": (254, 0, 0), "709": (255, 24, 0)}[matrix]
    assert np.abs(one_image(path)[100, 100].astype(int) - expected).max() <= 3


def test_the_stream_that_is_marked_as_default_is_taken(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = []
        for size, default in ((128, False), (64, True)):
            stream = container.add_stream("ffv1", rate=25)
            stream.width = stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.disposition = av.stream.Disposition.default if default else av.stream.Disposition.dub
            streams.append((stream, size))
        for stream, size in streams:
            frame = av.VideoFrame.from_ndarray(np.zeros((size, size, 3), np.uint8))
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    assert one_image(path).shape == (64, 64, 3)


def test_damage_is_left_out_and_counted(tmp_path):
    path = write(tmp_path / "a.mkv", numbers(30), codec="ffv1", options={"g": "1"})
    for number in (10, 11, 20):
        damage(path, number)
    with Film(path) as film:
        found = [number_of(frame.rgb()) for frame in film.frames()]
        assert film.damaged == 3
    assert found == [number for number in range(30) if number not in (10, 11, 20)]


def test_what_a_seek_skips_before_a_part_is_no_damage(tmp_path):
    path = write(tmp_path / "a.mpg", numbers(200), rate=10, codec="mpeg2video", options={"g": "12", "bf": "2"})
    with Film(path) as film:
        assert len(list(film.frames(7.77, 9.5))) == 17
        assert film.damaged == 0


def test_damage_before_a_part_is_not_counted_again(tmp_path):
    path = damage(write(tmp_path / "a.mkv", numbers(30), rate=1, codec="ffv1", options={"g": "1"}), 8)
    with Film(path) as film:
        assert len(list(film.frames(10))) == 20
        assert film.damaged == 0


def test_damage_counts_once_where_a_part_must_be_read_from_further_back(tmp_path):
    path = write(tmp_path / "a.mkv", numbers(30), rate=1, codec="ffv1", options={"g": "1"})
    for number in range(4, 12):
        damage(path, number)
    with Film(path) as film:
        assert len(list(film.frames(10))) == 18
        assert film.damaged == 2


@pytest.mark.parametrize("number", [9, 10])
def test_damage_beside_a_border_counts_in_one_part(tmp_path, number):
    path = damage(write(tmp_path / "a.mkv", numbers(20), rate=1, codec="ffv1", options={"g": "1"}), number)
    counts = []
    for part in ((0, 10), (10, None)):
        with Film(path) as film:
            list(film.frames(*part, after=2))
            counts.append(film.damaged)
    assert counts == [number == 9, number == 10]


def test_a_file_that_is_cut_off_has_the_frames_before(tmp_path):
    path = write(tmp_path / "a.mkv", numbers(60), codec="ffv1")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    found = shown(path)[0]
    assert 10 < len(found) < 50
    assert found == list(range(len(found)))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
@pytest.mark.parametrize("whole", [0, 0.6])
def test_a_failing_file_system_is_neither_damage_nor_the_end(tmp_path, monkeypatch, name, whole):
    noise = np.random.default_rng(0).integers(0, 255, (12, HEIGHT, WIDTH, 3), np.uint8)
    path = write(tmp_path / name, noise, codec="mpeg4", options={"b": "9000000"})
    read, limit = os.read, whole * path.stat().st_size

    def fail(file, size):
        if os.lseek(file, 0, os.SEEK_CUR) + size > limit:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(file, size)

    monkeypatch.setattr(os, "read", fail)
    with pytest.raises(OSError, match="Input/output error") as caught:
        times(path)
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(path))


def test_a_film_of_one_frame(tmp_path):
    assert times(write(tmp_path / "a.mp4", numbers(1))) == [0]


def test_a_part_after_the_end_is_empty(tmp_path):
    assert times(write(tmp_path / "a.mp4", numbers(30)), start=100, end=200) == []


def refusal(path):
    with pytest.raises(InputError) as refused, Film(path) as film:
        list(film.frames())
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_a_missing_file_is_refused(tmp_path):
    assert "there is no such film" in refusal(tmp_path / "a.mp4")


def test_a_file_that_is_no_film_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_text("no film")
    assert refusal(tmp_path / "a.mp4").endswith("a.mp4: is a text, not a video")
    (tmp_path / "a.mp4").write_bytes(b"")
    assert refusal(tmp_path / "a.mp4").endswith("a.mp4: is an empty file, not a video")
    (tmp_path / "a.mp4").write_bytes(bytes(5000))
    assert "cannot be opened as a film" in refusal(tmp_path / "a.mp4")


def test_a_container_cut_off_before_its_index_is_refused(tmp_path):
    path = write(tmp_path / "a.mp4", numbers(60))
    path.write_bytes(path.read_bytes()[:-1000])
    assert "cannot be opened as a film" in refusal(path)


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.rate = 48000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    assert "has no video stream" in refusal(path)


PLAYLISTS = {
    "film.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n",
    "concat.mp4": "ffconcat version 1.0\nfile '{other}'\n",
    "film.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD><!-- {other} -->',
    "playlist.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n",
    "playlist.wmv": '<asx version="3.0"><entry><ref href="{other}"/></entry></asx>',
    "subtitles.mkv": "1\n00:00:00,000 --> 00:00:02,000\n{other}\n",
    "film.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_file_that_names_other_files_is_refused(tmp_path, name):
    other = write(tmp_path / "other.ts", numbers(3))
    (tmp_path / name).write_text(PLAYLISTS[name].format(other=other))
    assert refusal(tmp_path / name).endswith(", not a video")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WebP"])
def test_an_animation_is_no_film(tmp_path, kind):
    first, *others = (Image.fromarray(picture) for picture in numbers(3))
    first.save(tmp_path / "a.mp4", kind, save_all=True, append_images=others)
    assert refusal(tmp_path / "a.mp4").endswith(f"a.mp4: is a {kind}, not a video")


def test_sound_with_a_cover_is_refused(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        sound, cover = container.add_stream("aac", rate=48000, layout="mono"), container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.rate = 48000
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
        for stream, frame in ((sound, silence), (cover, picture)):
            container.mux([*stream.encode(frame), *stream.encode(None)])
    assert "has no video stream" in refusal(path)


def no_shape(stream):
    stream.codec_context.sample_aspect_ratio = Fraction(0, 1)


ODD = {
    "a gap of a day": ("a.mkv", {"times": [0, 1, 86400, 86401]}, [0, 1, 86400, 86401]),
    "a clock that runs over": ("a.ts", {"rate": 1, "shift": Fraction(2**33, 90000) - 2}, [0, 1, 2, 3]),
    "fields": ("a.mp4", {"rate": 1, "options": {"flags": "+ildct+ilme", "x264-params": "tff=1"}}, [0, 1, 2, 3]),
    "one channel": ("a.mkv", {"rate": 1, "codec": "ffv1", "pixels": "gray"}, [0, 1, 2, 3]),
    "sixteen bits": ("b.mkv", {"rate": 1, "codec": "ffv1", "pixels": "yuv444p16le"}, [0, 1, 2, 3]),
    "pixels of no shape": ("c.mp4", {"rate": 1, "prepare": no_shape}, [0, 1, 2, 3]),
}


@pytest.mark.parametrize(("name", "options", "expected"), ODD.values(), ids=ODD)
def test_odd_films_have_all_their_frames(tmp_path, name, options, expected):
    path = write(tmp_path / name, numbers(4), **options)
    assert [float(time) for time in times(path)] == pytest.approx(expected, abs=0.001)
    assert shown(path)[0] == [0, 1, 2, 3]


def test_transparency_is_left_out(tmp_path):
    picture = np.dstack([numbered(5), np.full((HEIGHT, WIDTH), 128, np.uint8)])
    frame = av.VideoFrame.from_ndarray(picture, "rgba").reformat(format="yuva420p")
    assert number_of(one_image(write(tmp_path / "a.mkv", [frame], codec="ffv1", pixels="yuva420p"))) == 5


def test_a_picture_of_one_pixel(tmp_path):
    path = write(tmp_path / "a.mkv", [np.zeros((1, 1, 3), np.uint8)], codec="ffv1")
    assert one_image(path).shape == (1, 1, 3)


def test_a_name_that_is_a_protocol_opens_no_other_file(tmp_path):
    other = write(tmp_path / "other.ts", numbers(3))
    with pytest.raises(InputError, match="there is no such film"):
        Film(f"concat:{other}")


def test_pictures_above_the_limit_are_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mp4", numbers(3))
    monkeypatch.setattr("castsearch.film.container.MAX_PIXELS", 1000)
    assert "128x96 pixels" in refusal(path)


def test_recordings_that_follow_each_other_are_one_film(tmp_path):
    """Two files of MPEG-TS, joined, of which the second one has sound."""
    first = write(tmp_path / "first.ts", numbers(30))
    second = write(tmp_path / "second.ts", [numbered(number) for number in range(30, 60)], shift=1.2, sound_from=1.2)
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    found = shown(path)[0]
    assert found[:30] == list(range(30))
    assert found[-1] == 59


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_packets_have_the_times_of_the_frames(tmp_path, name):
    path = write(tmp_path / name, numbers(60), options={"bf": "3", "g": "20"})
    with Film(path) as film:
        assert film.frame_times() == times(path)


@pytest.mark.parametrize(("second", "count"), [(20, 40), (60, 69)])
def test_where_times_start_anew_packets_have_those_of_the_frames_that_come_later(tmp_path, second, count):
    """Two files of MPEG-TS that both begin at 0, joined: a picture is shown only after those before it."""
    sizes = {25: 40, 20: second}
    parts = [
        write(tmp_path / f"{rate}.ts", numbers(size), rate=rate, options={"bf": "3"}) for rate, size in sizes.items()
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with Film(path) as film:
        found = film.frame_times()
    assert found == times(path)
    assert len(found) == count


def test_frames_are_freed_when_they_have_been_looked_at(tmp_path):
    path = write(tmp_path / "a.mp4", numbers(5))
    gc.collect()
    gc.disable()
    try:
        assert len(shown(path)[0]) == 5
        assert not any(isinstance(each, av.VideoFrame) for each in gc.get_objects())
    finally:
        gc.enable()


@pytest.mark.parametrize("claimed", [0.5, 200.0])
def test_a_film_that_claims_a_wrong_length_has_all_its_frames_once(tmp_path, claimed):
    path = write(tmp_path / "a.mkv", numbers(130), rate=1)
    content = path.read_bytes()
    place = content.index(b"\x44\x89\x88") + 3  # Matroska's Duration, a float of 8 bytes in milliseconds
    path.write_bytes(content[:place] + struct.pack(">d", 1000 * claimed) + content[place + 8 :])
    assert outline(path).duration == claimed
    count = number_of_parts(claimed, 1)
    found = [shown(path, *part_bounds(part, count, 1))[0] for part in range(count)]
    assert len(found) == (1 if claimed == 0.5 else 4)
    assert [*chain.from_iterable(found)] == list(range(130))


def test_a_codec_that_is_not_known_is_refused(tmp_path):
    path = write(tmp_path / "a.mkv", numbers(3), codec="ffv1")
    path.write_bytes(path.read_bytes().replace(b"V_FFV1", b"V_NONE"))
    assert "its video is of a codec that FFmpeg does not know here" in refusal(path)
