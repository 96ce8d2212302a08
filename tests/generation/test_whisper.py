"""Whisper's `generate` writes what the incumbent's writes: short and long sounds, with times, again where it failed."""

from __future__ import annotations

import tempfile
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor
from transformers.models.whisper.generation_whisper import _dynamic_time_warping

import nabi
from nabi.generation.speech.alignment import warp

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

# 0 … 79 text, then the tokens that Whisper has, in its order: the end of a text, its beginning, five languages, …
END, START, ENGLISH, GERMAN, TRANSLATE, TRANSCRIBE, PREVIOUS, SILENCE, NO_TIMES, FIRST_TIME = (
    *(80, 81, 82, 84, 87, 88),
    *(90, 91, 92, 93),
)
WINDOW, LIMIT, WORDS = 40, 64, 114  # frames that are heard at once, positions of the decoder, ids
LANGUAGES = {"<|en|>": ENGLISH, "<|zh|>": 83, "<|de|>": GERMAN, "<|ko|>": 85, "<|fr|>": 86}
CONFIG: dict[str, Any] = {
    **{"vocab_size": WORDS, "num_mel_bins": 6, "d_model": 32, "max_source_positions": WINDOW // 2},
    **{"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4},
    **{"encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_target_positions": LIMIT, "decoder_start_token_id": START},
    **{"pad_token_id": END, "bos_token_id": END, "eos_token_id": END},
}
ENGLISH_ONLY: dict[str, Any] = {
    "alignment_heads": [[0, 1], [1, 0], [1, 3]],
    "begin_suppress_tokens": [3, END],
    "is_multilingual": False,
    "max_initial_timestamp_index": 6,
    "no_timestamps_token_id": NO_TIMES,
    "prev_sot_token_id": PREVIOUS,
    "suppress_tokens": [5, 6, *range(START, NO_TIMES)],
}
SETTINGS: dict[str, Any] = {
    **ENGLISH_ONLY,
    "is_multilingual": True,
    "lang_to_id": LANGUAGES,
    "task_to_id": {"translate": TRANSLATE, "transcribe": TRANSCRIBE},
    "max_length": LIMIT,
}
NO_TIME = {"suppress_tokens": [5, 6, *range(START, NO_TIMES), *range(FIRST_TIME, WORDS)]}


@cache
def pair(kind: str = "multilingual") -> tuple[Any, Any]:
    """(the incumbent's model, nabi's), every parameter moved off its initial value."""
    settings = ENGLISH_ONLY if kind == "English" else SETTINGS
    torch.manual_seed(0)
    oracle = transformers.WhisperForConditionalGeneration(transformers.WhisperConfig(**CONFIG)).eval()
    with torch.no_grad():
        for parameter in oracle.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.15)
    for name, value in settings.items():
        setattr(oracle.generation_config, name, value)
    oracle.set_attn_implementation("eager")
    with tempfile.TemporaryDirectory() as folder:
        oracle.save_pretrained(folder)
        return oracle, nabi.WhisperForConditionalGeneration.from_pretrained(folder)


def sound(frames: int, texts: int = 3) -> Tensor:
    return torch.randn(texts, 6, frames, generator=torch.Generator().manual_seed(frames))


LENGTHS = (130, 57, 98)
SHORT, LONG = sound(WINDOW), sound(max(LENGTHS))
MASK = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).long()
SHORT_MASK = (torch.arange(WINDOW) < torch.tensor((40, 22, 31))[:, None]).long()
PROMPT = torch.tensor([PREVIOUS, 10, 11, 12])
LONG_BATCH: dict[str, Any] = {"input_features": LONG, "attention_mask": MASK, "return_segments": True}
LONG_SHORT = {**LONG_BATCH, "max_new_tokens": 12}
ONE_LONG = {"input_features": LONG[:1], "return_segments": True, "max_new_tokens": 12}

