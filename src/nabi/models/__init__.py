"""The families: one file per model_type with its config, its names on disk and its choices.

This table is what the rest of nabi knows of them; a family is added by its file and its entry here.
"""

from __future__ import annotations

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
    "siglip": _classes("Siglip", "ForImageClassification"),
    "siglip_text_model": _classes("SiglipText"),
    "siglip_vision_model": _classes("SiglipVision"),
    "t5": _classes("T5", _T5),
    "umt5": _classes("UMT5", _T5),
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
