"""Embeddings got, set and resized, with all that hangs on the vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ..parity.cases import CASES, Case
from .tiny import class_of, ids, make

TEXTS = [case for case in CASES if case.kind in ("encoder", "decoder", "seq2seq") and case.family != "encoder_decoder"]
TEXT_PAIRS = [(case, head) for case in TEXTS for head in case.heads]  # two halves are resized one by one
every_text_model = pytest.mark.parametrize(("case", "head"), TEXT_PAIRS, ids=[f"{c.name}-{h}" for c, h in TEXT_PAIRS])


def logits_of(model: Any, case: Case, head: str, word: int | None = None) -> torch.Tensor:
    """For the same texts, with this token among them."""
    inputs: dict[str, Any] = {"input_ids": ids(end=model.config.eos_token_id if case.kind == "seq2seq" else 7)}
    if word is not None:
        inputs["input_ids"][0, 3] = word
    if case.kind == "seq2seq" and head in case.targets:
        inputs["decoder_input_ids"] = inputs["input_ids"]
    if model.config.model_type == "longformer":
        inputs["input_ids"][:, [1, 2, 4]] = model.config.sep_token_id  # where the question ends
    if model.config.add_cross_attention:
        inputs["encoder_hidden_states"] = torch.ones(2, 3, 16)
    if head.endswith("MultipleChoice") or head == "DoubleHeadsModel":
        inputs = {"input_ids": inputs["input_ids"][:, None].expand(2, 2, 7)}
    with torch.no_grad():
        out = model(**inputs)
    return out["logits"] if "logits" in out else out[0]


def vocabulary_sizes(model: Any) -> set[int]:
    """The sizes of all that has one row for each token."""
    sizes = {model.get_input_embeddings().weight.shape[0], model.config.vocab_size}
    head = model.get_output_embeddings()
    if head is not None:
        sizes |= {head.weight.shape[0], head.out_features, *(() if head.bias is None else head.bias.shape)}
    for name, tensor in model.state_dict().items():
        if name.endswith(
            ("predictions.bias", "lm_head.bias", "final_logits_bias", "embed_tokens.weight", "shared.weight")
        ):
            sizes.add(tensor.shape[-1] if "bias" in name else tensor.shape[0])
    return sizes


@every_text_model
@pytest.mark.parametrize("count", [67, 40])
def test_a_resized_model_runs_agrees_on_old_tokens_and_survives_a_round_trip(
    case: Case, head: str, count: int, tmp_path: Path
) -> None:
    if not case.keys.get("share_encoder_decoder_embeddings", True):
        return  # source and target have vocabularies of their own
    model = make(case, head)
    before, tied = logits_of(model, case, head), model.tied_weights()
    table = model.get_input_embeddings().weight.detach().clone()
    assert model.resize_token_embeddings(count) is model.get_input_embeddings()
    assert vocabulary_sizes(model) == {count}
    kept = min(count, 60)
    assert torch.equal(model.get_input_embeddings().weight[:kept], table[:kept])
    for alias, origin in tied.items():
        assert model.get_parameter(alias) is model.get_parameter(origin), alias
    after = logits_of(model, case, head)
    if after.shape == before.shape:
        assert torch.allclose(after, before, atol=1e-5)
    else:
        assert after.shape == (*before.shape[:-1], count)
        assert torch.allclose(after[..., :kept], before[..., :kept], atol=1e-5)
    assert not torch.equal(logits_of(model, case, head, word=count - 1), after)  # the newest token is read
    model.save_pretrained(tmp_path)
    again, info = class_of(case, head).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values()) and torch.allclose(logits_of(again, case, head), after, atol=1e-6)


def test_new_rows_are_the_mean_of_the_old_or_as_the_family_initialises() -> None:
    model = make("bert", "ForMaskedLM")
    mean = model.get_input_embeddings().weight.mean(0)
    model.resize_token_embeddings(62)
    assert torch.allclose(model.get_input_embeddings().weight[60:], mean.expand(2, -1), atol=1e-6)
    torch.manual_seed(0)
    model.resize_token_embeddings(5000, mean_resizing=False)
    fresh = model.get_input_embeddings().weight[62:]
    assert fresh.std().item() == pytest.approx(0.02, rel=0.03)


def test_a_multiple_is_rounded_up_to_and_may_stand_alone() -> None:
    model = make("gpt2", "LMHeadModel")
    assert model.resize_token_embeddings(61, pad_to_multiple_of=8).num_embeddings == 64 == model.config.vocab_size
    assert model.resize_token_embeddings(pad_to_multiple_of=50).num_embeddings == 100


def test_the_same_size_changes_nothing_and_none_at_all_is_refused() -> None:
    model = make("gpt2", "LMHeadModel")
    old = model.get_input_embeddings()
    assert model.resize_token_embeddings(60) is old is model.resize_token_embeddings()
    for wrong in (0, -3):
        with pytest.raises(ValueError, match=f"new_num_tokens is {wrong}"):
            model.resize_token_embeddings(wrong)


def test_a_resized_model_trains_its_new_rows_and_its_dtype_stays() -> None:
    model = make("bert", "ForMaskedLM").bfloat16()
    model.resize_token_embeddings(64)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    model = model.float()
    model(torch.full((1, 3), 63), labels=torch.full((1, 3), 62)).loss.backward()
    assert model.get_input_embeddings().weight.grad[62:].abs().sum() > 0


def test_barts_bias_of_the_logits_grows_by_zeros_and_keeps_its_values() -> None:
    model = make("bart", "ForConditionalGeneration")
    model.final_logits_bias += 1
    model.resize_token_embeddings(63)
    assert model.final_logits_bias.tolist() == [[1.0] * 60 + [0.0] * 3]


def test_a_decoders_padding_row_follows_while_it_is_inside() -> None:
    model = make("roberta")
    assert model.resize_token_embeddings(70).padding_idx == 1
    assert model.resize_token_embeddings(1).padding_idx is None


@every_text_model
def test_embeddings_can_be_replaced_and_tied_again(case: Case, head: str) -> None:
    model = make(case, head)
    old, before = model.get_input_embeddings(), logits_of(model, case, head)
    new = nn.Embedding(old.num_embeddings, old.embedding_dim)
    model.set_input_embeddings(new)
    assert not torch.equal(logits_of(model, case, head), before)
    model.tie_weights()
    assert model.get_input_embeddings() is new is model.base_model.get_input_embeddings()
    for alias, origin in model.tied_weights().items():
        assert model.get_parameter(alias) is model.get_parameter(origin)
    out = model.get_output_embeddings()
    if out is not None:
        replaced = nn.Linear(out.in_features, out.out_features, bias=out.bias is not None)
        model.set_output_embeddings(replaced)
        assert model.get_output_embeddings() is replaced


def test_a_model_of_speech_has_no_token_embeddings() -> None:
    with pytest.raises(ValueError, match="has no token embeddings: its input is input_values"):
        make("wav2vec2", "ForCTC").get_input_embeddings()


@pytest.mark.parametrize(("case", "head"), [(case, head) for case in CASES for head in case.heads][::3])
def test_the_body_is_the_model_without_its_head(case: Case, head: str) -> None:
    model = make(case, head)
    if head in ("Model", "EncoderModel", "Backbone") or not hasattr(model, model.base_model_prefix):
        assert model.base_model is model
    elif head != "ForSegmentation":  # which stands on another head
        assert model.base_model is getattr(model, model.base_model_prefix) is model.base_model.base_model
