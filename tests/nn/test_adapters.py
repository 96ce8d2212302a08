"""Adapters of peft in a model, by the methods that it has for them: as transformers has and writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

import nabi
from nabi.nn.adapters import AdapterMethods

IDS = torch.arange(4, 18).view(2, 7)
BERT = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32}
GPT2 = {"vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 32}


def lora(**options: Any) -> LoraConfig:
    return LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": ["query", "value"], **options})


def shaken(model: Any) -> Any:
    """Every parameter moved, those of adapters too, which start without effect."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model.eval()


@pytest.fixture(scope="module")
def bert(tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    shaken(nabi.BertForSequenceClassification(nabi.BertConfig(**BERT))).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("task", ["SEQ_CLS", None])
def test_an_adapter_of_the_incumbent_is_loaded_with_its_model_by_one_call(
    bert: Path, tmp_path: Path, task: str
) -> None:
    import transformers

    theirs = transformers.BertForSequenceClassification.from_pretrained(bert)
    theirs = shaken(get_peft_model(theirs, lora(task_type=task)))
    theirs.save_pretrained(tmp_path)
    base = transformers.BertForSequenceClassification.from_pretrained(bert)
    expected = type(theirs).from_pretrained(base, tmp_path).eval()(IDS).logits
    for loader in (nabi.AutoModelForSequenceClassification, nabi.BertForSequenceClassification):
        ours = loader.from_pretrained(tmp_path)
        assert ours.active_adapters() == ["default"] and not ours.training
        torch.testing.assert_close(ours(IDS).logits, expected, atol=1e-5, rtol=0)
    assert nabi.AutoConfig.from_pretrained(tmp_path).hidden_size == 16


def test_what_is_added_and_trained_is_written_as_the_incumbent_writes_it(bert: Path, tmp_path: Path) -> None:
    import transformers
    from safetensors.torch import load_file

    files = []
    for library in (nabi, transformers):
        model = library.AutoModelForSequenceClassification.from_pretrained(bert)
        model.add_adapter(lora(), adapter_name="mine")
        learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
        assert learning and all("lora_" in name for name in learning)
        before = {name: value.clone() for name, value in model.get_adapter_state_dict().items()}
        model.train()
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
        model(input_ids=IDS, labels=torch.tensor([0, 1])).loss.backward()
        optimizer.step()
        assert any(not torch.equal(before[name], value) for name, value in model.get_adapter_state_dict().items())
        shaken(model)
        model.save_pretrained(tmp_path / library.__name__)
        files.append(load_file(tmp_path / library.__name__ / "adapter_model.safetensors"))
    assert {name: value.shape for name, value in files[0].items()} == {n: value.shape for n, value in files[1].items()}
    assert not (tmp_path / "nabi" / "config.json").exists()
    named = json.loads((tmp_path / "nabi" / "adapter_config.json").read_text(encoding="utf-8"))
    assert named["base_model_name_or_path"] == str(bert)
    model = nabi.BertForSequenceClassification.from_pretrained(bert)
    model.load_adapter(tmp_path / "transformers")
    theirs = transformers.BertForSequenceClassification.from_pretrained(tmp_path / "transformers").eval()
    torch.testing.assert_close(model(IDS).logits, theirs(IDS).logits, atol=1e-5, rtol=0)


def test_adapters_are_switched_and_taken_out(bert: Path) -> None:
    model = nabi.BertForSequenceClassification.from_pretrained(bert)
    plain = model(IDS).logits
    seen = {}
    for seed, name in enumerate(("first", "second")):
        model.add_adapter(lora(), name)
        torch.manual_seed(seed)
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if f".{name}." in key:
                    parameter.normal_()
        model.eval()
        seen[name] = model(IDS).logits
    assert model.active_adapter() == "second"
    model.set_adapter("first")
    torch.testing.assert_close(model(IDS).logits, seen["first"])
    model.set_adapter(["first", "second"])
    assert model.active_adapters() == ["first", "second"]
    with pytest.raises(ValueError, match="2 adapters are active"):
        model.save_pretrained("nowhere")
    model.disable_adapters()
    torch.testing.assert_close(model(IDS).logits, plain)
    model.enable_adapters()
    model.set_adapter("second")
    model.delete_adapter("first")
    torch.testing.assert_close(model(IDS).logits, seen["second"])
    with pytest.raises(ValueError, match="no adapter 'first'; it has second"):
        model.set_adapter("first")


def test_gpt2_takes_adapters_without_the_drop_in(tmp_path: Path) -> None:
    base = shaken(nabi.GPT2LMHeadModel(nabi.GPT2Config(**GPT2)))
    base.save_pretrained(tmp_path / "base")
    model = nabi.GPT2LMHeadModel.from_pretrained(tmp_path / "base")
    model.add_adapter(lora(target_modules=["c_attn"]))
    shaken(model).save_pretrained(tmp_path / "adapter")
    again = nabi.AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    again.load_adapter(tmp_path / "adapter")
    assert torch.equal(
        again.get_adapter_state_dict()["transformer.h.0.attn.c_attn.lora_A.weight"],
        model.get_adapter_state_dict()["transformer.h.0.attn.c_attn.lora_A.weight"],
    )
    assert again.generate(IDS[:1], max_new_tokens=3, do_sample=False).shape == (1, 10)


def test_a_pipeline_runs_an_adapter(tmp_path: Path) -> None:
    from nabi.embedded import SENTIMENT

    model = nabi.AutoModelForSequenceClassification.from_pretrained(SENTIMENT)
    model.add_adapter(lora())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.3)
    model.save_pretrained(tmp_path)
    pipe = nabi.pipeline("sentiment-analysis", model=str(tmp_path))
    (found,) = pipe("이 영화는 최고예요!")
    tokenizer = nabi.AutoTokenizer.from_pretrained(SENTIMENT)
    scores = model.eval()(**tokenizer("이 영화는 최고예요!", return_tensors="pt")).logits.softmax(-1)
    assert found["score"] == pytest.approx(scores.max().item(), abs=1e-5)


