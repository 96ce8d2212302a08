"""Names in a checkpoint: heads added and dropped, tied weights, old spellings, buffers of old versions."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import nabi
from nabi import BertForMaskedLM, BertForSequenceClassification, BertModel, GPT2LMHeadModel

from ..parity.cases import IDS, PAIRS, Case
from .tiny import State, assert_same_weights, checkpoint, class_of, config_of, ids, make, state_of, warnings

# Heads that stand on a part of the body, or on another head.
OTHER_BODIES = {
    ("gemma3_text", "ForCausalLM"),  # its body has a longer name
    ("trocr", "ForCausalLM"),  # it has no other class
    ("clip", "ForImageClassification"),
    ("siglip", "ForImageClassification"),
    ("detr", "ForSegmentation"),
    ("whisper", "ForCausalLM"),  # the decoder
    ("whisper", "ForAudioClassification"),  # the encoder
}

# --- heads added and dropped ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "head"), PAIRS, ids=IDS)
def test_a_body_loads_into_every_head_and_a_head_into_its_body(
    case: Case, head: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is missing is named, one and all, and has sound initial values; what is there is taken over."""
    body_name = "Model"
    decoder_alone = case.kind == "seq2seq" and head == "ForCausalLM"
    if head == body_name or decoder_alone or (case.family, head) in OTHER_BODIES:
        return
    body = make(case, body_name)
    body.save_pretrained(tmp_path / "body")
    torch.manual_seed(5)
    model, info = class_of(case, head).from_pretrained(tmp_path / "body", output_loading_info=True)
    missing, prefix = info["missing_keys"], f"{model.base_model_prefix}."
    stored, state = state_of(body), model.state_dict()
    taken = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name not in missing}
    taken = {name: tensor for name, tensor in taken.items() if name in stored}
    assert taken and all(torch.equal(tensor, stored[name]) for name, tensor in taken.items())
    told = warnings(caplog)
    if missing:
        assert len(told) == 1 and "newly initialised" in told[0] and "Train the model" in told[0]
        assert re.search(r"initialised: (.*?)\. Train", told[0])[1].split(", ") == missing  # type: ignore[index]
    assert all(torch.isfinite(tensor).all() for tensor in state.values())
    expected = class_of(case, head)(config_of(case)).state_dict()
    tied = model.tied_weights()
    assert set(missing) <= set(state) - set(tied)
    given = {name for name in state if name.removeprefix(prefix) in stored}
    assert {*missing, *given, *tied, *model.unstored_weights()} == set(state)
    for name in missing:  # the weights of a head made anew
        assert state[name].std(correction=0) <= 3 * expected[name].std(correction=0) + 1e-6, name
        assert (state[name].std(correction=0) > 0) == (expected[name].std(correction=0) > 0), name

    if head == "Backbone" or (case.kind == "seq2seq" and head in ("EncoderModel", "ForTokenClassification")):
        return  # half a body
    model.save_pretrained(tmp_path / "head")
    back, info = class_of(case, body_name).from_pretrained(tmp_path / "head", output_loading_info=True)
    pooler = [name for name in back.state_dict() if name.startswith("pooler.")]
    assert set(info["missing_keys"]) <= set(pooler)
    assert not [name for name in info["unexpected_keys"] if name.startswith(prefix + "enc")]
    for name, tensor in back.state_dict().items():
        if name not in info["missing_keys"]:
            assert torch.equal(tensor, body.state_dict()[name]), name


def test_a_llama_that_writes_loads_as_one_that_answers_though_its_files_have_another_prefix(tmp_path: Path) -> None:
    old = make("llama", "ForCausalLM")
    old.save_pretrained(tmp_path)
    model, info = nabi.LlamaForQuestionAnswering.from_pretrained(tmp_path, output_loading_info=True)
    assert info["missing_keys"] == ["qa_outputs.bias", "qa_outputs.weight"]
    assert info["unexpected_keys"] == ["lm_head.weight"]
    assert_same_weights(model.base_model, old.base_model)


@pytest.mark.parametrize("head", ["Model", "ForConditionalGeneration"])
@pytest.mark.parametrize("name", ["bart", "mbart", "pegasus", "blenderbot", "marian"])
def test_a_decoder_taken_out_of_a_file_of_both_halves_has_its_words(name: str, head: str, tmp_path: Path) -> None:
    if name == "marian" and head == "ForConditionalGeneration":
        head = "MTModel"
    whole = make(name, head)
    whole.save_pretrained(tmp_path)
    model, info = class_of(name, "ForCausalLM").from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert torch.equal(model.model.decoder.embed_tokens.weight, whole.base_model.shared.weight)