CASES: dict[str, dict[str, Any]] = {
    "a language that is heard": {},
    "a language by name": {"language": "korean"},
    "a language by code, other frames": {"language": "KO", "input_features": SHORT[..., :30]},
    "a language for each": {"language": ["ko", "<|en|>", "german"], "task": "translate"},
    "a task": {"task": "translate", "max_new_tokens": 7},
    "beams": {"task": "transcribe", "num_beams": 3},
    "beams and times": {"language": "fr", "num_beams": 3, "return_timestamps": True, "length_penalty": 0.3},
    "times": {"return_timestamps": True, "return_segments": True, "language": "en"},
    "segments without times": {"return_segments": True, "max_new_tokens": 9},
    "repetition": {"repetition_penalty": 1.4, "no_repeat_ngram_size": 3, "max_length": 20},
    "forced ids": {"forced_decoder_ids": [[1, None], [2, TRANSLATE]], "max_new_tokens": 5},
    "forced ids, all": {"forced_decoder_ids": [[1, GERMAN], [2, TRANSLATE], [3, NO_TIMES]], "return_timestamps": True},
    "a prompt": {"prompt_ids": PROMPT},
    "a prompt without its mark": {"prompt_ids": PROMPT[1:], "return_timestamps": True},
    "a prompt, remembered": {"prompt_ids": PROMPT, "condition_on_prev_tokens": True, "return_timestamps": True},
    "sampling": {"temperature": 0.7, **NO_TIME},
    "sampling times": {"temperature": 1.3, "return_timestamps": True, "top_k": 30},
    "several samples": {"temperature": 0.9, "do_sample": True, "num_return_sequences": 2, **NO_TIME},
    "everything": {"return_dict_in_generate": True, "output_scores": True, "output_logits": True},
    "everything inside": {
        **{"return_dict_in_generate": True, "output_attentions": True, "output_hidden_states": True},
        "max_new_tokens": 5,
    },
    "everything of beams": {"return_dict_in_generate": True, "output_scores": True, "num_beams": 3},
    "everything with times": {"return_dict_in_generate": True, "return_timestamps": True, "output_scores": True},
    "one call": {"force_unique_generate_call": True, "return_timestamps": True},
    "one call, everything": {
        **{"force_unique_generate_call": True, "return_timestamps": True, "return_dict_in_generate": True},
        "max_new_tokens": 6,
    },
    "times of tokens": {"return_token_timestamps": True, **NO_TIME},
    "times of tokens and segments": {
        **{"return_token_timestamps": True, "return_timestamps": True, "return_segments": True},
    },
    "times of tokens of everything": {"return_token_timestamps": True, "return_dict_in_generate": True, **NO_TIME},
    "times of tokens of one call": {"return_token_timestamps": True, "force_unique_generate_call": True},
    "times of tokens, beams": {
        "return_token_timestamps": True,
        "num_beams": 3,
        "input_features": SHORT[1:2],
        **NO_TIME,
    },
    "times of tokens, a prompt": {
        **{"return_token_timestamps": True, "prompt_ids": PROMPT, "attention_mask": SHORT_MASK},
        **NO_TIME,
    },
    "failing": {
        **{"temperature": (0.0, 0.4, 0.8), "logprob_threshold": -1.0, "compression_ratio_threshold": 1.0},
        "return_timestamps": True,
    },
    "long": {**LONG_BATCH, "return_timestamps": True},
    "long, short windows": LONG_SHORT,
    "long, alone": ONE_LONG,
    "long, beams": {**LONG_SHORT, "num_beams": 3},
    "long, in Korean and heard": {**LONG_SHORT, "language": ["ko", "en", "de"]},
    "long, remembered": {**LONG_SHORT, "condition_on_prev_tokens": True},
    "long, remembered by beams": {**LONG_SHORT, "condition_on_prev_tokens": True, "num_beams": 2},
    "long, remembered, longer": {**LONG_BATCH, "condition_on_prev_tokens": True, "max_new_tokens": 28},
    "long, a prompt": {**LONG_SHORT, "prompt_ids": PROMPT},
    "long, a prompt, remembered": {**LONG_SHORT, "prompt_ids": PROMPT, "condition_on_prev_tokens": True},
    "long, a prompt that stays": {
        **{**LONG_SHORT, "prompt_ids": PROMPT, "condition_on_prev_tokens": True},
        "prompt_condition_type": "all-segments",
    },
    "long, failing": {
        **{**LONG_SHORT, "temperature": (0.0, 0.4, 0.8), "logprob_threshold": -3.0},
        "compression_ratio_threshold": 1.0,
    },
    "long, failing, remembered": {
        **{**ONE_LONG, "temperature": (0.0, 0.4, 0.8), "logprob_threshold": -3.0, "condition_on_prev_tokens": True},
    },
    "long, silent": {
        **{**ONE_LONG, "temperature": (0.0, 0.4), "logprob_threshold": -2.0, "no_speech_threshold": 0.0023},
    },
    "long, sampling": {**LONG_SHORT, "temperature": 1.0},
    "long, several samples": {**LONG_SHORT, "temperature": 1.0, "do_sample": True, "num_return_sequences": 2},
    "long, times of tokens": {**LONG_SHORT, "return_token_timestamps": True},
    "long, times of tokens, remembered": {
        **{**LONG_SHORT, "return_token_timestamps": True, "condition_on_prev_tokens": True},
    },
    "long, everything": {**LONG_SHORT, "return_dict_in_generate": True, "return_timestamps": True},
}
OF_ENGLISH: dict[str, dict[str, Any]] = {
    "short": {},
    "times": {"return_timestamps": True, "return_segments": True},
    "long": LONG_BATCH,
    "long, remembered": {**LONG_BATCH, "condition_on_prev_tokens": True},
    "forced ids": {"forced_decoder_ids": [[1, NO_TIMES]]},
    "beams": {"num_beams": 2},
}


