"""Stopping criteria stop exactly where the incumbent's do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders
from torch import Tensor
from transformers import PreTrainedTokenizerFast as TheirTokenizer
from transformers.generation import stopping_criteria as theirs

from nabi.generation import stopping as ours
from nabi.generation.stopping import StoppingCriteriaList, stopping_for
from nabi.tokenization import PreTrainedTokenizerFast, train

TEXTS = [
    "stop the stopper at the last bus stop, then stop.",
    "나비가 꽃밭 위를 날아다니고, 아이들이 웃으며 따라간다. 그만!",
    "The butterfly rests on a flower; 끝. The end\n\nUser: what else?",
    "머신러닝 model을 training하려면 GPU가 필요하다고 합니다.",
    "abcdef",  # what the incumbent puts before each token to see how it is spelled
] * 4
KINDS = ("bpe", "byte fallback", "unigram", "wordpiece", "wordlevel")


def with_byte_fallback(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """A trained Unigram vocabulary, poor in letters, with a token for each byte, as Llama's and Gemma's have."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    state["model"]["byte_fallback"] = True
    engine = Tokenizer.from_str(json.dumps(state))
    engine.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=engine, eos_token="</s>", unk_token="<unk>", pad_token="<pad>", model_max_length=1000
    )


def make(kind: str) -> PreTrainedTokenizerFast:
    if kind != "byte fallback":
        return train(kind, TEXTS, vocab_size=360 if kind == "bpe" else 200, show_progress=False)
    english = [text for text in TEXTS if text.isascii()]
    return with_byte_fallback(train("unigram", english, vocab_size=60, show_progress=False))


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerFast:
    return make(request.param)


def their_twin(tokenizer: PreTrainedTokenizerFast, folder: Path) -> Any:
    tokenizer.save_pretrained(folder)
    return TheirTokenizer.from_pretrained(folder)


STOPS = [
    ["stop"],
    ["p", "top"],
    ["\n\nUser:"],
    ["그만"],
    ["아이", "다."],
    [" the", "끝"],
    ["</s>", "<|endoftext|>"],
    ["e", "비가 꽃밭 위"],
    ["s s"],
]


@pytest.mark.parametrize("stops", STOPS, ids=str)
def test_stop_strings_end_texts_where_the_incumbents_do(
    tokenizer: PreTrainedTokenizerFast, stops: list[str], tmp_path: Path
) -> None:
    twin = their_twin(tokenizer, tmp_path)
    try:
        other = theirs.StopStringCriteria(twin, stops)
    except ValueError as error:
        assert "unable to identify tokens" in str(error)  # no token of this vocabulary can end them
        other = lambda ids, scores: torch.zeros(ids.shape[0], dtype=torch.bool)  # noqa: E731
    mine = ours.StopStringCriteria(tokenizer, stops)
    written = [tokenizer.encode(text, add_special_tokens=False) for text in TEXTS[:5]]
    generator = torch.Generator().manual_seed(0)
    written += torch.randint(len(tokenizer), (6, 40), generator=generator).tolist()
    common = {token for stop in stops for token in tokenizer.encode(stop, add_special_tokens=False)}
    choice = torch.tensor(sorted(common | set(range(40))))
    written += choice[torch.randint(len(choice), (12, 40), generator=generator)].tolist()
    for ids in written:
        for length in range(1, len(ids) + 1):
            row = torch.tensor([ids[:length]])
            assert torch.equal(mine(row, None), other(row, None)), tokenizer.convert_ids_to_tokens(ids[:length])