def test_a_head_that_an_adapter_brings_is_not_missed(bert: Path, tmp_path: Path, caplog: Any) -> None:
    body = nabi.BertModel.from_pretrained(bert)
    body.save_pretrained(tmp_path / "body")
    model = nabi.BertForSequenceClassification.from_pretrained(tmp_path / "body")
    shaken(get_peft_model(model, lora(task_type="SEQ_CLS"))).save_pretrained(tmp_path / "adapter")
    caplog.clear()
    again, info = nabi.AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "adapter", output_loading_info=True
    )
    assert not info["missing_keys"] and not caplog.records
    torch.testing.assert_close(again.classifier(torch.ones(16)), model.classifier(torch.ones(16)))


def test_errors_name_what_is_wrong(bert: Path, tmp_path: Path) -> None:
    model = nabi.BertForSequenceClassification.from_pretrained(bert)
    with pytest.raises(ValueError, match="the model has no adapters: add_adapter or load_adapter"):
        model.active_adapters()
    with pytest.raises(TypeError, match="takes a configuration of peft, got dict"):
        model.add_adapter({"r": 4})
    with pytest.raises(ValueError, match="takes a folder or repository, or peft_config and adapter_state_dict"):
        model.load_adapter()
    model.add_adapter(lora())
    with pytest.raises(ValueError, match="has an adapter 'default' already"):
        model.add_adapter(lora())
    model.save_pretrained(tmp_path)
    other = nabi.ElectraForSequenceClassification(nabi.ElectraConfig(**{**BERT, "embedding_size": 16}))
    with pytest.raises(ValueError, match=r"the adapter does not fit .*: it has 'bert\.encoder"):
        other.load_adapter(tmp_path)
    config = tmp_path / "adapter_config.json"
    keys = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps({**keys, "base_model_name_or_path": "/no/such/folder"}), encoding="utf-8")
    with pytest.raises(OSError, match=r"is an adapter of '/no/such/folder', which cannot be opened"):
        nabi.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    config.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="names no base_model_name_or_path"):
        nabi.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert issubclass(nabi.PreTrainedModel, AdapterMethods)
