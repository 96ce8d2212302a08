"""One window of the sound: written down, judged, written again at a higher temperature, cut into segments."""

from __future__ import annotations

import copy
import math
import zlib
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..generate import generate
from ..processors import WhisperTimeStampLogitsProcessor
from .alignment import token_times
from .ear import STRIDE, rows_of
from .rows import row_of

CALM = 0.5  # below this temperature a text is a good beginning for the next one


@dataclass
class Manner:
    """How all windows of one call are written down."""

    model: Any
    settings: Any
    temperatures: list[float | None]
    too_repetitive: float | None  # compression_ratio_threshold
    too_unlikely: float | None  # logprob_threshold
    too_silent: float | None  # no_speech_threshold
    remembers: bool  # whether a window reads what was said before it
    token_times: bool
    step: float  # seconds for each time token
    processors: list[Any] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)  # for `generate`, by name

    @property
    def first_time(self) -> int:
        """The id of <|0.00|>; without one it is behind all ids."""
        without = self.settings.no_timestamps_token_id
        return self.model.config.vocab_size + 1 if without is None else without + 1


@dataclass
class Written:
    """A row's text of one window: the new tokens without the end of the text; result, what the call gave for it."""

    tokens: Tensor
    result: Any
    kind: type
    fails: bool = False
    silent: bool = False
    calm: bool = True


def write(
    manner: Manner,
    heard: Any,
    ids: Tensor,
    mask: Tensor | None,
    *,
    sound: Tensor | None,
    frames: list[int] | None,
    silence: Tensor | None,
) -> list[Written]:
    """Write down what was heard behind ids (rows, length), each row at the first temperature at which it does not fail.

    heard: the encoder's output, a row for each of the ids. mask (rows, length): 0 at padding before the ids. sound:
    the windows themselves, for an assistant that listens too. frames: how many of each window are no padding. silence
    (rows,): how likely it is that nobody speaks.
    """
    written: dict[int, Written] = {}
    going = list(range(len(ids)))
    for temperature in manner.temperatures:
        some_ids, some_heard = ids[going], rows_of(heard, going)
        some_mask = None if mask is None else mask[going]
        some_sound = None if sound is None else sound[going]
        output = _call(manner, some_heard, some_ids, some_mask, some_sound, temperature)
        if manner.token_times:
            output["token_timestamps"] = token_times(
                manner.model,
                output["sequences"],
                some_mask,
                some_heard,
                None if frames is None else [frames[row] for row in going],
                manner.settings,
                prompt=ids.shape[1],
                step=manner.step,
            )
        for place, row in enumerate(going):
            silent = None if silence is None else float(silence[row])
            written[row] = _judged(manner, output, place, ids.shape[1], temperature, silent)
        going = [row for row in going if written[row].fails]
        if not going:
            break
    return [written[row] for row in range(len(ids))]


def _call(
    manner: Manner, heard: Any, ids: Tensor, mask: Tensor | None, sound: Tensor | None, temperature: float | None
) -> Any:
    settings = copy.deepcopy(manner.settings)
    settings.do_sample = bool(temperature)
    settings.temperature = temperature or 1.0
    if settings.do_sample:
        settings.num_beams = 1  # beams are for the likeliest text
    processors: list[Any] = list(manner.processors)
    if settings.return_timestamps:
        processors.insert(0, WhisperTimeStampLogitsProcessor(settings, begin_index=ids.shape[1]))
    for each in processors:
        if hasattr(each, "set_begin_index"):
            each.set_begin_index(ids.shape[1])
    return generate(
        manner.model,
        sound,
        generation_config=settings,
        logits_processor=processors,
        encoder_outputs=heard,
        decoder_input_ids=ids,
        decoder_attention_mask=mask,
        **manner.given,
    )


def _judged(
    manner: Manner, output: Any, place: int, prompt: int, temperature: float | None, silence: float | None
) -> Written:
    """The text in this place of a call's output, whether it fails, and whether it is no text but silence."""
    ids = output if isinstance(output, Tensor) else output["sequences"]
    result = row_of(output, place)
    ended = _through_end(ids[place, prompt:], manner.settings)
    fails = manner.too_repetitive is not None and repetitiveness(ended, manner.model) > manner.too_repetitive
    unlikely = True
    if manner.too_unlikely is not None:
        unlikely = likelihood(result["scores"], ended, temperature) < manner.too_unlikely
        fails = fails or unlikely
    silent = silence is not None and unlikely and manner.too_silent is not None and silence > manner.too_silent
    ends = len(ended) and int(ended[-1]) in manner.settings.eos
    return Written(
        tokens=ended[:-1] if ends else ended,
        result=result,
        kind=type(output),
        fails=fails and not silent,
        silent=silent,
        calm=temperature is None or temperature < CALM,
    )


