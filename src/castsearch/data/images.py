"""A user's pictures as 8-bit RGB pixels, the way a viewer shows them, or a reason why not."""

import errno
import importlib.util
import io
import logging
import stat
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError

from castsearch.data.metadata import without_metadata
from castsearch.errors import InputError
from castsearch.misnamed import kind_of, nearly

logger = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "GIF")  # Pillow knows others that start other programs
_READ = {"a JPEG", "a PNG", "a WebP", "an AVIF", "a BMP", "a TIFF", "a GIF", "a HEIC"}  # as `kind_of` calls them
MOST_BYTES = 2**30
MOST_PIXELS = 178_956_970  # Pillow's own limit: four bytes a pixel are held in memory, and some of them twice
BEHIND = (128, 128, 128)  # what is seen through transparent pixels: a neutral grey, in which nobody finds a face

# Without libtiff, Pillow 13 garbles the planes of an uncompressed TIFF of 16 bits.
TiffImagePlugin.READ_LIBTIFF = True

_TURNS = {  # by the value of EXIF's orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Where Pillow keeps what it would follow and nobody else does: XMP, and the EXIF that ImageMagick writes into texts.
_UNUSED = ("xmp", "XML:com.adobe.xmp", "Raw profile type exif")
# What Pillow and its plugins raise for a damaged file: a cut-off one is an OSError without a number, a broken PNG a
# SyntaxError, broken tags nearly anything.
_DAMAGED: tuple[type[Exception], ...] = (OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError)
_DAMAGED += (ArithmeticError, RuntimeError, AssertionError, struct.error, Image.DecompressionBombError)

_END_OF_JPEG = b"\xff\xd9"
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}
_BITS_OF_PNG = 24  # where a PNG says how many bits a colour has


def read_rgb(path: Path) -> Image.Image:
    """Read a picture.

    It is turned as its EXIF says, as browsers and OpenCV turn it; XMP and texts are not asked. Transparent pixels show
    grey. Other metadata are not used, and damaged ones do not matter.

    Raises:
        InputError: there is no such picture, or it cannot be used; says what it is, if that can be told.
        OSError: the file system failed, which says nothing about the picture; it has an `errno`.
    """
    data = _read(path)
    try:
        return _decode(data, path)
    except _DAMAGED as error:
        logger.debug("%s: is read without its metadata: %s", path, error)
        for other in (without_metadata(data), _completed(data)):
            try:
                if other is not None:
                    return _decode(other, path)
            except _DAMAGED:
                continue
        raise InputError(f"{path}: {_what_is_wrong(data, error)}") from None


def claimed_pixels(path: str | Path) -> int:
    """Return how many pixels a picture has, as its beginning says; 0 where it does not, or cannot be read."""
    if not Path(path).is_file():  # of a pipe, nobody knows when it begins
        return 0
    try:
        with warnings.catch_warnings():  # of Pillow's, about large pictures and odd tags
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                return image.width * image.height
    except _DAMAGED:
        return 0


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: is a folder or a device, not an image")
        if status.st_size > MOST_BYTES:
            raise InputError(f"{path}: has {status.st_size:,} bytes; images of up to {MOST_BYTES:,} are read")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: there is no such image{nearly(path)}") from None
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            raise InputError(f"{path}: there is no such image: {error.strerror}") from None
        raise


def _decode(data: bytes, path: Path) -> Image.Image:
    formats = list(FORMATS)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS and importlib.util.find_spec("pillow_heif"):
        import pillow_heif  # noqa: PLC0415 - it is not one of our requirements

        pillow_heif.register_heif_opener()
        formats.append("HEIF")
    with warnings.catch_warnings():  # of Pillow's, about large pictures and odd tags
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=formats) as image:
            for name in _UNUSED:
                image.info.pop(name, None)
            image.load()  # before its EXIF: this alone turns a TIFF, and says so there
            for name in _UNUSED:
                image.info.pop(name, None)
            if image.format == "PNG" and "transparency" in image.info:
                image.info["transparency"] = _in_8_bits(image, data[_BITS_OF_PNG])
            turn = _turn(image, path)
            rgb = _to_rgb(image, path)
    return rgb if turn is None else rgb.transpose(turn)


