"""Question answering beside what transformers 4.57.1 answered: version 5 has no such pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import normalizers

import nabi
from nabi import pipeline
from nabi.pipelines.question_answering import SquadExample

from .record_text import CORPUS, EXPECTATIONS, LONG, MODELS, PAIRS, QUESTION_SETTINGS, TEXTS, build

RECORDED = json.loads(EXPECTATIONS.read_text(encoding="utf-8"))
ITEMS = [{"question": question, "context": context} for question, context in PAIRS]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=MODELS)
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    folder = build(transformers, request.param, "ForQuestionAnswering", tmp_path_factory.mktemp("model"))
    return request.param, pipeline("question-answering", model=folder, device="cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(transformers, "bert", "ForQuestionAnswering", tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("question-answering", model=folder, device="cpu")


def assert_same(ours: Any, theirs: Any) -> None:
    """Equal answers at equal places, scores to 1e-4. The incumbent fills a list up with what cannot be an answer, at
    the score 0; nabi does not."""
    if isinstance(theirs, list):
        possible = [one for one in theirs if one["score"] > 0]
        likely = [one for one in ours if one["score"] > 5e-7]  # theirs are rounded to six places
        assert len(likely) == len(possible)
        for one, other in zip(likely, possible, strict=True):
            assert_same(one, other)
    else:
        assert list(ours) == ["score", "start", "end", "answer"]
        assert {**ours, "score": 0} == {**theirs, "score": 0}
        assert ours["score"] == pytest.approx(theirs["score"], abs=1e-4)


@pytest.mark.parametrize("setting", QUESTION_SETTINGS)
def test_every_setting_gives_what_the_incumbent_gave(named: tuple[str, Any], setting: str) -> None:
    kind, pipe = named
    assert [pipe.tokenizer(text)["input_ids"] for text in TEXTS] == RECORDED[f"ids {kind}"]
    expected = RECORDED[f"question-answering {kind}"][setting]
    for (question, context), answer in zip(PAIRS, expected, strict=True):
        assert_same(pipe(question=question, context=context, **QUESTION_SETTINGS[setting]), answer)
    for ours, theirs in zip(pipe(ITEMS, **QUESTION_SETTINGS[setting], batch_size=3), expected, strict=True):
        assert_same(ours, theirs)


def test_settings_of_the_constructor_shape_every_call(folder: Path, pipe: Any) -> None:
    three = pipeline("question-answering", model=folder, device="cpu", top_k=3, max_answer_len=2)
    assert three(ITEMS[0]) == pipe(ITEMS[0], top_k=3, max_answer_len=2)
    assert three(ITEMS[0], top_k=1) == pipe(ITEMS[0], max_answer_len=2)


# ---------------------------------------------------------------- forms of the input


def test_one_question_may_be_given_in_many_ways(pipe: Any) -> None:
    question, context = PAIRS[0]
    expected = pipe(question=question, context=context)
    item = {"question": question, "context": context}
    assert isinstance(expected, dict)
    for given_inputs in (item, [item], SquadExample(None, question, context), pipe.create_sample(question, context)):
        assert pipe(given_inputs) == expected
    assert pipe(question, context) == pipe(data=item) == pipe(X=[item]) == expected
    assert pipe(question=[question], context=[context]) == pipe(question=[question], context=context) == expected


def test_several_questions_may_be_given_in_many_ways(pipe: Any) -> None:
    questions, contexts = map(list, zip(*PAIRS, strict=True))
    expected = [pipe(item) for item in ITEMS]
    ways: list[Any] = [
        pipe(ITEMS),
        pipe(*ITEMS),
        pipe(question=questions, context=contexts),
        pipe({"question": questions, "context": contexts}),
        pipe(pipe.create_sample(question=questions, context=contexts)),
        list(pipe(iter(ITEMS))),
    ]
    for way in ways:
        assert [one["answer"] for one in way] == [one["answer"] for one in expected]
        assert [one["score"] for one in way] == pytest.approx([one["score"] for one in expected], abs=1e-6)
    shared = pipe(question=questions, context=contexts[0])
    assert shared[1]["answer"] == pipe(question=questions[1], context=contexts[0])["answer"]


def test_places_are_characters_of_the_context(named: tuple[str, Any]) -> None:
    _, pipe = named
    for item in ITEMS:
        for align in (True, False):
            for answer in pipe(item, top_k=5, align_to_words=align, max_seq_len=40, doc_stride=4):
                assert item["context"][answer["start"] : answer["end"]] == answer["answer"]


def test_a_long_context_is_read_to_its_end(pipe: Any) -> None:
    windows = pipe.preprocess({"question": "누가?", "context": LONG}, max_seq_len=32, doc_stride=8)
    assert len(windows) > 4
    assert all(window["input_ids"].shape[1] <= 32 for window in windows)
    places = [place for window in windows for place in window["kept"]["encoding"].offsets]
    assert max(end for _, end in places) == len(LONG)


def test_max_question_len_cuts_the_question(pipe: Any) -> None:
    item = {"question": "where does she live and who is in the city", "context": PAIRS[0][1]}
    assert pipe(item, max_question_len=2) == pipe({**item, "question": "where d"}, max_question_len=2)
    assert pipe(item, max_question_len=99) == pipe(item)


@given(
    picked=st.lists(
        st.tuples(st.sampled_from([q for q, _ in PAIRS]), st.integers(0, 40), st.integers(10, 300)),
        min_size=1,
        max_size=6,
    ),
    batch_size=st.integers(1, 5),
)
@settings(max_examples=20, deadline=None)
def test_an_answer_depends_on_neither_neighbours_nor_batch_size(
    pipe: Any, picked: list[tuple[str, int, int]], batch_size: int
) -> None:
    items = [{"question": question, "context": LONG[start : start + length]} for question, start, length in picked]
    together = pipe([*items, ITEMS[0]], batch_size=batch_size, max_seq_len=40, handle_impossible_answer=True)
    for item, answer in zip(items, together, strict=False):
        alone = pipe(item, max_seq_len=40, handle_impossible_answer=True)
        assert answer["score"] == pytest.approx(alone["score"], abs=1e-5)


def test_left_padding_puts_the_context_first(tmp_path: Path) -> None:
    # By a model that counts positions from the first real token on.
    folder = build(transformers, "roberta", "ForQuestionAnswering", tmp_path)
    left = pipeline("question-answering", model=folder, device="cpu")
    left.tokenizer.padding_side = "left"
    part = left.preprocess(ITEMS[0])[0]
    assert part["kept"]["its_sequence"] == 0
    alone = [left(item) for item in ITEMS]
    for one, other in zip(left(ITEMS, batch_size=4), alone, strict=True):
        assert one["answer"] == other["answer"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "None is no question with a context"),
        ("who?", r"'who\?' of the type str is no question with a context: pass {\"question\""),
        ({"question": "who?"}, "the keys 'question' and 'context', but this one has .'question'"),
        ({"question": None, "context": "a"}, "'question' is None"),
        ({"question": "who?", "context": 3}, "'context' is 3"),
        ({"question": "", "context": "a"}, "'question' is '', which is empty"),
        ({"question": "who?", "context": " "}, "'context' is ' ', which is empty"),
        ({"question": "who " * 70, "context": "a"}, r"question has 70 tokens.*64 of a window.*max_question_len=…"),
    ],
    ids=repr,
)
def test_a_bad_item_is_one_clear_error(pipe: Any, bad: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        pipe(bad)
    with pytest.raises((TypeError, ValueError), match=f"input 1: .*({message})"):
        pipe([ITEMS[0], bad])
    results = pipe([ITEMS[0], bad, ITEMS[1]], on_error="return")
    assert [isinstance(one, Exception) for one in results] == [False, True, False]


def test_a_context_without_tokens_is_named(folder: Path) -> None:
    pipe = pipeline("question-answering", model=folder, device="cpu")
    pipe.tokenizer.backend_tokenizer.normalizer = normalizers.Replace("x", "")
    with pytest.raises(ValueError, match="finds no token in the context 'xxx'"):
        pipe(question="who?", context="xxx")


def test_missing_and_unequal_inputs_are_named(pipe: Any) -> None:
    with pytest.raises(ValueError, match="needs a question and a context"):
        pipe(question="who?")
    with pytest.raises(ValueError, match="there are 2 questions, but for contexts 1"):
        pipe(question=["who?", "where?"], context=["the a"])
    assert pipe([]) == []


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"top_k": 0}, ValueError, "top_k is 0; expected a number of 1 or more"),
        ({"topk": -1}, ValueError, "top_k is -1"),
        ({"max_answer_len": 0}, ValueError, "max_answer_len is 0"),
        ({"max_seq_len": 20, "doc_stride": 30}, ValueError, "doc_stride is 30, more than max_seq_len, which is 20"),
        ({"max_seq_len": 20, "doc_stride": 19}, ValueError, "doc_stride is 19, but beside the question"),
        ({"max_seq_len": 5}, ValueError, "leaves no room.*larger max_seq_len"),
        ({"max_anser_len": 3}, TypeError, "no argument 'max_anser_len': did you mean 'max_answer_len'"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_one_clear_error(pipe: Any, wrong: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        pipe(ITEMS[0], **wrong)


def test_a_model_without_the_head_is_refused(folder: Path, pipe: Any) -> None:
    model = nabi.BertModel.from_pretrained(folder)
    bare = pipeline("question-answering", model=model, tokenizer=pipe.tokenizer, device="cpu")
    with pytest.raises(TypeError, match=r"BertModel gives no start_logits.*AutoModelForQuestionAnswering"):
        bare(ITEMS[0])


def test_a_model_object_and_half_precision_work(folder: Path, pipe: Any) -> None:
    model = nabi.AutoModelForQuestionAnswering.from_pretrained(folder)
    assert pipeline("question-answering", model=model, device="cpu")(ITEMS[0]) == pipe(ITEMS[0])
    half = pipeline("question-answering", model=folder, device="cpu", dtype=torch.bfloat16, framework="pt")
    assert half(question=PAIRS[1][0], context=CORPUS[1])["answer"] in CORPUS[1]
