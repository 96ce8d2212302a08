"""GenerationConfig: where its values come from, how it is written, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import transformers

from nabi import BartConfig, GenerationConfig, GPT2Config, GPT2LMHeadModel

from ..nn.tiny import ids, make


def test_the_defaults_are_those_that_people_know() -> None:
    config = GenerationConfig()
    known = {"max_length": 20, "num_beams": 1, "do_sample": False, "temperature": 1.0, "top_k": 50, "top_p": 1.0}
    assert {name: getattr(config, name) for name in known} == known
    assert not config.given and config.to_diff_dict() == {}


def test_what_was_set_is_written_and_read_back(tmp_path: Path) -> None:
    config = GenerationConfig(max_new_tokens=5, eos_token_id=[1, 2], exponential_decay_length_penalty=(3, 1.1))
    config.sequence_bias = {(1, 2): -3.0}
    config.save_pretrained(tmp_path)
    assert set(json.loads((tmp_path / "generation_config.json").read_text())) == {
        *("max_new_tokens", "eos_token_id", "exponential_decay_length_penalty", "sequence_bias")
    }
    again = GenerationConfig.from_pretrained(tmp_path, top_k=3)
    assert (again.max_new_tokens, again.eos_token_id, again.top_k) == (5, [1, 2], 3)
    assert again.exponential_decay_length_penalty == (3, 1.1) and again.sequence_bias == [[[1, 2], -3.0]]


def test_the_incumbent_reads_the_file_and_nabi_reads_its(tmp_path: Path) -> None:
    GenerationConfig(max_new_tokens=5, do_sample=True, temperature=0.5).save_pretrained(tmp_path)
    theirs = transformers.GenerationConfig.from_pretrained(tmp_path)
    assert (theirs.max_new_tokens, theirs.do_sample, theirs.temperature) == (5, True, 0.5)
    theirs.num_beams = 3
    theirs.save_pretrained(tmp_path)
    assert GenerationConfig.from_pretrained(tmp_path).num_beams == 3


def test_keys_of_a_file_that_nobody_here_knows_are_kept(tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text('{"max_length": 9, "chat_format": "x", "top_k": null}')
    config = GenerationConfig.from_pretrained(tmp_path)
    assert config.chat_format == "x" and config.top_k == 50 and "chat_format" in config.to_diff_dict()


def test_an_old_config_holds_the_settings_too() -> None:
    config = BartConfig(max_length=142, num_beams=4, no_repeat_ngram_size=3, forced_eos_token_id=2)
    settings = GenerationConfig.from_model_config(config)
    assert (settings.max_length, settings.num_beams, settings.no_repeat_ngram_size) == (142, 4, 3)
    assert settings.forced_eos_token_id == settings.eos_token_id == settings.decoder_start_token_id == 2


def test_settings_changed_on_the_models_config_count() -> None:
    model: Any = make("gpt2", "LMHeadModel")
    assert model.generation_config.max_length == 20
    model.config.max_length = 9  # as it was done before the settings had a file
    assert model.generation_config.max_length == 9 and model.generate(ids()).shape[1] == 9
    model.generation_config.max_length = 8
    assert model.generate(ids()).shape[1] == 8
    assert (
        GPT2LMHeadModel(GPT2Config(**{**model.config.to_dict(), "max_length": 12})).generation_config.max_length == 12
    )


def test_a_models_file_of_settings_is_loaded_and_saved(tmp_path: Path) -> None:
    model: Any = make("gpt2", "LMHeadModel")
    model.generation_config = GenerationConfig(max_new_tokens=3, eos_token_id=1, pad_token_id=0)
    model.save_pretrained(tmp_path)
    again = GPT2LMHeadModel.from_pretrained(tmp_path)
    assert again.generation_config == model.generation_config
    (tmp_path / "generation_config.json").write_text('{"num_beams": "four"}')
    with pytest.raises(ValueError, match="num_beams is 'four'; expected a whole number from 1"):
        GPT2LMHeadModel.from_pretrained(tmp_path).generate(ids())


def test_a_call_counts_before_a_config_before_the_models() -> None:
    model: Any = make("gpt2", "LMHeadModel")
    model.generation_config.update(max_new_tokens=2, eos_token_id=None)
    given = GenerationConfig(max_new_tokens=4)
    assert model.generate(ids()).shape[1] == 7 + 2
    assert model.generate(ids(), given).shape[1] == 7 + 4
    assert model.generate(ids(), generation_config=given, max_new_tokens=5).shape[1] == 7 + 5
    assert given.max_new_tokens == 4 and model.generation_config.max_new_tokens == 2


def test_misspelt_settings_are_errors_that_name_the_nearest() -> None:
    with pytest.raises(TypeError, match="'max_new_token'; did you mean 'max_new_tokens'"):
        GenerationConfig(max_new_token=3)
    assert GenerationConfig().update(num_beams=2, nothing=3) == {"nothing": 3}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -0.5, "do_sample": True}, "temperature is -0.5; expected a number from 0"),
        ({"temperature": 0.0, "do_sample": True}, "for the likeliest tokens pass do_sample=False"),
        ({"top_p": 1.5}, "top_p is 1.5; expected a number from 0 to 1"),
        ({"top_k": -1}, "top_k is -1; expected a whole number from 0"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0; expected a whole number from 1"),
        ({"max_new_tokens": 3, "min_new_tokens": 4}, "min_new_tokens is 4, but max_new_tokens is 3"),
        ({"max_length": 3, "min_length": 4}, "min_length is 4, but max_length is 3"),
        ({"num_beams": 2, "num_return_sequences": 3}, "num_return_sequences is 3, but num_beams is 2"),
        ({"num_return_sequences": 3}, "do_sample is False, which writes one text: pass do_sample=True, or num_beams=3"),
        ({"num_beams": 4, "num_beam_groups": 3, "diversity_penalty": 1.0}, "which 3 beam groups do not divide"),
        ({"num_beams": 4, "num_beam_groups": 2}, "pass a diversity_penalty above 0"),
        ({"diversity_penalty": 0.5}, "but there is one beam group"),
        ({"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 1.0, "do_sample": True}, "without sampling"),
        ({"force_words_ids": [[1]]}, "force_words_ids and constraints need beams"),
        ({"force_words_ids": [[1]], "num_beams": 2, "do_sample": True}, "are for plain beam search"),
        ({"penalty_alpha": 0.6, "num_beams": 2}, "penalty_alpha asks for contrastive search, which has no beams"),
        ({"early_stopping": "sometimes"}, "early_stopping is 'sometimes'; expected True, False or 'never'"),
        ({"repetition_penalty": 0.0}, "repetition_penalty is 0.0; expected a number above 0"),
        ({"cache_implementation": "quantized"}, "cache_implementation is 'quantized'; known are dynamic"),
        ({"dola_layers": "high"}, "dola_layers='high' is not supported"),
        ({"regex": "a", "response_format": {"type": "json_object"}}, "both say what the text must look like"),
    ],
    ids=str,
)
def test_settings_that_mean_nothing_or_contradict_each_other_are_refused(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        GenerationConfig(**settings).validate()
    with pytest.raises(ValueError, match=message):
        make("gpt2", "LMHeadModel").generate(ids(), **settings)
