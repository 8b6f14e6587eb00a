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
    (rb"\0\0\x01[\xba\xb3]|\x30\x26\xb2\x75\x8e\x66\xcf\x11|(G.{187}){2}", "a video"),
    (rb"(II\*\0|MM\0\*).{4}CR|IIU\0|FUJIFILMCCD", "a raw photograph of a camera; develop it to JPEG"),
    (rb"\x76\x2f\x31\x01", "an OpenEXR"),
    (rb"P[1-7]\s", "a Netpbm"),
    (rb"DDS ", "a DDS texture"),
    (rb"\0\0\x01\0", "an icon"),
    (rb"\x93NUMPY", "an array of NumPy"),
    (rb"MZ|\x7fELF", "a program"),
    (rb"\x89PNG(\n|\r\n)\x1a", "a PNG that was copied as text, which changed its line ends; copy it anew, as binary"),
    (rb"(\.\./)*(\.git/annex|/annex)/objects/", "a pointer of git-annex; `git annex get` fetches the file itself"),
    (rb"\s*[{\[]", "JSON, as servers send for what is missing"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", "a compressed archive"),
    (rb".{257}ustar", "a tar archive"),
    (rb"[\t\n\r -~]{4,}$", "a text"),
)


def kind_of(start: bytes) -> str | None:
    """Return what a file is, with its article, if that can be told from its first 300 bytes."""
    return next((kind for pattern, kind in _KINDS if re.match(pattern, start, re.IGNORECASE | re.DOTALL)), None)
