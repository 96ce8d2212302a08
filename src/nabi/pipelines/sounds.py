"""One sound, in whatever form a user has it -> mono samples at the rate that the model heard in training.

path, URL, bytes, open file                            read and resampled
{"array" or "raw": samples, "sampling_rate": rate}     as datasets hold them; (samples, rate) is the same
{"path": …, "bytes": …}, a torchcodec decoder          as datasets hold what is not decoded yet, or is by torchcodec
samples alone, (samples,) or (channels, samples)       at the model's rate already
"""

from __future__ import annotations

import os
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..processing.sound import MOST_CHANNELS, as_rate, as_waveform, read_audio, resample
from ..processing.sources import is_file_like, opened
from .base import Pipeline
from .batching import ALIKE, join
from .inputs import is_one_item

NAME = "the sound"
_ARRAYS = ("raw", "array")
_OWN = frozenset((*_ARRAYS, "sampling_rate", "path", "bytes", "stride"))


@dataclass
class Sound:
    """samples: mono, float32. stride: how many at the begin and at the end are heard, and not written down. extra: what
    else the mapping held."""

    samples: np.ndarray
    stride: tuple[int, int] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class SoundPipeline(Pipeline):
    """What the tasks that hear have in common: one sound goes in, by way of the model's feature extractor.

    Sounds are padded to the longest of their batch only where the model is told by a mask what is padding. Where the
    stem normalises over time (feat_extract_norm "group") it would hear the padding all the same, so there only sounds
    of one length run together.
    """

    feature_extractor: Any
    usual_batch_size = 8
    read_ahead = 8

    def is_one(self, inputs: Any) -> bool:
        return is_one_sound(inputs)

    @property
    def rate(self) -> int:
        """Samples per second, as the model heard them in training."""
        return int(self.feature_extractor.sampling_rate)

    def hear(self, samples: np.ndarray, **options: Any) -> dict[str, Any]:
        """Mono samples at the model's rate -> its inputs, (1, samples) or (1, mel bins, frames), in its dtype.

        ValueError for a sound that a model of the waveform cannot make a single frame of.
        """
        if self.frames_of(len(samples)) == 0:
            least = next(n for n in range(len(samples), 1 << 20) if self.frames_of(n))
            raise ValueError(
                f"{NAME} has {len(samples)} samples, and the model hears nothing in fewer than {least}: leave it out"
            )
        waveform = getattr(self.model, "main_input_name", "") == "input_values"
        if waveform:
            options["return_attention_mask"] = self.model.config.feat_extract_norm == "layer"
        made = dict(self.feature_extractor(samples, sampling_rate=self.rate, return_tensors="pt", **options))
        if waveform and "attention_mask" not in made:
            made[ALIKE] = len(samples)
        return {name: value.to(self.dtype) if is_floating(value) else value for name, value in made.items()}

    def frames_of(self, samples: int) -> int | None:
        """How many frames a model of the waveform makes of so many samples; None for one of spectrograms."""
        count = getattr(self.model, "frames_of", None)
        return None if count is None else max(int(count(torch.tensor(samples))), 0)

    def collate(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        return {name: join([one[name] for one in batch], 0, left=False) for name in batch[0]}


def is_floating(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def is_one_sound(inputs: Any) -> bool:
    """Whether this is one sound and not a source of many; a list of numbers is one."""
    if is_file_like(inputs) or hasattr(inputs, "get_all_samples") or pair_of(inputs) is not None:
        return True
    if isinstance(inputs, np.ndarray):
        return inputs.dtype != object and inputs.dtype.kind not in "US"
    if isinstance(inputs, (list, tuple)):
        return bool(inputs) and all(isinstance(number, Real) for number in inputs[:2])
    return is_one_item(inputs)


def pair_of(inputs: Any) -> tuple[Any, Any] | None:
    """(samples, rate) of such a pair, as librosa and soundfile give it, or of one that is turned, as gradio's."""
    if not isinstance(inputs, (tuple, list)) or len(inputs) != 2:
        return None
    for samples, rate in (inputs, inputs[::-1]):
        if hasattr(samples, "ndim") and getattr(samples, "ndim", 0) > 0 and isinstance(rate, Real):
            return samples, rate
    return None


def read_sound(inputs: Any, rate: int) -> Sound:
    """One sound at `rate` samples per second. TypeError or ValueError, with the remedy, for what is none."""
    if isinstance(inputs, Mapping):
        return of_mapping(inputs, rate)
    if is_file_like(inputs):
        return Sound(at_rate(*read_file(inputs), rate))
    if hasattr(inputs, "get_all_samples"):
        decoded = inputs.get_all_samples()
        return Sound(at_rate(samples_of(decoded.data), decoded.sample_rate, rate))
    pair = pair_of(inputs)
    samples, own = (inputs, rate) if pair is None else pair
    return Sound(at_rate(samples_of(samples), own, rate))


def of_mapping(inputs: Mapping[str, Any], rate: int) -> Sound:
    key = next((key for key in _ARRAYS if inputs.get(key) is not None), None)
    source = next((inputs[key] for key in ("bytes", "path") if inputs.get(key) is not None), None)
    if key is not None and inputs.get("sampling_rate") is None:
        raise ValueError(
            f"{NAME} has {key!r}, but not the rate of its samples: say it under 'sampling_rate', as in "
            f"{{{key!r}: samples, 'sampling_rate': 16000}}"
        )
    if key is None and source is None:
        inside = next((name for name, value in inputs.items() if isinstance(value, Mapping)), None)
        hint = f"; if the sound is under {inside!r}, pass item[{inside!r}]" if inside is not None else ""
        raise ValueError(
            f"a mapping holds a sound as 'array' or 'raw' with 'sampling_rate', or as 'path' or 'bytes', but this one "
            f"has {list(inputs)}{hint}"
        )
    if key is None:
        samples, own = read_file(source)
    else:
        samples, own = samples_of(inputs[key]), as_rate(inputs["sampling_rate"])
    extra = {name: value for name, value in inputs.items() if name not in _OWN}
    return Sound(at_rate(samples, own, rate), stride_of(inputs.get("stride"), len(samples), rate / own), extra)


def stride_of(stride: Any, length: int, ratio: float) -> tuple[int, int] | None:
    """A stride in the sound's own samples, as one at the model's rate."""
    if stride is None:
        return None
    if not isinstance(stride, (list, tuple)) or len(stride) != 2 or min(stride) < 0 or sum(stride) > length:
        raise ValueError(
            f"stride is {stride!r}; expected two numbers of samples, at the begin and at the end, that are together no "
            f"more than the {length} samples of the sound"
        )
    return round(stride[0] * ratio), round(stride[1] * ratio)


def samples_of(audio: Any) -> np.ndarray:
    """Mono samples of an array, a tensor or a list of numbers."""
    if isinstance(audio, str) or audio is None or not (hasattr(audio, "ndim") or isinstance(audio, (list, tuple))):
        raise TypeError(
            f"{audio!r} of the type {type(audio).__name__} is no sound: pass a path, a URL, bytes, an array of "
            "samples, or a mapping with 'array' and 'sampling_rate'"
        )
    shape = tuple(getattr(audio, "shape", ()))
    if len(shape) == 2 and min(shape) > MOST_CHANNELS:
        raise ValueError(
            f"{NAME} has the shape {shape}: one sound is (samples,) or (channels, samples), of up to {MOST_CHANNELS} "
            "channels. Pass several sounds as a list: list(sounds)"
        )
    return as_waveform(audio, NAME).astype(np.float32, copy=False)


def at_rate(samples: np.ndarray, own: Any, rate: int) -> np.ndarray:
    return resample(samples, as_rate(own), rate)


def read_file(source: Any) -> tuple[np.ndarray, int]:
    """Mono samples of a file and its rate: by soundfile, or without it a plain WAV by Python itself."""
    if isinstance(source, str) and not source.strip():
        raise ValueError(f"{source!r} is an empty text, and names no sound: pass a path, a URL, bytes or samples")
    try:
        return read_audio(source, name=NAME)
    except OSError as error:  # not there, not to be read, or not to be had from its server
        raise ValueError(str(error)) from error
    except ImportError as missing:
        return read_plain_wav(source, missing)


def read_plain_wav(source: Any, missing: ImportError) -> tuple[np.ndarray, int]:
    """`missing` is raised on for what only soundfile can read."""
    try:
        stream, place = opened(source, None, NAME, "an array of samples")
        with wave.open(os.fspath(stream) if isinstance(stream, Path) else stream) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            content, size = file.readframes(file.getnframes()), file.getnframes() * width * channels
    except OSError as error:
        raise ValueError(str(error)) from error
    except (wave.Error, EOFError) as error:
        raise ImportError(f"{missing} Without it only plain WAV files can be read, and here: {error}.") from missing
    if len(content) != size or not content:
        raise ValueError(f"{place} is cut off or has no samples: fetch or save it again")
    return samples_of(pcm(content, width).reshape(-1, channels)), rate


def pcm(content: bytes, width: int) -> np.ndarray:
    """Whole numbers of 1 to 4 bytes, as a WAV holds them, as float32 from -1 to 1."""
    numbers = np.frombuffer(content, np.uint8).reshape(-1, width)
    if width == 1:
        return (numbers[:, 0].astype(np.float32) - 128) / 128
    wide = np.zeros((len(numbers), 4), np.uint8)
    wide[:, 4 - width :] = numbers
    return wide.view("<i4")[:, 0].astype(np.float32) / 2.0**31
