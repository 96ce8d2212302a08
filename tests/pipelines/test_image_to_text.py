"""image-to-text against what version 4 wrote, which record_images.py recorded; and LLaVA with a prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import pipeline

from .image_models import llava
from .record_images import CAPTIONERS, EXPECTATIONS, PICTURES, SETTINGS, set_length, write_captioner

EXPECTED = json.loads(EXPECTATIONS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=list(CAPTIONERS))
def name(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_captioner(nabi, name, tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("image-to-text", model=folder, device="cpu")


def as_records(texts: list[list[str]]) -> list[list[dict[str, str]]]:
    return [[{"generated_text": text} for text in each] for each in texts]


@pytest.mark.parametrize("kind", SETTINGS)
def test_captions_are_those_of_version_4_alone_and_in_a_batch(name: str, pipe: Any, kind: str) -> None:
    expected = as_records(EXPECTED[name][kind])
    assert [pipe(image, **SETTINGS[kind]) for image in PICTURES] == expected
    assert pipe(PICTURES, batch_size=5, **SETTINGS[kind]) == expected


def test_the_models_own_length_holds_where_nobody_says_another(name: str, folder: Path, tmp_path: Path) -> None:
    write_captioner(nabi, name, tmp_path)
    set_length(tmp_path)
    short = pipeline("image-to-text", model=tmp_path, device="cpu")
    assert short(PICTURES) == as_records(EXPECTED[name]["the model's length"])
    assert short(PICTURES, max_new_tokens=5) == as_records(EXPECTED[name]["a length"])


def test_settings_go_into_the_constructor_and_straight_into_the_call(name: str, folder: Path, pipe: Any) -> None:
    expected = as_records(EXPECTED[name]["beams"])
    made = pipeline("image-to-text", model=folder, device="cpu", max_new_tokens=6, num_beams=3, length_penalty=0.5)
    assert made(PICTURES) == expected
    assert pipe(PICTURES, max_new_tokens=6, num_beams=3, length_penalty=0.5, timeout=3) == expected
    config = nabi.GenerationConfig(max_new_tokens=6, num_beams=3, length_penalty=0.5)
    assert pipe(PICTURES, generate_kwargs={"generation_config": config}) == expected


def test_generators_and_other_names_of_the_images_are_taken(name: str, pipe: Any) -> None:
    expected = as_records(EXPECTED[name]["a length"])
    assert list(pipe((image for image in PICTURES), max_new_tokens=5)) == expected
    assert pipe(images=PICTURES, max_new_tokens=5) == expected


@given(chosen=st.lists(st.integers(0, len(PICTURES) - 1), min_size=1, max_size=8), batch_size=st.integers(1, 6))
@settings(max_examples=8, deadline=None)
def test_a_caption_depends_on_neither_neighbours_nor_batch_size(
    name: str, pipe: Any, chosen: list[int], batch_size: int
) -> None:
    options = SETTINGS["many ends"]
    together = pipe([PICTURES[number] for number in chosen], batch_size=batch_size, **options)
    assert together == [as_records(EXPECTED[name]["many ends"])[number] for number in chosen]


def test_bad_input_is_one_clear_error(pipe: Any) -> None:
    with pytest.raises(ValueError, match="VisionEncoderDecoderModel writes of the image alone and takes no prompt"):
        pipe(PICTURES[0], prompt="a photo of")
    with pytest.raises(ValueError, match="max_new_tokens is given twice, as 5 and as 6"):
        pipe(PICTURES[0], max_new_tokens=5, generate_kwargs={"max_new_tokens": 6})
    with pytest.raises(TypeError, match=r"no argument 'max_new_token'.*'max_new_tokens'"):
        pipe(PICTURES[0], max_new_token=5)
    with pytest.raises(ValueError, match=r"input 1: .*no-such\.png"):
        pipe([PICTURES[0], "no-such.png"])
    for prompt in ("", 3):
        with pytest.raises(ValueError, match="prompt is"):
            pipe(PICTURES[0], prompt=prompt)


def test_llava_goes_on_from_a_prompt(tmp_path: Path) -> None:
    folder, prompt = llava(tmp_path), "USER : <image> 이게 뭐예요 ? ASSISTANT :"
    pipe = pipeline("image-to-text", model=folder, device="cpu")
    full = pipeline("image-text-to-text", model=folder, device="cpu")
    for number, result in enumerate(pipe(PICTURES, prompt=prompt, max_new_tokens=5)):
        (other,) = full(PICTURES[number], text=prompt, max_new_tokens=5, return_full_text=False)
        assert result == [{"generated_text": "USER : 이게 뭐예요 ? ASSISTANT :" + other["generated_text"]}]
    with pytest.raises(ValueError, match="LlavaForConditionalGeneration needs a prompt"):
        pipe(PICTURES[0])
    with pytest.raises(ValueError, match="The text has 0 '<image>', but there are 1 images"):
        pipe(PICTURES[0], prompt="이게 뭐예요 ?")
