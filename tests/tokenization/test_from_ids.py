"""Ids made already: prepare_for_model and truncate_sequences do what HF's v4 did, and what a call on the text does."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nabi.tokenization.fast import PreTrainedTokenizerFast
from nabi.tokenization.from_ids import prepare_for_model, truncate_sequences

SIDES = ("right", "left")
SHORT = [11, 12, 13]
LONG = list(range(20, 31))
TEXTS = ("이 영화는 정말 최고예요!", "나비가 꽃밭 위를 날아다니고, 아이들이 웃으며 따라간다.")


@pytest.fixture(scope="module", params=SIDES)
def side(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def ours(folders: dict[str, Path], side: str) -> PreTrainedTokenizerFast:
    options = {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"], "model_max_length": 16}
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    return PreTrainedTokenizerFast(
        tokenizer_object=framed_wordpiece(folders["wordpiece"]),
        truncation_side=side,
        padding_side=side,
        **names,
        **options,
    )


def framed_wordpiece(folder: Path) -> Any:
    from nabi.tokenization import BertTokenizer

    return BertTokenizer.from_pretrained(folder).backend_tokenizer


@pytest.fixture(scope="module")
def theirs(incumbent: ModuleType, ours: PreTrainedTokenizerFast, side: str) -> Any:
    """The incumbent's tokenizer written in Python, the only kind of its that still has these methods."""

    class Bert(incumbent.PreTrainedTokenizer):  # type: ignore[misc]
        vocab_size = len(ours)

        def get_vocab(self) -> dict[str, int]:
            return ours.get_vocab()

        def _convert_token_to_id(self, token: str) -> int:
            return ours.get_vocab()[token]

        def _convert_id_to_token(self, index: int) -> str:
            return ours.convert_ids_to_tokens(index)

    return Bert(
        special_tokens_pattern="cls_sep",
        token_type_ids_pattern="bert_style",
        token_type_ids_include_special_tokens=True,
        model_max_length=16,
        truncation_side=side,
        padding_side=side,
        model_input_names=ours.model_input_names,
        **{name: token for name, token in ours.special_tokens_map.items() if isinstance(token, str)},
    )


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no special tokens": {"add_special_tokens": False},
    "cut to the model's limit": {"truncation": True},
    "cut": {"truncation": None, "max_length": 9},
    "first cut": {"truncation": "only_first", "max_length": 12, "return_overflowing_tokens": True, "stride": 2},
    "second cut": {"truncation": "only_second", "max_length": 12, "return_overflowing_tokens": True, "stride": 1},
    "padded": {"padding": "max_length", "max_length": 40, "return_special_tokens_mask": True},
    "padded to the limit": {"padding": "max_length", "truncation": True, "return_length": True},
    "multiple": {"padding": True, "pad_to_multiple_of": 8},
    "padded on the other side": {"padding": "max_length", "max_length": 40, "padding_side": "left"},
    "keys": {"return_token_type_ids": False, "return_attention_mask": False, "return_special_tokens_mask": True},
    "bare": {"add_special_tokens": False, "return_special_tokens_mask": True, "truncation": True, "max_length": 5},
    "tensor": {"return_tensors": "pt"},
    "batch of one": {"return_tensors": "np", "prepend_batch_axis": True, "padding": "max_length", "max_length": 30},
}
IDS = {"one": (LONG, None), "pair": (SHORT, LONG), "pair, longer first": (LONG, SHORT)}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_prepared_ids_are_the_incumbents(ours: Any, theirs: Any, options: dict[str, Any], ids: Any) -> None:
    first, second = ids
    cut = {"only_first": first, "only_second": second or []}.get(str(options.get("truncation")))
    total = len(first) + len(second or []) + (2 if second is None else 3)
    if cut is not None and total - options["max_length"] >= len(cut):  # the incumbent cuts too little, or all
        with pytest.raises(ValueError, match=r"cannot take|there are none"):
            prepare_for_model(ours, first, second, **options)
        return
    mine = prepare_for_model(ours, first, second, **options)
    expected = theirs.prepare_for_model(list(first), None if second is None else list(second), **options)
    overflow = mine.pop("overflowing_tokens", []), mine.pop("num_truncated_tokens", 0)
    assert overflow == (expected.pop("overflowing_tokens", []), expected.pop("num_truncated_tokens", 0))
    assert set(mine) == set(expected)
    for key in expected:
        assert np.array_equal(mine[key], expected[key]), key
        assert getattr(mine[key], "shape", None) == getattr(expected[key], "shape", None)


@pytest.mark.parametrize("strategy", ["longest_first", "only_first", "only_second", "do_not_truncate"])
@pytest.mark.parametrize("stride", [0, 2, 50])
def test_what_is_cut_is_what_the_incumbent_cuts(ours: Any, theirs: Any, strategy: str, stride: int) -> None:
    for (first, second), remove in itertools.product(IDS.values(), range(-1, 9)):
        target = second if strategy == "only_second" else first
        if target is None or (strategy.startswith("only") and 0 < remove >= len(target)):
            continue
        mine = truncate_sequences(ours, first, second, remove, strategy, stride)
        expected = theirs.truncate_sequences(
            list(first), None if second is None else list(second), remove, strategy, stride
        )
        assert (mine[0], mine[1] or [], mine[2]) == (expected[0], expected[1] or [], expected[2])


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 24))
def test_longest_first_takes_one_token_at_a_time_from_the_longer(first: int, second: int, remove: int) -> None:
    class RightSide:
        truncation_side = "right"

    if remove > first + second:
        with pytest.raises(ValueError, match="cannot take"):
            truncate_sequences(RightSide(), [1] * first, [2] * second, remove)  # type: ignore[arg-type]
        return
    one, two, overflow = truncate_sequences(RightSide(), [1] * first, [2] * second, remove)  # type: ignore[arg-type]
    assert two is not None and overflow == []
    left = [first, second]
    for _ in range(remove):
        left[left[1] >= left[0]] -= 1
    assert sorted((len(one), len(two))) == sorted(left)
    assert len(one) + len(two) == first + second - remove


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"truncation": "only_first", "max_length": 40},
        {"truncation": "only_second", "max_length": 40},
        {"padding": "max_length", "max_length": 60, "return_special_tokens_mask": True},
    ],
)
def test_prepared_ids_of_a_text_are_its_encoding(folders: dict[str, Path], kind: str, options: dict[str, Any]) -> None:
    from nabi.tokenization import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    first, second = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS)
    assert dict(prepare_for_model(tokenizer, first, second, **options)) == dict(tokenizer(*TEXTS, **options))
    if options.get("truncation") != "only_second":
        assert dict(prepare_for_model(tokenizer, first, **options)) == dict(tokenizer(TEXTS[0], **options))


