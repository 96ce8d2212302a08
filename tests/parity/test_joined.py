"""Models made of models: joined from checkpoints, parts under other names, pictures among words, refusals."""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

import nabi
from nabi import EncoderDecoderConfig, EncoderDecoderModel, LlavaConfig, VisionEncoderDecoderModel

from .cases import CASES, Case
from .cases.joined import BERT, DECODES, GPT2, IMAGE_TOKEN, LLAMA, LLAVA, ROBERTA, TOWER, TROCR, VIT
from .pairs import new_folder, on_disk, pair

CASE = {case.name: case for case in CASES}


def part(kind: str, keys: dict[str, Any], folder: Path) -> Path:
    """A checkpoint of the incumbent's."""
    torch.manual_seed(1)
    config = getattr(transformers, f"{kind}Config")(**{k: v for k, v in keys.items() if k != "model_type"})
    name = {"Bert": "BertForMaskedLM", "GPT2": "GPT2LMHeadModel", "ViT": "ViTModel"}[kind]
    getattr(transformers, name)(config).save_pretrained(folder)
    return folder


def ids(rows: int = 2, length: int = 6) -> Tensor:
    return torch.randint(5, 50, (rows, length), generator=torch.Generator().manual_seed(2))


def rewritten(folder: str | Path, names: Any, drop: str = "") -> Path:
    """A copy of a checkpoint with its weights under other names, without those that hold `drop`."""
    copied = Path(new_folder())
    weights = load_file(Path(folder) / "model.safetensors")
    kept = {names(name): tensor for name, tensor in weights.items() if not drop or drop not in name}
    save_file(kept, copied / "model.safetensors", metadata={"format": "pt"})
    (copied / "config.json").write_text((Path(folder) / "config.json").read_text())
    return copied


def loads_clean(case: Case, head: str, folder: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """The model in the folder, which must be the case's, with nothing to report."""
    with caplog.at_level(logging.INFO):
        model = getattr(nabi, case.prefix + head).from_pretrained(folder)
    assert not caplog.records
    wanted = pair(case, head)[1].state_dict()
    left_out = model.unstored_weights()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in model.state_dict().items() if name not in left_out)
    return model


# --- an encoder and a decoder ----------------------------------------------------------------------------------------


def test_two_checkpoints_are_joined_as_by_the_incumbent(tmp_path: Path) -> None:
    plain = {key: value for key, value in GPT2.items() if key not in DECODES}
    places = part("Bert", BERT, tmp_path / "encoder"), part("GPT2", plain, tmp_path / "decoder")
    options = {"encoder_hidden_dropout_prob": 0.3, "decoder_resid_pdrop": 0.4, "pad_token_id": 0}
    ours, theirs = (
        library.EncoderDecoderModel.from_encoder_decoder_pretrained(*places, **options)
        for library in (nabi, transformers)
    )
    assert not ours.training and not ours.encoder.training
    assert ours.config.encoder.hidden_dropout_prob == 0.3 and ours.config.decoder.resid_pdrop == 0.4
    for key in ("is_decoder", "add_cross_attention"):
        assert getattr(ours.config.decoder, key) == getattr(theirs.config.decoder, key)
        assert getattr(ours.config.encoder, key, None) == getattr(theirs.config.encoder, key, None)
    assert ours.config.pad_token_id == theirs.config.pad_token_id == 0
    one, other = on_disk(ours), on_disk(theirs)
    assert set(one) == set(other)
    made = [name for name in one if "cross" in name or "enc_to_dec" in name or "pooler" in name]
    for name in one:
        if name not in made:
            assert torch.equal(one[name], other[name]), name
        else:
            assert one[name].std(correction=0) == pytest.approx(other[name].std(correction=0).item(), rel=0.5), name


