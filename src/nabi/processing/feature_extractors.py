"""Feature extractors: sound -> the input of Wav2Vec2 and its kin (samples) and of Whisper (a spectrogram).

any recording -> mono samples at the model's rate -> cut and padded -> normalized, or a log-mel spectrogram
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .features import BatchFeature
from .files import Preprocessor, unknown_option
from .sound import as_list, as_rate, as_waveform, read_audio, resample, whole_number
from .sources import is_file_like, say_once
from .spectrogram import log_mel, mel_filters


class SequenceFeatureExtractor(Preprocessor):
    """What feature extractors share: rates, padding and cutting.

    `padding`: False, True or "longest", "max_length" (needs `max_length`); `truncation=True` cuts at `max_length`;
    `pad_to_multiple_of` rounds lengths up. Padding stands at `padding_side` and has `padding_value`.
    """

    part = "feature_extractor"
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, **settings: Any) -> None:
        common = {"padding_side": "right", "return_attention_mask": False}
        super().__init__(**{**common, **self.defaults, **settings})
        if self.padding_side not in ("right", "left"):
            raise ValueError(f"padding_side={self.padding_side!r} is unknown: use 'right' or 'left'.")

    feature_size: int
    sampling_rate: int
    padding_value: float
    padding_side: str
    return_attention_mask: bool

    @classmethod
    def settings(cls) -> list[str]:
        return [*cls.defaults, "padding_side", "return_attention_mask"]

    def __call__(self, raw_speech: Any, **options: Any) -> BatchFeature:
        raise NotImplementedError(f"{type(self).__name__} is a base: use Wav2Vec2FeatureExtractor or another.")

    def pad(
        self,
        processed_features: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: Any = None,
    ) -> BatchFeature:
        """Pad features that are made already: a dict or BatchFeature of rows, or a list of them, as a collator has.

        The main input (`input_values`, say) and the attention mask are padded; other keys pass through.
        """
        features = processed_features
        if isinstance(features, (list, tuple)):
            if not features:
                raise ValueError("There is nothing to pad: the list is empty.")
            features = {key: [example[key] for example in features] for key in features[0]}
        main = self.model_input_names[0]
        if not hasattr(features, "keys") or main not in features:
            raise ValueError(f"pad() needs the key {main!r}, which {type(self).__name__} makes, not {list(features)}.")
        data = {key: features[key] for key in features.keys()}  # noqa: SIM118 (a BatchFeature is no Mapping)
        rows = [_row(row, f"{main}[{index}]") for index, row in enumerate(data[main])]
        masks = [np.asarray(mask) for mask in data["attention_mask"]] if "attention_mask" in data else None
        wants_mask = self.return_attention_mask if return_attention_mask is None else return_attention_mask
        data[main], padded_masks = self._padded(rows, masks, padding, max_length, truncation, pad_to_multiple_of)
        if wants_mask:
            data["attention_mask"] = padded_masks
        return BatchFeature(data, return_tensors)

    # --- parts

    def _padded(
        self,
        rows: list[np.ndarray],
        masks: list[np.ndarray] | None,
        padding: bool | str,
        max_length: int | None,
        truncation: bool,
        multiple: int | None,
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The rows, (length) or (length, features), cut and padded, and their masks."""
        padding = getattr(padding, "value", padding)
        if padding not in (True, False, "longest", "max_length", "do_not_pad"):
            raise ValueError(f"padding={padding!r} is unknown: use True or 'longest', 'max_length', or False.")
        if max_length is None and (truncation or padding == "max_length"):
            what = "truncation=True" if truncation else "padding='max_length'"
            raise ValueError(f"{what} needs max_length=…, the number of samples.")
        for option, number in (("max_length", max_length), ("pad_to_multiple_of", multiple)):
            if number is not None and (whole_number(number) or 0) < 1:
                raise ValueError(f"{option}={number!r} is no length: give a whole number of samples above 0, or None.")
        limit = _rounded_up(max_length, multiple)
        masks = masks or [np.ones(len(row), dtype=np.int32) for row in rows]
        if truncation:
            rows, masks = [row[:limit] for row in rows], [mask[:limit] for mask in masks]
        if padding in (False, "do_not_pad"):
            return rows, masks
        length = limit if padding == "max_length" else _rounded_up(max(map(len, rows)), multiple)
        return (
            [self._stretched(row, length, self.padding_value) for row in rows],
            [self._stretched(mask, length, 0) for mask in masks],
        )

    def _stretched(self, row: np.ndarray, length: int | None, value: float) -> np.ndarray:
        missing = max((length or 0) - len(row), 0)
        side = (0, missing) if self.padding_side == "right" else (missing, 0)
        return np.pad(row, [side] + [(0, 0)] * (row.ndim - 1), constant_values=value)

    def _waveforms(self, audio: Any, sampling_rate: int | None) -> list[np.ndarray]:
        """Mono samples of each recording, float32, at this extractor's rate."""
        recordings, _ = as_list(audio)
        given = sampling_rate
        waves = []
        for index, recording in enumerate(recordings):
            name = f"audio[{index}]"
            rate = given
            if isinstance(recording, dict):  # as pipelines and datasets hold them
                rate = recording.get("sampling_rate", given)
                recording = recording.get("array", recording.get("raw", recording.get("path")))
            if is_file_like(recording):
                samples, rate = read_audio(recording, name=name)
            else:
                samples = as_waveform(recording, name)
                rate = None if rate is None else as_rate(rate)
                self._say_rate(rate)
            rate = self.sampling_rate if rate is None else rate
            waves.append(resample(samples.astype(np.float32, copy=False), rate, self.sampling_rate))
        return waves

    def _say_rate(self, rate: int | None) -> None:
        if rate is None:
            say_once(
                f"{type(self).__name__} takes the samples as {self.sampling_rate} per second, as no rate was given: "
                "pass sampling_rate=… with the rate that they have."
            )
        elif rate != self.sampling_rate:
            say_once(f"Sound of {rate} samples per second is resampled to {self.sampling_rate}, which the model needs.")

    def _check_options(self, options: dict[str, Any]) -> None:
        known = (
            "padding max_length truncation pad_to_multiple_of return_attention_mask return_tensors sampling_rate device"
        )
        ignored = ("load_audio_backend",)
        for key in options:
            if key not in ignored:
                raise unknown_option(type(self).__name__, "option", key, known.split())


