"""Log-mel spectrograms: how loud a sound is at each moment in bands that are as wide as they sound."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

# Slaney's scale: even steps up to 1000 Hz, and from there even ratios.
_HZ_PER_MEL = 200 / 3
_BEND_HZ = 1000.0
_RATIO = np.log(6.4) / 27


def hertz_to_mel(hertz: Any) -> np.ndarray:
    hertz = np.asarray(hertz, dtype=np.float64)
    curved = _BEND_HZ / _HZ_PER_MEL + np.log(np.maximum(hertz, _BEND_HZ) / _BEND_HZ) / _RATIO
    return np.where(hertz < _BEND_HZ, hertz / _HZ_PER_MEL, curved)


def mel_to_hertz(mel: Any) -> np.ndarray:
    mel = np.asarray(mel, dtype=np.float64)
    bend = _BEND_HZ / _HZ_PER_MEL
    return np.where(mel < bend, mel * _HZ_PER_MEL, _BEND_HZ * np.exp(_RATIO * (np.maximum(mel, bend) - bend)))


@lru_cache(maxsize=8)
def mel_filters(frequencies: int, mels: int, low: float, high: float, sampling_rate: int) -> np.ndarray:
    """(frequencies, mels): triangles, evenly placed on Slaney's scale from `low` to `high` hertz, each of area 1."""
    edges = mel_to_hertz(np.linspace(hertz_to_mel(low), hertz_to_mel(high), mels + 2))
    spectrum = np.linspace(0, sampling_rate // 2, frequencies)[:, None]
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (spectrum - left) / (middle - left), (right - spectrum) / (right - middle)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (right - left)


def log_mel(waves: np.ndarray, filters: np.ndarray, n_fft: int, hop_length: int, device: Any = "cpu") -> np.ndarray:
    """(batch, samples) -> (batch, mels, samples // hop_length), float32, in Whisper's scale.

    Base-10 logarithms of the power in each band, no less than 8 below the row's greatest, plus 4, divided by 4.
    """
    import torch

    signal = torch.from_numpy(waves).to(device, torch.float32)
    window = torch.hann_window(n_fft, device=device)
    frames = torch.stft(signal, n_fft, hop_length, window=window, return_complex=True)[..., :-1]
    power = (frames.real**2 + frames.imag**2).contiguous()
    bands = torch.from_numpy(filters).to(device, torch.float32).T @ power
    logarithms = bands.clamp(min=1e-10).log10()
    floor = logarithms.amax(dim=(-2, -1), keepdim=True) - 8.0
    return ((torch.maximum(logarithms, floor) + 4.0) / 4.0).cpu().numpy()
