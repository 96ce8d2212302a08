"""`generate` of Whisper: a sound of any length, window after window, until all of it is written down."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..generate import check_company, choose_search, prepare, settle
from ..prompt import check_ids, check_names
from .alignment import check_heads
from .asked import checked_temperatures, settle_times, settle_words, threshold_in
from .before import Before
from .beginning import beginnings
from .ear import STRIDE, Ear
from .rows import joined, padded
from .window import Manner, Written, segments_of, silence_of, write


@dataclass
class Row:
    """A text in the making. Frames count from the sound's begin: seek, those that are written down; end, all."""

    text: int  # the sound that it belongs to
    end: int
    sound: int | None  # frames that are no padding, where a mask says so
    remembers: bool
    seek: int = 0
    segments: list[dict[str, Any]] = field(default_factory=list)
    last: Written | None = None


@torch.no_grad()
def generate(
    model: Any,
    input_features: Tensor | None = None,
    generation_config: Any = None,
    logits_processor: Any = None,
    stopping_criteria: Any = None,
    prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]] | None = None,
    synced_gpus: bool | None = None,
    return_timestamps: bool | str | None = None,
    task: str | None = None,
    language: str | list[str] | None = None,
    is_multilingual: bool | None = None,
    prompt_ids: Any = None,
    prompt_condition_type: str | None = None,
    condition_on_prev_tokens: bool | None = None,
    temperature: float | tuple[float, ...] | list[float] | None = None,
    compression_ratio_threshold: float | None = None,
    logprob_threshold: float | None = None,
    no_speech_threshold: float | None = None,
    num_segment_frames: int | None = None,
    attention_mask: Tensor | None = None,
    time_precision: float = 0.02,
    time_precision_features: float = 0.01,
    return_token_timestamps: bool | None = None,
    return_segments: bool = False,
    return_dict_in_generate: bool | None = None,
    force_unique_generate_call: bool | None = None,
    monitor_progress: Callable[[Tensor], None] | None = None,
    *,
    inputs: Tensor | None = None,
    num_frames: Any = None,
    encoder_outputs: Any = None,
    decoder_input_ids: Tensor | None = None,
    **options: Any,
) -> Any:
    """Write down input_features (sounds, mel bins, frames): ids (texts, length), without their beginning and end token.

    Other settings are as everywhere (generation.generate), but tokens are drawn only if temperature is above 0.
    language: a name, a code, a token, or one for each sound; if None the model listens for it. return_timestamps "word"
    is True, and return_token_timestamps, by the alignment heads. prompt_ids (length,): what was said before.
    More frames than the model hears at once (3000, 30 seconds) are written window after window, always with times: the
    next one begins at the last time of the one before (arXiv:2212.04356, section 3.8). Sounds of different lengths need
    attention_mask (sounds, frames). Of several temperatures the next is tried where a text repeats itself
    (compression_ratio_threshold) or is unlikely (logprob_threshold); a window that is that and silent
    (no_speech_threshold) is left out. condition_on_prev_tokens: each window reads what was said before it.
    Returns ids; with return_segments, or return_token_timestamps, a dict with sequences, token_timestamps in seconds
    (texts, length), and segments, for each text a list of dicts (start, end, tokens, idxs, result); with
    return_dict_in_generate an output as in generation.outputs, but with times it is in the results of the segments.
    """
    settings, given = settle(model, generation_config, options)
    own = inspect.signature(prepare).parameters
    check_names(model, {name: value for name, value in given.items() if name not in own and value is not None})
    if return_timestamps not in (None, True, False, "word"):
        raise ValueError(f"return_timestamps is {return_timestamps!r}; expected True, False or 'word'")
    token_times = bool(return_token_timestamps) or return_timestamps == "word"
    threshold = threshold_in(generation_config, settings)
    wants_dict = settings.return_dict_in_generate if return_dict_in_generate is None else return_dict_in_generate
    manner = Manner(
        model,
        settings,
        temperatures=checked_temperatures(temperature, settings),
        too_repetitive=threshold("compression_ratio_threshold", compression_ratio_threshold),
        too_unlikely=threshold("logprob_threshold", logprob_threshold),
        too_silent=threshold("no_speech_threshold", no_speech_threshold),
        remembers=bool(threshold("condition_on_prev_tokens", condition_on_prev_tokens)),
        token_times=token_times,
        step=time_precision,
        processors=list(logits_processor or []),
        given={
            **given,
            "stopping_criteria": stopping_criteria,
            "prefix_allowed_tokens_fn": prefix_allowed_tokens_fn,
            "synced_gpus": synced_gpus,
        },
    )
    settings.return_dict_in_generate = bool(wants_dict) or token_times or manner.too_unlikely is not None
    settings.output_scores = settings.output_scores or token_times or manner.too_unlikely is not None
    settings.validate()
    search = choose_search(settings, given.get("assistant_model"))
    check_company(model, settings, search, streamer=given.get("streamer"), tokenizer=given.get("tokenizer"))

    ear = Ear(model, settings, inputs if input_features is None else input_features, encoder_outputs)
    long = ear.frames > ear.window
    if num_segment_frames not in (None, ear.window):
        raise ValueError(f"num_segment_frames is {num_segment_frames}, but the model hears {ear.window} frames at once")
    settle_times(manner, return_timestamps, ear, long)
    settle_words(settings, language, task, is_multilingual)
    if token_times:
        check_heads(model, settings.alignment_heads)
    starts = beginnings(settings, model.config, ear.texts)
    rows = _rows(ear, long, attention_mask, num_frames, settings.num_return_sequences, manner.remembers)
    settings.num_return_sequences, settings.forced_decoder_ids = 1, None
    if given.get("assistant_model") is not None:
        settings.begin_suppress_tokens = None  # an assistant's draft may end at once
    given_ids = None if decoder_input_ids is None else _checked_start(model, decoder_input_ids, rows)
    before = Before(manner, starts, prompt_ids, prompt_condition_type, given_ids)
    before.longest(before(rows)[0])  # an error before anything is computed, where there is no room
    before.hear_languages(ear)

    once = force_unique_generate_call
    once = bool(getattr(settings, "force_unique_generate_call", False) if once is None else once)
    going = rows
    while going:
        if monitor_progress is not None:
            monitor_progress(torch.tensor([[row.seek, row.end] for row in rows]))
        _write_window(manner, ear, going, before, time_precision_features)
        going = [row for row in rows if row.seek < row.end and not once and ear.features is not None]
    return _returned(
        rows,
        manner,
        whole=once,
        output=bool(wants_dict) and (once or not (long or return_timestamps)),
        segments=return_segments or bool(wants_dict),
    )


