"""One plain text by the shortest way. Most calls are that, and the questions of the general way take as long as the
engine does for a short text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .batch_encoding import BatchEncoding
from .text_warnings import LOST

if TYPE_CHECKING:
    from .fast import PreTrainedTokenizerFast


def encode_one(tokenizer: PreTrainedTokenizerFast, text: str, tensors: str | None) -> BatchEncoding | None:
    """What a call gives for one text without further options, or None where something must be said or cut: the general
    way does that."""
    engine = tokenizer._engine
    encodings = engine.encode([text], split_special_tokens=tokenizer.split_special_tokens)
    (ids,) = engine.ids(encodings)
    special = engine.tokenizer.num_special_tokens_to_add(False)
    if not special < len(ids) <= tokenizer.model_max_length:
        return None
    if LOST not in tokenizer.deprecation_warnings and (unknown := tokenizer.special.named["unk_token"]) is not None:
        unk_id = engine.tokenizer.token_to_id(str(unknown))
        if unk_id in ids[:2] or unk_id in ids[-2:]:
            return None
    data = {"input_ids": ids}
    names = tokenizer.model_input_names
    if "token_type_ids" in names:
        data["token_type_ids"] = encodings[0].type_ids
    if "attention_mask" in names:
        data["attention_mask"] = encodings[0].attention_mask
    return BatchEncoding(data, encodings, tensors, tensors is not None)