def written(model: Any, asked: dict[str, Any]) -> Any:
    """By this model; the incumbent takes no forced_decoder_ids but those in its settings."""
    torch.manual_seed(5)
    asked = {"input_features": SHORT, **asked}
    if "forced_decoder_ids" in asked and isinstance(model, transformers.PreTrainedModel):
        asked["generation_config"] = transformers.GenerationConfig()
        asked["generation_config"].forced_decoder_ids = asked.pop("forced_decoder_ids")
    return model.generate(**asked)


# What the incumbent also hands out, as it records all attention to time tokens; nabi reads the text a second time.
ONLY_THERE = {"past_key_values"}
WITH_TIMES_ONLY_THERE = {"encoder_attentions", "decoder_attentions", "cross_attentions"}


def assert_same(ours: Any, theirs: Any, where: str = "") -> None:
    if isinstance(theirs, dict):
        left_out = ONLY_THERE | (WITH_TIMES_ONLY_THERE if "token_timestamps" in theirs else set())
        expected = {name for name, value in theirs.items() if value is not None} - left_out
        assert {name for name, value in ours.items() if value is not None} == expected, where
        for name in expected:
            assert_same(ours[name], theirs[name], f"{where}.{name}")
    elif isinstance(theirs, Tensor):
        assert ours.shape == theirs.shape, f"{where}: {tuple(ours.shape)}, {tuple(theirs.shape)} expected"
        if theirs.is_floating_point():
            torch.testing.assert_close(ours.to(theirs.dtype), theirs, atol=1e-4, rtol=0, msg=lambda m: f"{where}: {m}")
        else:
            assert ours.tolist() == theirs.tolist(), where
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), f"{where}: {len(ours)} entries, {len(theirs)} expected"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(a, b, f"{where}[{i}]")
    else:
        assert ours == theirs, where


@pytest.mark.parametrize("asked", CASES.values(), ids=CASES)
def test_the_same_texts_segments_and_times_are_written(asked: dict[str, Any]) -> None:
    oracle, model = pair()
    theirs = written(oracle, asked)
    assert_same(written(model, asked), theirs)


@pytest.mark.parametrize("asked", OF_ENGLISH.values(), ids=OF_ENGLISH)
def test_a_model_of_english_writes_the_same(asked: dict[str, Any]) -> None:
    oracle, model = pair("English")
    assert_same(written(model, asked), written(oracle, asked))


# --- each text by itself: where the incumbent mixes up the rows of a batch -------------------------------------------


def texts_of(written: Any) -> list[list[list[int]]]:
    return [[segment["tokens"].tolist() for segment in segments] for segments in written["segments"]]


def alone(model: Any, **asked: Any) -> Any:
    """Each sound of the long batch by itself, cut to its length."""
    found = [
        model.generate(LONG[row : row + 1, :, :length], return_segments=True, max_new_tokens=12, **asked)
        for row, length in enumerate(LENGTHS)
    ]
    return [texts_of(each)[0] for each in found]


