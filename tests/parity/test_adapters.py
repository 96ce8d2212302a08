"""LoRA adapters made with `peft` on the incumbent's model fit nabi's: same places, same numbers, and merged alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peft
import pytest
import torch

from .cases import CASES, Case
from .pairs import assert_same, pair

# Case and head -> the modules that an adapter is put on, as people name them.
TARGETS = {
    ("bert", "ForSequenceClassification"): ["query", "value"],
    ("roberta", "ForTokenClassification"): ["query", "key", "value", "output.dense"],
    ("electra", "ForPreTraining"): ["query", "value"],
    ("distilbert", "ForQuestionAnswering"): ["q_lin", "v_lin"],
    ("deberta-v3", "ForSequenceClassification"): ["query_proj", "value_proj"],
    ("modernbert", "ForMaskedLM"): ["Wqkv", "Wo"],
    ("llama", "ForCausalLM"): ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    ("qwen3", "ForCausalLM"): "all-linear",
    ("gemma2", "ForCausalLM"): ["q_proj", "v_proj"],
    ("gpt-neox", "ForCausalLM"): ["query_key_value"],
    ("bloom", "ForCausalLM"): ["query_key_value", "dense"],
    ("falcon", "ForCausalLM"): ["query_key_value"],
    ("opt", "ForCausalLM"): ["q_proj", "v_proj"],
    ("phi3", "ForCausalLM"): ["qkv_proj", "gate_up_proj"],
    ("t5", "ForConditionalGeneration"): ["q", "v"],
    ("bart", "ForConditionalGeneration"): ["q_proj", "v_proj", "fc1"],
    ("wav2vec2", "ForCTC"): ["q_proj", "v_proj"],
}
CASE = {case.name: case for case in CASES}


@pytest.mark.parametrize(("name", "head"), TARGETS, ids=[f"{name}-{head}" for name, head in TARGETS])
def test_an_adapter_trained_on_the_incumbents_model_gives_the_same_on_nabis(
    name: str, head: str, tmp_path: Path
) -> None:
    case, targets = CASE[name], TARGETS[name, head]
    oracle, model = copies(case, head)
    torch.manual_seed(5)
    adapted = peft.get_peft_model(oracle, peft.LoraConfig(r=3, lora_alpha=6, target_modules=targets)).eval()
    with torch.no_grad():  # fresh adapters change nothing: move their second half off zero
        for key, parameter in adapted.named_parameters():
            if "lora_B" in key:
                parameter.normal_(0.0, 0.3)
    adapted.save_pretrained(tmp_path)
    ours = peft.PeftModel.from_pretrained(model, tmp_path).eval()
    inputs = case.inputs(head)
    plain = pair(case, head)[1]
    with torch.no_grad():
        expected, found, before = adapted(**inputs), ours(**inputs), plain(**inputs)
        key = next(key for key in expected if key != "loss")
        assert_same(case, inputs, found[key], expected[key], key)
        assert (found[key] - before[key]).abs().max() > 1e-2, "the adapter changes nothing"
        merged = ours.merge_and_unload()(**inputs)
    assert_same(case, inputs, merged[key], expected[key], f"merged {key}")


def test_an_adapter_is_trained_on_nabis_model_and_the_incumbent_loads_it(tmp_path: Path) -> None:
    case, head = CASE["bert"], "ForSequenceClassification"
    oracle, model = copies(case, head)
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=2, target_modules=["query", "value"], task_type="SEQ_CLS"))
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=0.01)
    inputs = {**case.inputs(head), **case.labels(head, model.config)}
    losses = []
    for _ in range(20):
        out = adapted(**inputs)
        out.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(out.loss.item())
    assert losses[-1] < losses[0] / 2
    adapted.save_pretrained(tmp_path)
    theirs = peft.PeftModel.from_pretrained(oracle, tmp_path).eval()
    with torch.no_grad():
        assert (theirs(**inputs).logits - adapted.eval()(**inputs).logits).abs().max() < 1e-4


def copies(case: Case, head: str) -> tuple[Any, Any]:
    """Both models, freshly loaded: an adapter changes a model in place."""
    oracle, model, folder = pair(case, head)
    return (
        type(oracle).from_pretrained(folder, attn_implementation=case.kernel),
        type(model).from_pretrained(folder),
    )
