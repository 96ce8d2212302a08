"""What the shared suite does not see of the models of sound: features of the wrong size, halves of a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

import nabi

from ..nn.tiny import config_of, make
from .cases import CASES
from .pairs import pair

CASE = next(case for case in CASES if case.name == "whisper")
FEATURES = CASE.inputs("Model")["input_features"]


@pytest.mark.parametrize("head", ["Model", "ForConditionalGeneration", "ForAudioClassification"])
@pytest.mark.parametrize("trains", [False, True])
@pytest.mark.parametrize(
    ("features", "message"),
    [
        (FEATURES[:, :4], r"input_features has 4 mel bins \(shape \(3, 4, 20\)\), the model reads 6: use the feature"),
        (FEATURES[..., :12], r"has 12 frames .* the model reads 20, twice its max_source_positions of 10: .* 30 s"),
        (FEATURES[0], r"has shape \(6, 20\) .* expected log-mel features of shape \(batch, 6, 20\)"),
        (FEATURES.long(), r"numbers of torch.int64: expected log-mel features"),
    ],
    ids=["bins", "frames", "batch", "whole numbers"],
)
def test_features_of_the_wrong_size_are_refused_with_what_the_model_reads(
    features: Tensor, message: str, trains: bool, head: str
) -> None:
    model = pair(CASE, head)[1].train(trains)
    inputs = {"decoder_input_ids": torch.tensor([[3]])} if head != "ForAudioClassification" else {}
    try:
        with pytest.raises(ValueError, match=message):
            model(features, **inputs)
    finally:
        model.eval()


def test_features_that_are_no_tensor_are_refused() -> None:
    with pytest.raises(TypeError, match="input_features is a list: expected log-mel features"):
        pair(CASE, "Model")[1](FEATURES.tolist(), decoder_input_ids=torch.tensor([[3]]))


@pytest.mark.parametrize("name", ["wav2vec2", "hubert"])
def test_a_waveform_of_whole_numbers_and_a_mask_that_does_not_fit_are_refused(name: str) -> None:
    model = make(name)
    with pytest.raises(ValueError, match=r"input_values holds numbers of torch\.int64; expected a waveform of floats"):
        model(torch.ones(1, 400, dtype=torch.long))
    with pytest.raises(ValueError, match=r"attention_mask has shape \(1, 399\), input_values \(1, 400\)"):
        model(torch.ones(1, 400), torch.ones(1, 399))
    with pytest.raises(ValueError, match=r"labels has shape \(3,\); expected \(batch, characters\)"):
        make(name, "ForCTC")(torch.ones(1, 400), labels=torch.ones(3, dtype=torch.long))
    with pytest.raises(ValueError, match="hidden_size 16 is not a multiple of num_conv_pos_embedding_groups 3"):
        config_of(name, num_conv_pos_embedding_groups=3)


def test_a_target_longer_than_the_decoders_positions_is_refused() -> None:
    with pytest.raises(ValueError, match="the text has 25 tokens, but the model knows 24 positions"):
        pair(CASE, "Model")[1](FEATURES, decoder_input_ids=torch.full((3, 25), 5))


def test_training_hides_spans_of_bins_and_frames_and_leaves_the_callers_features_alone() -> None:
    keys = {"mask_time_prob": 0.3, "mask_time_min_masks": 1, "mask_feature_prob": 0.4, "mask_feature_length": 2}
    model = nabi.WhisperModel(CASE.config(nabi, **keys)).train()
    heard: list[Tensor] = []
    model.encoder.conv1.register_forward_pre_hook(lambda module, inputs: heard.append(inputs[0]))
    given = FEATURES.clone()
    model(given, decoder_input_ids=torch.tensor([[3]] * 3))
    assert torch.equal(given, FEATURES)
    silent = heard[0] == 0
    assert silent.all(1).any() and silent.all(2).any() and not silent.all()
    assert torch.equal(heard[0][~silent], FEATURES[~silent])


@pytest.mark.parametrize("head", ["ForCausalLM", "ForAudioClassification"])
def test_half_a_checkpoint_makes_a_model_of_text_or_a_classifier(head: str) -> None:
    _, whole, folder = pair(CASE, "ForConditionalGeneration")
    model, info = getattr(nabi, f"Whisper{head}").from_pretrained(folder, output_loading_info=True)
    half = {"ForCausalLM": "model.decoder", "ForAudioClassification": "encoder"}[head]
    state = whole.get_submodule(f"model.{half.removeprefix('model.')}").state_dict()
    assert all(torch.equal(tensor, model.state_dict()[f"{half}.{name}"]) for name, tensor in state.items())
    assert {name.split(".")[0] for name in info["missing_keys"]} <= {"projector", "classifier"}


@pytest.mark.parametrize("wrapped", [lambda heard: heard, lambda heard: (heard,), lambda heard: None])
def test_the_decoder_alone_hears_an_encoders_output_in_any_form(wrapped: Any) -> None:
    oracle, model, _ = pair(CASE, "ForCausalLM")
    inputs = CASE.inputs("ForCausalLM")
    heard = inputs.pop("encoder_outputs")
    inputs["encoder_outputs"] = wrapped(heard)
    with torch.no_grad():
        torch.testing.assert_close(model(**inputs).logits, oracle(**inputs).logits, atol=1e-4, rtol=0)


def test_a_classifier_takes_what_the_encoder_gave_before() -> None:
    model = pair(CASE, "ForAudioClassification")[1]
    with torch.no_grad():
        whole, out = model(FEATURES), model.encoder(FEATURES)
        for given in (out, (out.last_hidden_state,)):
            assert torch.equal(model(encoder_outputs=given).logits, whole.logits)


def test_features_of_real_sound_give_the_incumbents_scores_step_by_step(tmp_path: Path) -> None:
    """A middling Whisper with the real sizes of its input: 80 mel bins, 30 seconds."""
    torch.manual_seed(0)
    keys = {"d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "vocab_size": 300, "pad_token_id": 2}
    sizes = dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 128)
    heads = dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4)
    oracle = transformers.WhisperForConditionalGeneration(transformers.WhisperConfig(**keys, **sizes, **heads)).eval()
    oracle.save_pretrained(tmp_path)
    model = nabi.WhisperForConditionalGeneration.from_pretrained(tmp_path)
    seconds = torch.arange(16000 * 2) / 16000
    waves = [torch.sin(2 * torch.pi * 220 * seconds).numpy(), torch.randn(16000 * 31).numpy()]
    features = nabi.WhisperFeatureExtractor()(waves, sampling_rate=16000, return_tensors="pt")["input_features"]
    ids = torch.randint(5, 300, (2, 6))
    with torch.no_grad():
        theirs, ours = (each(input_features=features, decoder_input_ids=ids) for each in (oracle, model))
        torch.testing.assert_close(ours.logits, theirs.logits, atol=1e-4, rtol=0)
        cache = None
        for i in range(6):
            step = model(
                decoder_input_ids=ids[:, i : i + 1],
                encoder_outputs=(ours.encoder_last_hidden_state,),
                past_key_values=cache,
                use_cache=True,
            )
            cache = step.past_key_values
            torch.testing.assert_close(step.logits[:, 0], theirs.logits[:, i], atol=1e-4, rtol=0)