def test_a_dropped_head_is_told_at_the_level_of_information_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make("bert", "ForSequenceClassification").save_pretrained(tmp_path)
    with caplog.at_level(logging.INFO):
        _, info = BertModel.from_pretrained(tmp_path, output_loading_info=True)
    assert sorted(info["unexpected_keys"]) == ["classifier.bias", "classifier.weight"]
    assert not warnings(caplog) and "classifier.weight" in caplog.text


def test_a_weight_inside_the_body_that_is_not_used_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = state_of(make("bert", "ForSequenceClassification"))
    state["bert.encoder.layer.0.attention.self.distance_embedding.weight"] = torch.zeros(3, 4)
    BertForSequenceClassification.from_pretrained(checkpoint(tmp_path, "bert", state))
    assert any("distance_embedding" in message and "does not use" in message for message in warnings(caplog))


def test_one_missing_weight_in_the_body_is_named_and_the_rest_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, lacking in (
        ("bert", "encoder.layer.1.output.dense.weight"),
        ("gpt2", "h.1.attn.c_proj.weight"),
        ("t5", "encoder.block.0.layer.0.SelfAttention.q.weight"),
        ("wav2vec2", "encoder.pos_conv_embed.conv.bias"),
        ("mixtral", "layers.0.self_attn.q_proj.weight"),
    ):
        model = make(name)
        state = state_of(model)
        del state[lacking]
        loaded, info = class_of(name).from_pretrained(
            checkpoint(tmp_path / name, name, state), output_loading_info=True
        )
        assert info["missing_keys"] == [lacking] and lacking in caplog.text
        for other, tensor in state.items():
            assert torch.equal(loaded.state_dict()[other], tensor), other
        assert loaded.get_parameter(lacking).requires_grad


def test_a_missing_expert_is_named_with_all_that_are_made_anew_with_it(tmp_path: Path) -> None:
    """Experts are one tensor in memory: where a part is missing, the whole is new, and no name of it is kept back."""
    state = state_of(make("mixtral"))
    del state["layers.0.block_sparse_moe.experts.1.w1.weight"]
    _, info = nabi.MixtralModel.from_pretrained(checkpoint(tmp_path, "mixtral", state), output_loading_info=True)
    experts = [name for name in state if name.startswith("layers.0.block_sparse_moe.experts.")]
    assert set(info["missing_keys"]) == {*experts, "layers.0.block_sparse_moe.experts.1.w1.weight"}


def test_a_file_of_another_model_is_refused_with_names_from_both(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "bert", {"vision.patch.weight": torch.zeros(3)})
    with pytest.raises(ValueError, match=r"no weight in .* belongs to BertModel: .*vision\.patch\.weight.*embeddings"):
        BertModel.from_pretrained(folder)


# --- ties -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", ["lm_head.weight", "transformer.wte.weight", "wte.weight"])
def test_a_tied_weight_may_stand_under_either_name(tmp_path: Path, stored: str) -> None:
    model = make("gpt2", "LMHeadModel")
    state = state_of(model)
    state[stored] = state.pop("transformer.wte.weight")
    loaded, info = GPT2LMHeadModel.from_pretrained(checkpoint(tmp_path, "gpt2", state), output_loading_info=True)
    assert not any(info.values())
    assert loaded.lm_head.weight is loaded.transformer.wte.weight
    assert_same_weights(loaded, model)


def test_two_different_tensors_for_one_tied_weight_stay_two_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = state_of(make("gpt2", "LMHeadModel"))
    state["lm_head.weight"] = state["transformer.wte.weight"] + 1
    model = GPT2LMHeadModel.from_pretrained(checkpoint(tmp_path / "old", "gpt2", state))
    assert torch.equal(model.lm_head.weight, state["lm_head.weight"])
    assert torch.equal(model.transformer.wte.weight, state["transformer.wte.weight"])
    assert any("lm_head.weight" in message and "untied" in message for message in warnings(caplog))
    model.save_pretrained(tmp_path / "new")
    assert_same_weights(GPT2LMHeadModel.from_pretrained(tmp_path / "new"), model)