def test_the_same_checkpoint_may_be_both_halves(tmp_path: Path) -> None:
    place = part("Bert", BERT, tmp_path / "bert")
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(place, place, decoder_start_token_id=3)
    assert model.config.decoder_start_token_id == 3, "which the incumbent would give to the decoder as start_token_id"
    assert not model.config.encoder.is_decoder and model.config.decoder.is_decoder
    config = nabi.BertConfig.from_pretrained(place)
    joined = EncoderDecoderConfig.from_encoder_decoder_configs(config, config, pad_token_id=0)
    assert not joined.encoder.add_cross_attention and joined.decoder.add_cross_attention and joined.pad_token_id == 0
    assert not config.is_decoder, "the caller's own is not touched"


def test_halves_may_be_models_that_are_there(tmp_path: Path) -> None:
    encoder, decoder, _ = EncoderDecoderModel(CASE["bert2gpt2"].config(nabi)).children()
    model = EncoderDecoderModel(encoder=encoder, decoder=decoder)
    assert model.encoder is encoder and model.get_encoder() is encoder and model.get_decoder() is decoder
    assert model.config.decoder is decoder.config
    again = EncoderDecoderModel.from_encoder_decoder_pretrained(encoder_model=encoder, decoder_model=decoder)
    assert again.encoder is encoder
    with pytest.raises(ValueError, match="of a config, or of an encoder and a decoder"):
        EncoderDecoderModel(encoder=encoder)
    with pytest.raises(ValueError, match="needs a name or folder, or decoder_model="):
        EncoderDecoderModel.from_encoder_decoder_pretrained(encoder_model=encoder)
    with pytest.raises(ValueError, match="tie_encoder_decoder"):  # before anything is loaded
        EncoderDecoderModel.from_encoder_decoder_pretrained("no/such", "no/such", tie_encoder_decoder=True)


def test_a_picture_and_a_text_checkpoint_are_joined(tmp_path: Path) -> None:
    plain = {key: value for key, value in GPT2.items() if key not in DECODES}
    places = part("ViT", VIT, tmp_path / "encoder"), part("GPT2", plain, tmp_path / "decoder")
    model = VisionEncoderDecoderModel.from_encoder_decoder_pretrained(*places)
    with torch.no_grad():
        out = model(torch.randn(2, 3, 8, 8), ids())
    assert out.logits.shape == (2, 6, 60) and model.get_input_embeddings() is model.decoder.transformer.wte


@pytest.mark.parametrize("name", ["bert2bert", "bert2gpt2"])
def test_the_output_of_the_encoder_may_be_given_and_inputs_go_to_their_half(name: str) -> None:
    oracle, model, _ = pair(CASE[name], "Model")
    inputs = CASE[name].inputs("Model")
    kinds = (inputs["input_ids"] % 2).long()
    own = {"decoder_position_ids": torch.tensor([[3, 4, 5, 6]])} if "bert2bert" in name else {}
    inputs.update(token_type_ids=kinds, **own)
    with torch.no_grad():
        theirs, ours = oracle(**inputs), model(**inputs)
        plain = model(**{**inputs, "token_type_ids": None})
        kept = {key: value for key, value in inputs.items() if key not in ("input_ids", "token_type_ids")}
        for given in ((ours.encoder_last_hidden_state,), nabi.ModelOutput):
            given = (
                given
                if isinstance(given, tuple)
                else model.get_encoder()(inputs["input_ids"], inputs["attention_mask"], kinds)
            )
            again = model(encoder_outputs=given, **kept)
            assert torch.allclose(again.logits, ours.logits, atol=1e-6)
    assert (ours.logits - theirs.logits).abs().max() < 1e-4 < (ours.logits - plain.logits).abs().max()


def test_labels_make_the_target_and_hide_its_padding() -> None:
    model = pair(CASE["bert2bert"], "Model")[1]
    labels = torch.tensor([[7, 8, 9, 2], [7, 2, -100, -100]])
    target = torch.tensor([[3, 7, 8, 9], [3, 7, 2, 0]])
    with torch.no_grad():
        by_labels = model(ids(), labels=labels)
        by_target = model(ids(), decoder_input_ids=target, decoder_attention_mask=(target != 0).long())
    assert torch.equal(by_labels.logits, by_target.logits)
    assert torch.equal(model.prepare_decoder_input_ids_from_labels(labels), target)


