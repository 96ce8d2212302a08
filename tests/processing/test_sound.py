"""Files, bytes and arrays become mono samples at a model's rate; what is no sound is one clear error."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from small_inputs import wave

import nabi
from nabi.processing import load_audio
from nabi.processing.sound import as_list, as_waveform, resample


def saved(samples: np.ndarray, rate: int = 16000, layout: str = "WAV", **options: Any) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=layout, **options)
    return stream.getvalue()


def tone(rate: int, seconds: float = 0.5, pitch: float = 440.0) -> np.ndarray:
    return np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate).astype(np.float32)


@pytest.mark.parametrize(("layout", "within"), [("WAV", 1e-4), ("FLAC", 1e-4), ("OGG", 0.1), ("MP3", 0.1)])
def test_files_bytes_and_open_files_are_read(layout: str, within: float, tmp_path: Path) -> None:
    samples = tone(16000) * 0.5
    content = saved(samples, layout=layout)
    path = tmp_path / f"소리.{layout.lower()}"
    path.write_bytes(content)
    text = base64.b64encode(content).decode()
    with path.open("rb") as stream:
        plain = [text] if len(text) > 4096 else []  # a shorter one could be a path
        for source in (path, str(path), path.as_uri(), content, stream, f"data:audio/wav;base64,{text}", *plain):
            read = load_audio(source)
            assert read.dtype == np.float32
            middle = slice(2000, 6000)
            assert np.abs(read[middle] - samples[middle]).max() < within


def test_two_channels_are_mixed_down_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    left, right = wave(4000), wave(4000, seed=1)
    read = load_audio(saved(np.stack([left, right], axis=1), subtype="FLOAT"))
    assert np.allclose(read, (left + right) / 2, atol=1e-6)
    for recording in (np.stack([left, right]), np.stack([left, right], axis=1), torch.tensor(np.stack([left, right]))):
        assert np.allclose(as_waveform(recording, "it"), (left + right) / 2, atol=1e-6)
    assert caplog.text.count("Sound of 2 channels is mixed down to one") == 1


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8, np.int8])
def test_whole_numbers_are_scaled_by_their_width(dtype: Any, caplog: pytest.LogCaptureFixture) -> None:
    top = np.iinfo(dtype).max
    zero = 128 if dtype == np.uint8 else 0
    samples = np.array([zero, top, np.iinfo(dtype).min], dtype=dtype)
    read = as_waveform(samples, "it")
    assert read.dtype == np.float32 and read[0] == 0 and read[2] == -1 and 0.98 < read[1] <= 1
    assert "are whole numbers (PCM) and are divided by" in caplog.text


def test_whole_numbers_of_unknown_width_are_refused() -> None:
    assert as_waveform([0, 1, -1], "it").tolist() == [0, 1, -1]
    with pytest.raises(ValueError, match=r"it holds whole numbers of int64 up to 3000.*np\.int16"):
        as_waveform([0, 3000, -2], "it")


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        ([], r"There is no audio: audio is \[\]"),
        (None, "There is no audio: audio is None"),
        (np.zeros(0), r"audio\[0\] is empty: it has no samples"),
        ([wave(), np.zeros(0)], r"audio\[1\] is empty"),
        ([wave(), []], r"audio\[1\] is empty"),
        (np.array([0.1, np.nan, 0.2]), r"audio\[0\] holds NaN or infinite values, first at sample 1"),
        ([wave(), np.array([0.0, 1.0, np.inf])], r"audio\[1\] holds NaN or infinite values, first at sample 2"),
        (["no.wav"], r"audio\[0\]: the file 'no\.wav' is not there"),
        (b"no sound", r"audio\[0\] \(8 bytes\) is no sound that soundfile can read .*ffmpeg"),
        (np.zeros((2, 3, 4, 5)), r"audio\[0\] has the shape \(3, 4, 5\)"),
        ([np.array(["a"])], r"which are no samples"),
        ([[[1.0, 2.0], [1.0]]], r"audio\[0\] has channels of unlike lengths"),
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.parametrize("name", ["Wav2Vec2FeatureExtractor", "WhisperFeatureExtractor"])
def test_what_is_no_sound_is_one_clear_error(name: str, audio: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=message):
        getattr(nabi, name)()(audio, sampling_rate=16000)


def test_a_file_that_was_cut_off_in_its_head_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    path.write_bytes(saved(wave(), layout="FLAC")[:60])
    with pytest.raises(ValueError, match=r"cut\.flac' is no sound that soundfile can read"):
        load_audio(path)


@pytest.mark.parametrize("keep", [0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("layout", ["WAV", "RF64", "FLAC", "OGG"])
def test_a_file_that_was_cut_off_anywhere_says_so(layout: str, keep: float, tmp_path: Path) -> None:
    content = saved(wave(40000), layout=layout)
    cut = content[: int(len(content) * keep)]
    path = tmp_path / "cut"
    path.write_bytes(cut)
    for source in (cut, path, io.BytesIO(cut)):
        with pytest.raises(ValueError, match="damaged"):
            load_audio(source)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_wav_that_was_streamed_without_its_size_is_taken_whole(size: int, caplog: pytest.LogCaptureFixture) -> None:
    content = bytearray(saved(wave(4000)))
    at = content.index(b"data") + 4
    content[at : at + 4] = size.to_bytes(4, "little")
    assert np.array_equal(load_audio(bytes(content)), load_audio(saved(wave(4000))))
    assert "was streamed and does not say how long it is: the 8000 bytes there are taken" in caplog.text


def test_a_recording_of_nothing_says_so() -> None:
    empty = saved(np.zeros(0, dtype=np.float32))
    for content in (empty, empty + b"LIST\x04\0\0\0INFO", saved(np.zeros(0, dtype=np.float32), layout="OGG")):
        with pytest.raises(ValueError, match="gives no samples: it is damaged or cut off, or nothing was recorded"):
            load_audio(content)


def test_parts_after_the_sound_are_no_sound() -> None:
    for samples in (wave(401), wave(400)):
        content = saved(samples, subtype="PCM_U8")
        assert len(load_audio(content + b"\0" * (len(content) % 2) + b"LIST\x04\0\0\0INFO")) == len(samples)


@pytest.mark.parametrize("layout", ["WAV", "FLAC", "OGG", "MP3"])
def test_any_damage_gives_sound_or_one_error(layout: str) -> None:
    content = saved(wave(2000), layout=layout)
    dice = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(content[: dice.integers(1, len(content) + 1)])
        for place in dice.integers(0, len(damaged), dice.integers(0, 6)):
            damaged[place] = dice.integers(0, 256)
        try:
            assert load_audio(bytes(damaged)).ndim == 1
        except ValueError as error:
            assert "the audio (" in str(error)


def test_which_axis_is_the_batch() -> None:
    assert [len(part) for part in as_list(np.zeros((2, 500)))[0]] == [500, 500]  # a batch, as in the incumbent
    assert len(as_list(np.zeros((500, 2)))[0]) == 1  # one recording in stereo, as soundfile reads it
    assert len(as_list([np.zeros((2, 500)), np.zeros(30)])[0]) == 2
    assert len(as_list([0.1, 0.2])[0]) == 1 and len(as_list([[0.1, 0.2], [0.3]])[0]) == 2
    assert len(as_list(np.zeros((3, 2, 500)))[0]) == 3


@pytest.mark.parametrize(
    ("rate", "new"), [(8000, 16000), (44100, 16000), (48000, 16000), (16000, 22050), (16001, 16000), (96000, 8000)]
)
def test_a_resampled_tone_is_the_tone_at_the_new_rate(rate: int, new: int) -> None:
    out = resample(tone(rate), rate, new)
    assert len(out) == -(-len(tone(rate)) * new // rate) and out.dtype == np.float32
    edge = new // 50
    assert np.abs(out - tone(new, len(out) / new)[: len(out)])[edge:-edge].max() < 1e-3


def test_what_the_new_rate_cannot_hold_is_filtered_out() -> None:
    assert np.abs(resample(tone(44100, pitch=11000), 44100, 16000)[500:-500]).max() < 1e-3


def test_resampling_agrees_with_scipys() -> None:
    signal = pytest.importorskip("scipy.signal")
    sound = resample(resample(wave(8000), 16000, 6000), 6000, 8000)  # without pitches near the highest
    there = resample(sound, 8000, 12000)
    assert np.abs(there - signal.resample_poly(sound, 3, 2))[200:-200].max() < 0.02 * np.abs(sound).max()


def test_rates_are_whole_numbers_above_zero() -> None:
    for rate in (0, -1, 16000.5, "16000"):
        with pytest.raises(ValueError, match="Sampling rates are whole numbers above 0"):
            resample(wave(), rate, 16000)  # type: ignore[arg-type]


def test_a_file_of_another_rate_is_resampled() -> None:
    read = load_audio(saved(tone(44100), 44100), sampling_rate=16000)
    assert np.abs(read - tone(16000))[400:-400].max() < 1e-3


def test_without_soundfile_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ImportError, match=r'pip install "nabi\[audio\]"'):
        load_audio(b"")