def test_untied_weights_are_stored_and_loaded_as_two(tmp_path: Path) -> None:
    model = make("gpt2", "LMHeadModel", tie_word_embeddings=False)
    assert model.lm_head.weight is not model.transformer.wte.weight
    model.save_pretrained(tmp_path)
    assert "lm_head.weight" in load_file(tmp_path / "model.safetensors")
    assert_same_weights(GPT2LMHeadModel.from_pretrained(tmp_path), model)


def test_the_bias_of_a_vocabulary_head_may_stand_under_either_name(tmp_path: Path) -> None:
    model = make("bert", "ForMaskedLM")
    state = state_of(model)
    state["cls.predictions.decoder.bias"] = state.pop("cls.predictions.bias")
    loaded, info = BertForMaskedLM.from_pretrained(checkpoint(tmp_path, "bert", state), output_loading_info=True)
    assert not any(info.values()) and loaded.cls.predictions.bias is loaded.cls.predictions.decoder.bias
    assert_same_weights(loaded, model)


# --- old names and buffers --------------------------------------------------------------------------------------------


def old_names(state: State, *changes: tuple[str, str]) -> State:
    for new, old in changes:
        assert any(re.search(new, name) for name in state)
        state = {re.sub(new, old, name): tensor for name, tensor in state.items()}
    return state


@pytest.mark.parametrize("name", ["bert", "albert", "electra", "roberta", "distilbert", "deberta-v3"])
def test_gamma_and_beta_are_the_norms_weight_and_bias(tmp_path: Path, name: str) -> None:
    model = make(name)
    state = old_names(
        state_of(model), (r"LayerNorm\.weight$", "LayerNorm.gamma"), (r"LayerNorm\.bias$", "LayerNorm.beta")
    )
    loaded, info = class_of(name).from_pretrained(checkpoint(tmp_path, name, state), output_loading_info=True)
    assert not any(info.values())
    assert_same_weights(loaded, model)


def test_gamma_in_another_place_is_no_norm(tmp_path: Path) -> None:
    state = state_of(make("bert"))
    state["adapter.gamma"] = torch.zeros(2)
    _, info = BertModel.from_pretrained(checkpoint(tmp_path, "bert", state), output_loading_info=True)
    assert info["unexpected_keys"] == ["adapter.gamma"]


@pytest.mark.parametrize("head", ["ForCTC", "Model"])
@pytest.mark.parametrize("name", ["wav2vec2", "wav2vec2-stable", "hubert", "hubert-stable"])
def test_weight_g_and_weight_v_are_the_length_and_direction_of_speech_models(
    name: str, head: str, tmp_path: Path
) -> None:
    model = make(name, head)
    prefix = r"conv\.parametrizations\.weight\.original"
    state = old_names(state_of(model), (prefix + "0", "conv.weight_g"), (prefix + "1", "conv.weight_v"))
    loaded, info = class_of(name, head).from_pretrained(checkpoint(tmp_path, name, state), output_loading_info=True)
    assert not any(info.values())
    assert_same_weights(loaded, model)


