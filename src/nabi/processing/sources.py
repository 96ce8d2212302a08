"""Where a picture or a sound comes from: a path, a URL, bytes, an open file, base64 text -> a stream."""

from __future__ import annotations

import base64
import binascii
import io
import logging
import os
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

logger = logging.getLogger(__name__)

DOWNLOAD_SECONDS = 10.0
_LONGEST_PATH = 4096  # a longer string is no path: base64


def is_file_like(source: Any) -> bool:
    """Whether `source` is a file, and no pixels or samples: a path, a URL, bytes, an open file."""
    return isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(source, "read")


def opened(source: Any, timeout: float | None, name: str, other: str) -> tuple[Any, str]:
    """A stream (or path) of the file, and what to call it in messages. `other`: what else the caller could give."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(bytes(source)), f"{name} ({len(source)} bytes)"
    if hasattr(source, "read"):
        return source, f"{name} ({getattr(source, 'name', type(source).__name__)})"
    text = os.fspath(source)
    if text.startswith(("http://", "https://")):
        return io.BytesIO(download(text, timeout)), repr(text)
    if text.startswith("data:") or len(text) > _LONGEST_PATH:
        return io.BytesIO(from_base64(text, name)), f"{name} (base64)"
    path = Path(url2pathname(urlsplit(text).path) if text.startswith("file://") else text).expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else f"is not there (looked from {os.getcwd()!r})"
        raise FileNotFoundError(f"{name}: the file {text!r} {what}. Give a path, a URL, bytes or {other}.")
    return path, repr(text)


def download(url: str, timeout: float | None = None) -> bytes:
    """The content of a URL. Raises ConnectionError that names the URL if it does not come in time."""
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    seconds = DOWNLOAD_SECONDS if timeout is None else timeout
    try:
        with urlopen(Request(url, headers={"User-Agent": "nabi"}), timeout=seconds) as answer:
            return answer.read()
    except (OSError, HTTPException) as error:  # urllib's errors and time-outs are OSErrors
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise ConnectionError(
            f"{url!r} could not be downloaded within {seconds:g} seconds ({reason}). Check the address and the "
            "connection, or download it yourself and give its path."
        ) from error


def from_base64(text: str, name: str) -> bytes:
    """The bytes of a data URL or of plain base64 text."""
    body = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(
            f"{name} is no valid base64 ({error}): {text[:40]!r}…. Give a path, a URL or bytes."
        ) from error


@cache
def say_once(message: str) -> None:
    logger.warning(message)
