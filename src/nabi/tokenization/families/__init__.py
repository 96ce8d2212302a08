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

# Class (without "Fast": slow and fast names give the same class) -> the file beside this one.
HOMES = {
    "BertTokenizer": "bert",
    "DistilBertTokenizer": "bert",
    "ElectraTokenizer": "bert",
}
# Names that files carry for a class of the above; None is PreTrainedTokenizerFast: tokenizer.json says all.
OTHER_NAMES: dict[str, str | None] = {
    "ConvBertTokenizer": "BertTokenizer",
    "LayoutLMTokenizer": "BertTokenizer",
    "LxmertTokenizer": "BertTokenizer",
    "MobileBertTokenizer": "BertTokenizer",
    "PreTrainedTokenizer": None,
    "TokenizersBackend": None,  # HF's name since version 5
}
# The class where config.json says only the model's type.
MODEL_TYPES = {
    "bert": "BertTokenizer",
    "convbert": "BertTokenizer",
    "distilbert": "DistilBertTokenizer",
    "electra": "ElectraTokenizer",
    "layoutlm": "BertTokenizer",
    "lxmert": "BertTokenizer",
    "mobilebert": "BertTokenizer",
}


def tokenizer_class(name: str) -> Any:
    """The class of this name, with or without "Fast". Raises KeyError if there is none."""
    plain = name.removesuffix("Fast")
    return getattr(import_module(f"{__name__}.{HOMES[plain]}"), plain)