FAILING = {"temperature": (0.0, 0.0), "logprob_threshold": -2.0, "no_speech_threshold": 0.0023}


@pytest.mark.parametrize(
    "asked",
    [{}, {"num_beams": 3}, FAILING, {**FAILING, "condition_on_prev_tokens": True, "prompt_ids": PROMPT}],
    ids=["greedy", "beams", "failing and silent", "remembered"],
)
def test_a_sound_is_written_as_it_would_be_alone(asked: dict[str, Any]) -> None:
    model = pair()[1]
    assert texts_of(model.generate(**LONG_SHORT, **asked)) == alone(model, **asked)


def test_silent_windows_are_left_out_and_the_others_are_written() -> None:
    oracle, model = pair()
    thresholds = {"logprob_threshold": -2.0, "no_speech_threshold": 0.0023}
    ours, theirs = (each.generate(**ONE_LONG, temperature=0.0, **thresholds) for each in (oracle, model))
    assert texts_of(ours) == texts_of(theirs)
    assert 0 < len(texts_of(theirs)[0]) < len(texts_of(model.generate(**ONE_LONG))[0])
    nothing = model.generate(**LONG_SHORT, temperature=0.0, logprob_threshold=0.0, no_speech_threshold=0.0)
    assert nothing["sequences"].shape == (3, 0) and nothing["sequences"].dtype == torch.long
    assert nothing["segments"] == [[], [], []]


def test_without_a_threshold_for_likelihood_silence_alone_decides() -> None:
    written = pair()[1].generate(**LONG_SHORT, no_speech_threshold=0.0)
    assert written["segments"] == [[], [], []]


def test_thresholds_may_stand_in_a_generation_config() -> None:
    model = pair()[1]
    config = nabi.GenerationConfig.from_dict({"logprob_threshold": 0.0, "no_speech_threshold": 0.0})
    assert model.generate(**LONG_SHORT, generation_config=config)["segments"] == [[], [], []]


def test_beams_come_back_after_a_window_that_was_sampled() -> None:
    """The incumbent goes on without them for good."""
    model = pair()[1]
    asked = {"num_beams": 3, "temperature": (0.0, 1e-4), "compression_ratio_threshold": 0.0}
    greedy = texts_of(model.generate(**{**ONE_LONG, "temperature": 0.0}))
    assert texts_of(model.generate(**ONE_LONG, **asked)) == greedy  # every window fails: sampled, as good as greedy
    asked["compression_ratio_threshold"] = 99.0
    assert texts_of(model.generate(**ONE_LONG, **asked)) == texts_of(model.generate(**ONE_LONG, num_beams=3))


def test_two_times_of_zero_do_not_hold_the_window_where_it_is() -> None:
    def only_zero(ids: Tensor, scores: Tensor) -> Tensor:
        return torch.full_like(scores, -torch.inf).index_fill(1, torch.tensor([FIRST_TIME]), 0.0)

    written = pair()[1].generate(SHORT, language="en", logits_processor=[only_zero], max_new_tokens=3)
    assert written.tolist() == [[FIRST_TIME] * 3] * 3


# --- the encoder, languages, the ways to call ------------------------------------------------------------------------


def test_the_encoder_hears_each_window_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = pair()[1]
    heard: list[Any] = []
    handle = model.get_encoder().register_forward_pre_hook(
        lambda module, args, kwargs: heard.append(args[0] if args else kwargs["input_features"]), with_kwargs=True
    )
    model.generate(SHORT, temperature=(0.0, 0.5, 1.0), logprob_threshold=0.0, num_return_sequences=2, max_new_tokens=4)
    model.generate(SHORT, num_beams=4, max_new_tokens=4, return_token_timestamps=True, **NO_TIME)
    handle.remove()
    assert [len(each) for each in heard[-1:]] == [3] and len(heard) == len({each.sum().item() for each in heard}) + 1


@pytest.mark.parametrize("features", [SHORT, LONG], ids=["short", "long"])
def test_the_same_languages_are_heard(features: Tensor) -> None:
    oracle, model = pair()
    theirs = oracle.detect_language(features, num_segment_frames=WINDOW)
    assert model.detect_language(features).tolist() == theirs.tolist()
    heard = model.get_encoder()(features[..., :WINDOW])
    assert model.detect_language(encoder_outputs=heard).tolist() == theirs.tolist()