class Wav2Vec2FeatureExtractor(SequenceFeatureExtractor):
    """Sound -> `input_values`, (batch, samples), each recording with mean 0 and variance 1 if `do_normalize`.

    `return_attention_mask` (False): the models with layer norm in their convolutions want a mask, the others none.
    """

    defaults = {
        "feature_size": 1,
        "sampling_rate": 16000,
        "padding_value": 0.0,
        "do_normalize": True,
    }
    model_input_names = ["input_values", "attention_mask"]
    do_normalize: bool

    def __call__(
        self,
        raw_speech: Any,
        padding: bool | str = False,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: Any = None,
        sampling_rate: int | None = None,
        **options: Any,
    ) -> BatchFeature:
        """Arrays, lists, tensors, files or lists of these; see `SequenceFeatureExtractor` for padding.

        `sampling_rate` is the rate that arrays have: another than the model's is resampled, and said once.
        """
        self._check_options(options)
        waves = self._waveforms(raw_speech, sampling_rate)
        rows, masks = self._padded(waves, None, padding, max_length, truncation, pad_to_multiple_of)
        wants_mask = self.return_attention_mask if return_attention_mask is None else return_attention_mask
        if self.do_normalize:
            # What is padding is known by the mask; a model without masks was trained on rows normalized as a whole.
            rows = [
                normalized(row, mask if wants_mask else None, self.padding_value)
                for row, mask in zip(rows, masks, strict=True)
            ]
        data: dict[str, Any] = {"input_values": rows}
        if wants_mask:
            data["attention_mask"] = masks
        return BatchFeature(data, return_tensors)


