"""Checkpoints that TensorFlow and Flax wrote, converted: nabi computes from them what those models computed.

recorded/ was made by tests/conversion/make_recorded.py, in an environment of its own with transformers 4.57.1,
TensorFlow, and JAX; that file says how to run it. Neither is needed here.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import nabi
from nabi.config import read_json

RECORDED = Path(__file__).parent / "recorded"
NAMES = sorted(file.stem for file in RECORDED.glob("*.zip"))

# What is left out because no output of the class comes from it; everything else in a file must have its place.
UNUSED = {
    "tf-albert": ("predictions.bias",),
    "tf-mpnet": ("mpnet.pooler.dense.weight", "mpnet.pooler.dense.bias"),
    "flax-wav2vec2": ("wav2vec2.masked_spec_embed",),
    "tf-hubert": ("hubert.masked_spec_embed",),
    "tf-hubert-stable": ("hubert.masked_spec_embed",),
}


def unpack(name: str, folder: Path) -> Path:
    with zipfile.ZipFile(RECORDED / f"{name}.zip") as file:
        file.extractall(folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_converted_model_gives_the_recorded_outputs(name: str, tmp_path: Path) -> None:
    source = unpack(name, tmp_path / "source")
    done = nabi.convert_checkpoint(source, tmp_path / "target")
    assert done.framework == ("TensorFlow" if name.startswith("tf-") else "Flax")
    assert sorted(done.unused) == sorted(UNUSED.get(name, ()))
    model_class = getattr(nabi, read_json(tmp_path / "target" / "config.json")["architectures"][0])
    model, loading = model_class.from_pretrained(tmp_path / "target", output_loading_info=True)
    lacking = ["bert.pooler.bias", "bert.pooler.weight"] if name == "flax-big-bird" else []
    assert loading["missing_keys"] == lacking
    assert not loading["unexpected_keys"]
    answers = np.load(source / "answers.npz")
    inputs = {key[3:]: torch.from_numpy(answers[key]) for key in answers if key.startswith("in.")}
    with torch.no_grad():
        outputs = model(**inputs)
    recorded = {key[4:]: torch.from_numpy(answers[key]) for key in answers if key.startswith("out.")}
    assert recorded.keys() & outputs.keys()
    for key in recorded.keys() & outputs.keys():
        torch.testing.assert_close(outputs[key], recorded[key], atol=1e-4, rtol=1e-5)


def test_half_precision_stays_half_on_disk(tmp_path: Path) -> None:
    done = nabi.convert_checkpoint(unpack("flax-bert-bfloat16", tmp_path / "source"), tmp_path / "target")
    assert done.dtypes == (("bfloat16",), ("bfloat16",))


def test_the_names_are_those_that_the_model_class_saves(tmp_path: Path) -> None:
    source = unpack("tf-t5", tmp_path / "source")
    nabi.convert_checkpoint(source, tmp_path / "target")
    model = nabi.T5ForConditionalGeneration.from_pretrained(tmp_path / "target")
    model.save_pretrained(tmp_path / "saved")
    assert names(tmp_path / "target") == names(tmp_path / "saved")


def test_a_class_that_does_not_fit_is_refused_and_the_one_that_does_is_named(tmp_path: Path) -> None:
    source = unpack("tf-bert-pretraining", tmp_path / "source")
    config = source / "config.json"
    config.write_text(config.read_text().replace("BertForPreTraining", "BertForMaskedLM"))
    with pytest.raises(ValueError, match=r"2 left over: cls\.seq_relationship.*BertForPreTraining fits"):
        nabi.convert_checkpoint(source, tmp_path / "target")
    assert [entry.name for entry in tmp_path.iterdir()] == ["source"]
    nabi.convert_checkpoint(source, tmp_path / "target", model_class="BertForPreTraining")
    assert read_json(tmp_path / "target" / "config.json")["architectures"] == ["BertForPreTraining"]


def test_a_config_of_other_sizes_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = unpack("flax-bert-masked", tmp_path / "source")
    config = source / "config.json"
    config.write_text(config.read_text().replace('"intermediate_size": 12', '"intermediate_size": 16'))
    with pytest.raises(
        ValueError, match=r"6 of another shape: .*intermediate\.dense\.weight \(12, 8\), expected \(16, 8"
    ):
        nabi.convert_checkpoint(source, tmp_path / "target")
    assert [entry.name for entry in tmp_path.iterdir()] == ["source"]


def test_loading_says_how_to_get_at_these_weights(tmp_path: Path) -> None:
    source = unpack("flax-bert-masked", tmp_path / "source")
    with pytest.raises(OSError, match=r"has flax_model\.msgpack, but neither .* `nabi convert .*source TARGET` makes"):
        nabi.BertForMaskedLM.from_pretrained(source)


def names(folder: Path) -> set[str]:
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="pt") as file:
        return set(file.keys())
