"""Files that are fetched from the network."""

import shutil
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from tqdm import tqdm

from castsearch import files
from castsearch.errors import InputError

SILENCE = 60.0
"""Seconds without an answer, or without another byte of it, after which a server is given up."""


def download(url: str, path: str | Path, remedy: str, digest: str = "") -> None:
    """Fetch a file, which appears whole or not at all.

    Args:
        url: where it is.
        path: that it gets.
        remedy: what the user can do where there is no network, as the message ends.
        digest: how the SHA-256 of the file begins, in hex.

    Raises:
        InputError: there is no such file, no network, an answer that ends too early or stalls, another file, or no
            room.
    """
    try:
        # Addresses are those that libraries publish their files at.
        answer = urlopen(url, timeout=SILENCE)  # noqa: S310
        with answer, files.replacing(path) as temporary:
            said = answer.headers.get("Content-Length", "")
            length = int(said) if said.isdecimal() else 0
            with temporary.open("wb") as file:
                progress = tqdm.wrapattr(file, "write", length, desc=f"download {Path(path).name}", mininterval=2)
                with progress as counted:
                    shutil.copyfileobj(answer, counted)
                if file.tell() < length:
                    raise HTTPException(f"only {file.tell():,} of {length:,} bytes came")
            if digest and not files.file_digest(temporary).startswith(digest):
                raise InputError(f"{url}: what came is not the file of that name; {remedy}")
    except TimeoutError:
        raise InputError(f"{url}: cannot be downloaded: nothing came for {SILENCE:g} seconds; {remedy}") from None
    except (OSError, HTTPException) as error:
        raise InputError(f"{url}: cannot be downloaded: {error}; {remedy}") from None
