"""Every family and head against the incumbent: the same numbers, the same files, both ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors import safe_open

import nabi

from .cases import IDS, PAIRS, Case
from .pairs import assert_same, class_name, make_oracle, new_folder, on_disk, pair

every_model = pytest.mark.parametrize(("case", "head"), PAIRS, ids=IDS)


def extras(case: Case) -> dict[str, bool]:
    return {"output_hidden_states": True, "output_attentions": case.kernel == "eager"}


def those(which: Callable[[Case, str], bool]) -> Any:
    """Parametrises a test with the models of which this holds."""
    chosen = [(pair, name) for pair, name in zip(PAIRS, IDS, strict=True) if which(*pair)]
    return pytest.mark.parametrize(("case", "head"), [pair for pair, _ in chosen], ids=[name for _, name in chosen])


def compare(case: Case, head: str, inputs: dict[str, Any], **extras: Any) -> None:
    oracle, model, _ = pair(case, head)
    with torch.no_grad():
        theirs, ours = oracle(**inputs, **extras), model(**inputs, **extras)
    theirs = {name: value for name, value in theirs.items() if not (isinstance(value, tuple) and not value)}
    assert set(ours) == set(theirs)
    for name in theirs:
        if name != "past_key_values":
            assert_same(case, inputs, ours[name], theirs[name], name)
    assert_same(case, inputs, ours[0], next(iter(theirs.values())), "the first output by its index")


@every_model
def test_outputs_hidden_states_and_attentions_are_equal_when_padded_on_the_right(case: Case, head: str) -> None:
    compare(case, head, case.inputs(head), **extras(case))


@those(lambda case, head: "left" in case.sides)
def test_outputs_are_equal_when_padded_on_the_left(case: Case, head: str) -> None:
    compare(case, head, case.inputs(head, "left"))


@every_model
def test_outputs_are_equal_without_a_mask_and_without_weights_of_attention(case: Case, head: str) -> None:
    inputs = case.inputs(head)
    if "attention_mask" in inputs:
        inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
    compare(case, head, inputs)


@every_model
def test_loss_and_gradients_of_a_plain_training_step_are_equal(case: Case, head: str) -> None:
    _, _, folder = pair(case, head)
    oracle = make_oracle(case, head)
    model = getattr(nabi, class_name(case, head)).from_pretrained(folder)
    inputs = {**case.inputs(head), **case.labels(head, model.config)}
    if "labels" in inputs:
        inputs.pop("decoder_input_ids", None)  # made from the labels
    for key in case.random_keys:
        setattr(oracle.config, key, 0.0)
        setattr(model.config, key, 0.0)
    losses, gradients = [], []
    for each in (oracle, model):
        each.train()
        torch.manual_seed(0)
        out = each(**inputs)
        first = out[0][-1] if isinstance(out[0], tuple) else out[0]  # of a backbone's maps the last
        loss = out.loss if "loss" in out else first.square().mean()
        loss = loss + out["mc_loss"] if "mc_loss" in out else loss
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():  # gradients in the place of weights: so they are compared as they stand in a file
            for parameter in each.parameters():
                parameter.copy_(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)
        gradients.append(on_disk(each))
    assert losses[1] == pytest.approx(losses[0], rel=1e-4, abs=1e-5)
    wanted, found = gradients
    assert set(found) - model.unstored_weights() == set(wanted) - model.unstored_weights()
    for name, gradient in wanted.items():
        scale = max(1.0, gradient.abs().max().item())
        assert (found[name] - gradient).abs().max().item() <= 1e-4 * scale, name


def _steps(case: Case, head: str) -> bool:
    """Angles that grow with the text make a cached key differ from a fresh one, in the incumbent by its history too."""
    growing = (case.keys.get("rope_scaling") or {}).get("rope_type") in ("dynamic", "longrope")
    return case.decodes(head) and head != "DoubleHeadsModel" and not growing


@those(_steps)
def test_a_second_step_with_the_cache_is_equal_and_as_good_as_one_pass(case: Case, head: str) -> None:
    oracle, model, _ = pair(case, head)
    inputs = case.inputs(head, "left")
    key = "decoder_input_ids" if "decoder_input_ids" in inputs else "input_ids"
    target = inputs[key]
    if case.kind == "seq2seq" and head == "Model":
        key, target = "decoder_input_ids", inputs["input_ids"][:, :4]
    if hasattr(oracle.config, "output_router_logits"):
        inputs["output_router_logits"] = False  # the incumbent cannot balance a second step
    results = []
    for each in (oracle, model):
        with torch.no_grad():
            whole = each(**{**inputs, key: target}, use_cache=False)
            first, second = dict(inputs), dict(inputs)
            first[key], second[key] = target[:, :-2], target[:, -2:]
            if key == "input_ids":
                first["attention_mask"] = inputs["attention_mask"][:, :-2]
            one = each(**first, use_cache=True)
            two = each(**second, past_key_values=one.past_key_values, use_cache=True)
        results.append((two[0], two.past_key_values.get_seq_length(), whole[0]))
    (theirs, length, _), (ours, our_length, whole) = results
    assert our_length == length == target.shape[1]
    assert (ours - theirs).abs().max() <= 1e-4
    if whole.dim() == 3:
        assert (ours - whole[:, -2:])[0].abs().max() <= 1e-4  # the text without padding


@every_model
def test_what_nabi_saves_the_incumbent_loads(case: Case, head: str) -> None:
    oracle, model, _ = pair(case, head)
    folder = new_folder()
    model.save_pretrained(folder)
    back = getattr(transformers, class_name(case, head)).from_pretrained(folder, attn_implementation=case.kernel)
    inputs = case.inputs(head)
    with torch.no_grad():
        theirs, again = oracle(**inputs), back(**inputs)
    for name in theirs:
        if name != "past_key_values":
            assert_same(case, inputs, again[name], theirs[name], name)


@every_model
def test_the_tree_of_names_is_the_one_on_disk(case: Case, head: str) -> None:
    _, model, folder = pair(case, head)
    with safe_open(Path(folder) / "model.safetensors", "pt") as file:
        stored = set(file.keys())
    left_out = {*model.tied_weights(), *model.unstored_weights()}
    assert stored - left_out == set(model.state_dict()) - left_out


@every_model
def test_a_tuple_instead_of_an_output_holds_the_same(case: Case, head: str) -> None:
    _, model, _ = pair(case, head)
    inputs = case.inputs(head)
    with torch.no_grad():
        named, plain = model(**inputs), model(**inputs, return_dict=False)
    assert isinstance(plain, tuple)
    assert len(plain) == len(named)
    assert_same(case, inputs, plain[0], named[0], "first output", atol=1e-6)


def _takes_embeddings(case: Case, head: str) -> bool:
    """Some heads read the ids themselves: for the end token, for the last real token, or as their own target."""
    if case.positions_by_id:
        return False
    if case.kind == "seq2seq":
        return head in case.targets or head in ("EncoderModel", "ForCausalLM", "ForTokenClassification")
    reads_ids = head in ("DoubleHeadsModel", "ForSequenceClassification") and case.kind == "decoder"
    return case.kind in ("encoder", "decoder") and not reads_ids


@those(_takes_embeddings)
def test_embeddings_instead_of_ids_give_the_same(case: Case, head: str) -> None:
    _, model, _ = pair(case, head)
    inputs = case.inputs(head)
    with torch.no_grad():
        vectors = model.get_input_embeddings()(inputs["input_ids"]) * case.embedding_scale
        by_ids = model(**inputs)
        by_vectors = model(**{**inputs, "input_ids": None, "inputs_embeds": vectors})
    assert_same(case, inputs, by_vectors[0], by_ids[0], "first output", atol=1e-5)


def _takes_a_mask_of_pairs(case: Case, head: str) -> bool:
    """In the incumbent DeBERTa makes its own of a row's mask, and T5 would look across by the same mask."""
    if case.kind == "seq2seq" and head in case.targets:
        return False  # the incumbent would look across by the same mask
    return head == "Model" and case.pair_masks and case.kind in ("encoder", "decoder", "seq2seq")


@those(_takes_a_mask_of_pairs)
def test_a_mask_of_queries_and_keys_is_taken_as_it_is(case: Case, head: str) -> None:
    inputs = case.inputs(head)
    rows, length = inputs["input_ids"].shape
    torch.manual_seed(0)
    allowed = torch.rand(rows, 1, length, length) < 0.7
    if case.decodes(head) and case.kind != "seq2seq":
        allowed = allowed.tril()
    allowed |= torch.eye(length).bool()
    additive = torch.zeros(allowed.shape).masked_fill(~allowed, -3e38)
    compare(case, head, {**inputs, "attention_mask": additive})
    model = pair(case, head)[1]
    with torch.no_grad():  # the incumbent's plain attention would add a boolean mask's ones to its scores
        results = [model(**{**inputs, "attention_mask": mask}).last_hidden_state for mask in (additive, allowed)]
    torch.testing.assert_close(results[0], results[1], atol=1e-6, rtol=0)
