"""Tokenizers that learn from texts: made of nothing else (`train`), or of another's kind (`retrain`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Literal, overload

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from .bpe_steps import BpeSteps, count_words
from .fast import PreTrainedTokenizerFast
from .special_tokens import EXTRA, as_special

Corpus = Iterable[str] | Iterable[Sequence[str]]  # texts, or batches of them

TRAINERS = {
    "BPE": trainers.BpeTrainer,
    "Unigram": trainers.UnigramTrainer,
    "WordLevel": trainers.WordLevelTrainer,
    "WordPiece": trainers.WordPieceTrainer,
}


@dataclass(frozen=True)
class Recipe:
    """A kind of tokenizer. `special` is in the order of the ids; `single` and `pair` are the frame, if it has one."""

    model: Callable[[], models.Model]
    splitter: pre_tokenizers.PreTokenizer
    decoder: decoders.Decoder | None
    special: dict[str, str]
    single: str = "$A"
    pair: str = "$A $B"
    options: dict[str, Any] = field(default_factory=dict)  # the trainer's
    inputs: tuple[str, ...] = ("input_ids", "attention_mask")


RECIPES = {
    "wordpiece": Recipe(
        model=lambda: models.WordPiece(unk_token="[UNK]"),
        splitter=pre_tokenizers.BertPreTokenizer(),
        decoder=decoders.WordPiece(),
        special={
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        },
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        inputs=("input_ids", "token_type_ids", "attention_mask"),
    ),
    "bpe": Recipe(
        model=models.BPE,
        splitter=pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoder=decoders.ByteLevel(),
        special={"eos_token": "<|endoftext|>", "pad_token": "<pad>"},
        options={"initial_alphabet": pre_tokenizers.ByteLevel.alphabet()},
    ),
    "unigram": Recipe(
        model=models.Unigram,
        splitter=pre_tokenizers.Metaspace(),
        decoder=decoders.Metaspace(),
        special={"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"},
        single="$A </s>",
        pair="$A </s> $B </s>",
        options={"unk_token": "<unk>"},
    ),
    "wordlevel": Recipe(
        model=lambda: models.WordLevel(unk_token="[UNK]"),
        splitter=pre_tokenizers.Whitespace(),
        decoder=None,
        special={"pad_token": "[PAD]", "unk_token": "[UNK]"},
    ),
}


@overload
def train(
    kind: str, iterator: Corpus, vocab_size: int = ..., *, explain: Literal[True], **options: Any
) -> BpeSteps: ...


@overload
def train(
    kind: str, iterator: Corpus, vocab_size: int = ..., *, explain: Literal[False] = ..., **options: Any
) -> PreTrainedTokenizerFast: ...


def train(
    kind: str,
    iterator: Corpus,
    vocab_size: int = 30_000,
    *,
    special_tokens: Sequence[str | AddedToken] | None = None,
    lowercase: bool = False,
    length: int | None = None,
    show_progress: bool | None = None,
    explain: bool = False,
    **trainer_options: Any,
) -> PreTrainedTokenizerFast | BpeSteps:
    """A tokenizer made of nothing but texts (an iterator of str, or of lists of str), ready to use and to save.

    `kind`: "wordpiece" as in BERT, framed `[CLS] $A [SEP]`, with [PAD] [UNK] [CLS] [SEP] [MASK]; "bpe", byte-level as
    in GPT-2, no frame, with <|endoftext|> (eos) and <pad>; "unigram" as in T5, framed `$A </s>`, with <pad> </s> <unk>;
    "wordlevel", whole words, no frame, with [PAD] [UNK]. All compose letters first (NFC), so Hangul stays whole.
    `special_tokens` are further ones. Progress is shown in a terminal. Other keywords go to the engine's trainer
    (`min_frequency`, `limit_alphabet`, …).

    `explain=True` ("bpe" only) shows the learning: the result yields one `Merge` (pair, count, piece) after another,
    and its `.tokenizer` is the tokenizer with the merges that have come so far, so after the loop the finished one:

        steps = train("bpe", texts, 1000, explain=True)
        for step in steps:
            print(step)
        tokenizer = steps.tokenizer

    Raises TypeError or ValueError for an unknown kind, a corpus that is none, or a vocab_size that is too small.
    """
    if kind not in RECIPES:
        raise ValueError(f"kind={kind!r} is unknown: use {', '.join(map(repr, RECIPES))}.")
    recipe = RECIPES[kind]
    _check_size(vocab_size)
    if isinstance(special_tokens, (str, AddedToken)):
        raise TypeError(f"special_tokens must be a list of tokens, not {special_tokens!r}: write [{special_tokens!r}].")
    more = [token for token in special_tokens or [] if str(token) not in recipe.special.values()]
    special = [as_special(token) for token in (*recipe.special.values(), *more)]
    if explain:
        if kind != "bpe":
            raise ValueError(f"explain=True shows how BPE learns: use kind='bpe', not {kind!r}, or leave explain out.")
        return _steps(recipe, lowercase, iterator, vocab_size, special, more, trainer_options)
    tokenizer = _with_parts(Tokenizer(recipe.model()), recipe, lowercase)
    options = {
        "show_progress": sys.stderr.isatty() if show_progress is None else show_progress,
        **recipe.options,
        **trainer_options,
    }
    trainer = TRAINERS[type(tokenizer.model).__name__](vocab_size=vocab_size, special_tokens=special, **options)
    _fit(tokenizer, trainer, iterator, vocab_size, length)
    return _finished(tokenizer, recipe, more)


def _with_parts(tokenizer: Tokenizer, recipe: Recipe, lowercase: bool) -> Tokenizer:
    steps: list[normalizers.Normalizer] = [normalizers.NFC()]
    if isinstance(tokenizer.model, models.WordPiece):
        # BERT's stripping of accents would take Hangul apart, and BERT's lower-casing implies it unless it is refused.
        steps.append(normalizers.BertNormalizer(lowercase=lowercase, strip_accents=False))
    elif lowercase:
        steps.append(normalizers.Lowercase())
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = recipe.splitter
    if recipe.decoder is not None:
        tokenizer.decoder = recipe.decoder
    return tokenizer


def _finished(tokenizer: Tokenizer, recipe: Recipe, more: Sequence[str | AddedToken]) -> PreTrainedTokenizerFast:
    framing = [token for token in recipe.special.values() if token in recipe.pair.replace(":1", "").split()]
    if framing:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=recipe.single,
            pair=recipe.pair,
            special_tokens=[(token, tokenizer.token_to_id(token)) for token in framing],
        )
    elif isinstance(recipe.splitter, pre_tokenizers.ByteLevel):
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    options: dict[str, Any] = {**recipe.special, "model_input_names": list(recipe.inputs)}
    if more:
        options["additional_special_tokens"] = list(more)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **options)


def _steps(
    recipe: Recipe,
    lowercase: bool,
    corpus: Corpus,
    vocab_size: int,
    special: list[AddedToken],
    more: list[str | AddedToken],
    trainer_options: dict[str, Any],
) -> BpeSteps:
    min_frequency = trainer_options.pop("min_frequency", 0)
    if trainer_options:
        raise TypeError(
            f"explain=True takes of the trainer's options min_frequency only, not {sorted(trainer_options)}."
        )
    parts = _with_parts(Tokenizer(models.BPE()), recipe, lowercase)

    def split(text: str) -> list[str]:
        return [word for word, _ in parts.pre_tokenizer.pre_tokenize_str(parts.normalizer.normalize_str(text))]

    def build(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> PreTrainedTokenizerFast:
        tokenizer = _with_parts(Tokenizer(models.BPE(vocab=vocabulary, merges=merges)), recipe, lowercase)
        tokenizer.add_special_tokens(special)
        return _finished(tokenizer, recipe, more)

    vocabulary = [token.content for token in special] + sorted(recipe.options["initial_alphabet"])
    if len(vocabulary) > vocab_size:
        raise _too_small(vocab_size, len(vocabulary))
    return BpeSteps(count_words(_texts(corpus), split), vocabulary, vocab_size, min_frequency, build)


# --- the corpus, and the engine's trainers


def _fit(tokenizer: Tokenizer, trainer: trainers.Trainer, corpus: Corpus, vocab_size: int, length: int | None) -> None:
    """Let the engine learn. Its errors become ones that name the cause; those of the iterator pass through."""
    try:
        tokenizer.train_from_iterator(_texts(corpus), trainer=trainer, length=length)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"The corpus holds half a character (a lone surrogate, {error.object[error.start]!r}) in the text "
            f"{error.object[max(0, error.start - 20) : error.end + 20]!r}: clean its texts with "
            "text.encode('utf-8', 'replace').decode()."
        ) from error
    except BaseException as error:
        if "not large enough" in str(error) and type(error) is Exception:
            raise _too_small(vocab_size, None) from error
        if type(error) is Exception or type(error).__name__ == "PanicException":  # the engine's own
            raise ValueError(f"The engine could not learn a vocabulary from these texts: {error}.") from error
        raise
    if tokenizer.get_vocab_size() > vocab_size:
        raise _too_small(vocab_size, tokenizer.get_vocab_size())


def _texts(corpus: Corpus) -> Iterator[str]:
    """The texts, batches taken apart. Raises TypeError for what is no text, ValueError if there is none."""
    if isinstance(corpus, (str, bytes)) or not isinstance(corpus, Iterable):
        hint = "write [text], or open a file for its lines" if isinstance(corpus, str) else "give a list of str"
        raise TypeError(f"The corpus must be an iterator of texts, not one {type(corpus).__name__}: {hint}.")
    anything = False
    for index, entry in enumerate(corpus):
        batch = entry if isinstance(entry, (list, tuple)) else [entry]
        for text in batch:
            if not isinstance(text, str):
                raise TypeError(
                    f"Item {index} of the corpus is {text!r:.80} ({type(text).__name__}): every item must be a str or "
                    "a list of str."
                )
            anything = anything or not (text == "" or text.isspace())
            yield text
    if not anything:
        raise ValueError(
            "The corpus holds no text, so there is nothing to learn from. (An iterator can be read only once: make it "
            "anew for a second training.)"
        )


def _check_size(vocab_size: Any) -> None:
    if not isinstance(vocab_size, Integral) or isinstance(vocab_size, bool) or vocab_size < 1:
        raise ValueError(f"vocab_size={vocab_size!r}: it must be a whole number of at least 1.")


def _too_small(vocab_size: int, needed: int | None) -> ValueError:
    found = "do not fit into it" if needed is None else f"need {needed} already"
    return ValueError(
        f"vocab_size={vocab_size} is too small: the special tokens and the single letters of the texts {found}. Use a "
        "larger one (or, where the trainer takes it, limit_alphabet=…)."
    )


# --- a known tokenizer's kind on other texts


def retrain(
    old: PreTrainedTokenizerFast,
    texts: Corpus,
    vocab_size: int,
    length: int | None,
    new_special_tokens: list[str | AddedToken],
    renamed: dict[str, str],
    trainer_options: dict[str, Any],
) -> Any:
    """See `PreTrainedTokenizerFast.train_new_from_iterator`: same normalizer, splitting, decoder and special tokens.

    Raises ValueError for a model that cannot be trained, and TypeError or ValueError as `train` does.
    """
    _check_size(vocab_size)
    state = json.loads(old._engine.to_json())
    kind = state["model"]["type"]
    if kind not in TRAINERS:
        raise ValueError(f"A {kind} model cannot be trained; these can: {', '.join(TRAINERS)}.")
    added, frame = state.pop("added_tokens"), state.pop("post_processor")
    options = {**_trainer_options(state), **trainer_options}
    _empty(state["model"], renamed, options)
    kept = [token for token in added if token["special"] or kind == "Unigram"]
    special = [_renamed(token, renamed) for token in kept]
    known = {token.content for token in special}
    new_special_tokens = [token for token in new_special_tokens if str(token) not in known]
    special += map(as_special, new_special_tokens)
    tokenizer = Tokenizer.from_str(json.dumps({**state, "added_tokens": [], "post_processor": None}))
    trainer = TRAINERS[kind](vocab_size=vocab_size, special_tokens=special, **options)
    _fit(tokenizer, trainer, texts, vocab_size, length)
    if frame is not None:
        trained = json.loads(tokenizer.to_str())
        trained["post_processor"] = _with_new_ids(frame, tokenizer, renamed)
        tokenizer = Tokenizer.from_str(json.dumps(trained))
    return type(old)(tokenizer_object=tokenizer, **_constructor_options(old, new_special_tokens, renamed))


def _trainer_options(state: dict[str, Any]) -> dict[str, Any]:
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
