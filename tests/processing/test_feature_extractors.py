"""Feature extractors give the incumbent's numbers, for every length, padding and setting, and exchange its files."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from small_inputs import assert_same, wave

import nabi
from nabi.processing.sound import resample

WAVES = [wave(1600), wave(4321, seed=1), wave(450, seed=2), wave(16000, seed=3)]

W2V_SETTINGS: list[dict[str, Any]] = [
    {},
    {"do_normalize": False},
    {"return_attention_mask": True},
    {"padding_value": -1.0, "return_attention_mask": True},
]
W2V_OPTIONS: list[dict[str, Any]] = [
    {},
    {"padding": True, "return_tensors": "pt"},
    {"padding": "longest", "return_tensors": "np"},
    {"padding": "max_length", "max_length": 17000, "return_tensors": "np"},
    {"padding": "max_length", "max_length": 3000, "truncation": True, "return_tensors": "np"},
    {"padding": True, "pad_to_multiple_of": 512, "return_tensors": "np"},
    {"padding": True, "return_attention_mask": True, "return_tensors": "np"},
    {"truncation": True, "max_length": 300, "return_tensors": "np"},
    {"truncation": True, "max_length": 2000, "padding": True, "pad_to_multiple_of": 128, "return_tensors": "np"},
    {"truncation": True, "max_length": 2000},
]
WHISPER_SETTINGS: list[dict[str, Any]] = [{"chunk_length": 2}, {"feature_size": 128}, {"n_fft": 512, "hop_length": 128}]
WHISPER_OPTIONS: list[dict[str, Any]] = [
    {},
    {"return_tensors": "pt"},
    {"padding": "longest", "return_tensors": "np"},
    {"padding": "longest", "return_attention_mask": True, "truncation": False, "return_tensors": "np"},
    {"return_attention_mask": True, "return_tensors": "pt"},
    {"max_length": 8000, "return_tensors": "np"},
    {"padding": "longest", "pad_to_multiple_of": 1000, "return_attention_mask": True, "return_tensors": "np"},
    {"do_normalize": True, "return_attention_mask": True, "return_tensors": "np"},
]


@pytest.mark.parametrize("options", W2V_OPTIONS, ids=str)
@pytest.mark.parametrize("settings", W2V_SETTINGS, ids=str)
def test_samples_are_the_incumbents(settings: dict[str, Any], options: dict[str, Any], incumbent: ModuleType) -> None:
    ours, theirs = nabi.Wav2Vec2FeatureExtractor(**settings), incumbent.Wav2Vec2FeatureExtractor(**settings)
    for sound in (WAVES, WAVES[1], WAVES[1].tolist(), [row.tolist() for row in WAVES[:3]], np.stack([WAVES[0]] * 2)):
        if options.get("padding") == "max_length" or not isinstance(sound, list) or "return_tensors" not in options:
            pass
        elif not options.get("padding") and len({len(row) for row in sound if hasattr(row, "__len__")}) > 1:
            sound = [row[:400] for row in sound]  # what one tensor can hold
        assert_same(ours(sound, sampling_rate=16000, **options), theirs(sound, sampling_rate=16000, **options))


@pytest.mark.parametrize("options", WHISPER_OPTIONS, ids=str)
@pytest.mark.parametrize("settings", WHISPER_SETTINGS, ids=str)
def test_spectrograms_are_the_incumbents(
    settings: dict[str, Any], options: dict[str, Any], incumbent: ModuleType
) -> None:
    ours, theirs = nabi.WhisperFeatureExtractor(**settings), incumbent.WhisperFeatureExtractor(**settings)
    for sound in (WAVES[:2], WAVES[1]) if settings.get("chunk_length") else (WAVES[3],):
        assert_same(ours(sound, sampling_rate=16000, **options), theirs(sound, sampling_rate=16000, **options))


def test_the_bands_are_the_incumbents(incumbent: ModuleType) -> None:
    for settings in ({}, {"feature_size": 128}, {"n_fft": 512}, {"sampling_rate": 22050}):
        ours, theirs = nabi.WhisperFeatureExtractor(**settings), incumbent.WhisperFeatureExtractor(**settings)
        assert np.abs(ours.mel_filters - theirs.mel_filters).max() < 1e-12


def test_silence_and_a_click_are_the_incumbents(incumbent: ModuleType) -> None:
    ours, theirs = nabi.WhisperFeatureExtractor(chunk_length=2), incumbent.WhisperFeatureExtractor(chunk_length=2)
    click = np.zeros(16000, dtype=np.float32)
    for sound in (click, np.eye(1, 16000, 8000, dtype=np.float32)[0]):
        assert_same(ours(sound, sampling_rate=16000), theirs(sound, sampling_rate=16000))


def test_long_recordings_are_kept_whole_on_request(incumbent: ModuleType) -> None:
    long = wave(5 * 16000)
    ours, theirs = nabi.WhisperFeatureExtractor(chunk_length=2), incumbent.WhisperFeatureExtractor(chunk_length=2)
    options = dict(truncation=False, padding="longest", return_attention_mask=True, return_tensors="pt")
    own = ours([long, long[:7000]], sampling_rate=16000, **options)
    assert own.input_features.shape == (2, 80, 500)
    assert_same(own, theirs([long, long[:7000]], sampling_rate=16000, **options))


def test_collators_pad_what_is_extracted_already(incumbent: ModuleType) -> None:
    ours = nabi.Wav2Vec2FeatureExtractor(return_attention_mask=True)
    theirs = incumbent.Wav2Vec2FeatureExtractor(return_attention_mask=True)
    rows = [{"input_values": row} for row in WAVES]
    for options in ({}, {"padding": "max_length", "max_length": 20000}, {"pad_to_multiple_of": 100}):
        assert_same(ours.pad(rows, return_tensors="pt", **options), theirs.pad(rows, return_tensors="pt", **options))
    made = ours(WAVES, sampling_rate=16000)
    assert_same(
        ours.pad(made, return_tensors="np"), theirs.pad(theirs(WAVES, sampling_rate=16000), return_tensors="np")
    )
    whisper = nabi.WhisperFeatureExtractor(chunk_length=1)
    one = whisper(WAVES[0], sampling_rate=16000).input_features[0]
    assert whisper.pad([{"input_features": one}] * 2, return_tensors="pt").input_features.shape == (2, 80, 100)
    with pytest.raises(ValueError, match="needs the key 'input_values'"):
        ours.pad([{"other": [1.0]}])


def test_padding_on_the_left_keeps_the_sound() -> None:
    # The incumbent takes the mean over the first samples, which then are padding, and writes padding over the sound.
    extract = nabi.Wav2Vec2FeatureExtractor(padding_side="left", return_attention_mask=True)
    both = extract(WAVES[:2], padding=True, sampling_rate=16000, return_tensors="np")
    alone = extract(WAVES[0], sampling_rate=16000, return_tensors="np")
    assert np.allclose(both.input_values[0, -1600:], alone.input_values[0], atol=1e-5)
    assert not both.input_values[0, :-1600].any() and both.attention_mask[0].sum() == 1600


def test_another_rate_is_resampled_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    extract = nabi.Wav2Vec2FeatureExtractor(do_normalize=False)
    for _ in range(3):
        out = extract(WAVES[3], sampling_rate=8000)
    assert np.allclose(out["input_values"][0], resample(WAVES[3], 8000, 16000))
    assert caplog.text.count("Sound of 8000 samples per second is resampled to 16000") == 1
    held = extract([{"array": WAVES[3], "sampling_rate": 8000}])  # as a data set holds it
    assert np.array_equal(held["input_values"][0], out["input_values"][0])


@pytest.mark.parametrize("rate", [0, -1, 0.0, 16000.5, "16000", True, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: Any) -> None:
    for name in ("Wav2Vec2FeatureExtractor", "WhisperFeatureExtractor"):
        with pytest.raises(ValueError, match="Sampling rates are whole numbers above 0, not"):
            getattr(nabi, name)()(WAVES[0], sampling_rate=rate)
    with pytest.raises(ValueError, match="Sampling rates are whole numbers above 0, not"):
        nabi.Wav2Vec2FeatureExtractor()({"array": WAVES[0], "sampling_rate": rate})


def test_a_whole_rate_may_be_a_float() -> None:
    extract = nabi.Wav2Vec2FeatureExtractor()
    for rate in (8000, 16000):
        ours = extract(WAVES[0], sampling_rate=float(rate))["input_values"][0]
        assert np.array_equal(ours, extract(WAVES[0], sampling_rate=rate)["input_values"][0])


@pytest.mark.parametrize("length", [0, -1])
def test_whispers_length_is_above_zero_too(length: int) -> None:
    with pytest.raises(ValueError, match=f"max_length={length} is no length"):
        nabi.WhisperFeatureExtractor(chunk_length=1)(WAVES[0], sampling_rate=16000, max_length=length)


def test_no_rate_is_mentioned_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        nabi.WhisperFeatureExtractor(chunk_length=1)(WAVES[0])
    assert caplog.text.count("as no rate was given") == 1


def test_tensors_and_files_are_taken(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    extract = nabi.Wav2Vec2FeatureExtractor(do_normalize=False)
    soundfile.write(tmp_path / "a.wav", WAVES[0], 16000, subtype="FLOAT")
    of_file = extract([str(tmp_path / "a.wav"), (tmp_path / "a.wav").read_bytes()], return_tensors="np")
    of_tensor = extract([torch.from_numpy(WAVES[0])] * 2, sampling_rate=16000, return_tensors="np")
    assert np.array_equal(of_file.input_values, of_tensor.input_values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "max_length"}, "padding='max_length' needs max_length"),
        ({"truncation": True}, "truncation=True needs max_length"),
        ({"padding": "maximum"}, "padding='maximum' is unknown"),
        ({"padding": "max_length", "max_length": 0}, "max_length=0 is no length: give a whole number"),
        ({"truncation": True, "max_length": -1}, "max_length=-1 is no length"),
        ({"padding": True, "pad_to_multiple_of": -8}, "pad_to_multiple_of=-8 is no length"),
        ({"paddin": True}, "has no option 'paddin'. Do you mean 'padding'"),
        ({"return_tensors": "pt"}, r"'input_values' has items of shapes \(450,\) and \(1600,\).*padding=True"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_is_one_clear_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        nabi.Wav2Vec2FeatureExtractor()([WAVES[0], WAVES[2]], sampling_rate=16000, **options)


def test_spectrograms_that_cannot_be_made_say_why() -> None:
    extract = nabi.WhisperFeatureExtractor()
    with pytest.raises(ValueError, match="Sound of 150 samples is too short for a window of n_fft=400"):
        extract(wave(150), padding="longest", sampling_rate=16000)
    with pytest.raises(ValueError, match="Recordings of 450 to 1600 samples give spectrograms of unlike lengths"):
        extract([WAVES[0], WAVES[2]], padding=False, sampling_rate=16000)
    with pytest.raises(ValueError, match="padding_side='up' is unknown"):
        nabi.Wav2Vec2FeatureExtractor(padding_side="up")


@pytest.mark.parametrize("name", ["Wav2Vec2FeatureExtractor", "WhisperFeatureExtractor"])
def test_defaults_are_the_incumbents_and_folders_go_both_ways(name: str, tmp_path: Path, incumbent: ModuleType) -> None:
    ours, theirs = getattr(nabi, name)(), getattr(incumbent, name)()
    theirs.save_pretrained(tmp_path / "theirs")
    written = json.loads((tmp_path / "theirs" / "preprocessor_config.json").read_text())
    assert json.loads(ours.to_json_string()) == written
    assert getattr(nabi, name).from_pretrained(tmp_path / "theirs").to_dict() == ours.to_dict()
    changed = getattr(nabi, name).from_dict(dict(padding_value=0.5, return_attention_mask=True, note=3))
    changed.save_pretrained(tmp_path / "ours")
    read = getattr(incumbent, name).from_pretrained(tmp_path / "ours")
    assert read.padding_value == 0.5 and read.return_attention_mask is True
    assert getattr(nabi, name).from_pretrained(tmp_path / "ours").to_dict() == changed.to_dict()
    assert getattr(nabi, name).from_pretrained(tmp_path / "ours", padding_value=0.25).padding_value == 0.25


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"do_normalise": False}, "has no setting 'do_normalise'. Do you mean 'do_normalize'?"),
        ({"hop_lenght": 100}, "has no setting 'hop_lenght'. (Do you mean 'hop_length'|It takes feature_size)"),
        ({"sampling_rate": 0}, "sampling_rate=0 is no count: give a whole number above 0"),
        ({"feature_size": 0}, "feature_size=0 is no count"),
        ({"hop_length": -1}, "hop_length=-1 is no count"),
        ({"n_fft": 0.5}, "n_fft=0.5 is no count"),
        ({"padding_value": "0"}, "padding_value='0' is not a number"),
        ({"return_attention_mask": "yes"}, "return_attention_mask='yes' is neither True nor False"),
        ({"do_normalize": 1}, "do_normalize=1 is neither"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_one_clear_error_before_any_sound(settings: dict[str, Any], message: str) -> None:
    taken = [
        name
        for name in ("Wav2Vec2FeatureExtractor", "WhisperFeatureExtractor")
        if "has no" in message or set(settings) <= set(getattr(nabi, name).settings())
    ]
    assert taken
    for name in taken:
        if name.startswith("Whisper") and "do_normalise" in settings:
            message = "has no setting 'do_normalise'"
        with pytest.raises((ValueError, TypeError), match=message):
            getattr(nabi, name)(**settings)


def test_counts_may_be_whole_floats() -> None:
    assert nabi.Wav2Vec2FeatureExtractor(sampling_rate=16000.0).sampling_rate == 16000
    assert nabi.WhisperFeatureExtractor(chunk_length=2.0).n_samples == 32000


def test_the_bands_that_old_files_hold_are_made_anew() -> None:
    old = nabi.WhisperFeatureExtractor(mel_filters=[[0.0]], n_samples=1, nb_max_frames=2, chunk_length=1)
    assert old.mel_filters.shape == (201, 80) and old.n_samples == 16000 and "mel_filters" not in old.to_dict()