def test_what_the_encoder_gave_may_take_the_place_of_the_sound() -> None:
    model = pair()[1]
    expected = model.generate(SHORT, **NO_TIME)
    heard = model.get_encoder()(SHORT)
    for given in (heard, heard.last_hidden_state, (heard.last_hidden_state,)):
        assert model.generate(encoder_outputs=given, **NO_TIME).tolist() == expected.tolist()


def test_older_names_of_arguments_work() -> None:
    model = pair()[1]
    assert model.generate(inputs=SHORT).tolist() == model.generate(SHORT).tolist()
    by_name = model.generate(SHORT, return_token_timestamps=True, num_frames=[40, 22, 31], **NO_TIME)
    by_mask = model.generate(SHORT, return_token_timestamps=True, attention_mask=SHORT_MASK, **NO_TIME)
    assert torch.equal(by_name["token_timestamps"], by_mask["token_timestamps"])
    ids = model.generate(SHORT, prompt_ids=PROMPT.numpy())
    assert ids.tolist() == model.generate(SHORT, prompt_ids=PROMPT.tolist()).tolist()
    assert model.generate(SHORT, num_segment_frames=WINDOW).tolist() == model.generate(SHORT).tolist()


def test_a_texts_first_ids_may_be_given() -> None:
    oracle, model = pair()
    given = torch.tensor([[START, GERMAN, TRANSCRIBE, NO_TIMES, 40, 41]] * 3)
    theirs = oracle.generate(SHORT, decoder_input_ids=given, **NO_TIME)
    assert model.generate(SHORT, decoder_input_ids=given, **NO_TIME).tolist() == theirs.tolist()


def test_words_stands_for_times_and_times_of_tokens() -> None:
    model = pair()[1]
    both = model.generate(SHORT, return_timestamps=True, return_token_timestamps=True)
    assert_same(model.generate(SHORT, return_timestamps="word"), both)


def test_progress_is_told_before_each_window_and_a_streamer_gets_the_tokens() -> None:
    oracle, model = pair()
    told: dict[str, list[Any]] = {"ours": [], "theirs": []}
    model.generate(**LONG_SHORT, monitor_progress=lambda seen: told["ours"].append(seen.tolist()))
    oracle.generate(**LONG_SHORT, monitor_progress=lambda seen: told["theirs"].append(seen.tolist()))
    assert told["ours"] == told["theirs"] and len(told["ours"]) > 3

    class Listener:
        seen: list[int] = []
        ends = 0

        def put(self, value: Tensor) -> None:
            self.seen += value.flatten().tolist()

        def end(self) -> None:
            self.ends += 1

    listener = Listener()
    text = model.generate(SHORT[:1], language="ko", streamer=listener, max_new_tokens=6, **NO_TIME)
    assert listener.seen == [START, 85, TRANSCRIBE, NO_TIMES, *text[0].tolist()] and listener.ends == 1


def test_own_processors_learn_where_the_text_begins_and_own_criteria_end_it() -> None:
    model = pair()[1]
    begins = []

    class Mine(nabi.LogitsProcessor):
        def set_begin_index(self, place: int) -> None:
            begins.append(place)

        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            return scores

    ids = model.generate(
        SHORT,
        language="ko",
        prompt_ids=PROMPT,
        logits_processor=[Mine()],
        stopping_criteria=[lambda ids, scores: torch.full((len(ids),), ids.shape[1] >= 12)],
        **NO_TIME,
    )
    assert begins == [8] and ids.shape == (3, 4)


@pytest.mark.parametrize("head", ["ForConditionalGeneration", "ForCausalLM"])
@pytest.mark.parametrize("asked", [{"language": "en", **NO_TIME}, {"return_timestamps": True}], ids=["text", "times"])
def test_an_assistant_changes_nothing_whether_it_listens_itself_or_not(head: str, asked: dict[str, Any]) -> None:
    model = pair()[1]
    torch.manual_seed(9)
    assistant = getattr(nabi, f"Whisper{head}")(nabi.WhisperConfig(**{**CONFIG, "decoder_layers": 1})).eval()
    for features in (SHORT[:1], LONG[:1]) if "return_timestamps" in asked else (SHORT[:1],):
        alone = model.generate(features, **asked)
        assert model.generate(features, assistant_model=assistant, **asked).tolist() == alone.tolist()


