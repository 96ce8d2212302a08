"""Token classification beside the incumbent's; what its version 5 removed, beside what 4.57.1 answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import pipeline
from nabi.pipelines.entities import groups, touches

from .record_text import EXPECTATIONS, LABELS, LONG, MODELS, TEXTS, build, labels

RECORDED = json.loads(EXPECTATIONS.read_text(encoding="utf-8"))
KINDS = [kind for kind in MODELS if kind != "bart"]
STRATEGIES = ["none", "simple", "first", "average", "max"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=KINDS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    head = "ForTokenClassification"
    folder = build(transformers, request.param, head, tmp_path_factory.mktemp("model"), **labels(LABELS))
    theirs = transformers.pipeline("token-classification", model=str(folder), device="cpu")
    return pipeline("token-classification", model=folder, device="cpu"), theirs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(transformers, "bert", "ForTokenClassification", tmp_path_factory.mktemp("model"), **labels(LABELS))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("ner", model=folder, device="cpu")


def assert_same(ours: Any, theirs: Any) -> None:
    """Equal labels, words and places, scores to 1e-4."""
    if isinstance(theirs, list):
        assert isinstance(ours, list) and len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert list(ours) == list(theirs)
        assert {**ours, "score": 0} == {**theirs, "score": 0}
        assert ours["score"] == pytest.approx(float(theirs["score"]), abs=1e-4)
        json.dumps(ours)


# ---------------------------------------------------------------- beside the incumbent


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("ignored", [None, [], ["B-PER", "PER", "O"]], ids=str)
@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
def test_every_strategy_gives_what_the_incumbent_gives(
    both: tuple[Any, Any], strategy: str, ignored: list[str] | None
) -> None:
    ours, theirs = both
    texts = TEXTS
    if ours.tokenizer.mask_token == "<mask>":
        # Where a word's mark is a token of its own the incumbent takes it for a word: no such words here.
        known = [word for word in LONG.split() if word.isascii() and len(ours.tokenizer.tokenize(f" {word}")[0]) > 1]
        assert len(known) > 6
        texts = [" ".join(known[:5]), " ".join(known), ""]
    call = {"aggregation_strategy": strategy, **({} if ignored is None else {"ignore_labels": ignored})}
    for given_inputs in (*texts, texts, texts[:1]):
        assert_same(ours(given_inputs, **call), theirs(given_inputs, **call))


def test_without_a_strategy_every_token_is_named(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    assert_same(ours(TEXTS), theirs(TEXTS))
    assert list(ours(TEXTS[0])[0]) == ["entity", "score", "index", "word", "start", "end"]
    assert ours("") == []


@pytest.mark.parametrize("strategy", ["simple", "first"])
@pytest.mark.parametrize("stride", [0, 5, 20])
def test_windows_of_a_long_text_are_joined_as_the_incumbent_joins_them(
    folder: Path, strategy: str, stride: int
) -> None:
    settings_: dict[str, Any] = {"aggregation_strategy": strategy, "stride": stride, "ignore_labels": []}
    theirs = transformers.pipeline("ner", model=str(folder), device="cpu", **settings_)
    ours = pipeline("ner", model=folder, device="cpu", **settings_)
    assert len(ours.preprocess(LONG * 2, stride=stride)) > 2
    found = ours(LONG * 2)
    assert_same(found, theirs(LONG * 2))
    assert found[-1]["end"] == len(LONG * 2)


def test_a_long_text_without_stride_is_cut_and_that_is_said_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pipe = pipeline("ner", model=folder, device="cpu", ignore_labels=[])
    theirs = transformers.pipeline("ner", model=str(folder), device="cpu", ignore_labels=[])
    with caplog.at_level(logging.WARNING, "nabi.pipelines"):
        assert_same(pipe(LONG * 3), theirs(LONG * 3))
        pipe([LONG * 3, LONG * 3])
    (line,) = [record.getMessage() for record in caplog.records]
    assert "more than the 64 tokens that are read" in line and "stride=…" in line


@pytest.mark.parametrize("delimiter", [None, " ", "", " / "])
def test_lists_of_words_have_places_in_the_joined_text(both: tuple[Any, Any], delimiter: str | None) -> None:
    ours, theirs = both
    words = ["Wolfgang", "lives", "in", "Berlin"]
    call: dict[str, Any] = {"is_split_into_words": True, "aggregation_strategy": "simple"}
    if delimiter is not None:
        call["delimiter"] = delimiter
    for given_inputs in (words, [words], [words, words[:2]]):
        found = ours(given_inputs, **call)
        assert_same(found, theirs(given_inputs, **call))
    assert ours([], **call) == []


def test_offset_mapping_says_where_tokens_are(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    text = TEXTS[0]
    places = [(a, max(a, b - 1)) for a, b in ours.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]]
    assert_same(ours(text, offset_mapping=places), theirs(text, offset_mapping=places))
    own = ours.tokenizer(TEXTS[2], return_offsets_mapping=True)["offset_mapping"]
    several = ours([text, TEXTS[2]], offset_mapping=[places, own])
    assert_same(several, [ours(text, offset_mapping=places), ours(TEXTS[2])])
    with pytest.raises(ValueError, match=r"offset_mapping has 2 places, but the text has \d+ tokens"):
        ours(text, offset_mapping=[(0, 1), (1, 2)])
    with pytest.raises(ValueError, match="for 1 texts, but there are 2"):
        ours([text, text], offset_mapping=[places])


@pytest.mark.parametrize("names", list(RECORDED["token-classification"]))
def test_the_old_names_give_what_version_4_gave(pipe: Any, names: str) -> None:
    grouped, ignored = ({"None": None, "True": True, "False": False}[name] for name in names.split())
    call = {"grouped_entities": grouped, "ignore_subwords": ignored}
    assert_same(pipe(TEXTS, **call), RECORDED["token-classification"][names])


# ---------------------------------------------------------------- words


@pytest.mark.parametrize("strategy", ["first", "average", "max"])
def test_a_korean_word_is_one_however_it_is_tokenized(both: tuple[Any, Any], strategy: str) -> None:
    ours, _ = both
    text = "김민수는\t서울에서\n부산으로 갔다"
    found = ours(text, aggregation_strategy=strategy, ignore_labels=[])
    begins = {0, *(i + 1 for i, letter in enumerate(text) if letter.isspace())}
    ends = {*(i for i, letter in enumerate(text) if letter.isspace()), len(text)}
    for one in found:
        part = text[one["start"] : one["end"]]
        assert one["start"] + len(part) - len(part.lstrip()) in begins, part
        assert one["end"] in ends, part
    assert "�" not in "".join(one["word"] for one in found)


def test_decomposed_and_accented_words_stay_whole(folder: Path) -> None:
    pipe = pipeline("ner", model=folder, device="cpu", aggregation_strategy="first", ignore_labels=[])
    pipe.model.config.id2label = {i: f"B-{i}" for i in range(5)}  # so that no two words are joined
    assert [one["word"] for one in pipe("Wolfgang 서울에서 is")] == ["wolfgang", "서울에서", "is"]


@pytest.mark.parametrize(
    ("before", "place", "joined"),
    [
        ((0, 1), (1, 2), True),
        ((0, 2), (3, 4), False),
        ((0, 2), (2, 4), False),
        ((0, 1), (0, 1), True),
        ((2, 3), (3, 4), True),
        ((0, 2), (2, 3), False),
    ],
)
def test_what_touches_is_one_word(before: tuple[int, int], place: tuple[int, int], joined: bool) -> None:
    assert touches("서울 부산", before, place) is joined


def test_b_begins_anew_and_i_goes_on() -> None:
    names = ["B-PER", "I-PER", "B-PER", "I-LOC", "LOC", "O", "O", "X-LOC"]
    found = groups([{"entity": name} for name in names])
    assert [[one["entity"] for one in group] for group in found] == [
        ["B-PER", "I-PER"],
        ["B-PER"],
        ["I-LOC", "LOC"],
        ["O", "O"],
        ["X-LOC"],
    ]


# ---------------------------------------------------------------- batches and sources


@given(
    texts=st.lists(st.lists(st.sampled_from(LONG.split()), max_size=40).map(" ".join), min_size=1, max_size=6),
    batch_size=st.integers(1, 5),
)
@settings(max_examples=20, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, texts: list[str], batch_size: int) -> None:
    call: dict[str, Any] = {"aggregation_strategy": "average", "stride": 4}
    together = pipe(texts, batch_size=batch_size, **call)
    for text, result in zip(texts, together, strict=True):
        assert [(one["start"], one["end"]) for one in result] == [(o["start"], o["end"]) for o in pipe(text, **call)]


def test_left_padding_gives_the_same_results(tmp_path: Path) -> None:
    # By a model that counts positions from the first real token on.
    folder = build(transformers, "roberta", "ForTokenClassification", tmp_path, **labels(LABELS))
    left = pipeline("ner", model=folder, device="cpu")
    left.tokenizer.padding_side = "left"
    assert_same(left(TEXTS, batch_size=4), [left(text) for text in TEXTS])


def test_generators_give_iterators(pipe: Any) -> None:
    results = pipe(iter(TEXTS))
    assert isinstance(results, Iterator)
    assert_same(list(results), pipe(TEXTS))
    words = (text.split() for text in TEXTS[:2])
    assert_same(
        list(pipe(words, is_split_into_words=True)), [pipe([t.split()], is_split_into_words=True)[0] for t in TEXTS[:2]]
    )


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("bad", "message"),
    [(None, "None is no text"), (3, "3 of the type int"), (["a", "b"], "list where one text is due.*is_split_into")],
    ids=repr,
)
def test_what_is_no_text_is_one_clear_error(pipe: Any, bad: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"input 1: .*{message}"):
        pipe(["the city", bad])


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"aggregation_strategy": "mean"}, ValueError, "'mean'; expected one of 'none', 'simple', 'first'"),
        ({"stride": 64}, ValueError, "stride is 64; expected a number from 0 to below the 64"),
        ({"stride": 4, "aggregation_strategy": "none"}, ValueError, "aggregation_strategy='simple'"),
        ({"stride": 63, "aggregation_strategy": "simple"}, ValueError, "stride=63 must be"),
        ({"ignore_labels": "O"}, TypeError, r"ignore_labels is the string 'O'; expected a list: \['O'\]"),
        ({"agregation_strategy": "first"}, TypeError, "did you mean 'aggregation_strategy'"),
        ({"is_split_into_words": True}, ValueError, "an item is a list of words"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_one_clear_error(pipe: Any, wrong: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        pipe("the city", **wrong)


def test_words_that_are_none_are_named(pipe: Any) -> None:
    with pytest.raises(TypeError, match="word 1 is None"):
        pipe([["the", None]], is_split_into_words=True)


def test_a_model_without_the_head_is_refused(folder: Path, pipe: Any, tmp_path: Path) -> None:
    for kind in (nabi.BertModel, nabi.BertForSequenceClassification):
        bare = pipeline("ner", model=kind.from_pretrained(folder), tokenizer=pipe.tokenizer, device="cpu")
        with pytest.raises(TypeError, match=f"{kind.__name__} gives no logits .*AutoModelForTokenClassification"):
            bare("the city")
    headless = build(transformers, "bert", "Model", tmp_path)
    with pytest.raises(ValueError, match="no weights for the head of BertForTokenClassification"):
        pipeline("ner", model=headless)


def test_labels_without_names_are_numbered(tmp_path: Path) -> None:
    pipe = pipeline("ner", model=build(transformers, "bert", "ForTokenClassification", tmp_path), device="cpu")
    assert {one["entity"] for one in pipe(TEXTS[0])} <= {"LABEL_0", "LABEL_1"}