def test_an_empty_second_text_is_a_second_text(ours: PreTrainedTokenizerFast) -> None:
    assert prepare_for_model(ours, SHORT, [])["input_ids"] == [
        *ours.build_inputs_with_special_tokens(SHORT),
        ours.sep_token_id,
    ]
    assert truncate_sequences(ours, SHORT, [], 1)[1] == []


def test_numbers_become_tensors_too(ours: PreTrainedTokenizerFast) -> None:
    options: dict[str, Any] = {
        "return_length": True,
        "return_overflowing_tokens": True,
        "truncation": True,
        "max_length": 9,
    }
    batch = prepare_for_model(ours, LONG, return_tensors="pt", prepend_batch_axis=True, **options)
    assert {key: tuple(value.shape) for key, value in batch.items() if key not in ("input_ids", "attention_mask")} == {
        "token_type_ids": (1, 9),
        "overflowing_tokens": (1, 4),
        "num_truncated_tokens": (1,),
        "length": (1,),
    }
    assert prepare_for_model(ours, LONG, return_tensors="pt", **options)["length"].item() == 9
    untouched = prepare_for_model(ours, SHORT, **options)
    assert (untouched["overflowing_tokens"], untouched["num_truncated_tokens"]) == ([], 0)


def test_ids_may_be_arrays_and_tensors(ours: PreTrainedTokenizerFast) -> None:
    expected = dict(prepare_for_model(ours, LONG, SHORT))
    assert dict(prepare_for_model(ours, np.array(LONG), torch.tensor(SHORT))) == expected
    assert dict(prepare_for_model(ours, tuple(LONG), [np.int64(token_id) for token_id in SHORT])) == expected


def test_the_callers_lists_are_left_as_they_are(ours: PreTrainedTokenizerFast) -> None:
    first, second = list(LONG), list(SHORT)
    prepare_for_model(ours, first, second, truncation=True, max_length=8, padding="max_length")
    assert (first, second) == (LONG, SHORT)


def test_ids_beyond_the_models_limit_are_warned_of(folders: dict[str, Path], caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folders["bpe"], model_max_length=4)
    prepare_for_model(tokenizer, LONG, verbose=False)
    assert not caplog.records
    prepare_for_model(tokenizer, LONG)
    assert "11 tokens" in caplog.text


@pytest.mark.parametrize(
    ("ids", "options", "error", "message"),
    [
        ("안녕", {}, TypeError, "ids must be a list of token ids, not '안녕'.*call the tokenizer"),
        (None, {}, TypeError, "ids must be a list of token ids, not None"),
        (["안", "녕"], {}, TypeError, r"ids\[0\] is '안'.*convert_tokens_to_ids"),
        ([1, 2.5], {}, TypeError, r"ids\[1\] is 2.5 \(float\)"),
        ([1, True], {}, TypeError, r"ids\[1\] is True"),
        ([[1, 2]], {}, TypeError, r"ids\[0\] is \[1, 2\]"),
        ([1], {"pair_ids": [2, None]}, TypeError, r"pair_ids\[1\] is None"),
        (LONG, {"truncation": "only_second", "max_length": 5}, ValueError, "but there are none"),
        (
            SHORT,
            {"truncation": "only_first", "max_length": 2},
            ValueError,
            "cannot take 3 tokens away from ids, only 2",
        ),
        (SHORT, {"truncation": True, "max_length": 1}, ValueError, "cannot take 4 tokens away from ids, only 3"),
        (
            SHORT,
            {"pair_ids": LONG, "truncation": "only_first", "max_length": 13},
            ValueError,
            "from ids, only 2: use a larger max_length or longest_first",
        ),
        (SHORT, {"truncation": "shortest"}, ValueError, "truncation='shortest' is unknown"),
        (SHORT, {"max_length": 2, "stride": -1}, ValueError, "stride=-1"),
        (SHORT, {"return_tensors": "tensor"}, ValueError, "return_tensors='tensor'"),
        (
            LONG,
            {"pair_ids": SHORT, "truncation": True, "max_length": 9, "return_overflowing_tokens": True},
            ValueError,
            "use truncation='only_first' or 'only_second'",
        ),
    ],
)
def test_what_cannot_be_prepared_is_named(
    ours: PreTrainedTokenizerFast, ids: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        prepare_for_model(ours, ids, **options)


def test_an_unknown_strategy_is_named(ours: PreTrainedTokenizerFast) -> None:
    with pytest.raises(ValueError, match="truncation_strategy='last' is unknown"):
        truncate_sequences(ours, LONG, None, 3, "last")
