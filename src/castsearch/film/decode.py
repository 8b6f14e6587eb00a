"""Frames of a film with their exact times.

A time is counted in seconds from the start of the file, as players and FFmpeg count it: the smallest time stamp of any
of its streams is 0, so that the first picture of a film whose sound begins earlier has a time above 0. It is a
fraction, since no float is 1001/30000.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor, inf, prod
from pathlib import Path
from typing import NamedTuple, Self

import av
from av.video.reformatter import VideoReformatter

from castsearch.errors import InputError
from castsearch.film.container import main_stream, open_container
from castsearch.film.frame import MAX_PIXELS, Frame, square_size

_MAX_ERRORS_IN_A_ROW = 1000  # of reading, each of which steps over some bytes
_MAX_STRETCH = 4  # of a pixel; a file that claims more is wrong
_LEAD = 5  # seconds before a part from which on is decoded, so that no reference is missing when the part begins


class Film:
    """A film that is open for reading, by its main video stream: see `container.main_stream`.

    Attributes:
        duration: in seconds, as the file claims it, which need not be true; None where it claims nothing.
        pixels: of a frame whose pixels are made square, as the file claims them; 0 where it claims nothing.
        damaged: how many packets could not be read or decoded so far, in the parts that were asked for; they are left
            out.

    Raises:
        InputError: the file is missing, of no format or codec that is known, has no video, or exceeds a limit.
        OSError: the file system failed, here or while frames are read, which says nothing about the film.
    """

    def __init__(self, path: str | Path, threads: int = 1):
        self.path = Path(path)
        self.damaged = 0
        self._part: tuple[Fraction | float, Fraction | float] = (0, inf)  # in which damage counts
        self._threads = threads
        self._reformatter = VideoReformatter()
        self._open()
        self._origin = self._start()
        self._ratio = _pixel_ratio(self._stream)
        self.pixels = prod(square_size(self._stream.width, self._stream.height, self._ratio))
        claimed = self._container.duration
        self.duration = None if claimed is None or claimed <= 0 else Fraction(claimed, av.time_base)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._close()

    @property
    def timecode(self) -> str | None:
        """The time code of the first frame, as cameras and editors write it, "10:00:00:00"; None for none."""
        stated = [*self._stream.metadata.items(), *self._container.metadata.items()]
        return next((value for name, value in stated if name.casefold() == "timecode"), None)

    def _open(self) -> None:
        self._source, self._container = open_container(self.path)
        try:
            self._stream = main_stream(self.path, self._container, self._threads)
        except InputError:
            self._close()
            raise

    def _close(self) -> None:
        self._container.close()
        self._source.close()

    def _start(self) -> Fraction:
        """The time stamp, in seconds, that is the film's 0."""
        start = Fraction(self._container.start_time or 0, av.time_base)
        if self._stream.start_time is None or self._stream.time_base is None:
            return start
        own = self._stream.start_time * _unit(self._stream.time_base)
        # The container's own is in whole microseconds, which would give a first frame a time slightly off 0.
        return own if abs(own - start) < Fraction(1, av.time_base) else start

    def frames(
        self, start: Fraction | float = 0, end: Fraction | float | None = None, after: int = 0
    ) -> Iterator[Frame]:
        """Yield the frames whose time is in [start, end), and up to `after` more, in the order of their times.

        A part has the very frames that it has in the whole film. Damaged packets are left out and counted in `damaged`
        if their time is in the part, and so are frames without a time or with one that is not later than the last.

        Raises:
            InputError: a frame is larger than the limit; or the film's beginning was asked for, and not one of its
                frames can be decoded.
        """
        self._part = start, inf if end is None else end
        seen = beyond = 0
        for frame in self._with_neighbours(self._decoded(Fraction(start))):
            seen += 1
            if end is not None and frame.time >= end:
                if beyond == after:
                    break
                beyond += 1
            if frame.time >= start:
                yield frame
        if not seen and start <= 0:
            raise InputError(f"{self.path}: not one of its frames can be decoded")

    def frame_times(self) -> list[Fraction]:
        """Return the time of every frame, in order, from the packets alone: without decoding.

        Only where packets do not say when they are shown, as in AVI, the film is decoded.

        Raises:
            InputError: see `frames`.
        """
        times: set[Fraction] = set()
        restarted = decoded = Fraction(-1)
        self._close()
        self._open()
        for packet in self._container.demux(self._stream):
            if packet.size and packet.pts is None:
                return [frame.time for frame in self.frames()]
            if not packet.size or packet.pts is None or packet.is_discard:
                continue
            if packet.dts is not None:
                order = packet.dts * _unit(packet.time_base) - self._origin
                if order < decoded - 1:  # times start anew, as where recordings were joined; `frames` only goes forward
                    restarted = max(times, default=restarted)
                decoded = order
            shown = packet.pts * _unit(packet.time_base) - self._origin
            if shown > restarted:
                times.add(shown)
        self._source.check()
        return sorted(time for time in times if time >= 0)

    def samples(
        self, rate: Fraction | float, start: Fraction | float = 0, end: Fraction | float | None = None
    ) -> Iterator[Frame]:
        """Yield at most `rate` frames a second: the first in each of the intervals [n / rate, (n + 1) / rate).

        Intervals belong to the part [start, end) by their beginning, so that adjoining parts yield the samples of one
        pass. A film with fewer frames than that has each of them sampled once.
        """
        rate = exact_rate(rate)
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
        ratio = self._ratio
        first = next(frames, None)
        if first is None:
            return
        before, (time, picture), duration = None, first, Fraction(0)
        for later, after in frames:
            duration = later - time
            yield Frame(time, duration, picture, (before, after), ratio, self.path, self._reformatter)
            before, time, picture = picture, later, after
        duration = self._last_duration(time, picture) or duration
        yield Frame(time, duration, picture, (before, None), ratio, self.path, self._reformatter)

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
        lead, damaged = _LEAD, self.damaged
        while start - lead > 0:
            frames = self._decoded_from(start - lead)
            first = next(frames, None)
            if first is not None and first[0] < start:
                yield first
                yield from frames
                return
            lead *= 4  # where a seek ends is up to the format
            self.damaged = damaged  # what was read is read again
        yield from self._decoded_from(None)

    def _decoded_from(self, time: Fraction | None) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        self._close()
        self._open()
        if time is not None:
            try:
                target = floor((time + self._origin) / _unit(self._stream.time_base))
                self._container.seek(target, stream=self._stream)
            except av.error.FFmpegError:
                self._source.check()
                return  # the caller tries an earlier one
        last = None
        for packet, picture in self._pictures():
            if picture.width * picture.height > MAX_PIXELS:
                raise InputError(f"{self.path}: a frame has {picture.width}x{picture.height} pixels")
            shown = None if picture.pts is None else picture.pts * _unit(picture.time_base) - self._origin
            if shown is None or (last is not None and shown <= last):
                self._count_damage(packet)
                continue
            last = shown
            yield shown, picture

    def _count_damage(self, packet: av.Packet | None) -> None:
        """Count a packet if it is of the part that is read; one without a time is of the first."""
        start, end = self._part
        time = Fraction(0)
        stamp = None if packet is None else packet.pts if packet.pts is not None else packet.dts
        if packet is not None and stamp is not None:
            time = max(time, stamp * _unit(packet.time_base) - self._origin)
        self.damaged += start <= time < end

    def _pictures(self) -> Iterator[tuple[av.Packet, av.VideoFrame]]:
        """Decode all that can be decoded, with the packets after which each picture came."""
        errors = 0
        packet = None
        packets = self._container.demux(self._stream)
        while errors < _MAX_ERRORS_IN_A_ROW:
            try:
                packet = next(packets, None)
                self._source.check()
                if packet is None:
                    return
                yield from ((packet, picture) for picture in packet.decode())
                errors = 0
            except av.error.EOFError:
                self._source.check()
                return
            except IndexError:  # PyAV's, at a packet of a stream that begins later than the file, as in recordings
                packets = self._container.demux(self._stream)
            except av.error.FFmpegError:
                self._source.check()
                self._count_damage(packet)
                errors += 1
                packets = self._container.demux(self._stream)