@pytest.mark.parametrize("kind", ["bpe", "byte fallback"])
@pytest.mark.parametrize("text", ["나비가 날아 그만! 정말", "one stop. 그만 two"])
def test_korean_that_is_spread_over_bytes_stops_with_its_last_byte(kind: str, text: str) -> None:
    tokenizer = make(kind)
    criterion = ours.StopStringCriteria(tokenizer, "그만")
    ids = tokenizer.encode(text, add_special_tokens=False)
    hits = [place for place in range(len(ids)) if bool(criterion(torch.tensor([ids[: place + 1]]), None))]
    assert len(hits) == 1
    assert "그만" in tokenizer.decode(ids[: hits[0] + 1])
    assert "그만" not in tokenizer.decode(ids[: hits[0]])


def test_every_row_of_a_batch_stops_for_itself_and_padding_does_no_harm() -> None:
    tokenizer = make("bpe")
    criterion = ours.StopStringCriteria(tokenizer, ["stop"])
    rows = tokenizer(["go on", "please stop", "stop it now"], padding=True, padding_side="left", return_tensors="pt")
    assert criterion(rows["input_ids"], None).tolist() == [False, True, False]
    assert criterion(torch.zeros(3, 0, dtype=torch.long), None).tolist() == [False] * 3
    unknown = torch.tensor([[*tokenizer.encode("sto"), len(tokenizer) + 5, *tokenizer.encode("p")]])
    assert criterion(unknown, None).tolist() == [False]


def test_added_tokens_are_text_too() -> None:
    tokenizer = make("bpe")
    tokenizer.add_tokens(["é끝"])
    criterion = ours.StopStringCriteria(tokenizer, ["é끝"])
    assert criterion(torch.tensor([tokenizer.encode("stop é끝")]), None).tolist() == [True]


# --- the others


def random_ids(length: int) -> Tensor:
    return torch.randint(6, (5, length), generator=torch.Generator().manual_seed(length))


@pytest.mark.parametrize("length", [1, 4, 5, 9])
def test_lengths_ends_and_times_are_the_incumbents(length: int) -> None:
    ids = random_ids(length)
    now = time.time()
    pairs: list[tuple[Any, Any]] = [(ours.MaxLengthCriteria(5), theirs.MaxLengthCriteria(5))]
    for eos in (3, [3, 4], torch.tensor([3, 1]), [77]):
        pairs.append((ours.EosTokenCriteria(eos), theirs.EosTokenCriteria(eos)))
    for ago in (0, 100):
        pairs.append((ours.MaxTimeCriteria(50, now - ago), theirs.MaxTimeCriteria(50, now - ago)))
    for mine, other in pairs:
        assert torch.equal(mine(ids, None), other(ids, None))
    assert torch.equal(
        ours.EosTokenCriteria(3)(ids, None, new_token_length=3),
        theirs.EosTokenCriteria(3)(ids, None, new_token_length=3),
    )
    assert ours.MaxNewTokensCriteria(2, 3)(ids, None).tolist() == [length >= 5] * 5


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.4, 1.0])
def test_a_draft_stops_below_the_confidence_of_the_incumbent(threshold: float) -> None:
    for seed in range(20):
        scores = torch.randn(1, 6, generator=torch.Generator().manual_seed(seed)) * 3
        ids = random_ids(3)[seed % 5][None]
        mine = ours.ConfidenceCriteria(threshold)(ids, (scores,))
        assert mine.shape == (1,) and bool(mine) == theirs.ConfidenceCriteria(threshold)(ids, (scores,))


def test_a_list_takes_plain_bools_as_well_as_tensors() -> None:
    class Old(ours.StoppingCriteria):
        def __init__(self, answer: Any) -> None:
            self.answer = answer

        def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Any:
            return self.answer

    ids = random_ids(3)
    some = torch.tensor([True, False, True, False, False])
    for answer in (True, False, np.True_, torch.tensor(True), torch.tensor([False])):
        assert StoppingCriteriaList([Old(answer)])(ids, None).tolist() == [bool(answer)] * 5
    assert torch.equal(StoppingCriteriaList([Old(False), Old(some), lambda ids, scores: False])(ids, None), some)
    assert StoppingCriteriaList()(ids, None).tolist() == [False] * 5
    with pytest.raises(ValueError, match=r"Old answered with the shape \(5, 1\) for 5 rows"):
        StoppingCriteriaList([Old(some[:, None])])(ids, None)
    with pytest.raises(NotImplementedError, match="__call__"):
        ours.StoppingCriteria()(ids, None)


