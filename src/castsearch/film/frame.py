"""A frame of a film as a picture: upright, with square pixels, in 8-bit RGB.

A frame that is coded in another way is converted as FFmpeg and the standards do it:

- quarter turns and mirroring of the display matrix, which PyAV itself leaves to its caller;
- pixels that are not square: the shorter side of the picture is stretched, so that no detail is lost;
- interlaced frames, by bwdif;
- more than 8 bits, other primaries, PQ and HLG: converted by swscale to BT.709, in which HDR's reference white of 203
  cd/m² (ITU-R BT.2408) is white, and brighter highlights are clipped;
- a matrix that the film does not name is BT.709 above 576 lines, BT.601 below.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from castsearch.errors import InputError

MAX_PIXELS = 8192 * 4608
"""Pixels of a picture at most."""

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
        path: of the film.
        reformatter: that all frames of a film share, so that they are converted one at a time: for HDR each new one
            computes for seconds before its first frame.
    """

    time: Fraction
    duration: Fraction
    picture: av.VideoFrame
    neighbours: tuple[av.VideoFrame | None, av.VideoFrame | None]
    pixel_ratio: Fraction
    path: Path
    reformatter: VideoReformatter

    def rgb(self, longest: int | None = None) -> NDArray[np.uint8]:
        """Return the upright picture with square pixels, (height, width, 3).

        Args:
            longest: pixels of the longer side; a picture that is not larger keeps its size.

        Raises:
            InputError: the picture has a size or a format that swscale cannot convert.
        """
        picture = _progressive(self.picture, *self.neighbours) if self.picture.interlaced_frame else self.picture
        width, height = square_size(self.picture.width, self.picture.height, self.pixel_ratio)
        scale = 1.0 if longest is None else min(1.0, longest / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        try:
            return _upright(_to_rgb(picture, *size, self.reformatter), self.picture)
        except av.error.FFmpegError as error:
            kind = f"{picture.width}x{picture.height} pixels of the kind {picture.format.name}"
            reason = f"a frame has {kind}, which cannot be shown ({error.strerror})"
            raise InputError(
                f"{self.path}: {float(self.time):.3f} s: {reason}; convert the film to an ordinary one"
            ) from None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        width, height = square_size(self.picture.width, self.picture.height, self.pixel_ratio)
        return (height, width) if _quarter_turns(self.picture)[0] % 2 else (width, height)


def square_size(width: int, height: int, ratio: Fraction) -> tuple[int, int]:
    """Return the width and height that a picture has with square pixels, before it is turned.

    Args:
        width: in pixels as they are coded.
        height: likewise.
        ratio: width of such a pixel over its height.
    """
    stretched = (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))
    return stretched if stretched[0] * stretched[1] <= MAX_PIXELS else (width, height)


def _quarter_turns(picture: av.VideoFrame) -> tuple[int, bool]:
    """Counterclockwise quarter turns that make a picture upright, and whether it is mirrored before, left to right.

    The display matrix maps (x, y) to (a·x + c·y, b·x + d·y), with y downwards; a, b, c, d are its numbers 0, 1, 3, 4.
    """
    # A frame and its own `side_data` keep each other: hundreds of frames would stay until Python looks for such cycles.
    side_data: Any = SideDataContainer(picture)  # type: ignore[call-arg] # which PyAV states neither, nor the types
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
    """Deinterlace a frame; neighbours of another format do not count. What bwdif does not take stays as it is."""
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
    try:
        graph.link_nodes(source, graph.add("bwdif", "mode=send_frame"), graph.add("buffersink")).configure()
    except av.error.ArgumentError:  # a picture of a few lines
        return picture
    for frame in frames:
        graph.push(frame)
    graph.push(None)
    for frame in frames:
        deinterlaced = graph.pull()
        if frame is picture and isinstance(deinterlaced, av.VideoFrame):
            return deinterlaced
    raise AssertionError("bwdif gives a frame for each frame")


def _to_rgb(picture: av.VideoFrame, width: int, height: int, reformatter: VideoReformatter) -> NDArray[np.uint8]:
    matrix = picture.colorspace
    if matrix == _UNSPECIFIED:
        matrix = Colorspace.ITU709 if picture.height > _SD_LINES else Colorspace.ITU601
    managed = {}
    if picture.color_trc in _HDR or picture.color_primaries == ColorPrimaries.BT2020:
        managed = {"dst_color_trc": ColorTrc.BT709, "dst_color_primaries": ColorPrimaries.BT709}
    converted = reformatter.reformat(
        picture, width, height, "rgb24", src_colorspace=matrix, interpolation=_PIXELS, threads=1, **managed
    )
    return np.asarray(converted.to_ndarray(), np.uint8)
