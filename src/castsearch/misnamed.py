"""What a user meant: a file that has another name than the one given, or another content than its name says.

It is for the texts of errors alone: a change here runs no rule again.
"""

import re
import unicodedata
from pathlib import Path

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
    (rb"\xff\xfe|\xfe\xff", "a text in UTF-16; save it as UTF-8"),
    (rb"\x93NUMPY", "an array of NumPy"),
    (rb"MZ|\x7fELF", "a program"),
    (
        rb"\x89PNG(\n\x1a|\r\r\n|\r\n\x1a\r)",
        "a PNG that was copied as text, which changed its line ends; copy it anew, as binary",
    ),
    (rb"(\.\./)*(\.git/annex|/annex)/objects/", "a pointer of git-annex; `git annex get` fetches the file itself"),
    (rb"\xff\xd8\xff", "a JPEG"),
    (rb"\x89PNG", "a PNG"),
    (rb"GIF8", "a GIF"),
    (rb"RIFF....WEBP", "a WebP"),
    (rb"BM.{4}\0{4}", "a BMP"),
    (rb"II[*+]\0|MM\0[*+]", "a TIFF"),
    (rb"RIFF....WAVE|ID3|fLaC", "a sound file"),
    (rb"\x89HDF", "an HDF5 file"),
    (rb"\x80[\2-\5][c}\]\x8a\x95]", "a Python pickle"),
    (rb"\s*[{\[]", "JSON, as servers send for what is missing"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ", "a compressed archive"),
    (rb".{257}ustar", "a tar archive"),
    (rb"[\t\n\r -~]{4,}$", "a text"),
)


def nearly(path: Path) -> str:
    """Return the end of a message that a file is missing: that it is a folder, or a name there that looks the same."""

    def seen(name: str) -> str:
        return unicodedata.normalize("NFC", name).casefold()

    try:
        if path.is_dir():
            return "; there is a folder of that name"
        names = sorted(other.name for other in path.parent.iterdir() if seen(other.name) == seen(path.name))
    except OSError:
        return ""
    if not names:
        return ""
    return f"; there is {names[0]!a}, in other capitals or other Unicode characters than {path.name!a}"


def kind_of(start: bytes) -> str | None:
    """Return what a file is, with its article, if that can be told from its first 300 bytes."""
    return next((kind for pattern, kind in _KINDS if re.match(pattern, start, re.IGNORECASE | re.DOTALL)), None)


def instead_of(wanted: str, path: Path, otherwise: str) -> str:
    """Say what a file is that cannot be used.

    Args:
        wanted: what it should be, with its article, such as "a text" or "JSON".
        path: of the file.
        otherwise: what is said where its first bytes do not tell.
    """
    with path.open("rb") as file:
        kind = kind_of(file.read(300))
    if kind is None or kind.startswith(wanted + ",") or kind == wanted or (wanted, kind) == ("JSON", "a text"):
        return otherwise
    return f"is {kind}, not {wanted}" if ";" not in kind else f"is {kind}"
