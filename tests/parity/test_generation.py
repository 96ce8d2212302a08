"""Every family that writes texts writes those of the incumbent: token by token, with the same scores."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

import nabi

from .cases import CASES, Case
from .pairs import assert_same, class_name, pair

ENDS = [7, 19, 21, 33, 40]  # so many that some texts of a batch end before the others
SETTINGS: dict[str, dict[str, Any]] = {
    "greedy": {"max_new_tokens": 7},
    "greedy without a cache": {"max_new_tokens": 4, "use_cache": False},
    "greedy with ends": {"max_new_tokens": 7, "eos_token_id": ENDS, "pad_token_id": 3, "repetition_penalty": 1.3},
    "sampling": {"max_new_tokens": 7, "do_sample": True, "temperature": 1.4, "top_k": 30, "top_p": 0.95},
    "several samples": {
        "max_new_tokens": 5,
        "do_sample": True,
        "num_return_sequences": 2,
        "eos_token_id": ENDS,
        "pad_token_id": 3,
    },
    "beams": {"max_new_tokens": 7, "num_beams": 4, "num_return_sequences": 2, "eos_token_id": ENDS[:2]},
    "beams, early": {
        "max_new_tokens": 7,
        "num_beams": 3,
        "early_stopping": True,
        "length_penalty": 0.0,
        "eos_token_id": ENDS,
        "pad_token_id": 3,
    },
    "beams, never early": {
        "max_new_tokens": 7,
        "num_beams": 3,
        "early_stopping": "never",
        "length_penalty": 1.7,
        "eos_token_id": ENDS,
        "no_repeat_ngram_size": 2,
    },
    "beams, short texts": {"max_new_tokens": 6, "num_beams": 2, "length_penalty": -1.0, "eos_token_id": ENDS},
    "beam sampling": {"max_new_tokens": 6, "num_beams": 3, "do_sample": True, "top_k": 20, "eos_token_id": ENDS[:3]},
}


# What the incumbent cannot do, or does otherwise: it keeps XLNet's memory with use_cache=False too.
WITHOUT_A_CACHE = {"llava-other": "it cannot read on where the model wrote an image token", "xlnet": "it keeps memory"}
# Whisper has a `generate` of its own; a short text makes BigBird change its attention for good; the last one's inputs
# name other positions.
LEFT_OUT = ("whisper", "big-bird", "xlnet-permuted")


def writers() -> list[tuple[Case, str]]:
    """The heads that write a text, in both libraries."""
    found = []
    for case in CASES:
        for head in case.heads:
            ours, theirs = (getattr(library, class_name(case, head), None) for library in (nabi, transformers))
            writes = ours.can_generate() and theirs is not None and issubclass(theirs, transformers.GenerationMixin)
            if writes and case.name not in LEFT_OUT:
                found.append((case, head))
    return found


WRITERS = writers()


def prompt(case: Case, head: str) -> dict[str, Any]:
    """Three texts of different lengths with padding before them, or sources of which a target is to be written."""
    inputs = case.inputs(head, "left" if "left" in case.sides else "right")
    inputs.pop("decoder_input_ids", None)
    if "pixel_values" not in inputs and case.kind != "seq2seq":
        inputs.update({name: inputs[name][:, -7:] for name in ("input_ids", "attention_mask")})
    return inputs


def written(model: Any, case: Case, head: str, settings: dict[str, Any]) -> Any:
    torch.manual_seed(11)
    inputs = {**prompt(case, head), "return_dict_in_generate": True, "output_scores": True, "output_logits": True}
    if model.config.is_encoder_decoder:
        inputs["decoder_start_token_id"] = 2
    if getattr(model.config, "output_router_logits", False):
        inputs["output_router_logits"] = False  # the incumbent cannot balance a second step
    return model.generate(**inputs, **settings)


def by_the_incumbent(oracle: Any, case: Case, head: str, settings: dict[str, Any]) -> Any:
    """Without a cache where its own fails: beside an encoder's output, or with a decoder deeper than the encoder."""
    crosses = case.keys.get("add_cross_attention") and case.kind != "seq2seq"
    if crosses or case.keys.get("num_decoder_layers", 0) > case.keys.get("num_layers", 0):
        settings = {**settings, "use_cache": False}
    return written(oracle, case, head, settings)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize(("case", "head"), WRITERS, ids=[f"{case.name}-{head}" for case, head in WRITERS])
def test_the_same_tokens_and_scores_are_written(case: Case, head: str, settings: dict[str, Any]) -> None:
    oracle, model, _ = pair(case, head)
    if "use_cache" in settings and case.name in WITHOUT_A_CACHE:
        pytest.skip(f"the incumbent: {WITHOUT_A_CACHE[case.name]}")
    theirs, ours = by_the_incumbent(oracle, case, head, settings), written(model, case, head, settings)
    assert ours.sequences.tolist() == theirs.sequences.tolist()
    assert len(ours.scores) == len(theirs.scores)
    for name in ("scores", "logits"):
        for step, (a, b) in enumerate(zip(ours[name], theirs[name], strict=True)):
            hidden = b == -torch.inf
            assert bool(((a == -torch.inf) == hidden).all()), (name, step)
            assert_same(case, {}, a.masked_fill(hidden, 0), b.masked_fill(hidden, 0), f"{name}[{step}]")
    if "num_beams" in settings:
        assert ours.beam_indices.tolist() == theirs.beam_indices.tolist()
        assert_same(case, {}, ours.sequences_scores, theirs.sequences_scores, "sequences_scores")


@pytest.mark.parametrize(("case", "head"), WRITERS, ids=[f"{case.name}-{head}" for case, head in WRITERS])
def test_a_text_alone_is_gone_on_with_as_the_incumbent_does(case: Case, head: str) -> None:
    """Without a mask, which is told where there is padding."""
    oracle, model, _ = pair(case, head)
    if case.keys.get("add_cross_attention") or case.kind == "image" or "pixel_values" in prompt(case, head):
        pytest.skip("reads more than a text")
    given = {"input_ids": prompt(case, head)["input_ids"][:1], "max_new_tokens": 6, "eos_token_id": None}
    if model.config.is_encoder_decoder:
        given["decoder_start_token_id"] = 2
    if case.keys.get("num_decoder_layers", 0) > case.keys.get("num_layers", 0):
        given["use_cache"] = False  # the incumbent's cache is as deep as the encoder
    if getattr(model.config, "output_router_logits", False):
        given["output_router_logits"] = False
    assert model.generate(**given).tolist() == oracle.generate(**given).tolist()