def _write_window(manner: Manner, ear: Ear, going: list[Row], before: Before, frame: float) -> None:
    """The next window of these rows, which ends behind what of it can be written down. frame: its seconds."""
    ids, mask = before(going)
    manner.settings.max_length = before.longest(ids)
    counts = [min(row.end - row.seek, ear.window) for row in going]
    places = [(row.text, row.seek, count) for row, count in zip(going, counts, strict=True)]
    heard = ear(places)
    sound = ear.sound(places) if manner.given.get("assistant_model") is not None else None
    silence = None
    if manner.too_silent is not None:
        silence = silence_of(manner, heard, ids, mask, max(ids.shape[1] - before.starts.shape[1], 0))
    real = None if going[0].sound is None else [(row.sound or 0) - row.seek for row in going]
    texts = write(manner, heard, ids, mask, sound=sound, frames=real, silence=silence)
    for row, count, written in zip(going, counts, texts, strict=True):
        row.last = written
        row.remembers = manner.remembers and written.calm
        done = count
        if not written.silent:
            begin = row.seek * manner.step / STRIDE
            segments, done = segments_of(written, manner, begin=begin, frames=count, prompt=ids.shape[1], frame=frame)
            row.segments += segments
        row.seek += done


def _returned(rows: list[Row], manner: Manner, *, whole: bool, output: bool, segments: bool) -> Any:
    """The texts, in the form that was asked for. whole: with their beginning and end, as they came."""
    model, padding = manner.model, manner.settings.pad or 0
    results = [row.last.result for row in rows if row.last is not None]
    if output and rows[0].last is not None:
        return joined(rows[0].last.kind, results, padding, model.device)
    if whole:
        whole_rows = [each if isinstance(each, Tensor) else each["sequences"] for each in results]
        sequences = padded(whole_rows, padding).to(model.device)
    else:
        none = torch.empty(0, dtype=torch.long, device=model.device)
        texts = [torch.cat([none, *(segment["tokens"] for segment in row.segments)]) for row in rows]
        sequences = padded(texts, padding)
    if not segments and not manner.token_times:
        return sequences
    made: dict[str, Any] = {"sequences": sequences}
    if manner.token_times:
        times = [each["token_timestamps"] for each in results] if whole else [_times(row) for row in rows]
        made["token_timestamps"] = padded(times, None)
    if segments:
        made["segments"] = [row.segments for row in rows]
    return made


def _times(row: Row) -> Tensor:
    """The times of a text's tokens, each from the begin of its window."""
    return torch.cat(
        [torch.empty(0), *(each["result"]["token_timestamps"][slice(*each["idxs"])] for each in row.segments)]
    )


def _rows(ear: Ear, long: bool, mask: Any, frames: Any, times: int, remembers: bool) -> list[Row]:
    """A row for each text that is to be written, so many of each sound. mask: (sounds, frames), 0 at padding."""
    lengths: list[int] | None = None
    if mask is not None:
        if not isinstance(mask, Tensor) or (ear.features is not None and mask.shape != (ear.texts, ear.frames)):
            shown = tuple(mask.shape) if isinstance(mask, Tensor) else type(mask).__name__
            raise ValueError(
                f"attention_mask is {shown}; expected {(ear.texts, ear.frames)}, one number for each frame, as the "
                "feature extractor gives it with return_attention_mask=True"
            )
        lengths = [int(each) for each in mask.sum(-1)]
    elif frames is not None:  # v4's name
        lengths = [int(each) for each in torch.as_tensor(frames).reshape(-1).expand(ear.texts)]
    if long and ear.texts > 1 and mask is None:
        raise ValueError(
            f"{ear.texts} sounds are longer than a window of {ear.window} frames, and nothing says where each ends: "
            "pass attention_mask, as the feature extractor gives it with return_attention_mask=True"
        )
    ends = lengths if long and ear.texts > 1 and lengths is not None else [ear.frames] * ear.texts
    return [
        Row(text, ends[text], None if lengths is None else lengths[text], remembers)
        for text in range(ear.texts)
        for _ in range(times)
    ]


def _checked_start(model: Any, ids: Any, rows: list[Row]) -> Tensor:
    ids = check_ids(model, ids, "decoder_input_ids").to(model.device)
    if len(ids) != len(rows):
        raise ValueError(f"decoder_input_ids holds {len(ids)} texts, but {len(rows)} are to be written: one for each")
    return ids
