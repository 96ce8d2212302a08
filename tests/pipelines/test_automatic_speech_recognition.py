"""What is said in sounds, beside the incumbent's pipeline, on tiny random models."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import pipeline
from nabi.processing.sources import say_once

from .speech_models import RATE, noise, save_ctc, save_speech_classifier, save_whisper

torch.set_num_threads(1)
TASK = "automatic-speech-recognition"
CTC = {f"{family} {norm}": (family, norm) for family in ("Wav2Vec2", "Hubert") for norm in ("group", "layer")}


def incumbent(folder: Path) -> Any:
    theirs = transformers.pipeline(TASK, model=str(folder), device="cpu")
    theirs.model.set_attn_implementation("eager")
    return theirs


@pytest.fixture(scope="module", params=list(CTC))
def ctc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = save_ctc(tmp_path_factory.mktemp("ctc"), *CTC[request.param])
    return pipeline(TASK, model=folder, device="cpu"), incumbent(folder)


@pytest.fixture(scope="module")
def spelling(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return pipeline(TASK, model=save_ctc(tmp_path_factory.mktemp("ctc"), norm="layer"), device="cpu")


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = save_whisper(tmp_path_factory.mktemp("whisper"))
    return pipeline(TASK, model=folder, device="cpu"), incumbent(folder)


# ---------------------------------------------------------------- models that spell


@pytest.mark.parametrize("seconds", [0.2, 1, 3.3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_timestamps": "char"},
        {"return_timestamps": "word"},
        {"chunk_length_s": 0.6},
        {"chunk_length_s": 0.6, "stride_length_s": 0.1, "return_timestamps": "char"},
        {"chunk_length_s": 0.7, "stride_length_s": (0.2, 0.0), "return_timestamps": "word"},
        {"chunk_length_s": 0.3, "stride_length_s": [0, 0]},
    ],
)
def test_letters_and_their_times_are_the_incumbents(ctc: tuple[Any, Any], options: Any, seconds: float) -> None:
    ours, theirs = ctc
    sound = noise(int(seconds * RATE))
    result = ours(sound, **options)
    assert result == theirs(sound, **options)
    assert len(result["text"]) > 10


def test_lower_case_is_the_vocabularys_affair(tmp_path: Path) -> None:
    folder = save_ctc(tmp_path, do_lower_case=True)
    result = pipeline(TASK, model=folder, device="cpu")(noise(RATE), return_timestamps="word")
    assert result == incumbent(folder)(noise(RATE), return_timestamps="word")


def test_a_stride_of_the_caller_and_what_else_the_item_holds(ctc: tuple[Any, Any]) -> None:
    ours, theirs = ctc
    item = {"raw": noise(RATE), "sampling_rate": RATE, "stride": (1600, 3200), "partial": True, "id": 7}
    result = ours(item)
    assert result == theirs(dict(item))
    assert result["partial"] == [True] and result["id"] == [7]
    assert result["text"] != ours(item["raw"])["text"]
    assert set(item) == {"raw", "sampling_rate", "stride", "partial", "id"}, "the item is left as it was"


@settings(deadline=None, max_examples=15)
@given(
    lengths=st.lists(st.integers(1000, 12000), min_size=2, max_size=6),
    size=st.integers(1, 8),
    norm=st.sampled_from(["group", "layer"]),
    chunks=st.sampled_from([0, 0.3]),
)
def test_a_text_does_not_depend_on_the_batch_it_was_in(
    lengths: list[int], size: int, norm: str, chunks: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pipe = _spellers(norm, tmp_path_factory)
    sounds = [noise(length, seed) for seed, length in enumerate([*lengths, lengths[0]])]
    alone = [pipe(sound, return_timestamps="char", chunk_length_s=chunks) for sound in sounds]
    assert pipe(sounds, return_timestamps="char", chunk_length_s=chunks, batch_size=size) == alone


_MADE: dict[str, Any] = {}


def _spellers(norm: str, places: pytest.TempPathFactory) -> Any:
    if norm not in _MADE:
        _MADE[norm] = pipeline(TASK, model=save_ctc(places.mktemp("ctc"), norm=norm), device="cpu")
    return _MADE[norm]


def test_sounds_of_one_length_run_together_and_others_where_a_mask_tells_them_apart(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for norm, runs in (("group", [1, 3]), ("layer", [4])):
        pipe, sizes = _spellers(norm, tmp_path_factory), []
        forward = pipe.model.forward
        monkeypatch.setattr(
            pipe.model, "forward", lambda f=forward, n=sizes, **k: (n.append(len(k["input_values"])), f(**k))[1]
        )
        pipe([noise(5000), noise(4000), noise(5000, 1), noise(5000, 2)])
        monkeypatch.undo()
        assert sorted(sizes) == runs


# ---------------------------------------------------------------- Whisper

CASES: dict[str, tuple[float, dict[str, Any]]] = {
    "as it comes": (0.7, {}),
    "a whole window": (1.0, {}),
    "with times": (1.0, {"return_timestamps": True}),
    "with times of words": (1.0, {"return_timestamps": "word"}),
    "with its language": (0.5, {"return_language": True}),
    "with times and its language": (1.0, {"return_timestamps": True, "return_language": True}),
    "long": (3.2, {"return_timestamps": True}),
    "long, with the times of words": (3.2, {"return_timestamps": "word"}),
    "in parts": (2.6, {"chunk_length_s": 1}),
    "in parts with times": (2.6, {"chunk_length_s": 0.8, "return_timestamps": True}),
    "in parts with little in common": (3, {"chunk_length_s": 1, "stride_length_s": [0.1, 0.05]}),
    "in parts with their language": (2.6, {"chunk_length_s": 0.8, "return_language": True}),
    "in parts with the times of words": (
        2.6,
        {"chunk_length_s": 1, "stride_length_s": 0.1, "return_timestamps": "word"},
    ),
    "a task": (1.0, {"generate_kwargs": {"language": "ko", "task": "translate", "num_beams": 1}}),
    "settings by name": (1.0, {"language": "korean", "max_new_tokens": 9, "num_beams": 2, "chunk_length_s": 0.5}),
    "settings as an object": (1.0, {"generation_config": "a config"}),
    "times of generate alone": (1.0, {"generate_kwargs": {"return_timestamps": True}}),
}


@pytest.mark.parametrize("case", list(CASES))
def test_what_whisper_writes_is_the_incumbents(whisper: tuple[Any, Any], case: str) -> None:
    ours, theirs = whisper
    seconds, options = CASES[case]
    theirs_options = dict(options)
    if "generation_config" in options:
        options = {"generation_config": nabi.GenerationConfig(max_new_tokens=8, num_beams=2)}
        theirs_options = {"generation_config": transformers.GenerationConfig(max_new_tokens=8, num_beams=2)}
    for seed in range(3):
        sound = noise(int(seconds * RATE), seed)
        result = ours(sound, **options)
        assert result == theirs(sound, **theirs_options)
        assert result["text"]


def test_a_long_sound_needs_no_word_about_times(whisper: tuple[Any, Any]) -> None:
    ours, _ = whisper
    sound = noise(3 * RATE)
    assert ours(sound) == {"text": ours(sound, return_timestamps=True)["text"]}
    assert ours(sound, return_timestamps=False) == ours(sound)


def test_the_language_changes_no_time_of_a_word(whisper: tuple[Any, Any]) -> None:
    ours, _ = whisper
    options = {"return_timestamps": "word", "language": "korean"}
    words = ours(noise(RATE), return_language=True, **options)["chunks"]
    assert {word.pop("language") for word in words} == {"korean"}
    assert words == ours(noise(RATE), **options)["chunks"]


def test_settings_are_given_once_for_all_calls_too(whisper: tuple[Any, Any]) -> None:
    ours, theirs = whisper
    options = {"chunk_length_s": 0.8, "return_timestamps": True, "generate_kwargs": {"language": "en", "num_beams": 1}}
    parts = {"tokenizer": ours.tokenizer, "feature_extractor": ours.feature_extractor}
    own = pipeline(TASK, model=ours.model, **parts, device="cpu", max_new_tokens=9, **options)
    sound = noise(2 * RATE)
    expected = ours(sound, max_new_tokens=9, **options)
    assert own(sound) == expected
    assert own(sound, max_new_tokens=4) == ours(sound, **options, max_new_tokens=4) != expected
    assert own(sound, generate_kwargs={"language": "ko"}) == theirs(
        sound, **{**options, "generate_kwargs": {"language": "ko", "num_beams": 1}}, max_new_tokens=9
    )


def test_what_the_checkpoint_says_of_generation_comes_before_the_usual(tmp_path: Path) -> None:
    folder = save_whisper(tmp_path, num_beams=2, max_length=None, return_timestamps=True)
    ours, theirs = pipeline(TASK, model=folder, device="cpu"), incumbent(folder)
    sound = noise(RATE)
    result = ours(sound, max_new_tokens=12)
    assert result == theirs(sound, max_new_tokens=12)
    assert "chunks" in result, "its return_timestamps counts too"


def test_parts_of_several_sounds_run_together_and_come_back_in_order(whisper: tuple[Any, Any]) -> None:
    ours, _ = whisper
    sounds = [noise(int(seconds * RATE), seed) for seed, seconds in enumerate((0.4, 2.3, 1.0, 3.1))]
    for options in (
        {"chunk_length_s": 0.9},
        {"return_timestamps": True},
        {"return_language": True, "chunk_length_s": 1},
    ):
        alone = [ours(sound, **options) for sound in sounds]
        for size in (1, 3, 8):
            assert ours(sounds, batch_size=size, **options) == alone
        assert list(ours((sound for sound in sounds), batch_size=2, **options)) == alone


def test_an_assistant_drafts_for_one_sound_at_a_time(whisper: tuple[Any, Any]) -> None:
    ours, _ = whisper
    sounds = [noise(RATE, seed) for seed in range(3)]
    plain = ours(sounds, num_beams=1, repetition_penalty=1.0)
    assert ours(sounds, assistant_model=ours.model, repetition_penalty=1.0) == plain


def test_half_precision_hears_as_well(tmp_path: Path) -> None:
    for save in (save_ctc, save_whisper):
        pipe = pipeline(TASK, model=save(tmp_path / save.__name__), dtype=torch.bfloat16, device="cpu")
        assert pipe.dtype is torch.bfloat16
        assert isinstance(pipe([noise(RATE), noise(8000)], batch_size=2)[1]["text"], str)


# ---------------------------------------------------------------- inputs


def test_a_file_its_bytes_and_its_samples_say_the_same(spelling: Any, tmp_path: Path) -> None:
    sound = noise(8000)
    path = tmp_path / "소리.wav"
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    expected = spelling(sound)
    rated = {"sampling_rate": RATE}
    one = [str(path), path, path.read_bytes(), path.open("rb"), torch.tensor(sound), sound.tolist(), (sound, RATE)]
    one += [
        {"array": sound, **rated},
        {"raw": sound, **rated},
        {"path": str(path), "bytes": None},
        np.stack([sound] * 2),
    ]
    for each in one:
        assert spelling(each) == expected
    assert spelling([str(path), sound, {"array": sound, "path": "x", **rated}]) == [expected] * 3
    assert spelling([]) == []


def test_a_dataset_of_rows_and_a_bad_row(spelling: Any, tmp_path: Path) -> None:
    rows = [{"array": noise(4000 + 100 * i, i), "sampling_rate": RATE} for i in range(5)]
    expected = [spelling(row) for row in rows]
    assert list(spelling(row for row in rows)) == expected
    rows[3] = {"path": str(tmp_path / "없음.wav")}
    results = spelling(rows, on_error="return")
    assert results[:3] + results[4:] == expected[:3] + expected[4:]
    assert "input 3" in str(results[3]) and "없음.wav" in str(results[3])
    with pytest.raises(ValueError, match=r"input 3: .*없음\.wav"):
        spelling(rows)


def test_a_model_object_and_parts_of_its_own(spelling: Any, tmp_path: Path) -> None:
    spelling.save_pretrained(tmp_path)
    again = pipeline(model=tmp_path, device="cpu")
    assert type(again) is nabi.AutomaticSpeechRecognitionPipeline
    assert again(noise(8000)) == spelling(noise(8000))


# ---------------------------------------------------------------- errors


def test_what_a_model_cannot_say_is_an_error_that_names_what_it_can(spelling: Any, whisper: tuple[Any, Any]) -> None:
    ours, _ = whisper
    for pipe, options, words in (
        (spelling, {"return_timestamps": True}, "return_timestamps is True; Wav2Vec2ForCTC gives 'word' or 'char'"),
        (ours, {"return_timestamps": "char"}, "'char'; WhisperForConditionalGeneration gives True or 'word'"),
        (spelling, {"return_language": True}, "return_language is for Whisper"),
        (ours, {"chunk_length_s": 2}, "chunk_length_s is 2, but .* hears 1 seconds at once"),
        (ours, {"chunk_length_s": 0.5, "stride_length_s": 0.3}, "stride_length_s 0.3; expected a part that is longer"),
        (ours, {"chunk_length_s": 0.5, "stride_length_s": (0.1, 0.1, 0.1)}, "expected a part that is longer"),
        (ours, {"chunk_length_s": 0.5, "stride_length_s": "0.1"}, "expected a part that is longer"),
        (ours, {"chunk_length_s": -1}, "chunk_length_s is -1; expected seconds"),
        (ours, {"chunk_length_s": "5"}, "chunk_length_s is '5'; expected seconds"),
        (ours, {"chunk_length_s": float("nan")}, "chunk_length_s is nan"),
        (ours, {"num_return_sequences": 2}, "one transcript"),
    ):
        with pytest.raises(ValueError, match=words):
            pipe(noise(RATE), **options)
    for options, words in (
        ({"chunk_lenght_s": 1}, "no argument 'chunk_lenght_s': did you mean 'chunk_length_s'"),
        ({"generate_kwargs": {"langauge": "ko"}}, "no argument 'langauge': did you mean 'language'"),
        ({"generate_kwargs": ["ko"]}, "generate_kwargs is .'ko'.; expected a mapping"),
        ({"decoder": object()}, "pyctcdecode.*leave decoder out"),
    ):
        for pipe in (spelling, ours):
            with pytest.raises(TypeError, match=words):
                pipe(noise(RATE), **options)


def test_settings_of_generation_have_no_effect_on_a_model_that_spells(spelling: Any, caplog: Any) -> None:
    say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert spelling(noise(8000), max_new_tokens=4, generate_kwargs={"language": "ko"}) == spelling(noise(8000))
    assert "Wav2Vec2ForCTC" in caplog.text


def test_a_sound_too_short_for_a_frame_is_an_error(spelling: Any) -> None:
    with pytest.raises(ValueError, match="the sound has 20 samples, and the model hears nothing in fewer than"):
        spelling(noise(20))
    assert spelling(noise(4800 + 20), chunk_length_s=0.3, stride_length_s=0) == spelling(noise(4800)), "a last bit"


def test_a_model_with_another_head_is_refused(spelling: Any, tmp_path: Path) -> None:
    folder = save_speech_classifier(tmp_path, num_labels=3)
    with pytest.raises(ValueError, match="no weights for the head of Wav2Vec2ForCTC"):
        pipeline(TASK, model=folder, tokenizer=spelling.tokenizer, device="cpu")
    model = nabi.AutoModelForAudioClassification.from_pretrained(folder)
    parts = {"tokenizer": spelling.tokenizer, "feature_extractor": spelling.feature_extractor}
    with pytest.raises(TypeError, match=r"gives no logits .*AutoModelForCTC"):
        pipeline(TASK, model=model, **parts, device="cpu")(noise(8000))


def test_a_repository_with_a_language_model_for_letters_is_read_without_it(tmp_path: Path, caplog: Any) -> None:
    folder = save_ctc(tmp_path)
    plain = pipeline(TASK, model=folder, device="cpu")(noise(8000))
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "processor_class": "Wav2Vec2ProcessorWithLM"}))
    with caplog.at_level(logging.WARNING):
        assert pipeline(TASK, model=folder, device="cpu")(noise(8000)) == plain
    assert "language model beside its letters, which is not used" in caplog.text
