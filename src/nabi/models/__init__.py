"""The families: one file per model_type with its config, its names on disk and its choices.

This table is what the rest of nabi knows of them; a family is added by its file and its entry here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Module -> its public classes.
_ENCODER = "ForMaskedLM ForSequenceClassification ForMultipleChoice ForTokenClassification ForQuestionAnswering"
_DECODER = "ForCausalLM ForSequenceClassification ForTokenClassification ForQuestionAnswering"
_T5 = "EncoderModel ForConditionalGeneration ForSequenceClassification ForTokenClassification ForQuestionAnswering"


def _classes(prefix: str, *heads: str) -> list[str]:
    return [prefix + name for name in ("Config", "PreTrainedModel", "Model", *" ".join(heads).split())]


FAMILIES: dict[str, list[str]] = {
    "albert": _classes("Albert", "ForPreTraining", _ENCODER),
    "bart": _classes("Bart", "ForConditionalGeneration ForCausalLM ForSequenceClassification ForQuestionAnswering"),
    "bert": _classes("Bert", "ForPreTraining LMHeadModel ForNextSentencePrediction", _ENCODER),
    "big_bird": _classes("BigBird", "ForPreTraining ForCausalLM", _ENCODER),
    "blenderbot": _classes("Blenderbot", "ForConditionalGeneration ForCausalLM"),
    "bloom": _classes("Bloom", _DECODER),
    "camembert": _classes("Camembert", "ForCausalLM", _ENCODER),
    "clip": _classes("CLIP", "ForImageClassification"),
    "clip_text_model": _classes("CLIPText", "ModelWithProjection"),
    "clip_vision_model": _classes("CLIPVision", "ModelWithProjection"),
    "convnext": _classes("ConvNext", "ForImageClassification Backbone"),
    "deberta": _classes("Deberta", "ForMaskedLM ForSequenceClassification ForTokenClassification ForQuestionAnswering"),
    "deberta_v2": _classes("DebertaV2", _ENCODER),
    "deit": _classes("DeiT", "ForImageClassification ForImageClassificationWithTeacher ForMaskedImageModeling"),
    "detr": _classes("Detr", "ForObjectDetection ForSegmentation"),
    "distilbert": _classes("DistilBert", _ENCODER),
    "electra": _classes("Electra", "ForPreTraining ForCausalLM", _ENCODER),
    "encoder_decoder": ["EncoderDecoderConfig", "EncoderDecoderModel"],
    "exaone4": _classes("Exaone4", _DECODER),
    "falcon": _classes("Falcon", _DECODER),
    "gemma": _classes("Gemma", "ForCausalLM ForSequenceClassification ForTokenClassification"),
    "gemma2": _classes("Gemma2", "ForCausalLM ForSequenceClassification ForTokenClassification"),
    "gemma3_text": [
        *("Gemma3TextConfig", "Gemma3PreTrainedModel", "Gemma3TextModel", "Gemma3ForCausalLM"),
        "Gemma3TextForSequenceClassification",
    ],
    "gpt2": [
        *_classes("GPT2", "LMHeadModel DoubleHeadsModel ForSequenceClassification ForTokenClassification"),
        "GPT2ForQuestionAnswering",
    ],
    "gpt_neo": _classes("GPTNeo", _DECODER),
    "gpt_neox": _classes("GPTNeoX", _DECODER),
    "gpt_oss": _classes("GptOss", "ForCausalLM ForSequenceClassification ForTokenClassification"),
    "gptj": _classes("GPTJ", "ForCausalLM ForSequenceClassification ForQuestionAnswering"),
    "hubert": _classes("Hubert", "ForCTC ForSequenceClassification"),
    "llama": _classes("Llama", _DECODER),
    "llava": _classes("Llava", "ForConditionalGeneration"),
    "longformer": _classes("Longformer", _ENCODER),
    "m2m_100": _classes("M2M100", "ForConditionalGeneration"),
    "marian": [*_classes("Marian", "ForCausalLM"), "MarianMTModel"],
    "mbart": _classes("MBart", "ForConditionalGeneration ForCausalLM ForSequenceClassification ForQuestionAnswering"),
    "mistral": _classes("Mistral", _DECODER),
    "mixtral": _classes("Mixtral", _DECODER),
    "modernbert": _classes("ModernBert", _ENCODER),
    "mpnet": _classes("MPNet", _ENCODER),
    "mt5": _classes("MT5", _T5),
    "olmo2": _classes("Olmo2", "ForCausalLM ForSequenceClassification"),
    "opt": _classes("OPT", "ForCausalLM ForSequenceClassification ForQuestionAnswering"),
    "pegasus": _classes("Pegasus", "ForConditionalGeneration ForCausalLM"),
    "phi": _classes("Phi", "ForCausalLM ForSequenceClassification ForTokenClassification"),
    "phi3": _classes("Phi3", "ForCausalLM ForSequenceClassification ForTokenClassification"),
    "qwen2": _classes("Qwen2", _DECODER),
    "qwen3": _classes("Qwen3", _DECODER),
    "qwen3_moe": _classes("Qwen3Moe", _DECODER),
    "resnet": _classes("ResNet", "ForImageClassification Backbone"),
    "roberta": _classes("Roberta", "ForCausalLM", _ENCODER),
    "seq2seq_lstm": _classes("Seq2SeqLstm", "ForConditionalGeneration"),
    "siglip": _classes("Siglip", "ForImageClassification"),
    "siglip_text_model": _classes("SiglipText"),
    "siglip_vision_model": _classes("SiglipVision"),
    "t5": _classes("T5", _T5),
    "trocr": ["TrOCRConfig", "TrOCRPreTrainedModel", "TrOCRForCausalLM"],
    "umt5": _classes("UMT5", _T5),
    "vision_encoder_decoder": ["VisionEncoderDecoderConfig", "VisionEncoderDecoderModel"],
    "vit": _classes("ViT", "ForImageClassification ForMaskedImageModeling"),
    "wav2vec2": _classes(
        "Wav2Vec2", "ForCTC ForPreTraining ForSequenceClassification ForAudioFrameClassification ForXVector"
    ),
    "whisper": _classes("Whisper", "ForConditionalGeneration ForCausalLM ForAudioClassification"),
    "xlm": _classes(
        "XLM",
        "WithLMHeadModel ForSequenceClassification ForMultipleChoice ForTokenClassification",
        "ForQuestionAnsweringSimple ForQuestionAnswering",
    ),
    "xlm_roberta": _classes("XLMRoberta", "ForCausalLM", _ENCODER),
    "xlnet": _classes(
        "XLNet",
        "LMHeadModel ForSequenceClassification ForMultipleChoice ForTokenClassification",
        "ForQuestionAnsweringSimple ForQuestionAnswering",
    ),
    "yolos": _classes("Yolos", "ForObjectDetection"),
}

CAUSAL_LM = ("ForCausalLM", "LMHeadModel", "WithLMHeadModel")  # what a decoder's class with its head ends in


def family_of(model_type: Any) -> str:
    """The module of a model_type; an unknown one is a ValueError that lists the known."""
    module = str(model_type).replace("-", "_")
    if module not in FAMILIES:
        known = ", ".join(sorted(name.replace("_", "-") for name in FAMILIES))
        raise ValueError(
            f"nabi has no family for model_type {model_type!r}; it has {known}. One of your own is made known by "
            "AutoConfig.register"
        )
    return module


def find_class(module: str, *endings: str) -> Any:
    """The family's class with the first of these endings that it has (`ForMaskedLM`), or None."""
    names = FAMILIES[module]
    prefix = names[0].removesuffix("Config")
    for ending in endings:
        for name in names:  # some of a family's classes may have the shorter name of the family around it
            if name.endswith(ending) and prefix.startswith(name.removesuffix(ending)):
                return getattr(importlib.import_module(f".{module}", __package__), name)
    return None


def config_class_of(name_or_path: str | Path, options: dict[str, Any], others: Mapping[str, Any] | None = None) -> Any:
    """The configuration class for the config.json of a folder or Hub repository; options as in Config.

    `others`: configuration classes by model_type that go before the families here.
    """
    from ..config import Config

    keys, _ = Config.get_config_dict(name_or_path, **options)
    if "model_type" not in keys:
        raise ValueError(
            f"config.json of {name_or_path} has no model_type, so its family is unknown: load it with the family's "
            "own class, as BertModel.from_pretrained, or add the key"
        )
    try:
        other = (others or {}).get(str(keys["model_type"]))
        return other or find_class(family_of(keys["model_type"]), "Config")
    except ValueError as error:
        raise ValueError(f"config.json of {name_or_path}: {error}") from None


def any_family(model_type: str, **defaults: Any) -> Callable[..., Any]:
    """For `Config.nested`, where a model has another of any family inside: reads the configuration that the keys'
    model_type names. Without a model_type it is this one; without keys these are the keys."""

    def read(keys: dict[str, Any], **options: Any) -> Any:
        keys = {"model_type": model_type, **(keys or defaults)}
        return find_class(family_of(keys["model_type"]), "Config").from_dict(keys, **options)

    return read
