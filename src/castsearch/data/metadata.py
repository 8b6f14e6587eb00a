"""Picture files without their metadata, for those whose metadata a decoder cannot read.

What is kept decides on the pixels: the picture data, palettes, transparency, the colour transform of a JPEG; and EXIF,
for its orientation.
"""

import re
import struct
import zlib
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_PARTS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf")
_WEBP_PARTS = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"EXIF")
# Of a JPEG's APPn segments: marker, first bytes and shortest payload of those that are kept. JFIF and Adobe name the
# colour transform.
_JPEG_PARTS = ((0xE0, b"JFIF\0", 14), (0xE1, b"Exif\0\0", 6), (0xEE, b"Adobe", 12))
# Tags of TIFF 6.0 that say where the pixels are, and how they are coded; and the orientation, 274.
_TIFF_TAGS = {256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325}
_TIFF_TAGS |= {332, 334, 338, 339, *range(512, 522), 347, 529, 530, 531, 532}


def without_metadata(data: bytes) -> bytes | None:
    """Return a PNG, JPEG, WebP, AVIF or TIFF file with its picture and its EXIF alone; an AVIF without its EXIF.

    Args:
        data: the file.

    Returns:
        The smaller file, or None where the format is another one, or cannot be followed.
    """
    try:
        if data.startswith(_PNG):
            return _PNG + b"".join(_png_parts(data))
        if data.startswith(b"\xff\xd8"):
            return b"\xff\xd8" + b"".join(_jpeg_parts(data))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            parts = b"WEBP" + b"".join(_webp_parts(data))
            return b"RIFF" + struct.pack("<I", len(parts)) + parts
        if data[4:12] in (b"ftypavif", b"ftypavis"):
            return _avif(data)
        if data[:2] in (b"II", b"MM"):
            return _tiff(data)
    except (struct.error, IndexError):
        pass
    return None


def _png_parts(data: bytes) -> Iterator[bytes]:
    start = len(_PNG)
    while start < len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        part = data[start : start + 12 + length]
        intact = part[-4:] == struct.pack(">I", zlib.crc32(part[4:-4]))
        if kind in _PNG_PARTS and (intact or kind != b"eXIf"):
            yield part
        start += len(part)


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    start = 2
    while True:
        marker, length = struct.unpack_from(">xBH", data, start)
        if marker == 0xFF:  # a fill byte
            start += 1
            continue
        if marker == 0xDA:  # from here on there are pixels
            yield data[start:]
            return
        part = data[start : start + 2 + length]
        kept = [part[4:].startswith(name) and len(part) - 4 >= least for at, name, least in _JPEG_PARTS if at == marker]
        if any(kept) or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            yield part
        start += len(part)


def _webp_parts(data: bytes) -> Iterator[bytes]:
    start = 12
    while start + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, start)
        if kind in _WEBP_PARTS:
            yield data[start : start + 8 + length + length % 2]
        start += 8 + length + length % 2


def _avif(data: bytes) -> bytes:
    """The file with items of metadata of a kind that no decoder knows; what turns an AVIF is none of them."""
    head, pixels, rest = data.partition(b"mdat")
    return re.sub(rb"(infe[\2\3].{3}(?:.{4}|.{6}))(?:Exif|mime)", rb"\1none", head, flags=re.DOTALL) + pixels + rest


def _tiff(data: bytes) -> bytes:
    """The file with a new first directory at its end, which has fewer entries and no successor."""
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2) == (43,)
    where, count, entry, end = (8, "Q", 20, "Q") if big else (4, "H", 12, "I")
    (start,) = struct.unpack_from(order + end, data, where)
    (number,) = struct.unpack_from(order + count, data, start)
    start += struct.calcsize(order + count)
    entries = [data[start + place * entry :][:entry] for place in range(number)]
    kept = [part for part in entries if struct.unpack_from(order + "H", part)[0] in _TIFF_TAGS]
    filled = data + b"\0" * (len(data) % 2)
    directory = struct.pack(order + count, len(kept)) + b"".join(kept) + struct.pack(order + end, 0)
    pointer = struct.pack(order + end, len(filled))
    return filled[:where] + pointer + filled[where + len(pointer) :] + directory