def test_vectors_may_stand_for_a_target() -> None:
    for name in ("vit2gpt2", "bert2gpt2"):
        model = pair(CASE[name], "Model")[1]
        inputs = CASE[name].inputs("Model")
        target = inputs.pop("decoder_input_ids")
        with torch.no_grad():
            by_ids = model(**inputs, decoder_input_ids=target).logits
            by_vectors = model(**inputs, decoder_inputs_embeds=model.decoder.transformer.wte(target)).logits
        assert torch.allclose(by_ids, by_vectors, atol=1e-6)


def test_the_joined_config_asks_both_halves() -> None:
    config = CASE["bert2bert"].config(nabi, output_hidden_states=True, output_attentions=True, use_cache=False)
    out = EncoderDecoderModel(config).eval()(ids(), decoder_input_ids=ids())
    assert len(out.encoder_hidden_states) == len(out.decoder_hidden_states) == 3 and "past_key_values" not in out
    assert len(out.encoder_attentions) == len(out.cross_attentions) == 2


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"tie_encoder_decoder": True}, "tie_encoder_decoder"),
        ({"encoder": {"model_type": "t5"}}, "the encoder is a 't5', which itself writes a target"),
        ({"encoder": {"model_type": "resnet"}}, "gives vectors of size None"),
        ({"encoder": {"model_type": "no_such"}}, "in 'encoder': nabi has no family for model_type 'no_such'"),
        ({"decoder": {"model_type": "bert", "hidden_sizes": 3}}, "in 'decoder': .*'hidden_sizes'"),
        ({"decoder": {**LLAMA, **DECODES}}, "LlamaForCausalLM, has no cross attention"),
        ({"decoder": BERT}, "BertLMHeadModel, has no cross attention: .*add_cross_attention=True"),
        ({"decoder": {"model_type": "vit"}}, "the family 'vit' has no ForCausalLM"),
        (
            {"decoder": {**TROCR, "model_type": "trocr", "cross_attention_hidden_size": 8}},
            "size 16, but the decoder's cross_attention_hidden_size is 8",
        ),
    ],
)
def test_halves_that_do_not_fit_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderDecoderModel(CASE["bert2bert"].config(nabi, **keys))


def test_wrong_calls_say_what_to_do() -> None:
    model = pair(CASE["bert2bert"], "Model")[1]
    with pytest.raises(ValueError, match="writes a target: pass decoder_input_ids"):
        model(ids())
    with pytest.raises(ValueError, match="has two halves: resize"):
        model.resize_token_embeddings(70)
    with pytest.raises(ValueError, match="has a vocabulary head: take its body"):
        head = nabi.BertForMaskedLM(nabi.BertConfig.from_dict(BERT))
        EncoderDecoderModel(encoder=head, decoder=model.decoder)
    config = CASE["bert2bert"].config(nabi, decoder_start_token_id=None)
    with pytest.raises(ValueError, match=r"decoder_start_token_id and config.*must be set"):
        EncoderDecoderModel(config)(ids(), labels=ids())


# --- names and files -------------------------------------------------------------------------------------------------


def test_old_names_inside_of_a_half_are_read(caplog: pytest.LogCaptureFixture) -> None:
    def old(name: str) -> str:
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        return name.replace("encoder.", "encoder.bert.", 1) if name.startswith("encoder.") else name

    case = CASE["bert2bert"]
    loads_clean(case, "Model", rewritten(pair(case, "Model")[2], old), caplog)
    clip = CASE["clip2trocr"]
    named = rewritten(pair(clip, "Model")[2], lambda name: name.replace("encoder.", "encoder.vision_model.", 1))
    loads_clean(clip, "Model", named, caplog)


