"""The Auto classes find the class by what the files say, else by the model's type."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from small_inputs import assert_same, picture, wave

import nabi
from nabi import processing


def write(folder: Path, name: str, content: dict[str, Any]) -> Path:
    (folder / name).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("name", processing.IMAGE_PROCESSORS)
def test_an_image_processor_is_found_by_its_name_in_the_file(name: str, tmp_path: Path, incumbent: ModuleType) -> None:
    for named in (name, name + "Fast", name.replace("ImageProcessor", "FeatureExtractor")):
        key = "feature_extractor_type" if named.endswith("Extractor") else "image_processor_type"
        write(tmp_path, "preprocessor_config.json", {key: named, "image_mean": [0.1, 0.2, 0.3]})
        for auto in (nabi.AutoImageProcessor, nabi.AutoFeatureExtractor, nabi.AutoProcessor):
            read = auto.from_pretrained(tmp_path)
            assert type(read).__name__ == name and read.image_mean == [0.1, 0.2, 0.3]
    theirs = incumbent.AutoImageProcessor.from_pretrained(tmp_path)
    own, their = read(picture(), return_tensors="np"), theirs(picture(), return_tensors="np")
    assert_same(own, {key: their[key] for key in own})


@pytest.mark.parametrize(
    ("model_type", "auto", "name"),
    [
        ("swin", "AutoImageProcessor", "ViTImageProcessor"),
        ("dinov2", "AutoImageProcessor", "BitImageProcessor"),
        ("resnet", "AutoImageProcessor", "ConvNextImageProcessor"),
        ("vit", "AutoFeatureExtractor", "ViTImageProcessor"),
        ("hubert", "AutoFeatureExtractor", "Wav2Vec2FeatureExtractor"),
        ("whisper", "AutoFeatureExtractor", "WhisperFeatureExtractor"),
        ("wavlm", "AutoFeatureExtractor", "Wav2Vec2FeatureExtractor"),
        ("yolos", "AutoProcessor", "YolosImageProcessor"),
        ("data2vec-audio", "AutoProcessor", "Wav2Vec2FeatureExtractor"),
    ],
)
def test_the_models_type_decides_where_no_class_is_named(model_type: str, auto: str, name: str, tmp_path: Path) -> None:
    write(tmp_path, "preprocessor_config.json", {"do_normalize": True})
    write(tmp_path, "config.json", {"model_type": model_type})
    assert type(getattr(nabi, auto).from_pretrained(tmp_path)).__name__ == name


def test_every_model_type_is_the_incumbents(incumbent: ModuleType) -> None:
    from transformers.models.auto import feature_extraction_auto, image_processing_auto, processing_auto

    for table, theirs in (
        (processing.FEATURE_EXTRACTORS, feature_extraction_auto.FEATURE_EXTRACTOR_MAPPING_NAMES),
        (processing.PROCESSORS, processing_auto.PROCESSOR_MAPPING_NAMES),
    ):
        for name, types in table.items():
            assert {model_type: theirs.get(model_type) for model_type in types.split()} == dict.fromkeys(
                types.split(), name
            )
    for name, types in processing.IMAGE_PROCESSORS.items():
        for model_type in types.split():
            assert image_processing_auto.IMAGE_PROCESSOR_MAPPING_NAMES[model_type]["torchvision"] == name


@pytest.mark.parametrize(
    ("types", "folder", "name"),
    [
        ({"model_type": "clip"}, "words", "CLIPProcessor"),
        ({"model_type": "llava"}, "words", "LlavaProcessor"),
        ({"model_type": "hubert"}, "letters", "Wav2Vec2Processor"),
        ({"model_type": "bert"}, "words", "PreTrainedTokenizerFast"),
    ],
)
def test_a_processor_is_found_by_the_models_type(
    types: dict[str, str], folder: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    shutil.copytree(request.getfixturevalue(folder), tmp_path, dirs_exist_ok=True)
    write(tmp_path, "config.json", types)
    write(tmp_path, "preprocessor_config.json", {})
    assert type(nabi.AutoProcessor.from_pretrained(tmp_path)).__name__ == name


def test_a_processor_that_nabi_lacks_is_mentioned(
    words: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(words, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "processor_config.json", {"processor_class": "DonutProcessor"})
    assert type(nabi.AutoProcessor.from_pretrained(tmp_path)).__name__ == "PreTrainedTokenizerFast"
    assert "asks for the processor 'DonutProcessor', which nabi does not have" in caplog.text


def test_an_unknown_class_is_an_error_that_lists_the_known(tmp_path: Path) -> None:
    write(tmp_path, "preprocessor_config.json", {"image_processor_type": "DonutImageProcessor"})
    with pytest.raises(ValueError, match=r"asks for the class 'DonutImageProcessor'.*It has BitImageProcessor"):
        nabi.AutoImageProcessor.from_pretrained(tmp_path)
    write(tmp_path, "preprocessor_config.json", {})
    with pytest.raises(ValueError, match="names no class, and its model_type is ''"):
        nabi.AutoFeatureExtractor.from_pretrained(tmp_path)
    nabi.WhisperFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="holds a WhisperFeatureExtractor"):
        nabi.AutoImageProcessor.from_pretrained(tmp_path)


def test_an_empty_folder_is_an_error_that_says_what_is_missing(tmp_path: Path) -> None:
    for auto in (nabi.AutoImageProcessor, nabi.AutoFeatureExtractor, nabi.AutoProcessor):
        with pytest.raises(OSError, match=r"preprocessor_config\.json"):
            auto.from_pretrained(tmp_path)
        with pytest.raises(TypeError, match="from_pretrained"):
            auto()


def test_damaged_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(ValueError, match=r"preprocessor_config\.json is not valid JSON"):
        nabi.AutoImageProcessor.from_pretrained(tmp_path)


def test_a_given_config_and_a_json_file_are_taken(tmp_path: Path) -> None:
    write(tmp_path, "preprocessor_config.json", {"size": 30})

    class Config:
        model_type = "vit"

    assert nabi.AutoImageProcessor.from_pretrained(tmp_path, config=Config()).size == {"height": 30, "width": 30}
    nabi.DeiTImageProcessor().save_pretrained(tmp_path)
    made, rest = nabi.AutoImageProcessor.from_pretrained(
        tmp_path / "preprocessor_config.json", use_fast=False, size=20, other=1, return_unused_kwargs=True
    )
    assert type(made) is nabi.DeiTImageProcessor and rest == {"other": 1} and made.size["height"] == 20


# --- BatchFeature, and the door


def test_a_batch_is_read_by_key_and_attribute_moved_and_cast() -> None:
    batch = nabi.ViTImageProcessor(size=8)(picture(), return_tensors="pt")
    batch["labels"] = torch.tensor([1])
    batch["names"] = ["a"]
    assert batch.pixel_values is batch["pixel_values"] and set(batch) == {"pixel_values", "labels", "names"}
    assert batch.to(torch.float16) is batch
    assert batch.pixel_values.dtype == torch.float16 and batch.labels.dtype == torch.int64
    moved = batch.to("meta", dtype=torch.bfloat16)
    assert moved.pixel_values.device.type == moved.labels.device.type == "meta"
    assert moved.pixel_values.dtype == torch.bfloat16 and moved.labels.dtype == torch.int64
    with pytest.raises(AttributeError, match="no attribute and no key 'nothing'"):
        batch.nothing  # noqa: B018
    with pytest.raises(KeyError, match="is read by key"):
        batch[0]
    with pytest.raises(ValueError, match=r"BatchFeature\.to\(\[\]\)"):
        batch.to([])


def test_a_batch_can_be_copied_and_pickled_and_given_to_a_model() -> None:
    import copy
    import pickle

    batch = nabi.Wav2Vec2FeatureExtractor()(wave(400), sampling_rate=16000, return_tensors="pt")
    for again in (copy.deepcopy(batch), pickle.loads(pickle.dumps(batch))):
        assert torch.equal(again.input_values, batch.input_values)
    assert (lambda **given: list(given))(**batch) == ["input_values"]


def test_the_door_loads_neither_torch_nor_pillow_nor_soundfile() -> None:
    doors = "AutoProcessor, AutoImageProcessor, ViTImageProcessor, CLIPProcessor, WhisperFeatureExtractor"
    code = f"import sys; from nabi import {doors}; print({{'torch', 'PIL', 'soundfile'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_name_of_the_room_can_be_had() -> None:
    for name in processing.__all__:
        assert getattr(processing, name) is not None
    with pytest.raises(AttributeError, match="NoSuchProcessor"):
        processing.NoSuchProcessor  # noqa: B018
