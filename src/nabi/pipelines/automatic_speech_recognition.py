"""automatic-speech-recognition: a sound to what is said in it, by Whisper or by a model that spells it frame by frame.

    sound -> input_features (1, mel bins, frames) -> generate -> ids    -> {"text": " 안녕하세요."}
    sound -> input_values (1, samples)            -> logits   -> letters -> {"text": "안녕하세요"}

A long sound can be cut into parts that overlap (chunk_length_s), which run as a batch; the texts are joined again.
"""

from __future__ import annotations

import inspect
import logging
import math
import os
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..generation import speech
from ..generation.config import GenerationConfig
from ..generation.generate import prepare
from ..hub import Repository
from ..processing.auto import named_processor
from ..processing.sources import say_once
from .base import Steps
from .batching import ALIKE, KEPT
from .settings import check_names
from .sounds import SoundPipeline, read_sound
from .tasks import HUB_OPTIONS
from .transcripts import Part, told

logger = logging.getLogger(__name__)

USUAL = {"num_beams": 5, "max_new_tokens": 256}  # of Whisper, where neither the caller nor the checkpoint says it
OVERLAP = 6  # so often as long as its overlap at each side is a part
OWN = ("chunk_length_s", "stride_length_s", "return_timestamps", "return_language", "generate_kwargs", "ignore_warning")
_NO_LANGUAGE = -1
_ENDS = ("start_offset", "end_offset")