def test_a_list_knows_its_max_length() -> None:
    assert StoppingCriteriaList().max_length is None
    assert StoppingCriteriaList([ours.EosTokenCriteria(1), ours.MaxLengthCriteria(9)]).max_length == 9
    assert StoppingCriteriaList([ours.MaxNewTokensCriteria(4, 6)]).max_length == 10


def test_past_the_models_positions_there_is_one_warning() -> None:
    criterion = ours.MaxLengthCriteria(9, max_position_embeddings=4)
    with pytest.warns(UserWarning, match="5 tokens by now, and the model was made for 4"):
        criterion(random_ids(5), None)
    assert criterion(random_ids(6), None).tolist() == [False] * 5


# --- from settings


def settings_of(**values: Any) -> Any:
    neutral = transformers.GenerationConfig().to_dict()
    return SimpleNamespace(**{**neutral, "max_length": None, "is_assistant": False, **values})


@pytest.mark.parametrize(
    "values, eos, names",
    [
        ({}, [], []),
        ({"max_length": 9, "max_time": 3.0}, [2], ["MaxLengthCriteria", "MaxTimeCriteria", "EosTokenCriteria"]),
        ({"stop_strings": "stop"}, [2, 3], ["StopStringCriteria", "EosTokenCriteria"]),
        ({"is_assistant": True, "assistant_confidence_threshold": 0.4}, [], ["ConfidenceCriteria"]),
        ({"is_assistant": True, "assistant_confidence_threshold": 0.0}, [], []),
        ({"is_assistant": False, "assistant_confidence_threshold": 0.4}, [], []),
    ],
)
def test_settings_make_the_criteria(values: dict[str, Any], eos: list[int], names: list[str]) -> None:
    found = stopping_for(settings_of(**values), eos=eos, tokenizer=make("bpe"))
    assert [type(each).__name__ for each in found] == names


def test_own_criteria_take_the_places_of_built_in_ones_of_their_class() -> None:
    mine, more = ours.MaxLengthCriteria(3), ours.MaxTimeCriteria(9)
    found = stopping_for(settings_of(max_length=9), eos=[2], own=[more, mine])
    assert found[0] is mine and isinstance(found[1], ours.EosTokenCriteria) and found[2] is more and len(found) == 3


def test_stop_strings_without_a_tokenizer_are_one_clear_error() -> None:
    with pytest.raises(ValueError, match=r"stop_strings is 'x', but there is no tokenizer .*pass tokenizer=…"):
        stopping_for(settings_of(stop_strings="x"), eos=[2])


@pytest.mark.parametrize(
    "name, args, match",
    [
        ("MaxLengthCriteria", (-1,), "max_length is -1"),
        ("MaxLengthCriteria", (None,), "max_length is None"),
        ("MaxTimeCriteria", (-3,), "max_time is -3"),
        ("MaxTimeCriteria", ("soon",), "max_time is 'soon'"),
        ("EosTokenCriteria", (None,), "eos_token_id is None"),
        ("EosTokenCriteria", ([-2],), "eos_token_id is"),
        ("ConfidenceCriteria", (1.5,), "assistant_confidence_threshold is 1.5"),
        ("StopStringCriteria", (object(), ["x"]), "tokenizer is a object"),
        ("StopStringCriteria", (None, []), "stop_strings is"),
        ("StopStringCriteria", (None, ["a", ""]), "none of them empty"),
        ("StopStringCriteria", (None, [3]), "stop_strings is"),
    ],
)
def test_an_argument_that_means_nothing_is_one_clear_error(name: str, args: tuple[Any, ...], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        getattr(ours, name)(*args)
