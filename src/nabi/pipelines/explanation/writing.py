"""A call of generate, watched: as it is, with its scores and beams kept; and what the model needs to read it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ...generation.generate import count_lengths, settle
from ...generation.prompt import Prompt
from ...nn.generating import SpeechGenerationMixin
from .beams import BeamWatch
from .seen import Pass, Seen, Writing

SAME = 1e-2  # half precision, too, takes other ways for one step and for many


def generate_watched(seen: Seen, model: Any, own: Callable[..., Any]) -> Callable[..., Any]:
    """generate as it is, with its scores and its beams kept; of speech, which is written window by window, the first
    window's tokens."""

    def of_speech(*args: Any, **options: Any) -> Any:
        seen.generating = True
        try:
            out = own(*args, **{**options, "return_segments": True})
        finally:
            seen.generating = False
        heard = args[0] if args else options["input_features"]
        if out["segments"][0]:
            seen.wrote.append(window_of(model, heard, options, out["segments"][0][0]))
        if heard.shape[-1] > window_length(model):
            seen.missing.append("tokens of later windows: the sound is longer than what the model hears at once")
        asked = ("return_segments", "return_dict_in_generate", "return_token_timestamps")
        return out if any(options.get(name) for name in asked) else out["sequences"]

    def generate(inputs: Any = None, generation_config: Any = None, **options: Any) -> Any:
        seen.generating = True
        try:
            settings, rest = settle(model, generation_config, dict(options))
            beams = BeamWatch(settings)
            out = own(
                inputs,
                generation_config,
                **{
                    **options,
                    "return_dict_in_generate": True,
                    "output_scores": True,
                    "output_logits": True,
                    "stopping_criteria": [*(options.get("stopping_criteria") or []), beams],
                },
            )
        finally:
            seen.generating = False
        given = rest if inputs is None else {**rest, first_input(model): inputs}
        seen.wrote.append(writing_of(model, given, settings, out, beams))
        return out if settings.return_dict_in_generate else out.sequences

    return of_speech if isinstance(model, SpeechGenerationMixin) else generate


def window_of(model: Any, heard: Tensor, options: dict[str, Any], segment: dict[str, Any]) -> Writing:
    """What a model of speech wrote in its first window."""
    settings, _ = settle(model, options.get("generation_config"), dict(options))
    row = segment["result"]["sequences"] if isinstance(segment["result"], Mapping) else segment["result"]
    window = heard[:1, :, : window_length(model)]
    return Writing({"input_features": window}, settings, row, segment["idxs"][0], (), BeamWatch(settings))


def window_length(model: Any) -> int:
    """How many frames of sound such a model hears at once."""
    return 2 * int(model.config.max_source_positions)


def first_input(model: Any) -> str:
    """The name of what generate's first argument is."""
    return model.get_encoder().main_input_name if model.config.is_encoder_decoder else model.main_input_name


def writing_of(model: Any, given: dict[str, Any], settings: Any, out: Any, beams: BeamWatch) -> Writing:
    takes = model._arguments()
    inputs = {name: value for name, value in given.items() if name in takes and isinstance(value, Tensor)}
    ids = out.sequences[0]
    start = beams.start
    count_lengths(model, settings, Prompt(ids[None, :start], {}, ids))
    ends = [place for place in range(start, len(ids)) if int(ids[place]) in settings.eos]
    if ends:
        ids = ids[: ends[0] + 1]
    scores = () if settings.num_beams > 1 else tuple(step[0] for step in out.scores or ())
    first = out.logits[0][0] if out.logits else None
    return Writing(inputs, settings, ids, start, scores[: len(ids) - start], beams, first)


def shows_the_steps(one: Pass) -> bool:
    """Whether one pass over everything says what the model said step by step: not if it looks ahead, as BERT does, or
    marks the place to be filled, as XLNet does."""
    writing = one.writing
    if writing is None or writing.first is None:
        return True
    again = one.outputs["logits"][0, writing.start - 1]
    return bool(torch.allclose(again.float(), writing.first.float(), atol=SAME, rtol=SAME))


def inputs_up_to(model: Any, writing: Writing, length: int) -> dict[str, Any]:
    """The model's inputs with the first `length` of the prompt's and the written tokens."""
    ids = writing.ids[None, :length]
    inputs = {name: value[:1] for name, value in writing.inputs.items() if name not in ("position_ids", "use_cache")}
    if model.config.is_encoder_decoder:
        inputs.pop("decoder_attention_mask", None)
        return {**inputs, "decoder_input_ids": ids}
    for name in ("attention_mask", "token_type_ids"):
        if name in inputs:
            lacking = length - inputs[name].shape[1]
            last = inputs[name][:, -1:] if name == "token_type_ids" else inputs[name].new_ones(1, 1)
            inputs[name] = torch.cat((inputs[name], last.expand(1, max(lacking, 0))), dim=1)[:, :length]
    if "position_ids" in model._arguments():  # as generate counts them, whatever the family counts by itself
        mask = inputs.get("attention_mask", torch.ones_like(ids))
        inputs["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
    return {**inputs, "input_ids": ids}
