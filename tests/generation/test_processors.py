"""Logits processors give the incumbent's numbers, and refuse what means nothing."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation import logits_process as theirs

from nabi.generation import processors as ours
from nabi.generation.processors import LogitsProcessor, LogitsProcessorList, processors_for

VOCABULARY, ROWS = 40, 4
INF = math.inf


def random_scores(seed: int = 0, rows: int = ROWS, vocabulary: int = VOCABULARY) -> Tensor:
    return torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed)) * 4


def random_ids(length: int, seed: int = 0, rows: int = ROWS, vocabulary: int = VOCABULARY) -> Tensor:
    return torch.randint(vocabulary, (rows, length), generator=torch.Generator().manual_seed(seed))


def scores_of_all_kinds() -> dict[str, Tensor]:
    plain = random_scores()
    holes = plain.masked_fill(torch.rand(plain.shape, generator=torch.Generator().manual_seed(1)) < 0.4, -INF)
    lone = torch.full_like(plain, -INF)
    lone[:, 7] = 1.5
    return {
        "plain": plain,
        "sharp": plain * 20,
        "ties": plain.round(),
        "flat": torch.zeros_like(plain),
        "holes": holes,
        "one left": lone,
        "double": plain.double(),
    }


SOURCE = torch.cat((random_ids(9, 5, rows=2), torch.zeros(2, 3, dtype=torch.long)), dim=1)
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *(("TemperatureLogitsWarper", (value,), {}) for value in (0.3, 1.0, 7.5)),
    *(("TopKLogitsWarper", (k,), {}) for k in (1, 5, VOCABULARY, 1000)),
    ("TopKLogitsWarper", (1, -INF, 3), {}),
    ("TopKLogitsWarper", (3,), {"filter_value": -1000.0}),
    *(("TopPLogitsWarper", (p,), {}) for p in (0.0, 0.3, 0.9, 0.999, 1.0)),
    ("TopPLogitsWarper", (0.1, -INF, 4), {}),
    ("TopPLogitsWarper", (0.1,), {"min_tokens_to_keep": 100}),
    *(("MinPLogitsWarper", (p,), {}) for p in (0.0, 0.05, 1.0)),
    ("MinPLogitsWarper", (0.9, -INF, 5), {}),
    ("MinPLogitsWarper", (0.9,), {"min_tokens_to_keep": 100}),
    ("TypicalLogitsWarper", (), {}),
    *(("TypicalLogitsWarper", (mass,), {}) for mass in (0.01, 0.5, 0.99)),
    ("TypicalLogitsWarper", (0.2, -INF, 4), {}),
    *(("EpsilonLogitsWarper", (epsilon,), {}) for epsilon in (1e-4, 0.05, 0.9)),
    ("EpsilonLogitsWarper", (0.9, -INF, 3), {}),
    *(("EtaLogitsWarper", (epsilon,), {}) for epsilon in (1e-4, 0.05, 0.9)),
    ("EtaLogitsWarper", (0.9, -INF, 3), {}),
    *(("TopHLogitsWarper", (h,), {}) for h in (0.1, 0.5, 1.0)),
    *(("RepetitionPenaltyLogitsProcessor", (penalty,), {}) for penalty in (0.7, 1.3)),
    ("RepetitionPenaltyLogitsProcessor", (1.3, 2), {}),
    ("RepetitionPenaltyLogitsProcessor", (1.3, 1000), {}),
    ("RepetitionPenaltyLogitsProcessor", (1.3,), {"prompt_ignore_length": torch.tensor([0, 1, 3, 50])}),
    *(("EncoderRepetitionPenaltyLogitsProcessor", (penalty, SOURCE), {}) for penalty in (0.7, 1.3)),
    *(("NoRepeatNGramLogitsProcessor", (size,), {}) for size in (1, 2, 3, 30)),
    *(("EncoderNoRepeatNGramLogitsProcessor", (size, SOURCE), {}) for size in (1, 2, 3, 30)),
    ("EncoderNoRepeatNGramLogitsProcessor", (2, SOURCE[0]), {}),
    ("NoBadWordsLogitsProcessor", ([[3], [1, 0], [1], [0, 1, 1], [2]],), {}),
    ("NoBadWordsLogitsProcessor", ([[3], [1, 0], [2]], 2), {}),
    ("NoBadWordsLogitsProcessor", ([[3], [1, 0], [2]], [2, 3]), {}),
    ("SequenceBiasLogitsProcessor", ({(3,): 4.0, (1, 0): -2.5, (0, 0): 1.5, (1, 1, 0): 3.0, (0, 1, 0): -INF},), {}),
    ("SequenceBiasLogitsProcessor", ([[[3], 4.0], [[1, 0], -2.5], [[0, 0], 1.5], [[1, 0], 1.0]],), {}),
    *(("MinLengthLogitsProcessor", (length, 2), {}) for length in (0, 6, 100)),
    ("MinLengthLogitsProcessor", (100, [2, 5], "cpu"), {}),
    *(("MinNewTokensLengthLogitsProcessor", (3, count, [2]), {}) for count in (0, 3, 4, 100)),
    ("ForcedBOSTokenLogitsProcessor", (3,), {}),
    *(("ForcedEOSTokenLogitsProcessor", (length, 2), {}) for length in (2, 7, 50)),
    ("ForcedEOSTokenLogitsProcessor", (7, [2, 5]), {}),
    ("SuppressTokensLogitsProcessor", ([1, 4, 9],), {}),
    ("SuppressTokensLogitsProcessor", ([],), {}),
    ("SuppressTokensLogitsProcessor", ([1, 4000],), {}),
    *(("SuppressTokensAtBeginLogitsProcessor", ([1, 4, 9], begin), {}) for begin in (1, 6)),
    *(("ExponentialDecayLengthPenalty", ((start, 1.2), [2, 3], 1), {}) for start in (0, 3, 100)),
    ("InfNanRemoveLogitsProcessor", (), {}),
    ("LogitNormalization", (), {}),
    ("PrefixConstrainedLogitsProcessor", (lambda text, ids: [text, int(ids[-1]), 8], 2), {}),
    ("PrefixConstrainedLogitsProcessor", (lambda text, ids: [9], 1), {}),
]
EVERY_CASE = pytest.mark.parametrize("name, args, kwargs", CASES, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(CASES)])


@EVERY_CASE
def test_the_numbers_are_the_incumbents(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    for kind, scores in scores_of_all_kinds().items():
        for ids in (random_ids(1, vocabulary=3), random_ids(6, vocabulary=3), random_ids(60, vocabulary=4)):
            mine = getattr(ours, name)(*args, **kwargs)(ids, scores.clone())
            other = getattr(theirs, name)(*args, **kwargs)(ids, scores.clone())
            assert mine.dtype == other.dtype, kind
            assert torch.equal(mine, other) or torch.equal(mine.nan_to_num(nan=1e9), other.nan_to_num(nan=1e9)), kind


@EVERY_CASE
def test_the_callers_scores_and_ids_stay_as_they_are(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    scores, ids = random_scores(), random_ids(6, vocabulary=3)
    before, ids_before = scores.clone(), ids.clone()
    getattr(ours, name)(*args, **kwargs)(ids, scores)
    assert torch.equal(scores, before) and torch.equal(ids, ids_before)


@pytest.mark.parametrize("name", ["RepetitionPenaltyLogitsProcessor", "NoRepeatNGramLogitsProcessor"])
def test_prompts_may_be_empty_or_hold_ids_past_the_vocabulary(name: str) -> None:
    argument = 1.5 if name.startswith("Repetition") else 2
    images = torch.cat((random_ids(8, vocabulary=3), torch.full((ROWS, 2), VOCABULARY + 9), random_ids(3)), dim=1)
    for ids in (images, torch.zeros(ROWS, 0, dtype=torch.long)):
        mine, other = getattr(ours, name)(argument), getattr(theirs, name)(argument)
        assert torch.equal(mine(ids, random_scores()), other(ids, random_scores()))


def test_numbers_that_are_none_are_removed_as_by_the_incumbent() -> None:
    scores = random_scores()
    scores[0, :3] = torch.tensor([math.nan, INF, -INF])
    for dtype in (torch.float32, torch.float16):
        mine = ours.InfNanRemoveLogitsProcessor()(random_ids(2), scores.to(dtype))
        assert torch.equal(mine, theirs.InfNanRemoveLogitsProcessor()(random_ids(2), scores.to(dtype)))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_ngram_is_written_twice(size: int) -> None:
    text = torch.tensor([[1]])
    for step in range(60 if size > 1 else VOCABULARY - 1):
        scores = ours.NoRepeatNGramLogitsProcessor(size)(text, random_scores(step, rows=1))
        text = torch.cat((text, scores.argmax(dim=-1)[:, None]), dim=1)
    ngrams = [tuple(each) for each in text[0].unfold(0, size, 1).tolist()]
    assert len(set(ngrams)) == len(ngrams)


def test_a_padding_length_for_each_text_counts_for_all_of_its_beams() -> None:
    ids, scores = random_ids(6, vocabulary=3), random_scores()
    by_text = ours.RepetitionPenaltyLogitsProcessor(1.5, torch.tensor([1, 4]))(ids, scores)
    by_row = ours.RepetitionPenaltyLogitsProcessor(1.5, torch.tensor([1, 1, 4, 4]))(ids, scores)
    assert torch.equal(by_text, by_row)
    with pytest.raises(ValueError, match="3 texts, but there are 4 rows"):
        ours.RepetitionPenaltyLogitsProcessor(1.5, torch.tensor([1, 4, 2]))(ids, scores)


# --- those that only version 4 has


@pytest.mark.parametrize("beams, groups", [(4, 2), (6, 3), (3, 3)])
def test_groups_of_beams_avoid_what_earlier_groups_chose(beams: int, groups: int) -> None:
    texts, size, penalty = 2, beams // groups, 1.7
    chosen = random_ids(1, 3, rows=texts * beams, vocabulary=4)[:, 0]
    processor = ours.HammingDiversityLogitsProcessor(penalty, beams, groups)
    for group in range(groups):
        scores = random_scores(group, rows=texts * size)
        expected = scores.clone()
        for text in range(texts):
            for earlier in range(group * size):
                token = chosen[text * beams + earlier]
                expected[text * size : (text + 1) * size, token] -= penalty
        found = processor(random_ids(2, rows=texts * size), scores, current_tokens=chosen, beam_group_idx=group)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_forced_tokens_come_at_their_places() -> None:
    processor = ours.ForceTokensLogitsProcessor([[1, 5], [2, 9], [3, None]])
    scores = random_scores()
    for length, token in ((1, 5), (2, 9)):
        expected = torch.full_like(scores, -INF)
        expected[:, token] = 0
        assert torch.equal(processor(random_ids(length), scores), expected)
    for length in (3, 4):
        assert torch.equal(processor(random_ids(length), scores), scores)


# --- Whisper's timestamps

WHISPER = SimpleNamespace(no_timestamps_token_id=24, eos_token_id=20, bos_token_id=20, max_initial_timestamp_index=4)


@pytest.mark.parametrize("by_probability", [None, True, False])
@pytest.mark.parametrize("eos", [20, None])
@pytest.mark.parametrize("initial", [4, 0, None])
def test_timestamps_follow_the_incumbents_rules(
    by_probability: bool | None, eos: int | None, initial: int | None
) -> None:
    settings = SimpleNamespace(
        no_timestamps_token_id=24, eos_token_id=eos, bos_token_id=20, max_initial_timestamp_index=initial
    )
    begin = 3
    mine = ours.WhisperTimeStampLogitsProcessor(settings, begin, by_probability)
    other = theirs.WhisperTimeStampLogitsProcessor(settings, begin, by_probability)
    for length in range(begin, begin + 6):
        for seed in range(20):
            ids, scores = random_ids(length, seed, rows=8), random_scores(seed, rows=8)
            if seed % 2:
                ids[:, begin:] = ids[:, begin:].clamp(min=24)
            assert torch.equal(mine(ids, scores.clone()), other(ids, scores.clone()))


def test_timestamps_need_the_settings_of_whisper() -> None:
    with pytest.raises(ValueError, match="no_timestamps_token_id"):
        ours.WhisperTimeStampLogitsProcessor(SimpleNamespace(eos_token_id=1, bos_token_id=1), 3)
    with pytest.raises(ValueError, match="begin_index"):
        ours.WhisperTimeStampLogitsProcessor(WHISPER, None)  # type: ignore[arg-type]


# --- guidance


@pytest.fixture(scope="module")
def model() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=VOCABULARY, n_positions=64, n_embd=16, n_layer=2, n_head=2)
    return GPT2LMHeadModel(config).eval()


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1.5, 3.0])
def test_guidance_gives_the_incumbents_scores_step_after_step(
    model: GPT2LMHeadModel, use_cache: bool, negative: bool, scale: float
) -> None:
    ids = random_ids(5, rows=2)
    given = {"unconditional_ids": random_ids(4, 9, rows=2)} if negative else {}
    make = {"use_cache": use_cache, **given}
    mine = ours.UnbatchedClassifierFreeGuidanceLogitsProcessor(scale, model, **make)
    other = theirs.UnbatchedClassifierFreeGuidanceLogitsProcessor(scale, model, **make)
    with torch.no_grad():
        for step in range(4):
            scores = random_scores(step, rows=2)
            assert torch.equal(mine(ids, scores), other(ids, scores))
            ids = torch.cat((ids, random_ids(1, step, rows=2)), dim=1)


def test_guidance_takes_one_negative_prompt_for_all_rows(model: GPT2LMHeadModel) -> None:
    ids, negative = random_ids(5, rows=2), random_ids(4, 9, rows=1)
    one = ours.UnbatchedClassifierFreeGuidanceLogitsProcessor(2.0, model, negative)
    each = ours.UnbatchedClassifierFreeGuidanceLogitsProcessor(2.0, model, negative.repeat(2, 1))
    with torch.no_grad():
        for step in range(2):
            assert torch.equal(one(ids, random_scores(step, rows=2)), each(ids, random_scores(step, rows=2)))
            ids = torch.cat((ids, random_ids(1, step, rows=2)), dim=1)


def test_guidance_refuses_rows_that_change_their_places(model: GPT2LMHeadModel) -> None:
    processor = ours.UnbatchedClassifierFreeGuidanceLogitsProcessor(2.0, model)
    ids = random_ids(5, rows=2)
    with torch.no_grad():
        processor(ids, random_scores(rows=2))
        with pytest.raises(ValueError, match="num_beams=1"):
            processor(torch.cat((ids.flip(0), ids[:, :1]), dim=1), random_scores(rows=2))


# --- lists


class Shift(LogitsProcessor):
    def __call__(self, input_ids: Tensor, scores: Tensor, by: float = 1.0) -> Tensor:
        return scores + by


class Needy(LogitsProcessor):
    def __call__(self, input_ids: Tensor, scores: Tensor, by: float, other: int) -> Tensor:
        return scores + by


def test_keywords_of_a_list_go_to_the_processors_that_take_them() -> None:
    ids, scores = random_ids(3), random_scores()
    chain = LogitsProcessorList([Shift(), ours.TemperatureLogitsWarper(2.0), lambda ids, scores: scores + 3])
    assert torch.equal(chain(ids, scores), (scores + 1) / 2 + 3)
    assert torch.equal(chain(ids, scores, by=5.0, unknown=1), (scores + 5) / 2 + 3)
    with pytest.raises(ValueError, match=r"Needy also needs by, other"):
        LogitsProcessorList([Needy()])(ids, scores)


def test_a_base_processor_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="__call__"):
        LogitsProcessor()(random_ids(1), random_scores())
    assert ours.LogitsWarper is LogitsProcessor


# --- from settings to processors

SETTINGS: list[dict[str, Any]] = [
    {},
    {"do_sample": True},
    {"do_sample": True, "temperature": 0.5, "top_k": 7, "top_p": 0.8, "min_p": 0.02, "typical_p": 0.9},
    {"do_sample": True, "top_h": 0.4, "epsilon_cutoff": 0.01, "eta_cutoff": 0.02, "renormalize_logits": True},
    {"do_sample": True, "num_beams": 2, "top_k": 1, "top_p": 0.01, "typical_p": 0.1},
    {"do_sample": False, "temperature": 0.5, "top_k": 7},
    {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2, "bad_words_ids": [[5], [1, 2]]},
    {"encoder_repetition_penalty": 1.4, "encoder_no_repeat_ngram_size": 2},
    {"min_length": 30, "min_new_tokens": 8, "forced_bos_token_id": 4, "forced_eos_token_id": 6, "max_length": 7},
    {"suppress_tokens": [3, 4], "begin_suppress_tokens": [5], "remove_invalid_values": True},
    {"exponential_decay_length_penalty": (0, 1.3), "sequence_bias": {(3,): 2.0, (1, 2): 4.0}},
    {"guidance_scale": 1.5, "sequence_bias": [[[3], 2.0]], "renormalize_logits": True},
]


def their_list(model: GPT2LMHeadModel, settings: dict[str, Any], eos: list[int], **more: Any) -> Any:
    config = transformers.GenerationConfig(**{"num_beams": 1, **settings})
    config._eos_token_tensor = torch.tensor(eos) if eos else None
    mask = more.pop("prompt_mask", None)
    return model._get_logits_processor(
        config, device="cpu", model_kwargs={} if mask is None else {"attention_mask": mask}, **more
    )


def settings_of(values: dict[str, Any]) -> Any:
    neutral = transformers.GenerationConfig(**values)
    names = {"forced_decoder_ids": None, "diversity_penalty": 0.0, "num_beam_groups": 1}
    return SimpleNamespace(**{**names, **neutral.to_dict(), **values})


@pytest.mark.parametrize("eos", [[2], [2, 3], []], ids=["one end", "two ends", "no end"])
@pytest.mark.parametrize("values", SETTINGS, ids=[str(i) for i in range(len(SETTINGS))])
def test_settings_make_the_incumbents_list(model: GPT2LMHeadModel, values: dict[str, Any], eos: list[int]) -> None:
    if not eos and "exponential_decay_length_penalty" in values:
        pytest.skip("the incumbent fails on it")
    prompt = random_ids(6, vocabulary=5)
    mask = torch.ones_like(prompt)
    mask[1, :2] = 0
    common: dict[str, Any] = {"encoder_input_ids": prompt, "prompt_mask": mask}
    if values.get("num_beams", 1) == 1:
        common["prefix_allowed_tokens_fn"] = lambda text, ids: range(30)
    mine = processors_for(settings_of(values), prompt_length=6, eos=eos, model=model, **common)
    other = their_list(model, values, eos, input_ids_seq_length=6, **common)
    assert [type(each).__name__ for each in mine] == [type(each).__name__ for each in other]
    with torch.no_grad():
        for ids in (prompt, torch.cat((prompt, random_ids(3, 4, vocabulary=5)), dim=1)):
            if values.get("guidance_scale") and ids is not prompt:
                continue
            assert torch.equal(mine(ids, random_scores(2)), other(ids, random_scores(2)))


@pytest.mark.parametrize("length, bos", [(1, 4), (1, None), (3, 4)])
def test_the_beginning_stands_behind_what_is_forced(model: GPT2LMHeadModel, length: int, bos: int | None) -> None:
    values = {"begin_suppress_tokens": [5], "forced_bos_token_id": bos}
    mine = processors_for(settings_of(values), prompt_length=length, eos=[2])
    other = their_list(model, values, [2], input_ids_seq_length=length)
    assert mine[-1].begin_index == other[-1].begin_index
    forced = processors_for(settings_of({**values, "forced_decoder_ids": [[1, 7], [2, 8]]}), prompt_length=1, eos=[2])
    assert forced[-2].begin_index == 1 + (bos is not None) + 2
    assert isinstance(forced[-1], ours.ForceTokensLogitsProcessor)


def test_groups_of_beams_get_their_diversity_between_bias_and_penalties() -> None:
    values = {"sequence_bias": {(3,): 2.0}, "repetition_penalty": 1.2, "num_beams": 4}
    settings = settings_of(values)
    settings.diversity_penalty, settings.num_beam_groups = 0.5, 2
    names = [type(each).__name__ for each in processors_for(settings, prompt_length=1, eos=[2])]
    assert names[:2] == ["SequenceBiasLogitsProcessor", "HammingDiversityLogitsProcessor"]
    settings.num_beam_groups = 1
    with pytest.raises(ValueError, match="num_beam_groups is 1"):
        processors_for(settings, prompt_length=1, eos=[2])


def test_own_processors_take_the_places_of_built_in_ones_of_their_class() -> None:
    mine, shift = ours.NoRepeatNGramLogitsProcessor(5), Shift()
    values = {"no_repeat_ngram_size": 2, "suppress_tokens": [1], "do_sample": True, "top_k": 9}
    found = processors_for(settings_of(values), prompt_length=1, eos=[2], own=[shift, mine])
    assert [type(each).__name__ for each in found] == [
        "NoRepeatNGramLogitsProcessor",
        "SuppressTokensLogitsProcessor",
        "Shift",
        "TopKLogitsWarper",
    ]
    assert found[0] is mine and found[2] is shift


def test_a_grammar_stands_before_what_forces_tokens() -> None:
    grammar = Shift()
    settings = settings_of({"forced_bos_token_id": 4, "min_length": 3})
    assert processors_for(settings, prompt_length=1, eos=[2], grammar=grammar)[1] is grammar


@pytest.mark.parametrize(
    "values, more, match",
    [
        ({"encoder_repetition_penalty": 1.4}, {}, "encoder_repetition_penalty is 1.4"),
        ({"encoder_no_repeat_ngram_size": 3}, {"encoder_input_ids": torch.randn(2, 5)}, "encoder_no_repeat_ngram_size"),
        ({"encoder_no_repeat_ngram_size": 3}, {"encoder_input_ids": torch.full((2, 5), -100)}, "pass input_ids"),
        ({}, {"negative_prompt_ids": random_ids(3)}, "guidance_scale"),
        ({"guidance_scale": 2.0, "num_beams": 3}, {}, "num_beams=1"),
        ({"exponential_decay_length_penalty": (2, 1.1)}, {"eos": []}, "pass eos_token_id"),
    ],
)
def test_a_setting_that_could_not_be_followed_is_refused(
    values: dict[str, Any], more: dict[str, Any], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        processors_for(settings_of(values), **{"prompt_length": 1, "eos": [2], **more})


# --- arguments that mean nothing

BAD: list[tuple[str, tuple[Any, ...], str]] = [
    *(("TemperatureLogitsWarper", (value,), "temperature is") for value in (0, 0.0, -1.0, math.nan, "hot", None)),
    *(("TopKLogitsWarper", (value,), "top_k is") for value in (0, -3, 1.5, True)),
    *(("TopPLogitsWarper", (value,), "top_p is") for value in (-0.1, 1.1, math.nan, "all")),
    ("TopPLogitsWarper", (0.5, -INF, 0), "min_tokens_to_keep is 0"),
    *(("MinPLogitsWarper", (value,), "min_p is") for value in (-0.1, 1.1)),
    *(("TypicalLogitsWarper", (value,), "typical_p is") for value in (0.0, 1.0, 2)),
    *(("EpsilonLogitsWarper", (value,), "epsilon_cutoff is") for value in (0.0, 1.0)),
    *(("EtaLogitsWarper", (value,), "eta_cutoff is") for value in (0.0, 1.0)),
    *(("TopHLogitsWarper", (value,), "top_h is") for value in (0.0, 1.5)),
    *(("RepetitionPenaltyLogitsProcessor", (value,), "repetition_penalty is") for value in (0, -1.2, math.nan)),
    ("RepetitionPenaltyLogitsProcessor", (1.2, -1), "prompt_ignore_length is -1"),
    ("RepetitionPenaltyLogitsProcessor", (1.2, torch.ones(2, 2)), "prompt_ignore_length has the shape"),
    ("EncoderRepetitionPenaltyLogitsProcessor", (0, SOURCE), "encoder_repetition_penalty is 0"),
    *(("NoRepeatNGramLogitsProcessor", (value,), "no_repeat_ngram_size is") for value in (0, -2, 2.5)),
    ("EncoderNoRepeatNGramLogitsProcessor", (0, SOURCE), "encoder_no_repeat_ngram_size is 0"),
    ("HammingDiversityLogitsProcessor", (0.0, 4, 2), "diversity_penalty is 0.0"),
    ("HammingDiversityLogitsProcessor", (1.0, 1, 2), "num_beams is 1"),
    ("HammingDiversityLogitsProcessor", (1.0, 4, 1), "num_beam_groups is 1"),
    ("HammingDiversityLogitsProcessor", (1.0, 4, 5), "at most num_beams, 4"),
    ("MinLengthLogitsProcessor", (-1, 2), "min_length is -1"),
    ("MinLengthLogitsProcessor", (3, -2), "eos_token_id is -2"),
    ("MinLengthLogitsProcessor", (3, None), "eos_token_id is None"),
    ("MinNewTokensLengthLogitsProcessor", (-1, 3, 2), "prompt_length_to_skip is -1"),
    ("MinNewTokensLengthLogitsProcessor", (1, 3.5, 2), "min_new_tokens is 3.5"),
    ("ForcedBOSTokenLogitsProcessor", (-4,), "forced_bos_token_id is -4"),
    ("ForcedEOSTokenLogitsProcessor", (5, torch.tensor([1.5])), "forced_eos_token_id is"),
    ("ExponentialDecayLengthPenalty", (5, 2, 1), "expected \\(start, factor\\)"),
    ("ExponentialDecayLengthPenalty", ((5, -1.0), 2, 1), "factor"),
    ("ForceTokensLogitsProcessor", ([[1, "a"]],), "forced_decoder_ids holds"),
    ("PrefixConstrainedLogitsProcessor", ([1, 2], 1), "expected a function"),
    *(("NoBadWordsLogitsProcessor", (value,), "bad_words_ids") for value in ([], [1, 2], [[1, -2]], [[]], "words")),
    ("NoBadWordsLogitsProcessor", ([[2]], 2), "forbids only the end"),
    *(
        ("SequenceBiasLogitsProcessor", (value,), "sequence_bias")
        for value in ({}, [], {(1,): "a"}, {(): 1.0}, {(-1,): 1.0}, [[1, 2.0]], [[[1]]], None, {(1,): math.nan})
    ),
]


@pytest.mark.parametrize("name, args, match", BAD, ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(BAD)])
def test_an_argument_that_means_nothing_is_one_clear_error(name: str, args: tuple[Any, ...], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        getattr(ours, name)(*args)


def test_a_bias_for_tokens_that_the_model_lacks_names_them() -> None:
    with pytest.raises(ValueError, match=r"40 tokens, but there is a bias for \[41, 99\]"):
        ours.SequenceBiasLogitsProcessor({(99, 1): 1.0, (41,): 2.0})(random_ids(3), random_scores())


def test_a_constraint_that_allows_nothing_names_the_text() -> None:
    processor = ours.PrefixConstrainedLogitsProcessor(lambda text, ids: [], 2)
    with pytest.raises(ValueError, match="allows nothing"):
        processor(random_ids(3), random_scores())
