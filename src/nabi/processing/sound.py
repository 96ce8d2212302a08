"""Any recording that a user has -> one array of samples of floating point at the rate that a model heard in training.

    path, URL, bytes, open file -> load_audio  -> samples, mono
    array, list, tensor         -> as_waveform -> samples, mono, whole numbers scaled to -1..1

soundfile reads wav, flac, ogg and mp3; it is imported where it is used: `pip install "nabi[audio]"`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .sources import is_file_like, opened, say_once

if TYPE_CHECKING:
    from torch import Tensor

MOST_CHANNELS = 8  # an axis no longer than this, beside a much longer one, is an axis of channels
_CROSSINGS = 16  # zero crossings of the sinc on each side
_AT_ONCE = 1 << 15  # new samples
_ROLL_OFF = 0.95  # of the lower of both Nyquist frequencies passes


def load_audio(source: Any, sampling_rate: int | None = None, timeout: float | None = None) -> np.ndarray:
    """Read a path, a URL, bytes, an open file or base64 text as mono samples (float32) at `sampling_rate`.

    None keeps the file's own rate. Raises FileNotFoundError, ConnectionError or ValueError with source and remedy.
    """
    samples, rate = read_audio(source, timeout)
    return samples if sampling_rate is None else resample(samples, rate, sampling_rate)


def read_audio(source: Any, timeout: float | None = None, name: str = "the audio") -> tuple[np.ndarray, int]:
    """The mono samples of a file and its rate."""
    try:
        import soundfile
    except ImportError as error:
        raise ImportError('Audio files need soundfile, which is not installed: pip install "nabi[audio]".') from error
    stream, place = opened(source, timeout, name, "an array of samples")
    try:
        samples, rate = soundfile.read(stream, dtype="float32", always_2d=True)
    except Exception as error:
        raise ValueError(
            f"{place} is no sound that soundfile can read (wav, flac, ogg, mp3), or it is damaged "
            f"({' '.join(str(error).split())}). Fetch it again, or convert it: ffmpeg -i in.m4a out.wav."
        ) from error
    return as_waveform(samples, place), rate


# --- samples


def as_list(audio: Any) -> tuple[list[Any], bool]:
    """The recordings one by one, and whether the caller gave several.

    An array of two axes is a batch (recordings, samples), unless its last axis has at most 8 and the first many more:
    then it is one recording (samples, channels), as soundfile reads it. Within a list each array is one recording.
    """
    if audio is None or (isinstance(audio, (list, tuple)) and len(audio) == 0):
        raise ValueError(f"There is no audio: audio is {audio!r}.")
    if is_file_like(audio) or isinstance(audio, dict):
        return [audio], False
    if isinstance(audio, (list, tuple)):
        first = audio[0]
        many = is_file_like(first) or isinstance(first, (list, tuple, dict)) or getattr(first, "ndim", 0) > 0
        return (list(audio), True) if many else ([audio], False)
    axes = getattr(audio, "ndim", 1)
    if axes == 1 or (axes == 2 and is_samples_by_channels(audio.shape)):
        return [audio], False
    return list(audio), True


def is_samples_by_channels(shape: Any) -> bool:
    return shape[1] <= MOST_CHANNELS and shape[0] > 16 * shape[1]


def as_waveform(audio: Any, name: str) -> np.ndarray:
    """Samples as a float array of one axis, float32 unless they are float64. Channels are averaged.

    Whole numbers of 8, 16 and 32 bits are scaled to -1..1. Raises ValueError or TypeError for no samples, NaN, words.
    """
    if hasattr(audio, "detach"):
        audio = audio.detach().cpu()
        audio = audio.float() if str(audio.dtype) in ("torch.bfloat16", "torch.float16") else audio
    try:
        samples = np.asarray(audio)
    except ValueError as error:
        raise ValueError(
            f"{name} has channels of unlike lengths: give (channels, samples), all of one length."
        ) from error
    if samples.dtype.kind not in "biuf" and samples.size:
        raise TypeError(f"{name} holds {type(audio).__name__} of {samples.dtype}, which are no samples: give numbers.")
    if samples.ndim not in (1, 2):
        raise ValueError(f"{name} has the shape {samples.shape}: a recording is (samples) or (channels, samples).")
    if samples.size == 0:
        raise ValueError(f"{name} is empty: it has no samples. Leave it out.")
    samples = _scaled(samples, name)
    if samples.ndim == 2:
        channel_axis = int(np.argmin(samples.shape))
        if samples.shape[channel_axis] > 1:
            say_once(f"Sound of {samples.shape[channel_axis]} channels is mixed down to one, their mean.")
        samples = samples.mean(axis=channel_axis)
    if not np.isfinite(samples.sum()) and not np.isfinite(samples).all():  # a sum is quick, and NaN stays in it
        where = int(np.argmin(np.isfinite(samples)))
        raise ValueError(f"{name} holds NaN or infinite values, first at sample {where}: find where they come from.")
    return samples


def _scaled(samples: np.ndarray, name: str) -> np.ndarray:
    dtype = samples.dtype
    if dtype.kind == "f":
        return samples.astype(np.float32) if dtype == np.float16 else samples
    if dtype.kind in "iu" and dtype.itemsize < 8:
        half = 2.0 ** (8 * dtype.itemsize - 1)
        say_once(f"Samples of {dtype} are whole numbers (PCM) and are divided by {half:g}.")
        return ((samples - (half if dtype.kind == "u" else 0.0)) / half).astype(np.float32)
    if np.abs(samples).max() > 1:
        raise ValueError(
            f"{name} holds whole numbers of {dtype} up to {np.abs(samples).max()}, whose loudest value is not known: "
            "give them as np.int16 (or the width that they have), or as numbers from -1 to 1."
        )
    return samples.astype(np.float32)


# --- rates


def resample(samples: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Samples of `rate` per second as samples of `new_rate`, through a windowed sinc.

    Our own, on torch, which is always there: with scipy only where it is installed, results would differ by machine.
    """
    if rate == new_rate:
        return samples
    if not (
        isinstance(rate, (int, np.integer)) and isinstance(new_rate, (int, np.integer)) and min(rate, new_rate) > 0
    ):
        raise ValueError(f"Sampling rates are whole numbers above 0, not {rate!r} and {new_rate!r}.")
    import torch

    divisor = math.gcd(int(rate), int(new_rate))
    step, phases = int(rate) // divisor, int(new_rate) // divisor
    filters, reach = _filters(step, phases)
    length = -(-len(samples) * phases // step)
    signal = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    around = torch.nn.functional.pad(signal, (reach, reach + 1)).unfold(0, filters.shape[1], 1)
    out = torch.empty(length)
    for begin in range(0, length, _AT_ONCE):
        places = torch.arange(begin, min(begin + _AT_ONCE, length))
        rows = around[places * step // phases]
        out[begin : begin + len(places)] = torch.linalg.vecdot(rows, filters[places % phases])
    return out.numpy().astype(samples.dtype)


@lru_cache(maxsize=8)
def _filters(step: int, phases: int) -> tuple[Tensor, int]:
    """The weights of the old samples around each of the `phases` of a new one, (phases, taps), and their reach.

    Every `step` old samples give `phases` new ones: new sample p stands at the old time p * step / phases.
    """
    import torch

    cut = _ROLL_OFF * min(1.0, phases / step)  # in parts of the old Nyquist frequency
    reach = math.ceil(_CROSSINGS / cut)
    taps = torch.arange(-reach, reach + 2, dtype=torch.float64)
    after = torch.arange(phases, dtype=torch.float64)[:, None] * step / phases % 1  # the old sample before it
    distance = (taps - after) * cut
    window = torch.cos(distance.clamp(-_CROSSINGS, _CROSSINGS) * math.pi / (2 * _CROSSINGS)) ** 2
    return (torch.sinc(distance) * window * cut).float(), reach