class WhisperFeatureExtractor(SequenceFeatureExtractor):
    """Sound -> `input_features`, (batch, feature_size, frames): log-mel spectrograms of `chunk_length` (30) seconds.

    Shorter sound is padded with silence, longer is cut, unless a call says otherwise (`truncation=False`,
    `padding="longest"`, `return_attention_mask=True` for long recordings).
    """

    defaults = {
        "feature_size": 80,
        "sampling_rate": 16000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
        "padding_value": 0.0,
        "dither": 0.0,
    }
    model_input_names = ["input_features"]
    old_names = ("mel_filters", "n_samples", "nb_max_frames")
    hop_length: int
    chunk_length: int
    n_fft: int
    dither: float

    def __init__(self, **settings: Any) -> None:
        settings.pop("mel_filters", None)  # old files hold what the other settings say
        super().__init__(**settings)
        self.n_samples = self.chunk_length * self.sampling_rate
        self.nb_max_frames = self.n_samples // self.hop_length

    @property
    def mel_filters(self) -> np.ndarray:
        """(n_fft // 2 + 1, feature_size)."""
        return mel_filters(1 + self.n_fft // 2, self.feature_size, 0.0, 8000.0, self.sampling_rate)

    def __call__(
        self,
        raw_speech: Any,
        truncation: bool = True,
        pad_to_multiple_of: int | None = None,
        return_tensors: Any = None,
        return_attention_mask: bool | None = None,
        padding: bool | str | None = "max_length",
        max_length: int | None = None,
        sampling_rate: int | None = None,
        do_normalize: bool | None = None,
        device: Any = "cpu",
        **options: Any,
    ) -> BatchFeature:
        """As `Wav2Vec2FeatureExtractor`'s call, but lengths are padded to 30 seconds and cut there by default.

        `do_normalize=True` gives the samples mean 0 and variance 1 first; `device` is where the spectrogram is made.
        """
        self._check_options(options)
        waves = self._waveforms(raw_speech, sampling_rate)
        padding = False if padding is None else padding
        limit = self.n_samples if max_length is None else max_length
        rows, masks = self._padded(waves, None, padding, limit, truncation, pad_to_multiple_of)
        wants_mask = self.return_attention_mask if return_attention_mask is None else return_attention_mask
        if do_normalize:
            rows = [normalized(row, mask, self.padding_value) for row, mask in zip(rows, masks, strict=True)]
        lengths = sorted({len(row) for row in rows})
        if len(lengths) > 1:
            raise ValueError(
                f"Recordings of {lengths[0]} to {lengths[-1]} samples give spectrograms of unlike lengths: pass "
                "padding='longest' or 'max_length', or one at a time."
            )
        if lengths[0] <= self.n_fft // 2:
            raise ValueError(
                f"Sound of {lengths[0]} samples is too short for a window of n_fft={self.n_fft}: leave "
                "padding='max_length', or give a longer recording."
            )
        samples = np.stack(rows)
        if self.dither:
            samples = samples + self.dither * np.random.standard_normal(samples.shape).astype(np.float32)
        data: dict[str, Any] = {
            "input_features": log_mel(samples, self.mel_filters, self.n_fft, self.hop_length, device)
        }
        if wants_mask:
            frames = data["input_features"].shape[-1]
            data["attention_mask"] = np.stack(masks)[:, :: self.hop_length][:, :frames]
        return BatchFeature(data, return_tensors)


def normalized(row: np.ndarray, mask: np.ndarray | None, padding_value: float) -> np.ndarray:
    """With mean 0 and variance 1 over the samples that the mask counts; the others are padding."""
    kept = slice(None) if mask is None else mask.astype(bool)
    scaled = (row - row[kept].mean()) / np.sqrt(row[kept].var() + 1e-7)
    return scaled if mask is None else np.where(mask, scaled, np.float32(padding_value))


def _row(row: Any, name: str) -> np.ndarray:
    array = np.asarray(row.detach().cpu() if hasattr(row, "detach") else row)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds no numbers ({array.dtype}): give the rows that the feature extractor made.")
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _rounded_up(length: int | None, multiple: int | None) -> int | None:
    if length is None:
        return None
    return int(length) if multiple is None else int(-(-length // multiple) * multiple)
