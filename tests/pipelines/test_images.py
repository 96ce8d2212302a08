"""Every form of an image gives the same picture; what is none is one clear error."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nabi.pipelines.images import as_image, is_one_image

from .image_models import content
from .record_images import picture

PNG = content(picture())


def same(image: Image.Image, other: Image.Image) -> bool:
    return image.mode == other.mode == "RGB" and np.array_equal(np.asarray(image), np.asarray(other))


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow.png":
            time.sleep(1)
        found = {"/나비.png": PNG, "/page": b"<!DOCTYPE html><html>", "/empty.png": b""}.get(self.name)
        self.send_response(404 if found is None else 200)
        self.end_headers()
        self.wfile.write(found or b"")

    @property
    def name(self) -> str:
        from urllib.parse import unquote

        return unquote(self.path)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_every_form_of_an_image_is_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "나비 1.png"
    path.write_bytes(PNG)
    text = base64.b64encode(PNG).decode()
    pixels = np.asarray(picture())
    forms = [path, str(path), PNG, bytearray(PNG), picture(), text, f"data:image/png;base64,{text}", pixels]
    forms += [pixels.astype(np.int64), pixels.astype(np.float32), pixels / 255, torch.from_numpy(pixels.copy())]
    forms += [torch.from_numpy(pixels.copy()).permute(2, 0, 1)]
    with path.open("rb") as file:
        for form in [*forms, file]:
            assert is_one_image(form)
            assert same(as_image(form), picture()), type(form)


def test_a_url_is_fetched(server: str) -> None:
    assert same(as_image(f"{server}/%EB%82%98%EB%B9%84.png"), picture())


def test_a_url_that_does_not_answer_in_time_is_named(server: str) -> None:
    with pytest.raises(ValueError, match=r"slow\.png' could not be downloaded within 0\.1 seconds"):
        as_image(f"{server}/slow.png", timeout=0.1)
    with pytest.raises(ValueError, match=r"absent\.png' could not be downloaded .*Not Found.*give its path"):
        as_image(f"{server}/absent.png")


def test_a_web_page_and_an_empty_answer_are_no_images(server: str) -> None:
    with pytest.raises(ValueError, match=r"/page' is a web page .*/resolve/"):
        as_image(f"{server}/page")
    with pytest.raises(ValueError, match=r"empty\.png' is empty"):
        as_image(f"{server}/empty.png")


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_photographs_are_turned_upright_as_files_and_as_pil_images(orientation: int, tmp_path: Path) -> None:
    notes = Image.Exif()
    notes[0x0112] = orientation
    path = tmp_path / "turned.png"
    path.write_bytes(content(picture(), exif=notes))
    turned = picture().rotate({3: 180, 6: 270, 8: 90}[orientation], expand=True)
    assert same(as_image(path), turned)
    assert same(as_image(Image.open(path)), turned)


def test_grey_and_transparent_images_become_rgb() -> None:
    grey = picture().convert("L")
    assert same(as_image(grey), grey.convert("RGB"))
    assert same(as_image(np.asarray(grey)), grey.convert("RGB"))
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert same(as_image(clear), Image.new("RGB", (4, 4), "white"))
    assert same(as_image(np.asarray(clear)), Image.new("RGB", (4, 4), "white"))
    black = np.zeros((5, 6), dtype=bool)
    assert same(as_image(~black), Image.new("RGB", (6, 5), "white"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "None is no image: pass a path"),
        (3, "3 of the type int is no image"),
        ("", "'' is an empty text"),
        ("no/such/나비.png", r"the file 'no/such/나비.png' is not there"),
        (".", "the file '.' is a folder"),
        (b"", r"the image \(0 bytes\) is empty"),
        (b"<html><body>Sorry</body></html>", "is a web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", r"drawing .*save it as PNG"),
        (b"not an image at all", "is no image that Pillow can read"),
        (PNG[:200], "damaged or cut off"),
        ({"image": picture(), "label": 1}, r"a mapping with the keys \['image', 'label'\] .*pass the image in it"),
        (np.zeros((2, 2, 2, 2, 2)), r"shape \(2, 2, 2, 2, 2\)"),
        (np.full((4, 4, 3), 300), "values from 300 to 300"),
        (np.full((4, 4, 3), -0.5), "before it was normalized"),
        ("iVBORw0KGgo####", "no valid base64"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_image_is_one_clear_error(bad: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        as_image(bad)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_empty_or_unreadable_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"empty\.jpg' is empty.*fetch or save it again"):
        as_image(path)
    path.write_text("나비")
    with path.open() as text, pytest.raises(TypeError, match=r"opened as text: open it with open\(…, 'rb'\)"):
        as_image(text)


def test_many_images_are_not_one() -> None:
    for many in ([picture()], (PNG,), (each for each in [PNG]), np.zeros((2, 4, 4, 3)), np.array(["a.png", "b.png"])):
        assert not is_one_image(many)


def test_without_pillow_the_error_says_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['PIL'] = None\n"
        "from nabi.pipelines.images import as_image\n"
        "try: as_image(b'GIF89a')\n"
        "except ImportError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 'pip install "nabi[vision]"' in run.stdout
