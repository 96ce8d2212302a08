"""A tokenizer's kind, trained anew on other texts: same normalizer, splitting, decoder and special tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken, Tokenizer, pre_tokenizers, trainers

from .special_tokens import EXTRA

if TYPE_CHECKING:
    from .fast import PreTrainedTokenizerFast

TRAINERS = {
    "BPE": trainers.BpeTrainer,
    "Unigram": trainers.UnigramTrainer,
    "WordLevel": trainers.WordLevelTrainer,
    "WordPiece": trainers.WordPieceTrainer,
}


def retrain(
    old: PreTrainedTokenizerFast,
    texts: Iterable[str] | Iterable[Sequence[str]],
    vocab_size: int,
    length: int | None,
    new_special_tokens: list[str | AddedToken],
    renamed: dict[str, str],
    trainer_options: dict[str, Any],
) -> Any:
    """See `PreTrainedTokenizerFast.train_new_from_iterator`. Raises ValueError for a model that cannot be trained."""
    state = json.loads(old._engine.to_json())
    kind = state["model"]["type"]
    if kind not in TRAINERS:
        raise ValueError(f"A {kind} model cannot be trained; these can: {', '.join(TRAINERS)}.")
    added, frame = state.pop("added_tokens"), state.pop("post_processor")
    options = {**_trainer_options(state, renamed), **trainer_options}
    _empty(state["model"], renamed, options)
    kept = [token for token in added if token["special"] or kind == "Unigram"]
    special = [_renamed(token, renamed) for token in kept] + list(new_special_tokens)
    tokenizer = Tokenizer.from_str(json.dumps({**state, "added_tokens": [], "post_processor": None}))
    trainer = TRAINERS[kind](vocab_size=vocab_size, special_tokens=special, **options)
    tokenizer.train_from_iterator(texts, trainer=trainer, length=length)
    if frame is not None:
        trained = json.loads(tokenizer.to_str())
        trained["post_processor"] = _with_new_ids(frame, tokenizer, renamed)
        tokenizer = Tokenizer.from_str(json.dumps(trained))
    return type(old)(tokenizer_object=tokenizer, **_constructor_options(old, new_special_tokens, renamed))


def _trainer_options(state: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """What the trainer must know of the model and of the splitting."""
    options: dict[str, Any] = {}
    for key in ("continuing_subword_prefix", "end_of_word_suffix"):
        if state["model"].get(key) is not None:
            options[key] = state["model"][key]
    splitter = state.get("pre_tokenizer") or {}
    if "ByteLevel" in [part["type"] for part in splitter.get("pretokenizers", [splitter]) if part]:
        options["initial_alphabet"] = pre_tokenizers.ByteLevel.alphabet()
    return options


def _empty(model: dict[str, Any], renamed: dict[str, str], options: dict[str, Any]) -> None:
    """Take the vocabulary out of a model, in place. Unigram keeps its unknown piece, which its trainer must know."""
    if model["type"] == "Unigram":
        if model["unk_id"] is not None:
            unknown = model["vocab"][model["unk_id"]][0]
            unknown = renamed.get(unknown, unknown)
            model.update(vocab=[[unknown, 0.0]], unk_id=0)
            options.setdefault("unk_token", unknown)
        return
    model["vocab"] = {}
    if model["type"] == "BPE":
        model["merges"] = []
    if model.get("unk_token") in renamed:
        model["unk_token"] = renamed[model["unk_token"]]


def _renamed(token: dict[str, Any], renamed: dict[str, str]) -> AddedToken:
    fields = {key: value for key, value in token.items() if key != "id"}
    return AddedToken(**{**fields, "content": renamed.get(token["content"], token["content"])})


def _with_new_ids(frame: dict[str, Any], tokenizer: Tokenizer, renamed: dict[str, str]) -> dict[str, Any]:
    """A post-processor's description with the special tokens' new names and ids (it may be a sequence of several)."""
    if "processors" in frame:
        return {**frame, "processors": [_with_new_ids(part, tokenizer, renamed) for part in frame["processors"]]}

    def numbered(token: str) -> tuple[str, int]:
        token = renamed.get(token, token)
        token_id = tokenizer.token_to_id(token)
        if token_id is None:
            raise ValueError(
                f"The post-processor puts {token!r} around texts, but it is no special token: name it as one."
            )
        return token, token_id

    frame = dict(frame)
    for key in ("cls", "sep"):
        if key in frame:
            frame[key] = list(numbered(frame[key][0]))
    for entry in frame.get("special_tokens", {}).values():
        pairs = [numbered(token) for token in entry["tokens"]]
        entry.update(tokens=[token for token, _ in pairs], ids=[token_id for _, token_id in pairs])
    return frame


def _constructor_options(
    old: PreTrainedTokenizerFast, new_special_tokens: list[str | AddedToken], renamed: dict[str, str]
) -> dict[str, Any]:
    options = {key: value for key, value in old.init_kwargs.items() if key not in EXTRA}
    for name, token in old.special.named.items():
        if token is not None:
            new_name = renamed.get(str(token), str(token))
            if isinstance(token, AddedToken):
                options[name] = AddedToken(**{**token.__getstate__(), "content": new_name})
            else:
                options[name] = new_name
    extra = [renamed.get(str(token), token) for token in old.special.extra]
    options["additional_special_tokens"] = [*extra, *new_special_tokens]
    return options