def _in_8_bits(image: Image.Image, bits: int) -> Any:
    """What is transparent in a PNG, in the values of its pixels: the file says it in its own, of `bits` bits."""
    transparent = image.info["transparency"]
    if image.mode == "L" and bits < 8:
        return transparent * 255 // (2**bits - 1)
    if image.mode == "RGB" and bits == 16:
        return tuple(value >> 8 for value in transparent)
    return transparent


def _turn(image: Image.Image, path: Path) -> Image.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception as error:  # whatever it is, it is not the picture's fault
        logger.debug("%s: its EXIF is not used: %s", path, error)
        return None


def _to_rgb(image: Image.Image, path: Path) -> Image.Image:
    """Convert a picture to 8 bits a colour, on grey.

    Raises:
        InputError: nothing says which value is white.
    """
    tags = getattr(image, "tag_v2", {})
    if image.mode in ("I", "F") or tags.get(TiffImagePlugin.BITSPERSAMPLE) == (12,):
        raise InputError(
            f"{path}: has no colours of 8 or 16 bits, so nothing says which value is white (mode {image.mode})"
        )
    if image.mode.startswith("I;16"):
        # Pillow itself makes white of all that exceeds 255, and does not see that zero can be white.
        grey = ((np.asarray(image, np.uint32) + 128) // 257).astype(np.uint8)
        shown = Image.fromarray(255 - grey if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0 else grey)
        if (transparent := image.info.get("transparency")) is not None:
            shown.info["transparency"] = (transparent + 128) // 257
        image = shown
    elif image.mode == "L" and tags.get(TiffImagePlugin.SAMPLEFORMAT) == (2,):  # signed, which Pillow does not see
        image = Image.fromarray(np.asarray(image) ^ 128)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    image = image if image.mode == "RGBA" else image.convert("RGBA")
    seen = Image.new("RGB", image.size, BEHIND)
    seen.paste(image, mask=image)
    return seen


def _completed(data: bytes) -> bytes | None:
    """A JPEG that lacks nothing but its last marker, with it; None for any other file.

    The pixels are all there if whatever bytes follow them change nothing.
    """
    if not data.startswith(b"\xff\xd8"):
        return None
    pixels = data.removesuffix(b"\xff")
    whole = pixels + _END_OF_JPEG
    followed = [pixels + bytes([byte]) * 500 + _END_OF_JPEG for byte in (0x33, 0x55, 0xAA, 0xCC, 0xF0, 0xFE)]
    try:
        results = {Image.open(io.BytesIO(each), formats=["JPEG"]).tobytes() for each in (whole, *followed)}
    except _DAMAGED:
        return None
    return whole if len(results) == 1 else None


def _what_is_wrong(data: bytes, error: Exception) -> str:
    kind = kind_of(data[:300])
    if isinstance(error, Image.DecompressionBombError):
        most = f"{MOST_PIXELS // 10**6} megapixels"
        return f"has more than {most}, which are the most that are read; scale it down, and its boxes likewise"
    if kind == "a HEIC" and not importlib.util.find_spec("pillow_heif"):
        return "is a HEIC, which is read where the package pillow-heif is installed; or convert it to JPEG"
    if kind is None or kind in _READ:
        if isinstance(error, UnidentifiedImageError) and data.startswith((b"II", b"MM")):
            return "is a TIFF of a kind that is not read, or a damaged one; convert it to unsigned 8 bits a colour"
        if isinstance(error, UnidentifiedImageError):
            return f"not a complete image of the formats {', '.join(FORMATS)}"
        return f"not a complete image ({' '.join(str(error).split())})"
    return f"is {kind}" if ";" in kind else f"is {kind}, not an image of the formats {', '.join(FORMATS)}"
