"""Open the file of a film, which is untrusted.

Only the formats of `FORMATS` are opened, so that a playlist or a script that names other files is refused, and only
from the local disk. A picture has at most `frame.MAX_PIXELS` pixels, a file at most `MAX_STREAMS` streams.
"""

import io
import os
from pathlib import Path

import av
from av.stream import Disposition

from castsearch.errors import InputError
from castsearch.film.frame import MAX_PIXELS
from castsearch.misnamed import instead_of, nearly

FORMATS = ("mov", "mp4", "matroska", "webm", "mpegts", "mpeg", "avi", "flv", "asf", "ogg", "mxf", "dv", "nut")
MAX_STREAMS = 100


class Source(io.FileIO):
    """A film's file, which remembers what its file system could not do: FFmpeg takes that for damage, or for the end.

    Attributes:
        trouble: the last of it; None for none.
    """

    trouble: OSError | None = None

    def read(self, size: int | None = None, /) -> bytes:
        """Read up to `size` bytes; none where the file system fails."""
        try:
            return super().read(size) if size is None else os.read(self.fileno(), size)
        except OSError as error:
            self.trouble = error
            return b""

    def seek(self, place: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place in the file; −1 where there is none."""
        try:
            return super().seek(place, whence)
        except OSError:  # a damaged file leads to before its start
            return -1

    def check(self) -> None:
        """Raise the OSError that reading ended with, if it did."""
        if self.trouble is not None:
            raise OSError(self.trouble.errno, self.trouble.strerror, str(self.name))


def open_container(path: Path) -> tuple[Source, av.container.InputContainer]:
    """Open a file as a film; both that are returned are to be closed, the container first.

    Raises:
        InputError: the file is missing, or of no format that is known.
        OSError: the file system failed.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such film{nearly(path)}")
    source = Source(path)
    options = {
        "format_whitelist": ",".join(FORMATS),
        "protocol_whitelist": "file",
        "max_streams": str(MAX_STREAMS),
        "max_pixels": str(MAX_PIXELS),
    }
    try:
        container = av.open(source, "r", options=options, metadata_errors="replace")
    except av.error.FFmpegError as error:
        source.close()
        source.check()
        wrong = (
            f"cannot be opened as a film ({error.strerror}); "
            f"it must be a whole file of one of the formats {', '.join(FORMATS)}"
        )
        raise InputError(f"{path}: {instead_of('a video', path, wrong)}") from None
    source.check()
    return source, container


def main_stream(path: Path, container: av.container.InputContainer, threads: int) -> av.VideoStream:
    """Return the stream of the film's frames, ready to be decoded.

    It is the one that the file marks as default, then the one with most pixels, then the first. Attached pictures, such
    as covers, are no streams of frames.

    Args:
        path: of the film, for the message.
        container: the film.
        threads: that the decoder may use.

    Raises:
        InputError: the film has no video, none of a codec that is known, or one with too many pixels.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise InputError(f"{path}: has no video stream")
    decodable = [stream for stream in streams if stream.codec_context is not None]
    if not decodable:
        raise InputError(f"{path}: its video is of a codec that FFmpeg does not know here; convert it")

    def rank(stream: av.VideoStream) -> tuple[bool, int, int]:
        return bool(stream.disposition & Disposition.default), stream.width * stream.height, -stream.index

    stream = max(decodable, key=rank)
    if stream.width * stream.height > MAX_PIXELS:
        raise InputError(f"{path}: its pictures have {stream.width}x{stream.height} pixels, more than {MAX_PIXELS}")
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    return stream