def test_a_model_in_half_precision_writes_too() -> None:
    model = nabi.WhisperForConditionalGeneration(nabi.WhisperConfig(**CONFIG)).eval().to(torch.bfloat16)
    model.generation_config = pair()[1].generation_config
    written = model.generate(
        **LONG_SHORT, return_token_timestamps=True, logprob_threshold=-1.0, no_speech_threshold=0.9
    )
    assert len(written["segments"]) == 3


def test_the_callers_settings_stay_as_they_are() -> None:
    model = pair()[1]
    before = model.generation_config.to_dict()
    model.generate(**LONG_SHORT, language="ko", task="translate", temperature=0.5)
    assert model.generation_config.to_dict() == before


# --- places, and times of tokens -------------------------------------------------------------------------------------


def test_places_of_a_targets_ids_may_be_given() -> None:
    oracle, model = pair()
    ids = torch.randint(5, 80, (3, 7), generator=torch.Generator().manual_seed(2))
    mask = torch.tensor([[0, 0, 1, 1, 1, 1, 1], [1] * 7, [0, 1, 1, 1, 1, 1, 1]])
    inputs = {"decoder_input_ids": ids, "decoder_attention_mask": mask}
    inputs["decoder_position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.no_grad():
        theirs, ours = (each(input_features=SHORT, **inputs).logits for each in (oracle, model))
        counted = model(input_features=SHORT, decoder_input_ids=ids, decoder_attention_mask=mask).logits
    real = mask.bool()
    torch.testing.assert_close(ours[real], theirs[real], atol=1e-4, rtol=0)
    assert not torch.allclose(ours[real], counted[real], atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (6, 1), (4, 17), (12, 5), (30, 60)])
@pytest.mark.parametrize("ties", [False, True])
def test_the_cheapest_path_through_text_and_time_is_found(shape: tuple[int, int], ties: bool) -> None:
    costs = np.random.default_rng(sum(shape)).normal(size=shape)
    costs = costs.round() if ties else costs
    tokens, moments = _dynamic_time_warping(costs)
    assert warp(costs).tolist() == [moments[tokens == token].min() for token in range(shape[0])]


def test_a_lone_token_begins_with_its_window() -> None:
    """The incumbent divides by zero here, and gives it a time before the sound."""
    asked = {"return_token_timestamps": True, "max_new_tokens": 2, "language": "en", **NO_TIME}
    assert not pair()[1].generate(SHORT, **asked)["token_timestamps"].any()


