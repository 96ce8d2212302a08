"""Questions about images, answered by a tiny random LLaVA: the answers are what image-text-to-text writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nabi
from nabi import pipeline

from .image_models import TEMPLATE, llava
from .record_images import CAPTIONERS, PICTURES, write_captioner

QUESTIONS = ["이게 뭐예요 ?", "two cats on the sofa ?"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llava(tmp_path_factory.mktemp("llava"), TEMPLATE)


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("vqa", model=folder, device="cpu", max_new_tokens=5)


@pytest.fixture(scope="module")
def answers(folder: Path) -> Any:
    """What image-text-to-text says to a chat of one question."""
    writer = pipeline("image-text-to-text", model=folder, device="cpu", max_new_tokens=5, return_full_text=False)

    def answer(image: Any, question: str) -> list[dict[str, str]]:
        content = [{"type": "image", "image": image}, {"type": "text", "text": question}]
        (result,) = writer([{"role": "user", "content": content}])
        return [{"answer": result["generated_text"].strip()}]

    return answer


def test_one_question_about_one_image_has_one_answer(pipe: Any, answers: Any) -> None:
    expected = answers(PICTURES[0], QUESTIONS[0])
    assert expected[0]["answer"]
    assert pipe(image=PICTURES[0], question=QUESTIONS[0]) == expected
    assert pipe(PICTURES[0], QUESTIONS[0]) == expected
    assert pipe({"image": PICTURES[0], "question": QUESTIONS[0]}) == expected
    assert pipe([{"image": PICTURES[0], "question": QUESTIONS[0]}]) == [expected]
    assert isinstance(pipe, nabi.VisualQuestionAnsweringPipeline)


def test_lists_are_all_questions_about_all_images(pipe: Any, answers: Any) -> None:
    assert pipe(image=PICTURES, question=QUESTIONS[0]) == [answers(image, QUESTIONS[0]) for image in PICTURES]
    assert pipe(image=PICTURES[1], question=QUESTIONS) == [answers(PICTURES[1], each) for each in QUESTIONS]
    product = [answers(image, question) for question in QUESTIONS for image in PICTURES[:3]]
    assert pipe(image=PICTURES[:3], question=QUESTIONS) == product


def test_generators_give_iterators(pipe: Any, answers: Any) -> None:
    for results in (
        pipe({"image": image, "question": QUESTIONS[0]} for image in PICTURES),
        pipe(image=(image for image in PICTURES), question=QUESTIONS[0]),
    ):
        assert isinstance(results, Iterator)
        assert list(results) == [answers(image, QUESTIONS[0]) for image in PICTURES]


def test_several_answers_come_where_they_are_asked_for(pipe: Any) -> None:
    options = {"num_beams": 3, "num_return_sequences": 3}
    three = pipe(PICTURES[0], QUESTIONS[0], generate_kwargs=options)
    assert len(three) == 3
    assert pipe(PICTURES[0], QUESTIONS[0], top_k=2, **options) == three[:2]
    for top_k in (0, True, "all"):
        with pytest.raises(ValueError, match="top_k is"):
            pipe(PICTURES[0], QUESTIONS[0], top_k=top_k)


def test_without_a_chat_template_the_prompt_is_llavas_own(tmp_path: Path) -> None:
    folder = llava(tmp_path)
    pipe = pipeline("visual-question-answering", model=folder, device="cpu", max_new_tokens=5)
    writer = pipeline("image-text-to-text", model=folder, device="cpu", max_new_tokens=5, return_full_text=False)
    (expected,) = writer(PICTURES[0], text=f"USER: <image>\n{QUESTIONS[0]} ASSISTANT:")
    assert pipe(PICTURES[0], QUESTIONS[0]) == [{"answer": expected["generated_text"].strip()}]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "got nothing: pass image=… and question=…"),
        ((PICTURES[0],), "got an image and no question"),
        ((PICTURES[0], ""), "the question is ''"),
        ((PICTURES[0], ["a", None]), "input 1: the question is None"),
        (([PICTURES[0]],), "input 0: .* is no question about an image"),
        (([{"image": PICTURES[0]}],), "input 0: .* is no question about an image"),
        (("no-such.png", QUESTIONS[0]), r"the file 'no-such\.png' is not there"),
        ((["no-such.png"], QUESTIONS[0]), r"input 0: .*no-such\.png"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_input_is_one_clear_error(pipe: Any, inputs: tuple[Any, ...], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        pipe(*inputs)


def test_models_that_choose_among_answers_are_refused_by_name(tmp_path: Path) -> None:
    config = {"model_type": "vilt", "architectures": ["ViltForQuestionAnswering"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"holds a ViltForQuestionAnswering.*as LLaVA does"):
        pipeline("visual-question-answering", model=tmp_path)
    captioner = write_captioner(nabi, next(iter(CAPTIONERS)), tmp_path / "captioner")
    with pytest.raises(TypeError, match=r"VisionEncoderDecoderModel .*does not read images and texts"):
        pipeline("vqa", model=captioner, device="cpu")
