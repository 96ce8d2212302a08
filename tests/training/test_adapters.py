"""Adapters of peft on GPT-2, whose layers are of a class that peft knows by the name of transformers alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file

import nabi
from nabi import Trainer
from nabi.nn.adapters import fitting
from nabi.training.adapters import with_adapters

from .tiny import padded, quiet, rows

GPT2 = {"vocab_size": 60, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32, "bos_token_id": 1}
CALM = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "eos_token_id": 2}
TARGETS = ["c_attn", "c_proj", "c_fc"]
TEXT = torch.tensor([[7, 8, 9, 10]])


def lora(**settings: Any) -> peft.LoraConfig:
    return peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=TARGETS, **settings)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    nabi.GPT2LMHeadModel(nabi.GPT2Config(**GPT2, **CALM)).save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def load(folder: Path) -> Any:
    return nabi.GPT2LMHeadModel.from_pretrained(folder).eval()


def test_they_are_trained_resumed_merged_and_the_incumbent_reads_them(base: Path, tmp_path: Path) -> None:
    data = rows(16, labels="tokens")
    args = quiet(tmp_path / "out", max_steps=6, learning_rate=0.05, save_strategy="steps", save_steps=3)
    trainer = Trainer(load(base), args, train_dataset=data, data_collator=padded, peft_config=lora())
    trainer.train()
    trainer.save_model(tmp_path / "adapter")
    trainer.save_model(tmp_path / "whole", merge_adapter=True)
    wanted = trainer.model.eval()(TEXT).logits
    assert (wanted - load(base)(TEXT).logits).abs().max() > 1e-2
    torch.testing.assert_close(load(tmp_path / "whole")(TEXT).logits, wanted, rtol=0, atol=1e-5)

    model = load(base)
    config = fitting(peft.PeftConfig.from_pretrained(tmp_path / "adapter"), model)
    again = peft.PeftModel.from_pretrained(model, tmp_path / "adapter", config=config)
    torch.testing.assert_close(again(TEXT).logits, wanted)

    resumed = Trainer(load(base), args, train_dataset=data, data_collator=padded, peft_config=lora())
    resumed.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-3"))
    torch.testing.assert_close(resumed.model.eval()(TEXT).logits, wanted)

    theirs = transformers.GPT2LMHeadModel.from_pretrained(base)
    adapted = peft.PeftModel.from_pretrained(theirs, tmp_path / "adapter").eval()
    torch.testing.assert_close(adapted(TEXT).logits, wanted, rtol=0, atol=1e-4)
    adapted.save_pretrained(tmp_path / "theirs")
    ours, other = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("adapter", "theirs"))
    assert {name: weight.shape for name, weight in ours.items()} == {n: w.shape for n, w in other.items()}
    ours_config, other_config = (
        json.loads((tmp_path / name / "adapter_config.json").read_text()) for name in ("adapter", "theirs")
    )
    assert ours_config["fan_in_fan_out"] is other_config["fan_in_fan_out"] is True
    assert ours_config.keys() == other_config.keys()


def test_decomposed_weights_fit_too(base: Path) -> None:
    model = with_adapters(load(base), lora(use_dora=True)).eval()
    torch.testing.assert_close(model(TEXT).logits, load(base)(TEXT).logits, rtol=0, atol=1e-5)


def test_layers_of_two_kinds_are_merged_each_by_its_own_layout(base: Path) -> None:
    model = load(base)
    model.transformer.h[0].attn.c_proj = torch.nn.Linear(16, 16)  # square: a wrong layout would raise no error
    adapted = with_adapters(model, lora(init_lora_weights=False)).eval()
    wanted = adapted(TEXT).logits
    torch.testing.assert_close(adapted.merge_and_unload()(TEXT).logits, wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (peft.LoraConfig(target_modules="all-linear"), "target_modules='all-linear'"),
        (peft.IA3Config(target_modules=["c_attn"], feedforward_modules=[]), "IA3Config"),
    ],
)
def test_what_finds_no_such_layer_without_the_drop_in_says_so(base: Path, config: Any, named: str) -> None:
    with pytest.raises(ValueError, match=rf"{named} does not find the layers of GPT2LMHeadModel.*import nabi\.drop_in"):
        with_adapters(load(base), config)


WITH_THE_DROP_IN = """
import sys
import nabi.drop_in
import peft, torch
from transformers import GPT2LMHeadModel, Trainer, TrainingArguments

base, folder = sys.argv[1:]
config = peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["c_attn", "c_proj", "c_fc"])
args = TrainingArguments(folder, max_steps=2, learning_rate=0.05, use_cpu=True, report_to="none", save_strategy="no")
text = {"input_ids": [7, 8, 9, 10], "labels": [7, 8, 9, 10]}
trainer = Trainer(GPT2LMHeadModel.from_pretrained(base), args, train_dataset=[text] * 4, peft_config=config)
trainer.train()
trainer.save_model(folder)
again = peft.PeftModel.from_pretrained(GPT2LMHeadModel.from_pretrained(base), folder).eval()
ids = torch.tensor([text["input_ids"]])
torch.testing.assert_close(again(ids).logits, trainer.model.eval()(ids).logits)
torch.testing.assert_close(again.merge_and_unload()(ids).logits, trainer.model(ids).logits, rtol=0, atol=1e-5)
"""


def test_with_the_drop_in_nothing_need_be_told_and_the_files_are_the_same(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    ran = subprocess.run(
        [sys.executable, "-c", WITH_THE_DROP_IN, str(base), str(folder)], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    plain = with_adapters(load(base), lora())
    plain.save_pretrained(tmp_path / "plain")
    ours, other = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("adapter", "plain"))
    assert {name: weight.shape for name, weight in ours.items()} == {n: w.shape for n, w in other.items()}