# --- errors ----------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "language": (
        {"language": "koraen"},
        r"language='koraen' is unknown; did you mean 'korean'\? It knows german \(de\)",
    ),
    "language elsewhere": ({"language": "swahili"}, "language='swahili' is none of the 5 languages of this model"),
    "languages": ({"language": ["ko", "en"]}, "language holds 2 names, but there are 3 sounds"),
    "task": ({"task": "translat"}, r"task='translat' is unknown; did you mean 'translate'\?"),
    "times": ({"return_timestamps": "words"}, "return_timestamps is 'words'; expected True, False or 'word'"),
    "long without times": ({**LONG_BATCH, "return_timestamps": False}, "has 130 frames, more than the 40 .*=True"),
    "long without a mask": (
        {"input_features": LONG},
        "3 sounds are longer than a window of 40 frames, .* attention_mask",
    ),
    "mask": ({"attention_mask": MASK}, r"attention_mask is \(3, 130\); expected \(3, 40\)"),
    "bins": ({"input_features": SHORT[:, :4]}, r"has 4 mel bins \(shape \(3, 4, 40\)\), the model reads 6"),
    "turned": ({"input_features": SHORT.transpose(1, 2)}, "the model reads 6: its last two dimensions are in each"),
    "one sound": ({"input_features": SHORT[0]}, r"has shape \(6, 40\) .* expected log-mel features of shape"),
    "no sound": ({"input_features": SHORT[..., :0]}, "there is no sound in it"),
    "nothing": ({"input_features": None}, "writes down a sound: pass input_features"),
    "heard": (
        {"input_features": None, "encoder_outputs": torch.ones(3, 9, 32)},
        r"encoder_outputs has shape \(3, 9, 32\)",
    ),
    "prompt": ({"prompt_ids": torch.full((60,), 9)}, "64 tokens stand before the text, 60 of them in prompt_ids"),
    "prompt and text": (
        {"prompt_ids": torch.full((30,), 9), "max_new_tokens": 40},
        "34 tokens stand .* 30 of them in prompt_ids, and max_new_tokens is 40, but the model knows 64 positions",
    ),
    "prompts": ({"prompt_ids": PROMPT[None]}, r"prompt_ids has shape \(1, 4\) .*get_prompt_ids"),
    "prompt of another model": (
        {"prompt_ids": PROMPT + 50},
        "prompt_ids holds the id 140, but the model knows 0 to 113",
    ),
    "condition": ({"prompt_condition_type": "all"}, "expected 'first-segment' or 'all-segments'"),
    "condition alone": ({"prompt_condition_type": "all-segments"}, "pass condition_on_prev_tokens=True too"),
    "temperature": ({"temperature": (0.0, -1)}, r"temperature is \(0.0, -1\); expected a number from 0"),
    "window": ({"num_segment_frames": 3000}, "num_segment_frames is 3000, but the model hears 40 frames at once"),
    "forced": ({"forced_decoder_ids": [[1, 85], [3, 88]]}, "expected pairs .* for the places 1, 2, 3"),
    "streamed beams": ({"streamer": object(), "num_beams": 2}, "streamer"),
}


@pytest.mark.parametrize(("asked", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_refused_before_anything_is_computed(asked: dict[str, Any], message: str) -> None:
    model = pair()[1]
    computed: list[Any] = []
    handle = model.get_decoder().register_forward_pre_hook(lambda *_: computed.append(1))
    try:
        with pytest.raises(ValueError, match=message):
            written(model, {"language": "en", **asked} if "forced_decoder_ids" not in asked else asked)
    finally:
        handle.remove()
    assert not computed


def test_names_that_nobody_knows_are_type_errors() -> None:
    with pytest.raises(TypeError, match="langage"):
        pair()[1].generate(SHORT, langage="ko")
    with pytest.raises(TypeError, match="input_features is a list"):
        pair()[1].generate(SHORT.tolist())
    with pytest.raises(TypeError, match="language is 5; expected a name"):
        pair()[1].generate(SHORT, language=5)


def test_a_model_of_english_takes_no_language_and_no_task() -> None:
    model = pair("English")[1]
    for asked in ({"language": "en"}, {"task": "translate"}):
        with pytest.raises(ValueError, match="this one writes English only"):
            model.generate(SHORT, **asked)
        with pytest.raises(ValueError, match="which this checkpoint lacks"):
            model.generate(SHORT, is_multilingual=True, **asked)


def test_settings_that_a_checkpoint_lacks_are_named() -> None:
    torch.manual_seed(0)
    model = nabi.WhisperForConditionalGeneration(nabi.WhisperConfig(**CONFIG)).eval()
    assert model.generate(SHORT, max_new_tokens=3).shape == (3, 3)
    for asked, name in (
        ({"return_timestamps": True}, "no_timestamps_token_id"),
        ({"input_features": LONG[:1]}, "no_timestamps_token_id"),
        ({"no_speech_threshold": 0.5}, "no_timestamps_token_id"),
        ({"return_token_timestamps": True}, "alignment_heads"),
        ({"language": "ko"}, "lang_to_id"),
        ({"task": "translate"}, "task_to_id"),
    ):
        with pytest.raises(ValueError, match=f"generation_config.{name}"):
            model.generate(**{"input_features": SHORT, **asked})
    model.generation_config.alignment_heads = [[2, 0]]
    with pytest.raises(ValueError, match=r"alignment_heads holds \[2, 0\]; expected \[layer, head\], of 2 layers"):
        model.generate(SHORT, return_token_timestamps=True)


def test_drawing_without_a_temperature_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"do_sample=True without a temperature above 0 .* temperature=1.0"):
        pair()[1].generate(SHORT, do_sample=True, max_new_tokens=3)
