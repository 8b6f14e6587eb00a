"""Frames of a film with their exact times: upright, with square pixels, in 8-bit RGB.

A time is counted in seconds from the start of the file, as players and FFmpeg count it: the smallest time stamp of any
of its streams is 0, so that the first picture of a film whose sound begins earlier has a time above 0. It is a
fraction, since no float is 1001/30000.

What is not as a camera's chip delivers it is put right as FFmpeg and the standards have it:

- quarter turns and mirroring of the display matrix, which PyAV itself leaves to its caller;
- pixels that are not square: the shorter side of the picture is stretched, so that no detail is lost;
- interlaced frames, by bwdif;
- more than 8 bits, other primaries, PQ and HLG: converted by swscale to BT.709, in which HDR's reference white of 203
  cd/m² (ITU-R BT.2408) is white, and brighter highlights are clipped;
- a matrix that the film does not name is BT.709 above 576 lines, BT.601 below.

Film files are untrusted. Only the formats of `FORMATS` are opened, so that a playlist or a script that names other
files is refused, and only from the local disk. A picture has at most `MAX_PIXELS` pixels, a file at most `MAX_STREAMS`
streams.
"""

import io
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, Interpolation
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.misnamed import instead_of, nearly

logger = logging.getLogger(__name__)

FORMATS = ("mov", "mp4", "matroska", "webm", "mpegts", "mpeg", "avi", "flv", "asf", "ogg", "mxf", "dv", "nut")
MAX_PIXELS = 8192 * 4608
MAX_STREAMS = 100
_MAX_ERRORS_IN_A_ROW = 1000  # of reading, each of which steps over some bytes
_MAX_STRETCH = 4  # of a pixel; a file that claims more is wrong
_LEAD = 5  # seconds before a part from which on is decoded, so that no reference is missing when the part begins
_SD_LINES = 576
_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_UNSPECIFIED = 2  # of matrices, in ISO/IEC 23091-2
_PIXELS = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.BITEXACT


@dataclass(frozen=True)
class Frame:
    """One frame of a film.

    Attributes:
        time: at which it is first shown, in seconds from the start of the film.
        duration: how long, in seconds: up to the next frame; of the last, as the file says, or as the one before.
        picture: as it was decoded.
        neighbours: what was decoded just before and after it, None at either end; interlaced frames need them.
        pixel_ratio: width of a pixel over its height.
    """

    time: Fraction
    duration: Fraction
    picture: av.VideoFrame
    neighbours: tuple[av.VideoFrame | None, av.VideoFrame | None]
    pixel_ratio: Fraction

    def rgb(self, longest: int | None = None) -> NDArray[np.uint8]:
        """Return the upright picture with square pixels, (height, width, 3).

        Args:
            longest: pixels of the longer side; a picture that is not larger keeps its size.
        """
        picture = _progressive(self.picture, *self.neighbours) if self.picture.interlaced_frame else self.picture
        width, height = self._square_size()
        scale = 1.0 if longest is None else min(1.0, longest / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return _upright(_to_rgb(picture, *size), self.picture)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        width, height = self._square_size()
        return (height, width) if _quarter_turns(self.picture)[0] % 2 else (width, height)

    def _square_size(self) -> tuple[int, int]:
        """Width and height with square pixels, before it is turned."""
        width, height, ratio = self.picture.width, self.picture.height, self.pixel_ratio
        stretched = (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))
        return stretched if stretched[0] * stretched[1] <= MAX_PIXELS else (width, height)


class _Source(io.FileIO):
    """A film's file, which remembers what its file system could not do: FFmpeg takes that for damage, or for the end.

    Attributes:
        trouble: the last of it; None for none.
    """

    trouble: OSError | None = None

    def read(self, size: int | None = None, /) -> bytes:
        try:
            return super().read(size) if size is None else os.read(self.fileno(), size)
        except OSError as error:
            self.trouble = error
            return b""

    def seek(self, place: int, whence: int = os.SEEK_SET, /) -> int:
        try:
            return super().seek(place, whence)
        except OSError:  # a damaged file leads to before its start
            return -1

    def check(self) -> None:
        """Raise the OSError that reading ended with, if it did."""
        if self.trouble is not None:
            raise OSError(self.trouble.errno, self.trouble.strerror, str(self.name))


