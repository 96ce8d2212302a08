"""Labels of sounds beside the incumbent's pipeline, on tiny random models."""

from __future__ import annotations

import math
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

from .speech_models import RATE, noise, save_ctc, save_speech_classifier

torch.set_num_threads(1)
TASK = "audio-classification"
LABELS = {0: "네", 1: "아니오", 2: "위로", 3: "아래로", 4: "왼쪽", 5: "오른쪽", 6: "멈춰"}
NAMED = {"id2label": LABELS, "label2id": {name: number for number, name in LABELS.items()}}
MODELS: dict[str, dict[str, Any]] = {
    "Wav2Vec2, group": {},
    "Wav2Vec2, layer": {"norm": "layer", "use_weighted_layer_sum": True},
    "HuBERT, group": {"family": "Hubert"},
    "HuBERT, layer": {"family": "Hubert", "norm": "layer"},
    "Whisper": {"family": "Whisper", "classifier_proj_size": 12, "use_weighted_layer_sum": True},
    "several labels": {"problem_type": "multi_label_classification"},
    "a regression": {"problem_type": "regression"},
}
SOUNDS = [noise(length, seed) for seed, length in enumerate((4000, 9000, 16000, 9000, 24000))]


def same(result: Any, expected: Any) -> bool:
    if isinstance(expected, list):
        return len(result) == len(expected) and all(map(same, result, expected))
    return result["label"] == expected["label"] and math.isclose(result["score"], expected["score"], abs_tol=1e-4)


@pytest.fixture(scope="module", params=list(MODELS))
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = save_speech_classifier(tmp_path_factory.mktemp("classifier"), **MODELS[request.param], **NAMED)
    return pipeline(TASK, model=folder, device="cpu"), transformers.pipeline(TASK, model=str(folder), device="cpu")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return pipeline(TASK, model=save_speech_classifier(tmp_path_factory.mktemp("named"), **NAMED), device="cpu")


@pytest.mark.parametrize(
    "options",
    [{}, {"top_k": 1}, {"top_k": 3}, {"top_k": None}, {"top_k": 99}]
    + [{"function_to_apply": name} for name in ("softmax", "sigmoid", "none")],
)
def test_labels_and_scores_are_the_incumbents(both: tuple[Any, Any], options: dict[str, Any]) -> None:
    ours, theirs = both
    for sound in SOUNDS:
        assert same(ours(sound, **options), theirs(sound, **options))
    assert same(ours(SOUNDS, **options), theirs(SOUNDS, **options))
    item = {"array": SOUNDS[0], "sampling_rate": RATE}
    assert same(ours(item, **options), theirs(dict(item), **options))


def test_settings_of_the_constructor_hold_until_a_call_says_otherwise(named: Any) -> None:
    own = pipeline(
        TASK,
        model=named.model,
        feature_extractor=named.feature_extractor,
        device="cpu",
        top_k=2,
        function_to_apply="none",
    )
    assert own(SOUNDS[0]) == named(SOUNDS[0], function_to_apply="none")[:2]
    assert own(SOUNDS[0], top_k=None, function_to_apply="softmax") == named(SOUNDS[0])
    assert len(named(SOUNDS[0])) == len(LABELS)
    scores = [entry["score"] for entry in named(SOUNDS[0])]
    assert scores == sorted(scores, reverse=True) and math.isclose(sum(scores), 1, abs_tol=1e-5)


_MADE: dict[str, Any] = {}


@settings(deadline=None, max_examples=15)
@given(
    lengths=st.lists(st.integers(500, 20000), min_size=2, max_size=6),
    size=st.integers(1, 8),
    kind=st.sampled_from(list(MODELS)[:5]),
)
def test_a_score_does_not_depend_on_the_batch_it_was_in(
    lengths: list[int], size: int, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if kind not in _MADE:
        folder = save_speech_classifier(tmp_path_factory.mktemp("any"), **MODELS[kind], **NAMED)
        _MADE[kind] = pipeline(TASK, model=folder, device="cpu")
    sounds = [noise(length, seed) for seed, length in enumerate([*lengths, lengths[0]])]
    alone = [_MADE[kind](sound) for sound in sounds]
    assert same(_MADE[kind](sounds, batch_size=size), alone)
    assert same(list(_MADE[kind](sound for sound in sounds)), alone)


def test_a_file_and_its_samples_have_the_same_labels(named: Any, tmp_path: Path) -> None:
    path = tmp_path / "네.wav"
    soundfile.write(path, SOUNDS[1], RATE, subtype="FLOAT")
    expected = named(SOUNDS[1])
    for sound in (str(path), path, path.read_bytes(), torch.tensor(SOUNDS[1]), (SOUNDS[1], RATE), {"path": str(path)}):
        assert named(sound) == expected
    assert named([str(path)]) == [expected]


def test_a_label_without_a_name_has_a_number(named: Any, tmp_path: Path) -> None:
    named.save_pretrained(tmp_path)
    pipe = pipeline(model=tmp_path, task=TASK, device="cpu")
    pipe.model.config.id2label = {0: "네"}
    assert {entry["label"] for entry in pipe(SOUNDS[0])} == {"네", *(f"LABEL_{n}" for n in range(1, 7))}


def test_what_does_not_fit_is_one_clear_error(named: Any, tmp_path: Path) -> None:
    for options, words in (({"top_k": 0}, "top_k is 0"), ({"function_to_apply": "tanh"}, "'tanh'; expected one of")):
        with pytest.raises(ValueError, match=words):
            named(SOUNDS[0], **options)
    with pytest.raises(TypeError, match="no argument 'topk': did you mean 'top_k'"):
        named(SOUNDS[0], topk=1)
    for sound, words in (
        (np.zeros(0), "the sound is empty"),
        (np.zeros(30), "30 samples, and the model hears nothing"),
    ):
        with pytest.raises(ValueError, match=words):
            named(sound)
        with pytest.raises(ValueError, match=f"input 1: .*{words}"):
            named([SOUNDS[0], sound])
        good, bad = named([SOUNDS[0], sound], on_error="return")
        assert good == named(SOUNDS[0]) and isinstance(bad, ValueError)
    folder = save_ctc(tmp_path)
    with pytest.raises(ValueError, match="no weights for the head of Wav2Vec2ForSequenceClassification"):
        pipeline(TASK, model=folder, device="cpu")
    model = nabi.AutoModelForCTC.from_pretrained(folder)
    with pytest.raises(TypeError, match=r"Wav2Vec2ForCTC gives no logits \(batch, labels\)"):
        pipeline(TASK, model=model, device="cpu")(SOUNDS[0])


def test_the_model_alone_says_the_task(tmp_path: Path) -> None:
    for family, kind in (
        ("Wav2Vec2", "Wav2Vec2ForSequenceClassification"),
        ("Whisper", "WhisperForAudioClassification"),
    ):
        pipe = pipeline(model=save_speech_classifier(tmp_path / family, family), device="cpu")
        assert type(pipe) is nabi.AudioClassificationPipeline and type(pipe.model).__name__ == kind
