"""Makes tests/conversion/recorded/: tiny checkpoints as TensorFlow and Flax wrote them, with what those models answer.

transformers 4.57.1 is the last line that has these classes, and it cannot share an environment with version 5:

    python3 -m venv /tmp/venv457 && . /tmp/venv457/bin/activate
    pip install transformers==4.57.1 "huggingface_hub<1" torch h5py msgpack sentencepiece
    pip install "tensorflow-cpu==2.18.*" "tf-keras==2.18.*"
    pip install flax==0.8.5 jax==0.4.30 jaxlib==0.4.30 "optax<0.2.4" "numpy<2.1"
    HF_HUB_OFFLINE=1 python tests/conversion/make_recorded.py [name ...]

Each recorded/<name>.zip holds the folder that `save_pretrained` of the TensorFlow or Flax class wrote, and answers.npz:
the inputs (`in.input_ids`) and that model's own outputs (`out.logits`), computed by TensorFlow or JAX. Weights are
multiples of 1/64 moved off their initial values, so every tensor counts and the files stay small.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TF_USE_LEGACY_KERAS="1", JAX_PLATFORMS="cpu")

import numpy as np
import transformers

RECORDED = Path(__file__).parent / "recorded"

TEXT = {"input_ids": np.array([[5, 7, 9, 11, 6], [8, 4, 10, 13, 3]])}
TYPED = {**TEXT, "token_type_ids": np.zeros((2, 5), dtype="int64")}  # left out, Flax's ELECTRA takes ones
PAIR = {**TEXT, "decoder_input_ids": np.array([[2, 6, 8], [2, 9, 5]])}
CHOICES = {"input_ids": np.array([[[5, 7, 9, 4], [5, 8, 6, 4]]])}
LONG = {"input_ids": np.array([[5, 7, 9, 11, 6, 3, 8, 12]])}
IMAGE = {"pixel_values": (np.arange(3 * 16 * 16).reshape(1, 3, 16, 16) % 37 / 18.5 - 1).astype("float32")}
BOTH = {**IMAGE, "input_ids": np.array([[5, 7, 9, 11, 23]])}
SOUND = {"input_values": np.sin(np.arange(400) * 0.3 + np.arange(400) ** 2 * 1e-3).astype("float32")[None]}

SPEECH = {
    "input_features": np.cos(np.arange(4 * 20) * 0.7).astype("float32").reshape(1, 4, 20),
    "decoder_input_ids": np.array([[2, 6, 8]]),
}

BERT = dict(
    vocab_size=24,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    max_position_embeddings=16,
)
BART = dict(
    **{
        f"{side}_{key}": value
        for side in ("encoder", "decoder")
        for key, value in dict(layers=2, attention_heads=2, ffn_dim=12).items()
    },
    vocab_size=24,
    d_model=8,
    max_position_embeddings=16,
    pad_token_id=1,
    eos_token_id=2,
    bos_token_id=0,
)
T5 = dict(vocab_size=24, d_model=8, d_kv=3, d_ff=12, num_layers=2, num_decoder_layers=2, num_heads=2)
GATED_T5 = dict(T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
GPT2 = dict(vocab_size=24, n_embd=8, n_layer=2, n_head=2, n_positions=16, bos_token_id=0, eos_token_id=1)
LLAMA = dict(BERT, num_key_value_heads=1, bos_token_id=0, eos_token_id=1, pad_token_id=None)
CLIP_TEXT = dict(BERT, projection_dim=6, bos_token_id=0, eos_token_id=23)
CLIP_VISION = dict(
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    projection_dim=6,
    image_size=16,
    patch_size=8,
)
CLIP = dict(text_config=CLIP_TEXT, vision_config=CLIP_VISION, projection_dim=6)
VIT = dict(
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    image_size=16,
    patch_size=8,
)
WAV2VEC2 = dict(
    vocab_size=24,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    conv_dim=[8, 8],
    conv_kernel=[5, 3],
    conv_stride=[3, 2],
    num_feat_extract_layers=2,
    num_conv_pos_embeddings=4,
    num_conv_pos_embedding_groups=2,
    mask_time_prob=0.0,
    apply_spec_augment=False,
)
WHISPER = {key: value for key, value in BART.items() if key != "max_position_embeddings"} | dict(
    num_mel_bins=4, max_source_positions=10, max_target_positions=16, decoder_start_token_id=2, suppress_tokens=None,
    begin_suppress_tokens=None,
)  # fmt: skip
RESNET = dict(embedding_size=6, hidden_sizes=[8, 12], depths=[2, 1], layer_type="basic")
DEBERTA = dict(
    BERT, relative_attention=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0
)

# name: (class, keys of its config, inputs, options of save_pretrained). The prefix TF or Flax says the framework.
CASES: dict[str, tuple[Any, ...]] = {
    "tf-bert-pretraining": ("TFBertForPreTraining", BERT, TEXT),
    "tf-bert-masked": ("TFBertForMaskedLM", BERT, TEXT),
    "tf-bert-classes": ("TFBertForSequenceClassification", dict(BERT, num_labels=3), TEXT),
    "tf-bert-shards": ("TFBertForMaskedLM", BERT, TEXT, dict(max_shard_size="4KB")),
    "tf-bert-safetensors": ("TFBertForMaskedLM", BERT, TEXT, dict(safe_serialization=True)),
    "tf-bert-body": ("TFBertModel", BERT, TEXT),
    "tf-roberta": ("TFRobertaForMaskedLM", BERT, TEXT),
    "tf-roberta-classes": ("TFRobertaForSequenceClassification", BERT, TEXT),
    "tf-roberta-body": ("TFRobertaModel", BERT, TEXT),
    "tf-xlm-roberta": ("TFXLMRobertaForTokenClassification", BERT, TEXT),
    "tf-camembert": ("TFCamembertForMaskedLM", BERT, TEXT),
    "tf-distilbert": (
        "TFDistilBertForMaskedLM",
        dict(vocab_size=24, dim=8, n_layers=2, n_heads=2, hidden_dim=12),
        TEXT,
    ),
    "tf-distilbert-answers": (
        "TFDistilBertForQuestionAnswering",
        dict(vocab_size=24, dim=8, n_layers=2, n_heads=2, hidden_dim=12, max_position_embeddings=16),
        TEXT,
    ),
    "tf-albert": ("TFAlbertForMaskedLM", dict(BERT, embedding_size=6, num_hidden_groups=2), TEXT),
    "tf-albert-choice": ("TFAlbertForMultipleChoice", dict(BERT, embedding_size=6), CHOICES),
    "tf-electra": ("TFElectraForPreTraining", dict(BERT, embedding_size=6), TEXT),
    "tf-electra-masked": ("TFElectraForMaskedLM", dict(BERT, embedding_size=6), TEXT),
    "tf-electra-classes": ("TFElectraForSequenceClassification", BERT, TEXT),
    "tf-deberta": ("TFDebertaForMaskedLM", DEBERTA, TEXT),
    "tf-deberta-v2": ("TFDebertaV2ForMaskedLM", DEBERTA, TEXT),
    "tf-deberta-v3": (
        "TFDebertaV2ForSequenceClassification",
        dict(DEBERTA, position_buckets=4, norm_rel_ebd="layer_norm", share_att_key=True, conv_kernel_size=3),
        TEXT,
    ),
    "tf-mpnet": ("TFMPNetForMaskedLM", BERT, TEXT),
    "tf-xlnet": ("TFXLNetLMHeadModel", dict(vocab_size=24, d_model=8, n_layer=2, n_head=2, d_inner=12), TEXT),
    "tf-xlnet-classes": (
        "TFXLNetForSequenceClassification",
        dict(vocab_size=24, d_model=8, n_layer=2, n_head=2, d_inner=12),
        TEXT,
    ),
    "tf-xlnet-answers": (
        "TFXLNetForQuestionAnsweringSimple",
        dict(vocab_size=24, d_model=8, n_layer=2, n_head=2, d_inner=12),
        TEXT,
    ),
    "tf-xlm": (
        "TFXLMWithLMHeadModel",
        dict(vocab_size=24, emb_dim=8, n_layers=2, n_heads=2, max_position_embeddings=16, n_langs=2),
        TEXT,
    ),
    "tf-xlm-answers": (
        "TFXLMForQuestionAnsweringSimple",
        dict(vocab_size=24, emb_dim=8, n_layers=2, n_heads=2, max_position_embeddings=16),
        TEXT,
    ),
    "tf-longformer": ("TFLongformerForMaskedLM", dict(BERT, attention_window=4, pad_token_id=1), LONG),
    "tf-gpt2": ("TFGPT2LMHeadModel", GPT2, TEXT),
    "tf-gpt2-classes": ("TFGPT2ForSequenceClassification", dict(GPT2, pad_token_id=1), TEXT),
    "tf-gptj": ("TFGPTJForCausalLM", dict(GPT2, rotary_dim=2), TEXT),
    "tf-opt": (
        "TFOPTForCausalLM",
        dict(
            vocab_size=24,
            hidden_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            ffn_dim=12,
            max_position_embeddings=16,
            word_embed_proj_dim=6,
        ),
        TEXT,
    ),
    "tf-mistral": ("TFMistralForCausalLM", LLAMA, TEXT),
    "tf-t5": ("TFT5ForConditionalGeneration", T5, PAIR),
    "tf-t5-encoder": ("TFT5EncoderModel", T5, TEXT),
    "tf-t5-gated": ("TFT5ForConditionalGeneration", GATED_T5, PAIR),
    "tf-mt5": ("TFMT5ForConditionalGeneration", GATED_T5, PAIR),
    "tf-bart": ("TFBartForConditionalGeneration", BART, PAIR),
    "tf-bart-body": ("TFBartModel", BART, PAIR),
    "tf-bart-shards": ("TFBartForConditionalGeneration", BART, PAIR, dict(max_shard_size="8KB")),
    "tf-bart-classes": ("TFBartForSequenceClassification", BART, dict(input_ids=np.array([[0, 7, 9, 5, 2]] * 2))),
    "tf-mbart": ("TFMBartForConditionalGeneration", BART, PAIR),
    "tf-pegasus": ("TFPegasusForConditionalGeneration", BART, PAIR),
    "tf-marian": ("TFMarianMTModel", dict(BART, decoder_start_token_id=1), PAIR),
    "tf-blenderbot": ("TFBlenderbotForConditionalGeneration", BART, PAIR),
    "tf-vit": ("TFViTForImageClassification", dict(VIT, num_labels=3), IMAGE),
    "tf-deit": ("TFDeiTForImageClassificationWithTeacher", dict(VIT, num_labels=3), IMAGE),
    "tf-convnext": (
        "TFConvNextForImageClassification",
        dict(image_size=16, patch_size=2, num_stages=2, hidden_sizes=[6, 8], depths=[1, 2], num_labels=3),
        IMAGE,
    ),
    "tf-resnet": ("TFResNetForImageClassification", dict(RESNET, num_labels=3), IMAGE),
    "tf-clip": ("TFCLIPModel", CLIP, BOTH),
    "tf-clip-text": ("TFCLIPTextModel", CLIP_TEXT, {"input_ids": BOTH["input_ids"]}),
    "tf-clip-vision": ("TFCLIPVisionModel", CLIP_VISION, IMAGE),
    "tf-wav2vec2-classes": ("TFWav2Vec2ForSequenceClassification", dict(WAV2VEC2, use_weighted_layer_sum=True), SOUND),
    "tf-wav2vec2": ("TFWav2Vec2ForCTC", WAV2VEC2, SOUND),
    "tf-wav2vec2-stable": (
        "TFWav2Vec2ForCTC",
        dict(WAV2VEC2, do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=True),
        SOUND,
    ),
    "tf-hubert": ("TFHubertForCTC", WAV2VEC2, SOUND),
    "tf-hubert-stable": (
        "TFHubertForCTC",
        dict(WAV2VEC2, do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=True),
        SOUND,
    ),
    "tf-whisper": ("TFWhisperForConditionalGeneration", WHISPER, SPEECH),
    "flax-bert-pretraining": ("FlaxBertForPreTraining", BERT, TEXT),
    "flax-bert-next": ("FlaxBertForNextSentencePrediction", BERT, TEXT),
    "flax-bert-masked": ("FlaxBertForMaskedLM", BERT, TEXT),
    "flax-bert-bfloat16": ("FlaxBertForMaskedLM", BERT, TEXT, dict(bfloat16=True)),
    "flax-bert-shards": ("FlaxBertForMaskedLM", BERT, TEXT, dict(max_shard_size="4KB")),
    "flax-bert-safetensors": ("FlaxBertForMaskedLM", BERT, TEXT, dict(safe_serialization=True)),
    "flax-roberta": ("FlaxRobertaForMaskedLM", BERT, TEXT),
    "flax-roberta-classes": ("FlaxRobertaForSequenceClassification", BERT, TEXT),
    "flax-xlm-roberta": ("FlaxXLMRobertaForTokenClassification", BERT, TEXT),
    "flax-distilbert": (
        "FlaxDistilBertForMaskedLM",
        dict(vocab_size=24, dim=8, n_layers=2, n_heads=2, hidden_dim=12),
        TEXT,
    ),
    "flax-albert": ("FlaxAlbertForMaskedLM", dict(BERT, embedding_size=6), TEXT),
    "flax-electra": ("FlaxElectraForPreTraining", dict(BERT, embedding_size=6), TYPED),
    "flax-electra-masked": ("FlaxElectraForMaskedLM", dict(BERT, embedding_size=6), TYPED),
    "flax-big-bird": ("FlaxBigBirdForMaskedLM", dict(BERT, attention_type="original_full"), TEXT),
    "flax-gpt2": ("FlaxGPT2LMHeadModel", GPT2, TEXT),
    "flax-gpt-neo": (
        "FlaxGPTNeoForCausalLM",
        dict(
            vocab_size=24,
            hidden_size=8,
            num_layers=2,
            num_heads=2,
            max_position_embeddings=16,
            window_size=3,
            attention_types=[[["global", "local"], 1]],
        ),
        TEXT,
    ),
    "flax-gptj": ("FlaxGPTJForCausalLM", dict(GPT2, rotary_dim=2), TEXT),
    "flax-opt": (
        "FlaxOPTForCausalLM",
        dict(
            vocab_size=24,
            hidden_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            ffn_dim=12,
            max_position_embeddings=16,
            word_embed_proj_dim=8,
        ),
        TEXT,
    ),
    "flax-llama": ("FlaxLlamaForCausalLM", LLAMA, TEXT),
    "flax-mistral": ("FlaxMistralForCausalLM", LLAMA, TEXT),
    "flax-gemma": ("FlaxGemmaForCausalLM", dict(LLAMA, head_dim=4, pad_token_id=0), TEXT),
    "flax-bloom": ("FlaxBloomForCausalLM", dict(vocab_size=24, hidden_size=8, n_layer=2, n_head=2), TEXT),
    "flax-t5": ("FlaxT5ForConditionalGeneration", T5, PAIR),
    "flax-t5-encoder": ("FlaxT5EncoderModel", T5, TEXT),
    "flax-mt5": ("FlaxMT5ForConditionalGeneration", GATED_T5, PAIR),
    "flax-bart": ("FlaxBartForConditionalGeneration", BART, PAIR),
    "flax-bart-classes": ("FlaxBartForSequenceClassification", BART, dict(input_ids=np.array([[0, 7, 9, 5, 2]] * 2))),
    "flax-mbart": ("FlaxMBartForConditionalGeneration", BART, PAIR),
    "flax-pegasus": ("FlaxPegasusForConditionalGeneration", BART, PAIR),
    "flax-marian": ("FlaxMarianMTModel", dict(BART, decoder_start_token_id=1), PAIR),
    "flax-blenderbot": ("FlaxBlenderbotForConditionalGeneration", BART, PAIR),
    "flax-vit": ("FlaxViTForImageClassification", dict(VIT, num_labels=3), IMAGE),
    "flax-resnet": ("FlaxResNetForImageClassification", dict(RESNET, num_labels=3), IMAGE),
    "flax-whisper": ("FlaxWhisperForConditionalGeneration", WHISPER, SPEECH),
    "flax-whisper-classes": (
        "FlaxWhisperForAudioClassification",
        dict(WHISPER, classifier_proj_size=6),
        {"input_features": SPEECH["input_features"]},
    ),
    "flax-clip": ("FlaxCLIPModel", CLIP, BOTH),
    "flax-clip-text": ("FlaxCLIPTextModel", CLIP_TEXT, {"input_ids": BOTH["input_ids"]}),
    "flax-clip-vision": ("FlaxCLIPVisionModel", CLIP_VISION, IMAGE),
    "flax-wav2vec2": (
        "FlaxWav2Vec2ForCTC",
        dict(WAV2VEC2, do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=True),
        SOUND,
    ),
}


def moved(name: str, value: Any, random: np.random.Generator) -> np.ndarray:
    """Off the initial value by multiples of 1/64; a variance stays above nought."""
    value = np.asarray(value, dtype="float32")
    steps = np.round(random.normal(0, 16, value.shape)) / 64
    if "var" in name:
        return (1 + np.abs(steps)).astype("float32")
    return (np.round(value * 64) / 64 + steps).astype("float32")


def plain(outputs: Any) -> dict[str, np.ndarray]:
    """The outputs that are one tensor each."""
    return {f"out.{key}": np.asarray(value) for key, value in outputs.items() if hasattr(value, "shape")}


def tensorflow(made: Any, inputs: dict[str, np.ndarray], random: np.random.Generator) -> dict[str, np.ndarray]:
    made.build_in_name_scope()
    for weight in made.weights:
        if "sinusoid" not in weight.name:
            weight.assign(moved(weight.name, weight.numpy(), random))
    return plain(made(inputs, training=False, return_dict=True))


def flax(made: Any, inputs: dict[str, np.ndarray], random: np.random.Generator, bfloat16: bool) -> dict[str, Any]:
    import jax

    made.params = jax.tree_util.tree_map_with_path(
        lambda path, value: jax.numpy.asarray(moved(str(path), value, random)), made.params
    )
    if not bfloat16:
        return plain(made(**inputs))
    stored = made.to_bf16(made.params)
    made.params = made.to_fp32(stored)
    answers = plain(made(**inputs))
    made.params = stored
    return answers


def record(name: str) -> None:
    class_name, keys, inputs, *rest = CASES[name]
    options = dict(rest[0]) if rest else {}
    bfloat16 = options.pop("bfloat16", False)
    torch_name = class_name.removeprefix("TF").removeprefix("Flax")
    config = getattr(transformers, torch_name).config_class(**keys)
    random = np.random.default_rng(list(name.encode()))
    made = getattr(transformers, class_name)(config)
    is_flax = class_name.startswith("Flax")
    answers = flax(made, inputs, random, bfloat16) if is_flax else tensorflow(made, inputs, random)
    with tempfile.TemporaryDirectory() as folder:
        made.save_pretrained(folder, **options)
        np.savez(Path(folder, "answers.npz"), **{f"in.{key}": value for key, value in inputs.items()}, **answers)
        with zipfile.ZipFile(RECORDED / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(Path(folder).iterdir()):
                entry = zipfile.ZipInfo(path.name)  # with no date: the same file each time
                file.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    print(name, (RECORDED / f"{name}.zip").stat().st_size, [key for key in answers], flush=True)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    RECORDED.mkdir(exist_ok=True)
    for wanted in sys.argv[1:] or CASES:
        try:
            record(wanted)
        except Exception as error:
            print(f"{wanted}: {type(error).__name__}: {str(error)[:300]}", flush=True)