class Film:
    """A film that is open for reading, by its main video stream.

    The main stream is the one that the file marks as default, then the one with most pixels, then the first. Attached
    pictures, such as covers, are no streams of frames.

    Attributes:
        duration: in seconds, as the file claims it, which need not be true; None where it claims nothing.
        damaged: how many packets could not be read or decoded so far; they are left out.

    Raises:
        InputError: the file is missing, of no format or codec that is known, has no video, or exceeds a limit.
        OSError: the file system failed, here or while frames are read, which says nothing about the film.
    """

    def __init__(self, path: str | Path, threads: int = 1):
        self.path = Path(path)
        self.damaged = 0
        self._threads = threads
        self._container = self._open()
        try:
            self._stream = self._main_stream()
        except InputError:
            self._close()
            raise
        self._origin = self._start()
        claimed = self._container.duration
        self.duration = None if claimed is None or claimed <= 0 else Fraction(claimed, av.time_base)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._container.close()
        self._source.close()

    def _open(self) -> av.container.InputContainer:
        if not self.path.is_file():
            raise InputError(f"{self.path}: there is no such film{nearly(self.path)}")
        self._source = _Source(self.path)
        options = {
            "format_whitelist": ",".join(FORMATS),
            "protocol_whitelist": "file",
            "max_streams": str(MAX_STREAMS),
            "max_pixels": str(MAX_PIXELS),
        }
        try:
            container = av.open(self._source, "r", options=options, metadata_errors="replace")
        except av.error.FFmpegError as error:
            self._source.close()
            self._source.check()
            wrong = (
                f"cannot be opened as a film ({error.strerror}); "
                f"it must be a whole file of one of the formats {', '.join(FORMATS)}"
            )
            raise InputError(f"{self.path}: {instead_of('a video', self.path, wrong)}") from None
        self._source.check()
        return container

    def _main_stream(self) -> av.VideoStream:
        streams = [s for s in self._container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise InputError(f"{self.path}: has no video stream")
        decodable = [stream for stream in streams if stream.codec_context is not None]
        if not decodable:
            raise InputError(f"{self.path}: its video is of a codec that FFmpeg does not know here; convert it")

        def rank(stream: av.VideoStream) -> tuple[bool, int, int]:
            return bool(stream.disposition & Disposition.default), stream.width * stream.height, -stream.index

        stream = max(decodable, key=rank)
        if stream.width * stream.height > MAX_PIXELS:
            raise InputError(
                f"{self.path}: its pictures have {stream.width}x{stream.height} pixels, more than {MAX_PIXELS}"
            )
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self._threads
        return stream

    def _start(self) -> Fraction:
        """The time stamp, in seconds, that is the film's 0."""
        start = Fraction(self._container.start_time or 0, av.time_base)
        if self._stream.start_time is None or self._stream.time_base is None:
            return start
        own = self._stream.start_time * _unit(self._stream.time_base)
        # The container's own is in whole microseconds, which would put a first frame a trifle beside 0.
        return own if abs(own - start) < Fraction(1, av.time_base) else start

    def frames(self, start: Fraction | float = 0, end: Fraction | float | None = None) -> Iterator[Frame]:
        """Yield the frames whose time is in [start, end), in the order of their times.

        A part has the very frames that it has in the whole film. Damaged packets are left out and counted in `damaged`,
        and so are frames without a time or with one that is not later than the last.

        Raises:
            InputError: a frame is larger than the limit; or the whole film was asked for and no frame can be decoded.
        """
        count = 0
        for frame in self._with_neighbours(self._decoded(Fraction(start))):
            if end is not None and frame.time >= end:
                break
            if frame.time >= start:
                count += 1
                yield frame
        if not count and start <= 0 and end is None:
            raise InputError(f"{self.path}: not one of its frames can be decoded")

    def frame_times(self) -> list[Fraction]:
        """Return the time of every frame, in order, from the packets alone: without decoding.

        Only where packets do not say when they are shown, as in AVI, the film is decoded.

        Raises:
            InputError: see `frames`.
        """
        times = []
        self._close()
        self._container = self._open()
        self._stream = self._main_stream()
        for packet in self._container.demux(self._stream):
            if packet.size and packet.pts is None:
                return [frame.time for frame in self.frames()]
            if packet.size and packet.pts is not None and not packet.is_discard:
                times.append(packet.pts * _unit(packet.time_base) - self._origin)
        self._source.check()
        return sorted(time for time in set(times) if time >= 0)

    def samples(
        self, rate: Fraction | float, start: Fraction | float = 0, end: Fraction | float | None = None
    ) -> Iterator[Frame]:
        """Yield at most `rate` frames a second: the first in each of the intervals [n / rate, (n + 1) / rate).

        Intervals belong to the part [start, end) by their beginning, so that adjoining parts yield the samples of one
        pass. A film with fewer frames than that has each of them sampled once.
        """
        rate = Fraction(rate).limit_denominator(1001)
        first = ceil(Fraction(start) * rate)
        last = None if end is None else ceil(Fraction(end) * rate) / rate
        sampled = -1
        for frame in self.frames(first / rate, last):
            interval = floor(frame.time * rate)
            if interval > sampled:
                sampled = interval
                yield frame

    def _with_neighbours(self, frames: Iterator[tuple[Fraction, av.VideoFrame]]) -> Iterator[Frame]:
        """Give each frame those before and after it."""
        ratio = self._stream.sample_aspect_ratio or Fraction(1)
        if not Fraction(1, _MAX_STRETCH) <= ratio <= _MAX_STRETCH:
            ratio = Fraction(1)
        first = next(frames, None)
        if first is None:
            return
        before, (time, picture), duration = None, first, Fraction(0)
        for later, after in frames:
            duration = later - time
            yield Frame(time, duration, picture, (before, after), ratio)
            before, time, picture = picture, later, after
        yield Frame(time, self._last_duration(time, picture) or duration, picture, (before, None), ratio)

    def _last_duration(self, time: Fraction, picture: av.VideoFrame) -> Fraction:
        """How long the last frame is shown, as the file says; 0 where it says nothing.

        In an MP4 with B-frames a frame's own length is the distance to the next one in the order of decoding, which may
        lie beyond the end of the stream.
        """
        own = (picture.duration or 0) * _unit(picture.time_base)
        stream = self._stream
        if stream.duration is None:
            return own
        left = ((stream.start_time or 0) + stream.duration) * _unit(stream.time_base) - self._origin - time
        return min(own, left) if left > 0 else own

    def _decoded(self, start: Fraction) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        """Decode from somewhere before `start`, or from the beginning; times grow."""
        lead, counted = _LEAD, self.damaged
        while start - lead > 0:
            frames = self._decoded_from(start - lead)
            first = next(frames, None)
            if first is not None and first[0] < start:
                yield first
                yield from frames
                return
            lead *= 4  # where a seek ends is up to the format
            self.damaged = counted
        yield from self._decoded_from(None)

    def _decoded_from(self, time: Fraction | None) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        self._close()
        self._container = self._open()
        self._stream = self._main_stream()
        if time is not None:
            try:
                target = floor((time + self._origin) / _unit(self._stream.time_base))
                self._container.seek(target, stream=self._stream)
            except av.error.FFmpegError:
                self._source.check()
                return  # the caller tries an earlier one
        last = None
        for picture in self._pictures():
            if picture.width * picture.height > MAX_PIXELS:
                raise InputError(f"{self.path}: a frame has {picture.width}x{picture.height} pixels")
            shown = None if picture.pts is None else picture.pts * _unit(picture.time_base) - self._origin
            if shown is None or (last is not None and shown <= last):
                self.damaged += 1
                continue
            last = shown
            yield shown, picture

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """Decode all that can be decoded."""
        errors = 0
        packets = self._container.demux(self._stream)
        while errors < _MAX_ERRORS_IN_A_ROW:
            try:
                packet = next(packets, None)
                self._source.check()
                if packet is None:
                    return
                yield from packet.decode()
                errors = 0
            except av.error.EOFError:
                self._source.check()
                return
            except IndexError:  # PyAV's, at a packet of a stream that begins later than the file, as in recordings
                packets = self._container.demux(self._stream)
            except av.error.FFmpegError:
                self._source.check()
                self.damaged += 1
                errors += 1
                packets = self._container.demux(self._stream)


def claimed_duration(path: str | Path) -> float | None:
    """Return the length in seconds that a film's file claims, None where it claims nothing or cannot be opened."""
    try:
        with Film(path) as film:
            return None if film.duration is None else float(film.duration)
    except InputError:
        return None  # the job that decodes it says why


def _unit(time_base: Fraction | None) -> Fraction:
    """The unit of time stamps, in seconds; FFmpeg's own where a format does not say it."""
    return time_base or Fraction(1, av.time_base)


def seconds(time: Fraction) -> float:
    """Return a time as tables have it: in whole microseconds, which tell any two frames apart."""
    return round(float(time), 6)


def _quarter_turns(picture: av.VideoFrame) -> tuple[int, bool]:
    """Counterclockwise quarter turns that make a picture upright, and whether it is mirrored before, left to right.

    The display matrix maps (x, y) to (a·x + c·y, b·x + d·y), with y downwards; a, b, c, d are its numbers 0, 1, 3, 4.
    """
    side_data: Any = picture.side_data  # whose types PyAV states as those of its keys
    data = next((data for data in side_data if data.type == SideData.DISPLAYMATRIX), None)
    if data is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(data, np.int32)[:5].astype(float)
    mirrored = a * d - b * c < 0
    if mirrored:  # the mirror comes first: x to −x
        a, b = -a, -b
    turns = round(np.degrees(np.arctan2(-b, a)) / 90) % 4
    return turns, mirrored


def _upright(image: NDArray[np.uint8], picture: av.VideoFrame) -> NDArray[np.uint8]:
    turns, mirrored = _quarter_turns(picture)
    return np.ascontiguousarray(np.rot90(image[:, ::-1] if mirrored else image, turns))


def _progressive(picture: av.VideoFrame, before: av.VideoFrame | None, after: av.VideoFrame | None) -> av.VideoFrame:
    """Deinterlace a frame; neighbours of another format do not count."""
    frames = [
        frame
        for frame in (before, picture, after)
        if frame is not None
        and (frame.width, frame.height, frame.format.name) == (picture.width, picture.height, picture.format.name)
    ]
    graph = Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=picture.time_base
    )
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame"), graph.add("buffersink")).configure()
    for frame in frames:
        graph.push(frame)
    graph.push(None)
    for frame in frames:
        deinterlaced = graph.pull()
        if frame is picture and isinstance(deinterlaced, av.VideoFrame):
            return deinterlaced
    raise AssertionError("bwdif gives a frame for each frame")


def _to_rgb(picture: av.VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
    matrix = picture.colorspace
    if matrix == _UNSPECIFIED:
        matrix = Colorspace.ITU709 if picture.height > _SD_LINES else Colorspace.ITU601
    managed = {}
    if picture.color_trc in _HDR or picture.color_primaries == ColorPrimaries.BT2020:
        managed = {"dst_color_trc": ColorTrc.BT709, "dst_color_primaries": ColorPrimaries.BT709}
    converted = picture.reformat(
        width, height, "rgb24", src_colorspace=matrix, interpolation=_PIXELS, threads=1, **managed
    )
    return np.asarray(converted.to_ndarray(), np.uint8)