class Outline(NamedTuple):
    """What the file of a film claims.

    Attributes:
        duration: in seconds.
        pixels: of a frame, see `Film`.
    """

    duration: float | None = None
    pixels: int | None = None


def outline(path: str | Path) -> Outline:
    """Return what a film's file claims; None where it claims nothing, or cannot be opened."""
    try:
        with Film(path) as film:
            return Outline(None if film.duration is None else float(film.duration), film.pixels or None)
    except InputError:
        return Outline()  # the job that decodes it says why


def exact_rate(rate: Fraction | float) -> Fraction:
    """Return the rate that a number of frames a second stands for: 23.976 is 24000/1001."""
    return Fraction(rate).limit_denominator(1001)


def seconds(time: Fraction) -> float:
    """Return a time as tables have it: in whole microseconds, which tell any two frames apart."""
    return round(float(time), 6)


def _pixel_ratio(stream: av.VideoStream) -> Fraction:
    """Width of a pixel over its height; that of a square where the file claims none, or one that cannot be."""
    ratio = stream.sample_aspect_ratio or Fraction(1)
    return ratio if Fraction(1, _MAX_STRETCH) <= ratio <= _MAX_STRETCH else Fraction(1)


def _unit(time_base: Fraction | None) -> Fraction:
    """The unit of time stamps, in seconds; FFmpeg's own where a format does not say it."""
    return time_base or Fraction(1, av.time_base)
