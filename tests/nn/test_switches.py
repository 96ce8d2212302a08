"""What a model may be put through: modes, dtypes, copies, recomputation, compilation."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch

from ..parity.cases import IDS, PAIRS, Case
from .tiny import CASE, class_of, config_of, first, ids, make

every_model = pytest.mark.parametrize(("case", "head"), PAIRS, ids=IDS)


def loss_of(out: Any) -> torch.Tensor:
    return out["loss"] if "loss" in out else first(out).square().mean()


# --- copies -----------------------------------------------------------------------------------------------------------


@every_model
def test_a_copy_and_a_pickle_give_the_same_and_share_nothing(case: Case, head: str) -> None:
    model, inputs = make(case, head), case.inputs(head)
    with torch.no_grad():
        before = first(model(**inputs))
        for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert type(again) is type(model) and again.config == model.config
            assert torch.equal(first(again(**inputs)), before)
            assert {p.data_ptr() for p in again.parameters()}.isdisjoint(p.data_ptr() for p in model.parameters())
            assert again.num_parameters() == model.num_parameters()  # tied weights are still one
            for parameter in again.parameters():
                parameter.zero_()
        assert torch.equal(first(model(**inputs)), before)


def test_a_state_dict_goes_from_one_model_to_another() -> None:
    one, other = make("mixtral", "ForCausalLM", seed=1), make("mixtral", "ForCausalLM", seed=2)
    assert not other.load_state_dict(one.state_dict()).missing_keys
    with torch.no_grad():
        assert torch.equal(one(ids()).logits, other(ids()).logits)


# --- modes and dtypes -------------------------------------------------------------------------------------------------


def test_dropout_works_in_training_only() -> None:
    model = make("bert", hidden_dropout_prob=0.5)
    with torch.no_grad():
        assert torch.equal(model(ids())[0], model(ids())[0])
        assert not torch.equal(model.train()(ids())[0], model(ids())[0])
        assert torch.equal(model.eval()(ids())[0], model(ids())[0])
    assert class_of("bert")(config_of("bert")).training


@pytest.mark.parametrize(
    ("case", "head", "dtype"),
    [(case, head, torch.bfloat16) for case, head in PAIRS if head in ("Model", "ForCTC") or case.only or "LM" in head]
    + [(CASE[name], "Model", torch.float16) for name in ("bert", "deberta-v3", "gpt2", "llama", "t5", "bart")],
)
def test_half_precision_is_near_to_float32(case: Case, head: str, dtype: torch.dtype) -> None:
    model, inputs = make(case, head), case.inputs(head)
    with torch.no_grad():
        whole = model(**inputs)
        model = model.bfloat16() if dtype == torch.bfloat16 else model.half()
        assert model.dtype == dtype
        halves = {k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()}
        half = model(**halves)
    assert set(half) == set(whole)
    exact, rough = first(whole), first(half)
    scale = max(1.0, exact.abs().max().item())
    mixture = hasattr(model.config, "output_router_logits")  # where a rounded score may choose another expert
    mean = (rough.float() - exact).abs().mean().item() / scale
    assert rough.dtype == dtype and torch.isfinite(rough).all()
    assert mean < (0.25 if mixture else 0.03)


# --- gradients --------------------------------------------------------------------------------------------------------


@every_model
def test_recomputed_blocks_give_the_same_gradients(case: Case, head: str) -> None:
    model = make(case, head, **dict.fromkeys(case.random_keys if head != "ForPreTraining" else (), 0.0))
    inputs = {**case.inputs(head), **case.labels(head, model.config)}
    if "labels" in inputs:
        inputs.pop("decoder_input_ids", None)
    gradients = []
    for switch in (model.gradient_checkpointing_disable, model.gradient_checkpointing_enable):
        switch()
        model.train().zero_grad()
        torch.manual_seed(0)
        loss_of(model(**inputs)).backward()
        gradients.append({n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})
    assert model.is_gradient_checkpointing
    plain, recomputed = gradients
    assert plain and set(plain) == set(recomputed)
    assert all(torch.allclose(plain[name], recomputed[name], atol=1e-6) for name in plain)


def test_blocks_are_run_again_in_the_backward_pass_and_only_in_training() -> None:
    model, runs = make("gpt2", "LMHeadModel"), []
    model.transformer.h[0].mlp.c_fc.register_forward_hook(lambda *_: runs.append(1))
    model.gradient_checkpointing_enable()
    out = model(ids(), labels=ids(), use_cache=True)
    assert out.past_key_values is not None
    out.loss.backward()
    assert len(runs) == 1
    out = model.train()(ids(), labels=ids(), use_cache=True)
    assert out.past_key_values is None  # no cache while blocks are run again
    out.loss.backward()
    assert len(runs) == 3


def test_inputs_can_be_made_to_require_gradients_for_adapters() -> None:
    model = make("bert")
    model.requires_grad_(False)
    assert not model(ids())[0].requires_grad
    model.enable_input_require_grads()
    assert model(ids())[0].requires_grad


# --- compilation ------------------------------------------------------------------------------------------------------

COMPILED = [
    ("bert", "ForSequenceClassification"),
    ("roberta", "Model"),
    ("albert", "ForMaskedLM"),
    ("deberta-v3", "Model"),
    ("gpt2", "LMHeadModel"),
    ("llama-3", "ForCausalLM"),
    ("qwen3-window", "ForCausalLM"),
    ("bart", "ForCausalLM"),
    ("wav2vec2", "ForCTC"),
]


def compiled_equals_plain(name: str, head: str, **options: Any) -> None:
    torch._dynamo.reset()
    model, inputs = make(name, head), CASE[name].inputs(head)
    with torch.no_grad():
        wanted = model(**inputs)
        found = torch.compile(model, fullgraph=True, **options)(**inputs)
    assert type(found) is type(wanted) and list(found) == list(wanted)
    assert (found[0] - wanted[0]).abs().max() < 1e-5


@pytest.mark.parametrize(("name", "head"), COMPILED)
def test_the_whole_model_compiles_as_one_graph(name: str, head: str) -> None:
    compiled_equals_plain(name, head, backend="eager")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "head"), [("t5", "ForConditionalGeneration"), ("bart", "ForSequenceClassification")])
def test_encoder_and_decoder_together_compile_as_one_graph(name: str, head: str) -> None:
    compiled_equals_plain(name, head, backend="eager")


def test_a_compiled_model_trains_with_the_same_gradients() -> None:
    torch._dynamo.reset()
    model = make("bert", "ForSequenceClassification").train()
    gradients = []
    for each in (model, torch.compile(model, fullgraph=True, backend="aot_eager")):
        model.zero_grad()
        each(ids(), labels=torch.tensor([0, 1])).loss.backward()
        gradients.append(model.bert.pooler.dense.weight.grad.clone())
    assert torch.allclose(*gradients, atol=1e-6)


@pytest.mark.slow
def test_the_default_compiler_gives_the_same() -> None:
    compiled_equals_plain("bert", "ForSequenceClassification")


def test_a_mixture_of_experts_compiles_around_its_choice_of_experts() -> None:
    """Which experts run depends on the text, so there is more than one graph."""
    torch._dynamo.reset()
    model = make("mixtral", "ForCausalLM")
    with torch.no_grad():
        wanted, found = model(ids()).logits, torch.compile(model, backend="eager")(ids()).logits
    assert (found - wanted).abs().max() < 1e-5
