"""Every form of a sound gives the same samples; what is none is one clear error."""

from __future__ import annotations

import builtins
import functools
import http.server
import io
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from nabi.pipelines.sounds import is_one_sound, pcm, read_sound
from nabi.processing.sound import resample

RATE = 16000
SOUND = (0.3 * np.sin(np.arange(RATE // 2) / 20)).astype(np.float32)


class Decoder:
    """What datasets 4 holds in a column of sounds: torchcodec's AudioDecoder."""

    def __init__(self, data: torch.Tensor, rate: int) -> None:
        self.data, self.sample_rate = data, rate

    def get_all_samples(self) -> Any:
        return self

    def __getitem__(self, key: str) -> Any:
        return self.data


def written(path: Path, samples: np.ndarray = SOUND, rate: int = RATE, **options: Any) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_every_form_gives_the_same_samples(tmp_path: Path) -> None:
    path = written(tmp_path / "말.wav", subtype="FLOAT")
    rated = {"sampling_rate": RATE}
    forms = [
        *(
            str(path),
            path,
            path.read_bytes(),
            bytearray(path.read_bytes()),
            path.open("rb"),
            io.BytesIO(path.read_bytes()),
        ),
        *(SOUND, SOUND.astype(np.float64), torch.tensor(SOUND), torch.tensor(SOUND)[None], SOUND.tolist()),
        *((SOUND, RATE), (RATE, SOUND), [SOUND, RATE], np.stack([SOUND, SOUND]), np.stack([SOUND, SOUND], axis=1)),
        *({"array": SOUND, **rated}, {"raw": SOUND, **rated}, {"array": SOUND, "path": "no.wav", **rated}),
        *({"path": str(path)}, {"bytes": path.read_bytes(), "path": "말.wav"}, {"array": SOUND.tolist(), **rated}),
        *(Decoder(torch.tensor(SOUND)[None], RATE), Decoder(torch.tensor(SOUND).expand(2, -1), RATE)),
    ]
    for form in forms:
        assert is_one_sound(form)
        heard = read_sound(form, RATE)
        assert heard.samples.dtype == np.float32
        np.testing.assert_allclose(heard.samples, SOUND, atol=1e-7)
        assert (heard.stride, heard.extra) == (None, {})


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_files_of_every_kind_are_read(tmp_path: Path, ending: str) -> None:
    heard = read_sound(written(tmp_path / f"a.{ending}"), RATE).samples
    assert abs(len(heard) - len(SOUND)) < 3000
    assert np.corrcoef(heard[500:4000], SOUND[500:4000])[0, 1] > 0.9


def test_a_url_is_read(tmp_path: Path, server: str) -> None:
    written(tmp_path / "a.wav", subtype="FLOAT")
    np.testing.assert_array_equal(read_sound(f"{server}/a.wav", RATE).samples, SOUND)
    with pytest.raises(ValueError, match=r"b\.wav.*could not be downloaded"):
        read_sound(f"{server}/b.wav", RATE)


def test_channels_are_mixed_and_rates_fitted(tmp_path: Path) -> None:
    louder = np.stack([SOUND, 0.5 * SOUND], axis=1)
    expected = resample(0.75 * SOUND, 8000, RATE)
    path = written(tmp_path / "a.wav", louder, 8000, subtype="FLOAT")
    for form in (
        path,
        {"array": louder.T, "sampling_rate": 8000},
        (louder, 8000),
        Decoder(torch.tensor(louder.T), 8000),
    ):
        np.testing.assert_allclose(read_sound(form, RATE).samples, expected, atol=1e-6)
    whole = (SOUND * 2**15).astype(np.int16)
    np.testing.assert_allclose(read_sound((whole, RATE), RATE).samples, SOUND, atol=1e-4)


def test_a_mappings_stride_is_scaled_and_the_rest_kept() -> None:
    item = {"raw": SOUND, "sampling_rate": 8000, "stride": (100, 200), "id": "가"}
    heard = read_sound(item, RATE)
    assert heard.stride == (200, 400) and heard.extra == {"id": "가"}
    for stride in ((1, 2, 3), (-1, 0), (8000, 1), 5):
        with pytest.raises(ValueError, match=r"stride is .*expected two numbers of samples"):
            read_sound({**item, "stride": stride}, RATE)


def test_what_is_many_is_not_one() -> None:
    many = (
        [SOUND, SOUND],
        (SOUND, SOUND),
        ["a.wav", "b.wav"],
        [],
        iter([SOUND]),
        [{"array": SOUND}],
        [(SOUND, RATE)] * 2,
    )
    for sounds in many:
        assert not is_one_sound(sounds)
    assert not is_one_sound(np.array(["a.wav", "b.wav"])) and not is_one_sound(
        np.array([SOUND, SOUND[1:]], dtype=object)
    )


def test_what_is_no_sound_is_one_clear_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    text = tmp_path / "text.mp3"
    text.write_text("안녕하세요" * 50)
    for source, words in (
        (None, "None of the type NoneType is no sound: pass a path"),
        (3, "3 of the type int is no sound"),
        ("", "'' is an empty text, and names no sound"),
        (tmp_path / "없다.wav", "없다.wav.* is not there"),
        (tmp_path, "is a folder"),
        (empty, r"empty\.wav.* is no sound that soundfile can read"),
        (text, r"text\.mp3.* is no sound that soundfile can read"),
        (b"RIFF", "is no sound that soundfile can read"),
        (written(tmp_path / "none.wav", SOUND[:0]), "gives no samples"),
        (SOUND[:0], "the sound is empty: it has no samples"),
        (np.array([0.1, np.nan]), "NaN"),
        (np.zeros((20, 3000)), r"the shape \(20, 3000\).*list\(sounds\)"),
        (np.zeros((2, 3, 400)), r"the shape \(2, 3, 400\)"),
        (np.array(["a", "b"]), "no samples: give numbers"),
        ({"array": SOUND}, "'array', but not the rate"),
        ({"array": SOUND, "sampling_rate": "16k"}, "Sampling rates are whole numbers"),
        ({"audio": {"array": SOUND, "sampling_rate": RATE}, "text": "가"}, r"\['audio', 'text'\].*item\['audio'\]"),
        ({"array": None, "sampling_rate": RATE}, "a mapping holds a sound as"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            read_sound(source, RATE)


def test_without_soundfile_plain_wavs_are_read_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stereo = np.stack([SOUND, SOUND], axis=1)
    paths = [
        written(tmp_path / f"{kind}.wav", SOUND, 8000, subtype=kind)
        for kind in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32")
    ]
    paths.append(written(tmp_path / "stereo.wav", stereo, 8000))
    expected = [read_sound(path, RATE).samples for path in paths]
    others = [written(tmp_path / "float.wav", subtype="FLOAT"), written(tmp_path / "a.flac")]
    cut = tmp_path / "cut.wav"
    cut.write_bytes(paths[1].read_bytes()[:1000])
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "soundfile":
            raise ImportError("No module named 'soundfile'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for path, samples in zip(paths, expected, strict=True):
        for source in (path, path.read_bytes(), path.open("rb")):
            np.testing.assert_allclose(read_sound(source, RATE).samples, samples, atol=1e-6)
    for path in others:
        with pytest.raises(ImportError, match=r'pip install "nabi\[audio\]"'):
            read_sound(path, RATE)
    with pytest.raises(ValueError, match=r"cut\.wav.* is cut off"):
        read_sound(cut, RATE)
    with pytest.raises(ValueError, match="없다"):
        read_sound(tmp_path / "없다.wav", RATE)


def test_pcm_of_each_width_goes_from_minus_one_to_one() -> None:
    for width, low, high in (
        (1, b"\x00", b"\xff"),
        (2, b"\x00\x80", b"\xff\x7f"),
        (3, b"\x00\x00\x80", b"\xff\xff\x7f"),
    ):
        assert pcm(low + high, width)[0] == -1 and 0.99 < pcm(low + high, width)[1] <= 1


def test_the_wave_module_writes_what_is_read(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((SOUND * 2**15).astype("<i2").tobytes())
    np.testing.assert_allclose(read_sound(tmp_path / "a.wav", RATE).samples, SOUND, atol=1e-4)
