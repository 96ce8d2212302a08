"""Any recording that a user has -> one array of samples of floating point at the rate that a model heard in training.

    path, URL, bytes, open file -> load_audio  -> samples, mono
    array, list, tensor         -> as_waveform -> samples, mono, whole numbers scaled to -1..1

soundfile reads wav, flac, ogg and mp3; it is imported where it is used: `pip install "nabi[audio]"`.
"""

from __future__ import annotations

import io
import logging
import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .sources import is_file_like, opened, say_once

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)

MOST_CHANNELS = 8  # an axis no longer than this, beside a much longer one, is an axis of channels
_CROSSINGS = 16  # zero crossings of the sinc on each side
_AT_ONCE = 1 << 15  # new samples
_ROLL_OFF = 0.95  # of the lower of both Nyquist frequencies passes


def load_audio(source: Any, sampling_rate: int | None = None, timeout: float | None = None) -> np.ndarray:
    """Read a path, a URL, bytes, an open file or base64 text as mono samples (float32) at `sampling_rate`.

    None keeps the file's own rate. Raises FileNotFoundError, ConnectionError or ValueError with source and remedy.
    """
    wanted = None if sampling_rate is None else as_rate(sampling_rate)
    samples, rate = read_audio(source, timeout)
    return samples if wanted is None else resample(samples, rate, wanted)


def read_audio(source: Any, timeout: float | None = None, name: str = "the audio") -> tuple[np.ndarray, int]:
    """The mono samples of a file and its rate."""
    try:
        import soundfile
    except ImportError as error:
        raise ImportError('Audio files need soundfile, which is not installed: pip install "nabi[audio]".') from error
    stream, place = opened(source, timeout, name, "an array of samples")
    try:
        stream = _whole(stream, place)
        samples, rate = soundfile.read(stream, dtype="float32", always_2d=True)
    except CutOff:
        raise
    except Exception as error:
        raise ValueError(
            f"{place} is no sound that soundfile can read (wav, flac, ogg, mp3), or it is damaged "
            f"({' '.join(str(error).split())}). Fetch it again, or convert it: ffmpeg -i in.m4a out.wav."
        ) from error
    if len(samples) == 0:
        raise CutOff(f"{place} gives no samples: it is damaged or cut off, or nothing was recorded. Fetch it again.")
    return as_waveform(samples, place), rate


class CutOff(ValueError):
    """A file of sound that ends before its sound does."""


_AGAIN = "Fetch or save it again."
_STREAMED = 0x7FFFF000  # a size from here on was written before the end was known


def _whole(stream: Any, place: str) -> Any:
    """The file, to be read by soundfile, which takes what is left of a WAV or OGG that was cut off in silence."""
    if isinstance(stream, Path):
        with stream.open("rb") as file:
            repaired = _whole(file, place)
        return stream if repaired is file else repaired
    begin = stream.tell()
    content = stream.read(4)
    if content in (b"RIFF", b"RF64", b"OggS"):
        content += stream.read()
    stream.seek(begin)
    if content[:4] == b"OggS":
        _check_pages(content, place)
    elif len(content) > 4:
        return _with_size(content, stream, place)
    return stream


def _with_size(content: bytes, stream: Any, place: str) -> Any:
    """The WAV as it is, or with the size of its data where that was not known in writing it."""
    at, size64 = 12, None
    while at + 8 <= len(content) and content[at : at + 4] != b"data":
        if content[at : at + 4] == b"ds64":
            size64 = int.from_bytes(content[at + 16 : at + 24], "little")
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    there = len(content) - at - 8
    size = int.from_bytes(content[at + 4 : at + 8], "little")
    if there <= 0:
        return stream
    if size64 is not None and size == 0xFFFFFFFF:
        size = size64
    elif (size > there and size >= _STREAMED) or (size == 0 and not _are_chunks(content, at + 8)):
        logger.warning("%s was streamed and does not say how long it is: the %d bytes there are taken.", place, there)
        if size == 0:  # which soundfile believes
            return io.BytesIO(content[: at + 4] + b"\xff" * 4 + content[at + 8 :])
        return stream
    if size > there:
        raise CutOff(f"{place} is damaged or cut off: it says {size} bytes of sound, and {there} are there. {_AGAIN}")
    return stream


def _are_chunks(content: bytes, at: int) -> bool:
    """Whether what follows is further parts of a WAV, and no samples."""
    while at + 8 <= len(content) and content[at : at + 4].isascii():
        at += 8 + int.from_bytes(content[at + 4 : at + 8], "little")
        at += at % 2
    return at >= len(content) and at <= len(content) + 1


def _check_pages(content: bytes, place: str) -> None:
    """Whether the last page of an OGG is whole. A recording that was stopped may lack the page that ends it."""
    last = content.rfind(b"OggS")
    lengths = content[last + 27 : last + 27 + content[last + 26]] if len(content) > last + 26 else None
    if lengths is None or len(lengths) < content[last + 26] or last + 27 + len(lengths) + sum(lengths) > len(content):
        raise CutOff(f"{place} is damaged or cut off: its last page is not whole. {_AGAIN}")
    if not content[last + 5] & 4:
        logger.warning("%s lacks the page that ends it, and may be cut off: what is there is taken.", place)


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


def as_rate(value: Any) -> int:
    """A sampling rate as an int, from 16000.0 too."""
    rate = whole_number(value)
    if rate is None or rate < 1:
        raise ValueError(f"Sampling rates are whole numbers above 0, not {value!r}: give the samples per second.")
    return rate


def whole_number(value: Any) -> int | None:
    """The int that a number is, or None for anything else."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    return int(value) if np.isfinite(value) and int(value) == value else None


def resample(samples: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Samples of `rate` per second as samples of `new_rate`, through a windowed sinc.

    Our own, on torch, which is always there: with scipy only where it is installed, results would differ by machine.
    """
    rate, new_rate = as_rate(rate), as_rate(new_rate)
    if rate == new_rate:
        return samples
    import torch

    divisor = math.gcd(rate, new_rate)
    step, phases = rate // divisor, new_rate // divisor
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