class AutomaticSpeechRecognitionPipeline(SoundPipeline):
    """What is said in sounds, by Whisper or by a model of the kind …ForCTC (Wav2Vec2, HuBERT).

    chunk_length_s: cut sounds into parts of so many seconds; 0: do not. Whisper then hears a long sound window after
    window, each from where the one before ended; a model for CTC hears all of it at once.
    stride_length_s: how much of a part overlaps with each neighbour, or (left, right); a sixth of it if left out.
    return_timestamps: "word" or "char" for CTC, True (stretches) or "word" for Whisper: {"chunks"} with times as well.
    return_language: whether Whisper says the language of each chunk.
    generate_kwargs, or its entries as they are (language="ko", task="translate", max_new_tokens, …): for Whisper's
    `generate`; num_beams is 5 and max_new_tokens 256 where neither they nor the checkpoint say it.

        pipe("speech.wav")                              {"text"}
        pipe(array, return_timestamps=True)             {"text", "chunks": [{"timestamp": (0.0, 1.2), "text"}, …]}
        pipe(["a.mp3", {"array": …, "sampling_rate"}])  [{"text"}, {"text"}]
    """

    task = "automatic-speech-recognition"
    heads = ("AutoModelForSpeechSeq2Seq", "AutoModelForCTC")
    needs = ("tokenizer", "feature_extractor")

    @classmethod
    def load_model(cls, name: str | Path, **options: Any) -> Any:
        """As ever; a language model beside the letters (n-grams, for pyctcdecode) is left out, and that is said."""
        model = super().load_model(name, **options)
        where = {key: options[key] for key in HUB_OPTIONS if key in options}
        if (named_processor(Repository.open(os.fspath(name), where)) or "").endswith("WithLM"):
            logger.warning("%s has a language model beside its letters, which is not used: it is read without", name)
        return model

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        """See the class. With an assistant_model or a streamer sounds are written down one by one."""
        own = settings.get("generate_kwargs")
        given = {**self._settings[1], **settings, **(own if isinstance(own, Mapping) else {})}
        if given.get("assistant_model") is not None or given.get("streamer") is not None:
            settings["batch_size"] = 1
        return super().__call__(inputs, **settings)

    @property
    def writes(self) -> bool:
        """Whether the model writes texts (Whisper), and does not spell them frame by frame."""
        return bool(self.model.can_generate())

    def _sanitize_parameters(
        self,
        chunk_length_s: float | None = None,
        stride_length_s: float | tuple[float, float] | None = None,
        return_timestamps: bool | str | None = None,
        return_language: bool | None = None,
        generate_kwargs: dict[str, Any] | None = None,
        ignore_warning: bool | None = None,
        decoder: Any = None,
        decoder_kwargs: Any = None,
        **for_generate: Any,
    ) -> Steps:
        if decoder is not None or decoder_kwargs is not None:
            raise TypeError(
                "a language model for letters (pyctcdecode's decoder) is not taken here: leave decoder out for the "
                "letters that the model hears best, or call decoder.decode on the model's own logits"
            )
        if generate_kwargs is not None and not isinstance(generate_kwargs, Mapping):
            raise TypeError(f"generate_kwargs is {generate_kwargs!r}; expected a mapping, such as {{'language': 'ko'}}")
        if chunk_length_s is not None and not (is_seconds(chunk_length_s) and chunk_length_s >= 0):
            raise ValueError(
                f"chunk_length_s is {chunk_length_s!r}; expected seconds, or 0 for sounds that are not cut"
            )
        for_generate = {**(generate_kwargs or {}), **for_generate}
        check_names(self.task, for_generate, [*OWN, *names_of_generate()])
        if for_generate.get("num_return_sequences") not in (None, 1):
            raise ValueError("num_return_sequences is for `generate` itself: a sound has one transcript here")
        before = {"chunk_length_s": chunk_length_s, "stride_length_s": stride_length_s}
        forward, after = (for_generate if self.writes else {}), {}
        if for_generate and not self.writes:
            say_once(
                f"{', '.join(for_generate)} are for models that generate: {type(self.model).__name__} has no use of it."
            )
        times = self._checked_times(return_timestamps)
        if times is not None:
            forward, after["return_timestamps"] = {**forward, "return_timestamps": times}, times
        if return_language is not None:
            if return_language and not self.writes:
                raise ValueError(f"return_language is for Whisper: {type(self.model).__name__} knows no languages")
            forward, after["return_language"] = {**forward, "return_language": return_language}, return_language
        return {name: value for name, value in before.items() if value is not None}, forward, after

    def _checked_times(self, asked: bool | str | None) -> bool | str | None:
        if self.writes:
            asked = asked or self.model.generation_config.return_timestamps or asked
        choices = (True, "word") if self.writes else ("word", "char")
        if asked not in (None, False, *choices):
            raise ValueError(
                f"return_timestamps is {asked!r}; {type(self.model).__name__} gives {' or '.join(map(repr, choices))}"
                + ("" if self.writes else ": the times of words or of letters")
            )
        return asked

    # ------------------------------------------------------------ the steps

    def preprocess(  # type: ignore[override]
        self, inputs: Any, chunk_length_s: float = 0, stride_length_s: float | tuple[float, float] | None = None
    ) -> list[dict[str, Any]]:
        """One sound -> the inputs of its parts, each (1, samples) or (1, mel bins, frames)."""
        sound = read_sound(inputs, self.rate)
        samples, kept = sound.samples, {"extra": sound.extra}
        if not chunk_length_s:
            stride = None if sound.stride is None else (len(samples), *sound.stride)
            return [self._part(samples, {**kept, "stride": stride}, cuts=False)]
        length, left, right = self._lengths(chunk_length_s, stride_length_s)
        parts = []
        for begin in range(0, len(samples), length - left - right):
            piece = samples[begin : begin + length]
            last = begin + length >= len(samples)
            if begin == 0 or self.frames_of(len(piece)) != 0:  # a last piece may be too short for a frame
                stride = (len(piece), left if begin else 0, 0 if last else right)
                parts.append(self._part(piece, {**kept, "stride": stride}, cuts=True))
            if last:
                break
        return parts

    def _lengths(self, chunk: float, stride: Any) -> tuple[int, int, int]:
        """The samples of a part, and those of its overlaps, in whole frames of the model."""
        sides = stride if isinstance(stride, (list, tuple)) else [chunk / OVERLAP if stride is None else stride] * 2
        numbers = [seconds for seconds in (chunk, *sides) if is_seconds(seconds)]
        frame = self._frame
        length, *overlaps = (round(seconds * self.rate / frame) * frame for seconds in numbers)
        if not len(sides) == len(overlaps) == 2 or min(overlaps) < 0 or length <= sum(overlaps):
            raise ValueError(
                f"chunk_length_s is {chunk!r} and stride_length_s {stride!r}; expected a part that is longer than "
                "both of its overlaps together, which are one number of seconds or two (left, right)"
            )
        heard = getattr(self.feature_extractor, "n_samples", length)
        if length > heard:
            raise ValueError(
                f"chunk_length_s is {chunk!r}, but {type(self.model).__name__} hears {heard / self.rate:g} seconds at "
                "once: pass no more, or leave it out to have long sounds heard window after window"
            )
        return length, overlaps[0], overlaps[1]

    @property
    def _frame(self) -> int:
        """Samples for each frame of a model of the waveform."""
        return int(getattr(self.model.config, "inputs_to_logits_ratio", 1))

    def _part(self, samples: np.ndarray, kept: dict[str, Any], cuts: bool) -> dict[str, Any]:
        options: dict[str, Any] = {"return_attention_mask": True} if self.writes else {}
        if self.writes and not cuts and len(samples) > self.feature_extractor.n_samples:
            options.update(truncation=False, padding="longest")
        return {**self.hear(samples, **options), KEPT: {**kept, "samples": len(samples)}}

    def _forward(
        self,
        model_inputs: dict[str, Any],
        return_timestamps: bool | str | None = None,
        return_language: bool | None = None,
        **for_generate: Any,
    ) -> dict[str, Tensor]:
        """tokens (batch, length): for CTC the best letter of each frame; else what is written, perhaps with times
        (batch, length), in seconds, and language (batch, 1), its token or -1."""
        model_inputs.pop(ALIKE, None)
        if not self.writes:
            logits = getattr(self.model(**model_inputs), "logits", None)
            if logits is None or logits.dim() != 3:
                raise TypeError(
                    f"{type(self.model).__name__} gives no logits (batch, frames, letters), so it cannot write down "
                    "what is said: load the checkpoint with AutoModelForCTC or AutoModelForSpeechSeq2Seq"
                )
            return {"tokens": logits.argmax(-1)}
        options = self._with_usual(for_generate)
        if return_timestamps or model_inputs["input_features"].shape[-1] > self.feature_extractor.nb_max_frames:
            options["return_timestamps"] = True  # a long sound is read on from the times that were written
        if return_timestamps == "word" or return_language:
            options.update(return_segments=True, return_token_timestamps=return_timestamps == "word" or None)
        written = self.model.generate(**model_inputs, **options)
        if isinstance(written, Tensor):
            return {"tokens": written}
        found = {"tokens": written["sequences"]}
        if return_timestamps == "word":
            none = torch.empty(0)
            times = [torch.cat([none, *(one["token_timestamps"] for one in each)]) for each in written["segments"]]
            found["times"] = torch.nn.utils.rnn.pad_sequence(times, batch_first=True)
        if return_language:
            found["language"] = torch.tensor([[self._language_of(each)] for each in written["segments"]])
        return found

    def _with_usual(self, asked: dict[str, Any]) -> dict[str, Any]:
        config = asked.get("generation_config")
        said = {*self.model.generation_config.given, *asked, *(() if config is None else config.given)}
        usual: dict[str, Any] = {**USUAL, "pad_token_id": self._padding_id}
        if "max_length" in said:
            usual.pop("max_new_tokens")
        if asked.get("assistant_model") is not None:
            usual.pop("num_beams")
        return {**{name: value for name, value in usual.items() if name not in said and value is not None}, **asked}

    def _language_of(self, segments: list[dict[str, Any]]) -> int:
        """The token of the language in which a sound's first window was written down."""
        known = set((self.model.generation_config.lang_to_id or {}).values())
        result = segments[0]["result"] if segments else []
        tokens = result["sequences"] if isinstance(result, dict) else result
        return next((int(token) for token in tokens if int(token) in known), _NO_LANGUAGE)

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: list[dict[str, Any]],
        return_timestamps: bool | str | None = None,
        return_language: bool | None = None,
    ) -> dict[str, Any]:
        """The outputs of a sound's parts -> {"text", "chunks"?}, and what else the item held, once for each part."""
        if self.writes:
            step = self.feature_extractor.chunk_length / self.model.config.max_source_positions
            parts = [self._read(output) for output in model_outputs]
            result = told(self.tokenizer, parts, step, return_timestamps, bool(return_language))
        else:
            result = self._spelled(
                torch.cat([self._kept_frames(output) for output in model_outputs]), return_timestamps
            )
        for output in model_outputs:
            for name, value in output[KEPT]["extra"].items():
                result.setdefault(name, []).append(value)
        return result

    def _read(self, output: dict[str, Any]) -> Part:
        """Whisper's output for a part; its language stands before the text as it did when it was written."""
        ids = output["tokens"][0].tolist()
        times = output["times"][0].tolist() if "times" in output else None
        stride = output[KEPT]["stride"]
        language = int(output["language"]) if "language" in output else _NO_LANGUAGE
        if language != _NO_LANGUAGE:
            ids, times = [language, *ids], times and [0.0, *times]
        return Part(ids, times, stride and tuple(samples / self.rate for samples in stride))

    def _kept_frames(self, output: dict[str, Any]) -> Tensor:
        """The letters of a part's frames, without those of padding and of overlaps."""
        samples, stride = output[KEPT]["samples"], output[KEPT]["stride"]
        letters: Tensor = output["tokens"][0, : self.frames_of(samples)]
        if stride is None:
            return letters
        frames = round(samples * (1 / self._frame))
        left, right = (round(side / samples * frames) for side in stride[1:])
        return letters[left : frames - right]

    def _spelled(self, letters: Tensor, times: bool | str | None) -> dict[str, Any]:
        assert self.tokenizer is not None
        if not times:
            return {"text": self.tokenizer.decode(letters)}
        spelled = self.tokenizer.decode(letters, **{f"output_{times}_offsets": True})
        chunks = [
            {"text": each[times], "timestamp": tuple(each[end] * self._frame / self.rate for end in _ENDS)}
            for each in spelled[f"{times}_offsets"]
        ]
        return {"text": spelled["text"], "chunks": chunks}


def is_seconds(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def names_of_generate() -> set[str]:
    """What Whisper's `generate` takes by name."""
    own = {*inspect.signature(speech.generate).parameters, *inspect.signature(prepare).parameters}
    return {*GenerationConfig.fields(), *own} - {"model", "inputs", "options", "input_features", "attention_mask"}