@pytest.mark.parametrize(
    ("name", "head", "buffers"),
    [
        ("bert", "ForMaskedLM", ["bert.embeddings.position_ids"]),
        ("gpt2", "LMHeadModel", ["transformer.h.0.attn.bias", "transformer.h.0.attn.masked_bias"]),
        ("gpt2", "Model", ["h.1.attn.bias", "h.1.attn.masked_bias"]),
        ("llama", "ForCausalLM", ["model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq"]),
        ("mixtral", "ForCausalLM", ["model.layers.1.self_attn.rotary_emb.inv_freq"]),
        ("t5", "ForConditionalGeneration", ["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"]),
        ("bart", "ForConditionalGeneration", ["model.encoder.version", "model.decoder.version"]),
        ("deberta-v3", "Model", ["embeddings.position_ids"]),
        ("deberta-v3", "Model", ["deberta.embeddings.position_embeddings.weight", "mask_predictions.dense.weight"]),
        ("deberta-v3", "Model", ["deberta.embeddings.word_embeddings._weight"]),
        (
            "gpt-neo",
            "ForCausalLM",
            ["transformer.h.0.attn.attention.bias", "transformer.h.0.attn.attention.masked_bias"],
        ),
        ("gptj", "ForCausalLM", ["transformer.h.0.attn.bias", "transformer.h.0.attn.masked_bias"]),
        ("gpt-neox", "ForCausalLM", ["gpt_neox.layers.0.attention.bias", "gpt_neox.layers.0.attention.masked_bias"]),
        ("gpt-neox", "ForCausalLM", ["gpt_neox.layers.0.attention.rotary_emb.inv_freq"]),
        ("xlm", "WithLMHeadModel", ["transformer.position_ids"]),
        (
            "m2m100",
            "ForConditionalGeneration",
            [f"model.{half}.embed_positions.weights" for half in ("encoder", "decoder")],
        ),
        ("clip", "Model", [f"{tower}_model.embeddings.position_ids" for tower in ("text", "vision")]),
        ("siglip", "Model", [f"{tower}_model.embeddings.position_ids" for tower in ("text", "vision")]),
        ("detr", "ForObjectDetection", ["model.backbone.conv_encoder.model.bn1.num_batches_tracked"]),
        ("vit2gpt2", "Model", ["decoder.transformer.h.0.attn.bias", "decoder.transformer.h.0.attn.masked_bias"]),
        ("vit2gpt2", "Model", [f"decoder.transformer.h.0.crossattention.{name}" for name in ("bias", "masked_bias")]),
        ("deit2trocr", "Model", ["decoder.model.decoder.embed_positions._float_tensor"]),
    ],
)
def test_buffers_that_old_versions_saved_are_passed_over_in_silence(
    tmp_path: Path, name: str, head: str, buffers: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    model = make(name, head)
    state = {**state_of(model), **dict.fromkeys(buffers, torch.zeros(4))}
    state = {key: tensor.clone() for key, tensor in state.items()}
    with caplog.at_level(logging.INFO):
        loaded, info = class_of(name, head).from_pretrained(checkpoint(tmp_path, name, state), output_loading_info=True)
    assert not any(info.values()) and not caplog.records
    assert_same_weights(loaded, model)


@pytest.mark.parametrize(
    ("name", "head", "prefix"),
    [
        ("opt", "ForCausalLM", "model."),
        ("opt-350m", "ForCausalLM", "model."),
        ("opt", "ForSequenceClassification", "model."),
        ("bloom", "ForCausalLM", "transformer."),
        ("whisper", "ForConditionalGeneration", "model."),
        ("xlnet", "LMHeadModel", "transformer."),
        ("hubert", "ForCTC", "hubert."),
        ("vit", "ForImageClassification", "vit."),
    ],
)
def test_a_body_stored_without_its_prefix_loads_with_a_head(name: str, head: str, prefix: str, tmp_path: Path) -> None:
    model = make(name, head)
    state = {key.removeprefix(prefix): tensor for key, tensor in state_of(model).items()}
    loaded, info = class_of(name, head).from_pretrained(checkpoint(tmp_path, name, state), output_loading_info=True)
    assert not any(info.values())
    assert_same_weights(loaded, model)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        *((name, "ForCausalLM") for name in ("bloom", "falcon", "opt", "gemma", "qwen2")),
        *((name, "ForMaskedLM") for name in ("roberta", "big-bird", "longformer", "mpnet", "deberta-v3")),
        *(
            (name, "ForConditionalGeneration")
            for name in ("t5", "mt5", "umt5", "mbart", "pegasus", "m2m100", "whisper")
        ),
        ("marian", "MTModel"),
        ("xlm", "WithLMHeadModel"),
        ("xlnet", "LMHeadModel"),
        *((name, "Model") for name in ("bert2bert", "vit2gpt2", "deit2trocr")),
    ],
)
def test_a_file_of_pytorch_names_a_tied_weight_as_often_as_it_is_used(name: str, head: str, tmp_path: Path) -> None:
    model = make(name, head)
    state = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    loaded, info = class_of(name, head).from_pretrained(checkpoint(tmp_path, name, state), output_loading_info=True)
    assert not any(info.values())
    assert_same_weights(loaded, model)
    tied = loaded.tied_weights()
    assert all(loaded.get_parameter(alias) is loaded.get_parameter(origin) for alias, origin in tied.items())


def test_gpt2_as_openai_stored_it_has_no_prefix_and_loads_with_a_head(tmp_path: Path) -> None:
    body = make("gpt2")
    model, info = GPT2LMHeadModel.from_pretrained(
        checkpoint(tmp_path, "gpt2", state_of(body)), output_loading_info=True
    )
    assert not any(info.values()) and model.lm_head.weight is model.transformer.wte.weight
    with torch.no_grad():
        expected = body(ids()).last_hidden_state @ body.wte.weight.T
        assert (model(ids()).logits - expected).abs().max() < 1e-5