def _through_end(tokens: Tensor, settings: Any) -> Tensor:
    """Up to the token that ends the text, without the padding behind it."""
    ends = torch.isin(tokens, torch.tensor(settings.eos, dtype=tokens.dtype, device=tokens.device)).nonzero()
    return tokens[: int(ends[0]) + 1] if len(ends) else tokens


def repetitiveness(tokens: Tensor, model: Any) -> float:
    """How much shorter zlib makes the tokens, as bytes: texts that go round in circles shrink a lot."""
    size = int(math.log2(model.config.vocab_size) / 8) + 1
    plain = b"".join(token.to_bytes(size, "little") for token in tokens.tolist())
    return len(plain) / len(zlib.compress(plain))


def likelihood(scores: list[Tensor], tokens: Tensor, temperature: float | None) -> float:
    """The mean log-probability of the tokens, at temperature 1; scores: (vocabulary,) for each step."""
    steps = torch.stack(scores[: len(tokens)]) * (temperature or 1.0)
    chosen = tokens[-len(steps) :, None].to(steps.device)
    each = steps.float().log_softmax(dim=-1).gather(-1, chosen)
    return float(sum(each.flatten()) / len(chosen))


def silence_of(manner: Manner, heard: Any, ids: Tensor, mask: Tensor | None, start: int) -> Tensor:
    """(rows,): how likely the token for silence, that before <|notimestamps|>, is in the place behind ids[:, start]."""
    ids, mask = ids[:, : start + 1], None if mask is None else mask[:, : start + 1]
    model = manner.model
    made = model.prepare_inputs_for_generation(ids, decoder_attention_mask=mask, encoder_outputs=heard, use_cache=False)
    scores = model(**made, return_dict=True).logits[:, -1]
    return scores.float().softmax(dim=-1)[:, manner.first_time - 2]


def segments_of(
    written: Written, manner: Manner, *, begin: float, frames: int, prompt: int, frame: float
) -> tuple[list[dict[str, Any]], int]:
    """The segments of a window's text, each between two times, and how many frames of the window are done with them.

    begin: seconds at which the window begins; frames: how many of it are sound; prompt: ids before the text; frame:
    what a frame lasts, in seconds. Two times side by side end a segment and begin the next. What is behind the last
    such pair was cut in mid-sentence by the window's end, and is heard again in the next window.
    """
    tokens, first = written.tokens, manner.first_time
    is_time = [token >= first for token in tokens.tolist()]
    pairs = [i for i in range(1, len(is_time)) if is_time[i - 1] and is_time[i]]
    if not pairs:
        end = float(int(torch.tensor(frames) * frame / manner.step))
        last = max((i for i, each in enumerate(is_time) if each), default=-1)
        if last >= 0 and int(tokens[last]) != first:
            end = float(tokens[last]) - first
        return [_segment(written, manner, (0, len(tokens)), begin, prompt, 0.0, end)], frames
    # A single time at the end: nobody speaks any more. Otherwise the last segment takes both times of its pair.
    quiet = is_time[-2:] == [False, True]
    ends = [*pairs, len(tokens)] if quiet else [*pairs[:-1], pairs[-1] + 1]
    segments = []
    for start, end in zip([0, *ends], ends, strict=False):
        last = end - 2 if end == ends[-1] and not quiet else end - 1
        times = (float(tokens[start]) - first, float(tokens[last]) - first)
        segments.append(_segment(written, manner, (start, end), begin, prompt, *times))
    done = frames if quiet else (int(tokens[ends[-1] - 2]) - first) * STRIDE
    return segments, done if done > 0 else frames


def _segment(
    written: Written, manner: Manner, part: tuple[int, int], begin: float, prompt: int, start: float, end: float
) -> dict[str, Any]:
    """A part of the tokens, from `start` to `end` time tokens behind the begin of the window."""
    shifted = (prompt + part[0], prompt + part[1])
    segment = {
        "start": torch.tensor(begin + start * manner.step, dtype=torch.float64),
        "end": torch.tensor(begin + end * manner.step, dtype=torch.float64),
        "tokens": written.tokens[slice(*part)],
        "idxs": shifted,
        "result": written.result,
    }
    if manner.token_times:
        segment["token_timestamps"] = written.result["token_timestamps"][slice(*shifted)] + begin
    return segment
