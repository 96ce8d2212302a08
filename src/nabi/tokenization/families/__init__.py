"""The tokenizers of the families: each class holds only what differs, and `HOMES` says in which file it is.

A class may give
    vocab_files_names   argument -> file name, in the order of the constructor's positional arguments
    defaults            the constructor's options (special tokens among them) where nobody says otherwise
    frames              the special tokens around a text and a pair: ("{cls} $A {sep}", "{cls} $A {sep} $B:1 {sep}:1")
    build(files, ...)   the engine for these vocabulary files, without frame
    configure(...)      what options change in an engine, be it built or read from tokenizer.json
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# File beside this one -> its classes, without "Fast": slow and fast names give the same class.
_CLASSES = {
    "bert": "BertTokenizer DistilBertTokenizer ElectraTokenizer",
    "byte_bpe": (
        "BartTokenizer BlenderbotTokenizer DebertaTokenizer GPT2Tokenizer GPTNeoXTokenizer LongformerTokenizer "
        "Qwen2Tokenizer RobertaTokenizer"
    ),
    "clip": "CLIPTokenizer",
    "ctc": "Wav2Vec2CTCTokenizer",
    "korean": "DistilKoBertTokenizer KoBERTTokenizer KoBertTokenizer",
    "marian": "MarianTokenizer",
    "sentencepiece": (
        "AlbertTokenizer BigBirdTokenizer CamembertTokenizer DebertaV2Tokenizer GemmaTokenizer LlamaTokenizer "
        "MT5Tokenizer PegasusTokenizer T5Tokenizer XLMRobertaTokenizer XLNetTokenizer"
    ),
    "siglip": "SiglipTokenizer",
    "tiktoken": "TiktokenTokenizer",
    "translation": "M2M100Tokenizer MBart50Tokenizer MBartTokenizer NllbTokenizer",
    "whisper": "WhisperTokenizer",
    "words": "CharacterTokenizer WordLevelTokenizer",
    "xlm": "XLMTokenizer",
}
# Class -> other names that files carry for it.
_ALIASES = {
    "BertTokenizer": (
        "ConvBertTokenizer DPRContextEncoderTokenizer DPRQuestionEncoderTokenizer DPRReaderTokenizer "
        "LayoutLMTokenizer LxmertTokenizer MobileBertTokenizer RetriBertTokenizer SqueezeBertTokenizer"
    ),
    "GPT2Tokenizer": "CodeGenTokenizer",
    "PegasusTokenizer": "BigBirdPegasusTokenizer",
    "Qwen2Tokenizer": "Qwen3Tokenizer",
    "RobertaTokenizer": "LEDTokenizer MvpTokenizer",
    "T5Tokenizer": "UMT5Tokenizer",
    "Wav2Vec2CTCTokenizer": "Wav2Vec2Tokenizer",
}
# Names that need no class: their tokenizer.json says all. TokenizersBackend is HF's general name since version 5.
_GENERAL = (
    "BloomTokenizer CohereTokenizer DeepseekTokenizer EsmcTokenizer FalconTokenizer FunnelTokenizer "
    "HerbertTokenizer LasrTokenizer MPNetTokenizer NougatTokenizer OpenAIGPTTokenizer ParakeetTokenizer "
    "PreTrainedTokenizer Qwen3_5Tokenizer Siglip2Tokenizer TokenizersBackend"
)
# Class -> the model types of config.json that it belongs to, where nothing names a class.
_TYPES = {
    "AlbertTokenizer": "albert",
    "BertTokenizer": "bert convbert layoutlm lxmert mobilebert",
    "BigBirdTokenizer": "big_bird",
    "BlenderbotTokenizer": "blenderbot",
    "CLIPTokenizer": "clip clipseg owlv2 owlvit xclip",
    "CamembertTokenizer": "camembert",
    "DebertaTokenizer": "deberta",
    "DebertaV2Tokenizer": "deberta-v2",
    "DistilBertTokenizer": "distilbert",
    "ElectraTokenizer": "electra",
    "GPT2Tokenizer": "codegen gpt2 gpt_neo gptj opt phi starcoder2",
    "GPTNeoXTokenizer": "gpt_neox mamba mamba2 mpt olmo olmoe rwkv",
    "GemmaTokenizer": "gemma gemma2 gemma3 gemma3_text",
    "LlamaTokenizer": "llama mistral mixtral",
    "M2M100Tokenizer": "m2m_100",
    "MBart50Tokenizer": "mbart50",
    "MBartTokenizer": "mbart",
    "MarianTokenizer": "marian",
    "NllbTokenizer": "nllb nllb-moe",
    "PegasusTokenizer": "bigbird_pegasus pegasus pegasus_x",
    "Qwen2Tokenizer": "qwen2 qwen2_5_vl qwen2_moe qwen2_vl qwen3 qwen3_moe",
    "RobertaTokenizer": "bart data2vec-text ibert led longformer mvp roberta roberta-prelayernorm",
    "SiglipTokenizer": "siglip",
    "T5Tokenizer": "longt5 mt5 switch_transformers t5 umt5",
    "Wav2Vec2CTCTokenizer": (
        "data2vec-audio hubert unispeech unispeech-sat wav2vec2 wav2vec2-bert wav2vec2-conformer wavlm"
    ),
    "WhisperTokenizer": "whisper",
    "XLMRobertaTokenizer": "xlm-roberta xlm-roberta-xl xmod",
    "XLMTokenizer": "xlm",
    "XLNetTokenizer": "xlnet",
}
HOMES = {name: file for file, names in _CLASSES.items() for name in names.split()}
OTHER_NAMES: dict[str, str | None] = {
    **{name: known for known, names in _ALIASES.items() for name in names.split()},
    **dict.fromkeys(_GENERAL.split()),
}
MODEL_TYPES = {model_type: name for name, types in _TYPES.items() for model_type in types.split()}
# (class that a checkpoint names, type of its model) -> the class that the model was trained with. A BERT knows neither
# the frame nor the token types 2 and 3 of XLNet.
FITTING = {
    ("KoBERTTokenizer", "distilbert"): "DistilKoBertTokenizer",
    ("KoBertTokenizer", "distilbert"): "DistilKoBertTokenizer",
    ("XLNetTokenizer", "bert"): "KoBertTokenizer",
    ("XLNetTokenizer", "distilbert"): "DistilKoBertTokenizer",
}


def tokenizer_class(name: str) -> Any:
    """The class of this name, with or without "Fast". Raises KeyError if there is none."""
    plain = name.removesuffix("Fast")
    return getattr(import_module(f"{__name__}.{HOMES[plain]}"), plain)
