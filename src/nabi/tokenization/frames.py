"""The frame of special tokens around a text and around a pair: "{cls} $A {sep}" -> the engine's post-processor.

A class writes its frames with the names of its special tokens; `:1` behind a part gives it token type 1.
"""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer
from tokenizers.processors import ByteLevel, PostProcessor, Sequence, TemplateProcessing

Frames = tuple[str, str]  # around one text, around a pair


def bos_and_eos(bos: bool, eos: bool) -> Frames:
    """The frames of decoders: each text of a pair has its own tokens, and its own token type."""
    single = f"{'{bos} ' if bos else ''}$A{' {eos}' if eos else ''}"
    second = f"{'{bos}:1 ' if bos else ''}$B:1{' {eos}:1' if eos else ''}"
    return single, f"{single} {second}"


def post_processor(tokenizer: Tokenizer, frames: Frames, named: dict[str, Any]) -> PostProcessor:
    """`frames` with the tokens that `named` gives ("cls_token" -> "[CLS]") and the ids of this vocabulary.

    What the tokenizer does for byte-level offsets is kept. Raises ValueError for a token that is not there.
    """
    tokens = {name.removesuffix("_token"): str(token) for name, token in named.items() if token is not None}
    used: dict[str, int] = {}
    for part in " ".join(frames).split():
        name = part.partition(":")[0].strip("{}")
        if name.startswith("$"):
            continue
        token = tokens.get(name) if part.startswith("{") else name
        token_id = None if token is None else tokenizer.token_to_id(token)
        if token is None or token_id is None:
            raise ValueError(
                f"the {name}_token {token!r}, which stands around every text, is not in this vocabulary of "
                f"{tokenizer.get_vocab_size()} tokens. If it has another name there, pass {name}_token=…."
            )
        used[token] = token_id
    single, pair = ([part.format_map(tokens) for part in frame.split()] for frame in frames)
    template = TemplateProcessing(single=single, pair=pair, special_tokens=list(used.items()))
    offsets = _byte_level(tokenizer.post_processor)
    return Sequence([offsets, template]) if offsets is not None else template


def own_frame(tokenizer: Any) -> TemplateProcessing:
    """The special tokens around texts as a user's own class puts them, by what it makes of two ids."""
    first, second = -1, -2
    single = tokenizer.build_inputs_with_special_tokens([first])
    pair = tokenizer.build_inputs_with_special_tokens([first], [second])
    types = (
        tokenizer.create_token_type_ids_from_sequences([first]),
        tokenizer.create_token_type_ids_from_sequences([first], [second]),
    )
    special = {number: str(tokenizer.convert_ids_to_tokens(number)) for number in (*single, *pair) if number >= 0}
    name = {first: "$A", second: "$B", **special}
    return TemplateProcessing(
        single=[f"{name[number]}:{kind}" for number, kind in zip(single, types[0], strict=True)],
        pair=[f"{name[number]}:{kind}" for number, kind in zip(pair, types[1], strict=True)],
        special_tokens=[(token, number) for number, token in special.items()],
    )


def frames_itself(tokenizer: Any) -> bool:
    """Whether its class is a user's own that says where special tokens stand, or of which type a token is."""
    named = ("build_inputs_with_special_tokens", "create_token_type_ids_from_sequences")
    return not all(getattr(type(tokenizer), name).__module__.startswith("nabi.") for name in named)


def _byte_level(processor: PostProcessor | None) -> ByteLevel | None:
    """The part of a post-processor that takes spaces out of byte-level offsets."""
    if processor is None:
        return None
    state = json.loads(processor.__getstate__())
    for part in state.get("processors", [state]):
        if part["type"] == "ByteLevel":
            return ByteLevel(part["add_prefix_space"], part["trim_offsets"], part["use_regex"])
    return None


def numbers_the_pair(engine: Any) -> bool:
    """Whether the tokens of a pair's second text get another type, as BERT's do."""
    frame = engine.tokenizer.post_processor
    if frame is None:
        return False
    state = frame.__getstate__().decode()
    return '"BertProcessing"' in state or '"type_id":1' in state
