"""Files, bytes and addresses become images; what is damaged or no image is one clear error."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_inputs import picture

import nabi
from nabi.processing import images, load_image


def saved(image: Image.Image, layout: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, layout, **options)
    return stream.getvalue()


def test_a_path_bytes_an_open_file_and_base64_give_the_same_image(tmp_path: Path) -> None:
    content = saved(picture(), "PNG")
    path = tmp_path / "나비.png"
    path.write_bytes(content)
    wanted = np.asarray(picture())
    text = base64.b64encode(content).decode()
    with path.open("rb") as stream:
        sources = [path, str(path), path.as_uri(), content, stream]
        sources += [bytearray(content), f"data:image/png;base64,{text}", text]
        for source in sources:
            assert np.array_equal(np.asarray(load_image(source)), wanted)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_file_is_turned_upright_and_a_pil_image_taken_as_it_is(orientation: int) -> None:
    image = picture(20, 40)
    notes = Image.Exif()
    notes[0x0112] = orientation
    content = saved(image, "PNG", exif=notes)
    turned = {1: image, 3: image.rotate(180), 6: image.rotate(270, expand=True), 8: image.rotate(90, expand=True)}
    assert np.array_equal(np.asarray(load_image(content)), np.asarray(turned[orientation]))
    opened = Image.open(io.BytesIO(content))
    as_it_is = images.as_array(opened, "it")
    assert as_it_is.shape == (3, 20, 40)


def test_sixteen_bits_of_grey_are_scaled_and_not_cut_off() -> None:
    values = np.linspace(0, 65535, 400).astype(np.uint16).reshape(20, 20)
    content = saved(Image.fromarray(values), "PNG")
    for source in (content, Image.open(io.BytesIO(content))):
        pixels = images.as_array(source, "it", convert_rgb=True)
        assert pixels.shape == (3, 20, 20)
        assert np.abs(pixels[0].astype(int) - values // 257).max() <= 1


def test_a_picture_of_floating_point_keeps_its_values() -> None:
    values = np.random.default_rng(0).random((4, 6)).astype(np.float32)
    assert np.array_equal(images.as_array(Image.fromarray(values), "it", convert_rgb=True)[2], values)


@pytest.mark.parametrize("layout", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_a_file_that_was_cut_off_says_so(layout: str, tmp_path: Path) -> None:
    content = saved(picture(80, 80), layout)
    path = tmp_path / f"cut.{layout.lower()}"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=rf"cut\.{layout.lower()}' is no image that Pillow can read, or it is damaged"):
        load_image(path)
    with pytest.raises(ValueError, match=r"images\[1\] \(\d+ bytes\) is no image .*Fetch or save it again"):
        nabi.ViTImageProcessor()([picture(), content[: len(content) // 2]])


def test_a_lazily_opened_image_that_is_cut_off_says_so_too() -> None:
    content = saved(picture(80, 80), "JPEG")
    opened = Image.open(io.BytesIO(content[: len(content) // 2]))
    with pytest.raises(ValueError, match=r"images\[0\] is no image that Pillow can read, or it is damaged or cut off"):
        nabi.CLIPImageProcessor()(opened)


@pytest.mark.parametrize("layout", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.filterwarnings("ignore")  # Pillow's remarks on what it repairs
def test_any_damage_gives_an_image_or_the_one_error(layout: str) -> None:
    content = saved(picture(24, 24), layout)
    dice = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content[: dice.integers(1, len(content) + 1)])
        for place in dice.integers(0, len(damaged), dice.integers(0, 6)):
            damaged[place] = dice.integers(0, 256)
        try:
            assert load_image(bytes(damaged)).mode == "RGB"
        except ValueError as error:
            assert "Fetch or save it again" in str(error) or "no pixels" in str(error)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_bytes_that_are_no_image_say_so(content: bytes) -> None:
    with pytest.raises(ValueError, match="is no image that Pillow can read"):
        load_image(content)


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"images\[0\]: the file 'no\.png' is not there \(looked from"):
        nabi.ViTImageProcessor()("no.png")
    with pytest.raises(FileNotFoundError, match="is a folder"):
        load_image(tmp_path)


def test_an_address_that_does_not_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        ConnectionError, match=r"'http://127\.0\.0\.1:9/a\.png' could not be downloaded within 2 seconds"
    ):
        load_image("http://127.0.0.1:9/a.png", timeout=2)


def test_an_address_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(picture(), "PNG")
    monkeypatch.setattr("urllib.request.urlopen", lambda request, timeout: io.BytesIO(content))
    assert load_image("https://example.org/a.png").size == (53, 37)


def test_what_pillow_would_run_and_what_has_no_white_are_refused() -> None:
    with pytest.raises(ValueError, match="is a PostScript program and no picture"):
        load_image(saved(picture(), "EPS"))
    with pytest.raises(ValueError, match="has pixels of floating point, whose white is not known"):
        load_image(saved(Image.fromarray(np.zeros((4, 4), dtype=np.float32)), "TIFF"))


def test_broken_base64_says_so() -> None:
    with pytest.raises(ValueError, match="is no valid base64"):
        load_image("data:image/png;base64,&&&&")


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (Image.new("RGB", (0, 10)), ValueError, r"images\[0\] has no pixels: its size is 0 x 10"),
        (np.zeros((0, 5, 3)), ValueError, r"images\[0\] has the shape \(0, 5, 3\)"),
        (np.zeros((5, 5, 5)), ValueError, r"no axis of 1, 3 or 4 channels"),
        (np.zeros(7), ValueError, r"an image has 2 or 3 axes"),
        (np.full((4, 4, 3), np.nan), ValueError, r"images\[0\] holds NaN or infinite values"),
        (np.array([["a", "b"]]), TypeError, "which are no pixel values"),
        (7, TypeError, r"images\[0\] is of type int"),
        ({"a": 1}, TypeError, r"images\[0\] is of type dict"),
    ],
    ids=["empty", "no rows", "five channels", "one axis", "NaN", "letters", "a number", "a dictionary"],
)
def test_what_is_no_image_is_one_clear_error(image: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nabi.ViTImageProcessor()(image)


def test_the_axis_of_channels_is_guessed_aloud_where_both_could_be(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        assert images.as_array(np.zeros((3, 9, 4)), "it").shape == (3, 9, 4)
    assert caplog.text.count("input_data_format='channels_last' reads it the other way") == 1


def test_colours_of_floating_point_with_an_opacity_go_from_0_to_1() -> None:
    with pytest.raises(ValueError, match="it has four channels with values from 0 to 9"):
        images.as_array(np.eye(4)[:, :, None] * np.ones(4) * 9, "it", convert_rgb=True)
    white = images.as_array(np.zeros((4, 2, 2), dtype=np.float32), "it", convert_rgb=True)
    assert np.array_equal(white, np.ones((3, 2, 2)))


def test_without_pillow_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r'pip install "nabi\[vision\]"'):
        load_image(b"")
