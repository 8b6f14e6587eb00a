"""What a file really is that has the name of a picture or of weights, by its first bytes."""

import re

_KINDS = (
    (rb"$", "an empty file"),
    (rb"version https://git-lfs", "a pointer of Git LFS; `git lfs pull` fetches the file itself"),
    (rb"\s*(<!doctype html|<html|<head|<\?xml[^>]*>\s*<html)", "a page of HTML, as servers send for what is missing"),
    (rb"\s*(<svg|<\?xml)", "an SVG or XML text"),
    (rb"%PDF", "a PDF"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript file"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "a JPEG XL"),
    (rb"8BPS", "a Photoshop file"),
    (rb"....ftyp(avif|avis)", "an AVIF"),
    (rb"....ftyp(heic|heix|hevc|heim|heis|mif1|msf1)", "a HEIC"),
    (rb"....ftyp(qt|isom|iso2|mp4|M4V|avc1)|\x1a\x45\xdf\xa3|RIFF....AVI ", "a video"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", "a compressed archive"),
    (rb".{257}ustar", "a tar archive"),
)


def kind_of(start: bytes) -> str | None:
    """Return what a file is, with its article, if that can be told from its first 300 bytes."""
    return next((kind for pattern, kind in _KINDS if re.match(pattern, start, re.IGNORECASE | re.DOTALL)), None)
