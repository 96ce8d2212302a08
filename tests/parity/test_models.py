"""Every family and head against the incumbent: the same numbers, the same files, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors import safe_open

import nabi

from .families import DECODERS, IDS, PAIRS, Case
from .pairs import assert_same, class_name, decodes, inputs_for, is_speech, labels_for, make_oracle, new_folder, pair

every_model = pytest.mark.parametrize(("case", "head"), PAIRS, ids=IDS)
EXTRAS = {"output_hidden_states": True, "output_attentions": True}

# The incumbent's names in memory of weights that it stores otherwise, as nabi names them.
IN_MEMORY = {
    "mlp.experts.gate_up_proj": "block_sparse_moe.experts.gate_up",
    "mlp.experts.down_proj": "block_sparse_moe.experts.down",
    "mlp.gate.weight": "block_sparse_moe.gate.weight",
}


def compare(case: Case, head: str, inputs: dict[str, Any], **extras: Any) -> None:
    oracle, model, _ = pair(case, head)
    with torch.no_grad():
        theirs, ours = oracle(**inputs, **extras), model(**inputs, **extras)
    theirs = {name: value for name, value in theirs.items() if not (isinstance(value, tuple) and not value)}
    assert set(ours) == set(theirs)
    for name in theirs:
        if name != "past_key_values":
            assert_same(case, inputs, ours[name], theirs[name], name)


@every_model
def test_outputs_hidden_states_and_attentions_are_equal_when_padded_on_the_right(case: Case, head: str) -> None:
    compare(case, head, inputs_for(case, head), **EXTRAS)


@every_model
def test_outputs_are_equal_when_padded_on_the_left(case: Case, head: str) -> None:
    if is_speech(case):
        return  # speech is padded on the right only
    compare(case, head, inputs_for(case, head, side="left"))


@every_model
def test_outputs_are_equal_without_a_mask_and_without_weights_of_attention(case: Case, head: str) -> None:
    inputs = inputs_for(case, head)
    if is_speech(case):
        compare(case, head, {"input_values": inputs["input_values"], "attention_mask": torch.ones(3, 400).long()})
    else:
        inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
        compare(case, head, inputs)


@every_model
def test_loss_and_gradients_of_a_plain_training_step_are_equal(case: Case, head: str) -> None:
    _, _, folder = pair(case, head)
    oracle = make_oracle(case, head)
    model = getattr(nabi, class_name(case, head)).from_pretrained(folder)
    inputs = {**inputs_for(case, head), **labels_for(case, head, model.config)}
    if "labels" in inputs and head == "ForConditionalGeneration":
        del inputs["decoder_input_ids"]  # made from the labels
    if is_speech(case) and "mask_time_indices" not in inputs:
        oracle.config.mask_time_prob = model.config.mask_time_prob = 0.0  # random masks differ by nature
    losses = []
    for each in (oracle, model):
        each.train()
        torch.manual_seed(0)
        out = each(**inputs)
        loss = out.loss if "loss" in out else out[0].square().mean()
        loss = loss + out["mc_loss"] if "mc_loss" in out else loss
        loss.backward()
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-4, abs=1e-5)
    wanted = {}
    for name, parameter in oracle.named_parameters():
        for old, new in IN_MEMORY.items() if case.family == "mixtral" else ():
            name = name.replace(old, new)
        wanted[name] = parameter.grad
    tied = model.tied_weights()  # of two names for one weight, take the same
    wanted = {tied.get(name, name): gradient for name, gradient in wanted.items()}
    mine = {tied.get(name, name): parameter.grad for name, parameter in model.named_parameters()}
    assert set(mine) == set(wanted)
    for name, gradient in wanted.items():
        if gradient is None or mine[name] is None:
            other = mine[name] if gradient is None else gradient
            assert other is None or other.abs().max() == 0, name
            continue
        scale = max(1.0, gradient.abs().max().item())
        assert (mine[name] - gradient).abs().max().item() <= 1e-4 * scale, name


def _steps(case: Case, head: str) -> bool:
    """Angles that grow with the text make a cached key differ from a fresh one, in the incumbent by its history too."""
    growing = (case.keys.get("rope_scaling") or {}).get("rope_type") in ("dynamic", "longrope")
    return decodes(case, head) and head != "DoubleHeadsModel" and not growing


@pytest.mark.parametrize(
    ("case", "head"),
    [pair for pair in PAIRS if _steps(*pair)],
    ids=[name for pair, name in zip(PAIRS, IDS, strict=True) if _steps(*pair)],
)
def test_a_second_step_with_the_cache_is_equal_and_as_good_as_one_pass(case: Case, head: str) -> None:
    oracle, model, _ = pair(case, head)
    inputs = inputs_for(case, head, side="left")
    key = "decoder_input_ids" if "decoder_input_ids" in inputs else "input_ids"
    target = inputs[key]
    if case.family == "bart" and head == "Model":
        key, target = "decoder_input_ids", inputs["input_ids"][:, :4]
    if case.family == "mixtral":
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
    back = getattr(transformers, class_name(case, head)).from_pretrained(folder, attn_implementation="eager")
    inputs = inputs_for(case, head)
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
    tied = set(model.tied_weights())
    assert stored - tied == set(model.state_dict()) - tied


@every_model
def test_embeddings_instead_of_ids_and_a_tuple_instead_of_an_output_give_the_same(case: Case, head: str) -> None:
    if is_speech(case):
        return
    _, model, _ = pair(case, head)
    inputs = inputs_for(case, head)
    vectors = model.get_input_embeddings()(inputs["input_ids"])
    if case.family == "bart":
        vectors = vectors * case.keys["d_model"] ** 0.5
    with torch.no_grad():
        by_ids = model(**inputs, return_dict=False)
        ends = case.family in ("t5", "bart") and head in ("ForSequenceClassification", "ForQuestionAnswering")
        if ends or head == "DoubleHeadsModel" or (case.family, head) == ("bart", "Model"):
            return  # these read the ids themselves
        rest = {name: value for name, value in inputs.items() if name != "input_ids"}
        if case.prefix in ("Roberta", "XLMRoberta", "Camembert"):
            return  # padding is known by its id: positions differ without ids, here as in the incumbent
        if head == "ForSequenceClassification" and case.family in DECODERS:
            return  # the last real token is known by its id
        if head.endswith("MultipleChoice"):
            vectors = vectors.view(*inputs["input_ids"].shape, -1)
        by_vectors = model(inputs_embeds=vectors, **rest, return_dict=False)
    assert isinstance(by_ids, tuple) and isinstance(by_vectors, tuple)
    assert_same(case, inputs, by_vectors[0], by_ids[0], "first output", atol=1e-5)


def _takes_a_mask_of_pairs(case: Case, head: str) -> bool:
    """In the incumbent DeBERTa makes its own of a row's mask, and T5 would look across by the same mask."""
    return head == "Model" and not is_speech(case) and case.family not in ("deberta_v2", "t5")


@pytest.mark.parametrize(
    ("case", "head"),
    [pair for pair in PAIRS if _takes_a_mask_of_pairs(*pair)],
    ids=[name for pair, name in zip(PAIRS, IDS, strict=True) if _takes_a_mask_of_pairs(*pair)],
)
def test_a_mask_of_queries_and_keys_is_taken_as_it_is(case: Case, head: str) -> None:
    inputs = inputs_for(case, head)
    rows, length = inputs["input_ids"].shape
    torch.manual_seed(0)
    allowed = torch.rand(rows, 1, length, length) < 0.7
    if decodes(case, head) and case.family != "bart":
        allowed = allowed.tril()
    allowed |= torch.eye(length).bool()
    additive = torch.zeros(allowed.shape).masked_fill(~allowed, -3e38)
    compare(case, head, {**inputs, "attention_mask": additive})
    model = pair(case, head)[1]
    with torch.no_grad():  # the incumbent's plain attention would add a boolean mask's ones to its scores
        results = [model(**{**inputs, "attention_mask": mask}).last_hidden_state for mask in (additive, allowed)]
    torch.testing.assert_close(results[0], results[1], atol=1e-6, rtol=0)