def test_an_encoder_without_its_pooler_and_with_old_buffers_has_nothing_to_report(
    caplog: pytest.LogCaptureFixture,
) -> None:
    case = CASE["vit2gpt2"]
    folder = rewritten(pair(case, "Model")[2], str, drop="pooler")
    weights = load_file(folder / "model.safetensors")
    for layer in range(2):
        weights[f"decoder.transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, 24, 24)
        weights[f"decoder.transformer.h.{layer}.crossattention.masked_bias"] = torch.tensor(-1e4)
    save_file(weights, folder / "model.safetensors")
    model = loads_clean(case, "Model", folder, caplog)
    assert torch.isfinite(model.encoder.pooler.dense.weight).all()


def test_a_decoder_whose_two_word_tables_differ_on_disk_keeps_both(caplog: pytest.LogCaptureFixture) -> None:
    case = CASE["deit2trocr"]
    _, wanted, folder = pair(case, "Model")
    folder = rewritten(folder, str)
    weights = load_file(folder / "model.safetensors")
    weights["decoder.output_projection.weight"] = torch.randn(60, 24)
    save_file(weights, folder / "model.safetensors")
    model = VisionEncoderDecoderModel.from_pretrained(folder)
    assert "both are kept, untied" in caplog.text
    assert torch.equal(model.decoder.output_projection.weight, weights["decoder.output_projection.weight"])
    assert torch.equal(model.decoder.get_input_embeddings().weight, wanted.decoder.get_input_embeddings().weight)
    again = VisionEncoderDecoderModel.from_pretrained(rewritten(saved(model), str))
    assert torch.equal(again.decoder.output_projection.weight, weights["decoder.output_projection.weight"])


def saved(model: Any) -> str:
    folder = new_folder()
    model.save_pretrained(folder)
    return folder


def test_weights_that_a_file_lacks_begin_as_their_part_says() -> None:
    case = CASE["llava"]
    folder = rewritten(pair(case, "Model")[2], str, drop="patch_embedding")
    folder = rewritten(folder, str, drop="linear_1.weight")
    model = nabi.LlavaModel.from_pretrained(folder)
    fresh = model.vision_tower.state_dict()["embeddings.patch_embedding.weight"]
    assert fresh.std().item() == pytest.approx(0.02, rel=0.2)  # the tower's range and factor
    assert model.multi_modal_projector.linear_1.weight.std().item() == pytest.approx(0.02, rel=0.3)
    kept = pair(case, "Model")[1].multi_modal_projector.linear_2.weight
    assert torch.equal(model.multi_modal_projector.linear_2.weight, kept)


V4: dict[str, Any] = {  # what version 4 wrote into every configuration, inner ones too
    "_name_or_path": "somebody/something",
    "bad_words_ids": None,
    "chunk_size_feed_forward": 0,
    "cross_attention_hidden_size": None,
    "diversity_penalty": 0.0,
    "early_stopping": True,
    "encoder_no_repeat_ngram_size": 0,
    "forced_bos_token_id": None,
    "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
    "label2id": {"LABEL_0": 0, "LABEL_1": 1},
    "num_beams": 4,
    "output_scores": False,
    "problem_type": None,
    "pruned_heads": {},
    "return_dict": True,
    "sep_token_id": None,
    "task_specific_params": None,
    "tie_encoder_decoder": False,
    "tokenizer_class": None,
    "torch_dtype": None,
    "torchscript": False,
    "transformers_version": "4.12.0",
    "use_bfloat16": False,
}


def test_published_configurations_are_read() -> None:
    bert = {"model_type": "bert", **V4, "gradient_checkpointing": False}
    keys = {
        "model_type": "encoder-decoder",
        **{key: value for key, value in V4.items() if key != "cross_attention_hidden_size"},
        "encoder": bert,
        "decoder": {**bert, **DECODES},
        "decoder_start_token_id": 101,
        "eos_token_id": 102,
        "max_length": 142,
        "no_repeat_ngram_size": 3,
        "vocab_size": 30522,
    }
    config = EncoderDecoderConfig.from_dict(keys)
    assert type(config.encoder) is nabi.BertConfig and config.decoder.add_cross_attention
    trocr = {"model_type": "trocr", **V4, **DECODES, "classifier_dropout": 0.0, "cross_attention_hidden_size": 768}
    vision = {
        "model_type": "vision-encoder-decoder",
        "encoder": {"model_type": "vit", **V4, "qkv_bias": False, "image_size": 384},
        "decoder": {**trocr, "use_learned_position_embeddings": False},
        "processor_class": "TrOCRProcessor",
        "tie_word_embeddings": False,
    }
    read = nabi.VisionEncoderDecoderConfig.from_dict(vision)
    assert type(read.decoder) is nabi.TrOCRConfig and read.decoder.cross_attention_hidden_size == 768
    again = nabi.VisionEncoderDecoderConfig.from_dict(read.to_dict())
    assert again == read and again.encoder.image_size == 384


def test_a_roberta_inside_of_another_model_type_is_what_its_keys_say() -> None:
    config = EncoderDecoderConfig(encoder=copy.deepcopy(ROBERTA))
    assert type(config.encoder) is nabi.RobertaConfig and type(config.decoder) is nabi.BertConfig
    assert config.decoder.is_decoder and config.decoder.add_cross_attention


# --- TrOCR -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["right", "left"])
def test_sinusoids_of_positions_that_count_real_tokens_are_equal(side: str) -> None:
    """The incumbent makes them in memory only: a model of its from_pretrained has none."""
    keys = {**TROCR, "use_learned_position_embeddings": False, "layernorm_embedding": False}
    torch.manual_seed(0)
    oracle = transformers.TrOCRForCausalLM(transformers.TrOCRConfig(**keys)).eval()
    for parameter in oracle.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    folder = saved(oracle)
    model = nabi.TrOCRForCausalLM.from_pretrained(folder)
    inputs = CASE["trocr"].inputs("ForCausalLM", side)
    with torch.no_grad():
        theirs, ours = oracle(**inputs).logits, model(**inputs).logits
        memory = {key: value for key, value in inputs.items() if key.startswith("encoder_")}
        first = model(inputs["input_ids"][:1, :-2], use_cache=True, **{k: v[:1] for k, v in memory.items()})
        second = model(
            inputs["input_ids"][:1, -2:],
            past_key_values=first.past_key_values,
            **{k: v[:1] for k, v in memory.items()},
        )
    real = inputs["attention_mask"].bool()
    assert (ours - theirs)[real].abs().max() < 1e-4
    assert (second.logits - ours[:1, -2:]).abs().max() < 1e-4
    long = torch.randint(5, 50, (1, 60))
    assert model(long).logits.shape == (1, 60, 60), "they have no end"


# --- LLaVA -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("name", ["llava", "llava-other"])
def test_steps_after_a_picture_are_equal_and_as_good_as_one_pass(name: str, side: str) -> None:
    case = CASE[name]
    words, mask = ids(3, 12), torch.ones(3, 12, dtype=torch.long)
    count = 5 if name == "llava-other" else 4
    for row, padding in enumerate((0, 2, 4)):
        mask[row, slice(padding) if side == "left" else slice(12 - padding, 12)] = 0
    first = 5 if side == "left" else 1
    words[:, first : first + count] = IMAGE_TOKEN
    pixel_values = torch.randn(3, 3, 8, 8)
    results = []
    for model in pair(case, "ForConditionalGeneration")[:2]:
        with torch.no_grad():
            whole = model(words, pixel_values, attention_mask=mask)
            one = model(words[:, :-2], pixel_values, attention_mask=mask[:, :-2], use_cache=True)
            two = model(words[:, -2:], attention_mask=mask, past_key_values=one.past_key_values, use_cache=True)
        results.append((whole.logits, two.logits))
    (theirs, their_step), (ours, step) = results
    assert (ours - theirs)[mask.bool()].abs().max() < 1e-4
    assert (step - their_step)[mask[:, -2:].bool()].abs().max() < 1e-4
    assert (step - ours[:, -2:])[0].abs().max() < 1e-4


def test_the_vectors_of_pictures_are_equal_and_may_be_read_elsewhere() -> None:
    oracle, model, _ = pair(CASE["llava"], "ForConditionalGeneration")
    pixel_values = torch.randn(2, 3, 8, 8)
    for options in ({}, {"vision_feature_layer": [0, -1], "vision_feature_select_strategy": "full"}):
        if options:  # three times as wide
            oracle, model, _ = pair(CASE["llava-other"], "ForConditionalGeneration")
        with torch.no_grad():
            theirs, ours = (each.get_image_features(pixel_values, **options) for each in (oracle, model))
        for a, b in zip(ours.pooler_output, theirs.pooler_output, strict=True):
            assert a.shape == b.shape and (a - b).abs().max() < 1e-4
    with pytest.raises(ValueError, match="vision_feature_select_strategy is 'some'"):
        model.get_image_features(pixel_values, vision_feature_select_strategy="some")


def test_several_pictures_may_stand_in_a_text_and_none_in_another() -> None:
    oracle, model, _ = pair(CASE["llava"], "ForConditionalGeneration")
    words = ids(2, 12)
    words[0, 1:5] = words[0, 7:11] = IMAGE_TOKEN
    pixel_values = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        theirs, ours = (each(words, pixel_values, labels=words) for each in (oracle, model))
        alone = model(words[1:])
        ahead = model(words, pixel_values, logits_to_keep=1).logits
    assert (ours.logits - theirs.logits).abs().max() < 1e-4
    assert ours.loss.item() == pytest.approx(theirs.loss.item(), rel=1e-4)
    assert torch.allclose(alone.logits, ours.logits[1:], atol=1e-5)
    assert torch.allclose(ahead, ours.logits[:, -1:], atol=1e-5)


@pytest.mark.parametrize(("tokens", "pictures"), [(3, 1), (5, 1), (4, 2), (0, 1)])
def test_another_count_of_image_tokens_is_refused(tokens: int, pictures: int) -> None:
    model = pair(CASE["llava"], "ForConditionalGeneration")[1]
    words = ids(1, 10)
    words[0, :tokens] = IMAGE_TOKEN
    message = f"has {tokens} image tokens .id 59., but {pictures} images give {4 * pictures} vectors: .*processor"
    with pytest.raises(ValueError, match=message):
        model(words, torch.randn(pictures, 3, 8, 8))


def test_image_tokens_without_their_picture_are_refused() -> None:
    words = ids(1, 10)
    words[0, :4] = IMAGE_TOKEN
    model = pair(CASE["llava"], "ForConditionalGeneration")[1]
    with pytest.raises(ValueError, match=r"holds image tokens \(id 59\), but no pixel_values"):
        model(words)
    with torch.no_grad():
        past = model(words, torch.randn(1, 3, 8, 8), use_cache=True).past_key_values
        assert model(words[:, :1], past_key_values=past).logits.shape == (1, 1, 60)  # one that was written, no picture


LAYOUTS = {
    "published": lambda name: name.replace("vision_tower.", "vision_tower.vision_model."),
    "a body around all": lambda name: (
        name.replace("language_model.lm_head", "lm_head")
        .replace("language_model.model.", "model.language_model.")
        .replace("vision_tower.", "model.vision_tower.")
        .replace("multi_modal_projector.", "model.multi_modal_projector.")
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("head", ["Model", "ForConditionalGeneration"])
def test_files_of_every_version_load(layout: str, head: str, caplog: pytest.LogCaptureFixture) -> None:
    case = CASE["llava"]
    loads_clean(case, head, rewritten(pair(case, head)[2], LAYOUTS[layout]), caplog)


def test_a_body_is_taken_out_of_a_whole_file() -> None:
    whole = pair(CASE["llava"], "ForConditionalGeneration")[2]
    _, info = nabi.LlavaModel.from_pretrained(whole, output_loading_info=True)
    assert info["unexpected_keys"] == ["language_model.lm_head.weight"] and not info["missing_keys"]


def test_a_published_llava_configuration_is_read() -> None:
    keys = {
        "model_type": "llava",
        "ignore_index": -100,
        "image_token_index": 32000,
        "pad_token_id": 32001,
        "projector_hidden_act": "gelu",
        "text_config": {
            "_name_or_path": "lmsys/vicuna-7b-v1.5",
            "architectures": ["LlamaForCausalLM"],
            "max_position_embeddings": 4096,
            "model_type": "llama",
            "rms_norm_eps": 1e-05,
            "torch_dtype": "float16",
        },
        "tie_word_embeddings": False,
        "vision_config": {"hidden_size": 1024, "model_type": "clip_vision_model", "vocab_size": 32000},
        "vision_feature_layer": -2,
        "vision_feature_select_strategy": "default",
        "vocab_size": 32064,
    }
    config = LlavaConfig.from_dict(keys)
    assert config.vocab_size == config.text_config.vocab_size == 32064 and config.image_token_id == 32000
    assert LlavaConfig.from_dict(config.to_dict()) == config
    tower, text = LlavaConfig().vision_config, LlavaConfig().text_config
    theirs = transformers.LlavaConfig()
    assert (tower.hidden_size, tower.image_size, tower.num_hidden_layers) == (1024, 336, 24)
    assert tower.projection_dim == theirs.vision_config.projection_dim
    assert text.hidden_size == theirs.text_config.hidden_size
    with pytest.raises(ValueError, match="'ignore_index'"):
        LlavaConfig(ignore_index=-1)


def test_a_layer_that_the_tower_has_not_is_refused() -> None:
    for layer in (4, -5, [0, 9], []):
        with pytest.raises(ValueError, match=r"'vision_feature_layer' is .*the vision tower has 3 layers"):
            CASE["llava"].config(nabi, vision_feature_layer=layer)
    with pytest.raises(ValueError, match="the vision tower, a 'resnet', is no row of layers"):
        CASE["llava"].config(nabi, vision_config={"model_type": "resnet"})


@pytest.mark.parametrize("text", [{**GPT2, "n_embd": 16}, {**LLAMA, "model_type": "mistral"}])
def test_other_decoders_speak_too(text: dict[str, Any], tmp_path: Path) -> None:
    text = {key: value for key, value in text.items() if key not in DECODES}
    keys = {key: value for key, value in LLAVA.items() if key != "vocab_size"}
    model = nabi.LlavaForConditionalGeneration(LlavaConfig(**{**keys, "text_config": text})).eval()
    words = ids(1, 8)
    words[0, 1:5] = IMAGE_TOKEN
    inputs = {"input_ids": words, "pixel_values": torch.randn(1, 3, 8, 8)}
    with torch.no_grad():
        logits = model(**inputs).logits
        model.save_pretrained(tmp_path)
        again, info = nabi.LlavaForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)
        assert not any(info.values()) and torch.equal(again(**inputs).logits, logits)
    tied = text["model_type"] == "gpt2"
    assert (again.get_output_embeddings().weight is again.get_input_embeddings().weight) == tied
    assert again.config.vision_config.patch_size == TOWER["patch_size"]


# --- the Auto classes ------------------------------------------------------------------------------------------------


def test_the_auto_classes_give_joined_models_by_what_they_read() -> None:
    folder = {name: saved(pair(CASE[name], head)[1]) for name, head in (("bert2bert", "Model"), ("vit2gpt2", "Model"))}
    folder["llava"] = saved(pair(CASE["llava"], "ForConditionalGeneration")[1])
    assert type(nabi.AutoModelForSeq2SeqLM.from_pretrained(folder["bert2bert"])) is EncoderDecoderModel
    for chooser in (nabi.AutoModelForImageTextToText, nabi.AutoModelForVision2Seq):
        assert type(chooser.from_pretrained(folder["vit2gpt2"])) is VisionEncoderDecoderModel
        assert type(chooser.from_pretrained(folder["llava"])) is nabi.LlavaForConditionalGeneration
    assert type(nabi.AutoModel.from_pretrained(folder["llava"])) is nabi.LlavaModel
    assert type(nabi.AutoModelForCausalLM.from_config(nabi.TrOCRConfig(**TROCR))) is nabi.TrOCRForCausalLM
    with pytest.raises(ValueError, match="for this task"):
        nabi.AutoModelForSeq2SeqLM.from_pretrained(folder["vit2gpt2"])
