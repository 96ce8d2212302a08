"""Texts about images beside the incumbent's, by a tiny random LLaVA."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import pipeline

from .image_models import TEMPLATE, content, llava
from .record_images import CAPTIONERS, PICTURES, write_captioner

ASK = "USER : <image> 이게 뭐예요 ? ASSISTANT :"
TEXTS = [ASK, "<image> a photo of", "USER : <image> 고양이 두 마리 on the sofa . ASSISTANT :", "<image>", ASK]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"return_full_text": False},
    {"return_full_text": True},
    {"skip_special_tokens": False},
    {"clean_up_tokenization_spaces": True},
    {"generate_kwargs": {"num_beams": 3, "num_return_sequences": 2}},
    {"generate_kwargs": {"eos_token_id": [3, 9, 17, 23, 31, 40, 52]}},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llava(tmp_path_factory.mktemp("llava"), TEMPLATE)


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("image-text-to-text", model=folder, device="cpu")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return transformers.pipeline("image-text-to-text", model=str(folder), device="cpu")


def chat(*images: Any, key: str = "image", answer: Any = None) -> list[dict[str, Any]]:
    asked: list[Any] = [{"type": "image", key: image} for image in images]
    messages = [{"role": "user", "content": [*asked, {"type": "text", "text": "이게 뭐예요 ?"}]}]
    return messages if answer is None else [*messages, {"role": "assistant", "content": answer}]


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_texts_of_an_image_are_the_incumbents(pipe: Any, theirs: Any, folder: Path, options: dict[str, Any]) -> None:
    options = {"max_new_tokens": 6, **options}

    def fresh() -> dict[str, Any]:  # the incumbent writes into what it is given
        return {name: dict(value) if isinstance(value, dict) else value for name, value in options.items()}

    expected = [theirs(image, text=text, **fresh()) for image, text in zip(PICTURES, TEXTS, strict=True)]
    assert [pipe(image, text=text, **options) for image, text in zip(PICTURES, TEXTS, strict=True)] == expected
    assert pipe(images=PICTURES, text=TEXTS, **options) == [each for result in expected for each in result]
    made = pipeline("image-text-to-text", model=folder, device="cpu", **options)
    assert made([{"images": image, "text": text} for image, text in zip(PICTURES, TEXTS, strict=True)]) == expected


def test_a_stop_sequence_ends_the_text(pipe: Any) -> None:
    (whole,) = pipe(PICTURES[0], text=ASK, max_new_tokens=8, return_full_text=False)
    words = whole["generated_text"].split()
    for stop in (words[2], [words[2], "nothing"]):
        (cut,) = pipe(PICTURES[0], text=ASK, max_new_tokens=8, return_full_text=False, stop_sequence=stop)
        assert cut["generated_text"].split() == words[: words.index(words[2]) + 1]


def test_ids_come_where_they_are_asked_for(pipe: Any, theirs: Any) -> None:
    for image, text in zip(PICTURES, TEXTS, strict=True):
        (ours,) = pipe(image, text=text, max_new_tokens=5, return_tensors=True)
        (there,) = theirs(image, text=text, max_new_tokens=5, return_tensors=True)
        assert ours["input_text"] == there["input_text"] == text
        assert torch.equal(ours["generated_token_ids"], there["generated_token_ids"])


@pytest.mark.parametrize("options", [*SETTINGS[:4], {"continue_final_message": False}], ids=str)
@pytest.mark.parametrize("answer", [None, [{"type": "text", "text": "two cats"}]], ids=["asked", "begun"])
def test_chats_are_the_incumbents(pipe: Any, theirs: Any, answer: Any, options: dict[str, Any]) -> None:
    one = chat(PICTURES[0], answer=answer)
    expected = theirs(one, max_new_tokens=5, **options)
    assert pipe(one, max_new_tokens=5, **options) == expected
    assert pipe(text=one, max_new_tokens=5, **options) == expected
    two = [one, chat(PICTURES[1], PICTURES[2], answer=answer)]
    assert pipe(two, max_new_tokens=5, **options) == theirs(two, max_new_tokens=5, **options)


def test_a_begun_answer_may_be_plain_text(pipe: Any) -> None:
    (result,) = pipe(chat(PICTURES[0], answer="two cats"), max_new_tokens=3)
    assert result["generated_text"][-1]["content"].startswith("two cats ")
    assert len(result["generated_text"]) == 2


def test_images_of_a_chat_come_in_every_form(pipe: Any, tmp_path: Path) -> None:
    path = tmp_path / "나비.png"
    path.write_bytes(content(PICTURES[0]))
    text = base64.b64encode(path.read_bytes()).decode()

    def said(messages: Any) -> str:
        return pipe(messages, max_new_tokens=5, return_full_text=False)[0]["generated_text"]

    expected = said(chat(PICTURES[0]))
    assert said(chat(str(path), key="path")) == said(chat(str(path), key="url")) == expected
    assert said(chat(text, key="base64")) == said(chat(f"data:image/png;base64,{text}", key="url")) == expected
    block = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{text}"}}
    assert said([{"role": "user", "content": [block, *chat()[0]["content"]]}]) == expected


def test_several_images_belong_to_the_texts_that_have_places_for_them(pipe: Any, theirs: Any) -> None:
    texts = ["<image> <image> two cats", "house", "<image> on the sofa"]
    flat = pipe(PICTURES[:3], text=texts, max_new_tokens=5)
    assert flat == pipe([PICTURES[:2], [], PICTURES[2:3]], text=texts, max_new_tokens=5)
    assert flat == theirs(PICTURES[:3], text=texts, max_new_tokens=5)
    assert flat[:1] == theirs(images=PICTURES[:2], text=texts[0], max_new_tokens=5)
    with pytest.raises(ValueError, match="the texts have 3 '<image>', but there are 2 images"):
        pipe(PICTURES[:2], text=texts)
    with pytest.raises(ValueError, match="there are 3 texts and 2 lists of images"):
        pipe([PICTURES[:2], PICTURES[2:3]], text=texts)


def test_texts_without_images_are_written_on(pipe: Any, theirs: Any) -> None:
    assert pipe("고양이 두 마리", max_new_tokens=4) == theirs("고양이 두 마리", max_new_tokens=4)
    assert pipe(text=["house", "two cats"], max_new_tokens=4) == theirs(text=["house", "two cats"], max_new_tokens=4)


def test_generators_give_iterators(pipe: Any) -> None:
    source = ({"images": image, "text": ASK} for image in PICTURES)
    expected = [pipe(image, text=ASK, max_new_tokens=4) for image in PICTURES]
    assert list(pipe(source, max_new_tokens=4)) == expected
    chats = pipe((chat(image) for image in PICTURES), max_new_tokens=4)
    assert next(chats) == pipe(chat(PICTURES[0]), max_new_tokens=4)


@given(chosen=st.lists(st.integers(0, len(PICTURES) - 1), min_size=1, max_size=7), batch_size=st.integers(1, 6))
@settings(max_examples=10, deadline=None)
def test_a_text_depends_on_neither_neighbours_nor_batch_size(pipe: Any, chosen: list[int], batch_size: int) -> None:
    options: dict[str, Any] = {"max_new_tokens": 9, "eos_token_id": [3, 9, 17, 23, 31, 40, 52]}
    items = [{"images": PICTURES[number], "text": TEXTS[number]} for number in chosen]
    together = pipe(items, batch_size=batch_size, return_tensors=True, **options)
    for item, (result,) in zip(items, together, strict=True):
        (alone,) = pipe(item, return_tensors=True, **options)
        assert torch.equal(result["generated_token_ids"], alone["generated_token_ids"])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "got neither images nor text"),
        ((PICTURES[0],), "an image came without a text"),
        (("cat.jpg",), "'cat.jpg' looks like an image and came as the text"),
        ((PICTURES[0], "이게 뭐예요 ?"), "The text has 0 '<image>', but there are 1 images"),
        ((None, ASK), "The text has 1 '<image>', but there are 0 images"),
        ((["no-such.png"], ASK), r"the file 'no-such\.png' is not there"),
        (([{"images": PICTURES[0]}],), "input 0: 'text' is None"),
        (([3],), "input 0: 3 of the type int is no input"),
        ((PICTURES[0], [chat(PICTURES[0])]), "a chat holds its images itself"),
        ((chat(None),), "message 0 of the chat has an image with nothing under"),
        (([{"role": "user"}],), "message 0 of the chat is .* it needs a 'role' and a 'content'"),
        ((chat("no-such.png", key="url"),), r"the file 'no-such\.png' is not there"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_input_is_one_clear_error(pipe: Any, inputs: tuple[Any, ...], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        pipe(*inputs, max_new_tokens=3)


def test_bad_arguments_are_named(pipe: Any) -> None:
    with pytest.raises(TypeError, match=r"no argument 'max_new_token'.*'max_new_tokens'"):
        pipe(PICTURES[0], text=ASK, max_new_token=5)
    with pytest.raises(ValueError, match="max_new_tokens is given twice"):
        pipe(PICTURES[0], text=ASK, max_new_tokens=5, generate_kwargs={"max_new_tokens": 6})
    with pytest.raises(ValueError, match="return_tensors gives ids and return_full_text is about texts"):
        pipe(PICTURES[0], text=ASK, return_tensors=True, return_full_text=True)


def test_options_of_the_processor_reach_it(pipe: Any) -> None:
    expected = pipe(PICTURES[0], text=ASK, max_new_tokens=4, processor_kwargs={"do_normalize": False})
    assert pipe(PICTURES[0], text=ASK, max_new_tokens=4, do_normalize=False) == expected
    with pytest.raises(ValueError, match="truncation cut them"):
        pipe(PICTURES[0], text=ASK, processor_kwargs={"truncation": True, "max_length": 4})


def test_a_model_that_reads_no_text_names_the_right_task(tmp_path: Path) -> None:
    folder = write_captioner(nabi, next(iter(CAPTIONERS)), tmp_path)
    with pytest.raises(TypeError, match=r"VisionEncoderDecoderModel .*does not read images and texts.*image-to-text"):
        pipeline("image-text-to-text", model=folder, device="cpu")
