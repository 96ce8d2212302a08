"""A checkpoint's files -> the arguments of a tokenizer's constructor.

tokenizer.json (or the files of a vocabulary) holds the tokenizer; tokenizer_config.json, special_tokens_map.json and
added_tokens.json say what its tokens are called and how it pads and cuts. A user's own keyword wins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from ..config import read_json
from ..hub import Repository
from .special_tokens import EXTRA, NAMES, as_special, read_token

CONFIG = "tokenizer_config.json"
SPECIAL = "special_tokens_map.json"
ADDED = "added_tokens.json"
TOKENIZER = "tokenizer.json"
CHAT_TEMPLATE = "chat_template.jinja"
MORE_TEMPLATES = "additional_chat_templates"

# Keys of tokenizer_config.json that speak of the files, of the machine that wrote them, or of code: not options.
_NOT_OPTIONS = (
    "added_tokens_decoder",
    "auto_map",
    "backend",
    "device_map",
    "files_loaded",
    "init_inputs",
    "is_local",
    "local_files_only",
    "name_or_path",
    "slow_tokenizer_class",
    "spm_file",
    "merges_file",
    "source_spm",
    "special_tokens_map_file",
    "target_spm",
    "target_vocab_file",
    "tokenizer_class",
    "tokenizer_file",
    "vocab",
    "vocab_file",
)
# Keywords of from_pretrained that change nothing here: every tokenizer is fast, and no code of a repository is run.
_NO_EFFECT = ("use_fast", "trust_remote_code", "from_slow", "code_revision", "_from_auto", "_commit_hash")

# SentencePiece models are known by many names; a class that reads one takes any of them.
SENTENCEPIECE = (
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "spm.model",
    "sentencepiece.model",
    "tokenizer_78b3253a26.model",  # KoBERT's
)
# Other names under which the same kind of file is found.
_OTHER_FILES = {
    "vocab.txt": ("vocab.json",),
    "tokenizer.tiktoken": (
        "tokenizer.model",
        "tiktoken.model",
        "cl100k_base.tiktoken",
        "o200k_base.tiktoken",
        "multilingual.tiktoken",
        "gpt2.tiktoken",
        "qwen.tiktoken",
    ),
}
NAME_IT = (
    "say which with a class, as in T5Tokenizer.from_pretrained(…), or with AutoTokenizer.from_pretrained(…, "
    "tokenizer_type='t5')."
)
# Files of vocabularies, to say what a folder has where it lacks what its class needs.
_VOCABULARIES = ("vocab.txt", "vocab.json", "merges.txt", *SENTENCEPIECE, "source.spm", "tekken.json")


def read_config(repository: Repository) -> dict[str, Any]:
    """tokenizer_config.json, or an empty dict if there is none."""
    path = repository.find(CONFIG)
    return {} if path is None else _checked(read_json(path), path)


def constructor_options(
    repository: Repository, config: dict[str, Any], kwargs: dict[str, Any], files: dict[str, str]
) -> dict[str, Any]:
    """What to call a class with whose `vocab_files_names` are `files`. Raises OSError if none holds a tokenizer."""
    options = {key: _with_tokens(value) for key, value in config.items() if key not in _NOT_OPTIONS}
    options.update(_vocabulary(repository, kwargs, files))
    if "tokenizer_file" in options:  # it holds its frame
        options.pop("add_bos_token", None)
        options.pop("add_eos_token", None)
    added = {int(token_id): read_token(token) for token_id, token in (config.get("added_tokens_decoder") or {}).items()}
    if "added_tokens_decoder" not in config:  # written before HF's version 4.34
        options.update(_special_tokens(repository))
        added = _added_tokens(repository, options)
    template = _chat_templates(repository)
    if template is not None:
        options["chat_template"] = template
    if any(key in kwargs for key in EXTRA):
        for key in EXTRA:
            options.pop(key, None)
    options.update({key: value for key, value in kwargs.items() if key not in _NO_EFFECT})
    return {**options, "added_tokens_decoder": added, "name_or_path": repository.name}


def options_of_file(path: Path, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The same for one file that a user names: a tokenizer.json, or else a vocabulary."""
    key = "tokenizer_file" if path.suffix == ".json" and path.name != "vocab.json" else "vocab_file"
    options = {name: value for name, value in kwargs.items() if name not in _NO_EFFECT}
    return {**options, key: str(path), "name_or_path": str(path)}


def _checked(config: dict[str, Any], path: Path) -> dict[str, Any]:
    """The config itself. Raises ValueError, naming file and key, for a value that no tokenizer could use."""
    for key, value in config.items():
        if value is None or key not in _KINDS:
            continue
        fits, wanted = _KINDS[key]
        if not fits(value):
            raise ValueError(f"{path}: {key} is {value!r}, but it must be {wanted}. Correct the file or save it again.")
    return config


def _is_token(value: Any) -> bool:
    if isinstance(value, dict):
        flags = (value.get(key, False) for key in ("lstrip", "rstrip", "single_word", "normalized", "special"))
        return isinstance(value.get("content"), str) and all(isinstance(flag, bool) for flag in flags)
    return isinstance(value, str)


def _are_tokens(value: Any) -> bool:
    items = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [None]
    return all(map(_is_token, items))


def _are_numbered_tokens(value: Any) -> bool:
    return isinstance(value, dict) and _are_tokens(value) and all(key.isdecimal() for key in value)


def _is_template(value: Any) -> bool:
    entries = value if isinstance(value, list) else []
    named = all(isinstance(entry, dict) and {"name", "template"} <= entry.keys() for entry in entries)
    return isinstance(value, (str, list)) and named


_TOKEN = (_is_token, 'a string or a token\'s description {"content": …}')
_TOKENS = (_are_tokens, "a list of tokens")
_FLAG = (lambda value: isinstance(value, bool), "true or false")
_SIDE = (lambda value: value in ("left", "right"), '"left" or "right"')
_LENGTH = (lambda value: isinstance(value, (int, float)) and value >= 0, "a number of at least 0")
_NAME = (lambda value: isinstance(value, str), "a string")
_NAMES_LIST = (
    lambda value: isinstance(value, list) and value and all(isinstance(name, str) for name in value),
    "a list of strings",
)
# What tokenizer_config.json and special_tokens_map.json may hold: key -> (test, description)
_KINDS: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(NAMES, _TOKEN),
    **dict.fromkeys(EXTRA, _TOKENS),
    **dict.fromkeys(("do_lower_case", "tokenize_chinese_chars", "strip_accents"), _FLAG),
    **dict.fromkeys(("split_special_tokens", "clean_up_tokenization_spaces"), _FLAG),
    **dict.fromkeys(("padding_side", "truncation_side"), _SIDE),
    **dict.fromkeys(("model_max_length", "max_len", "pad_token_type_id"), _LENGTH),
    "model_input_names": _NAMES_LIST,
    "tokenizer_class": _NAME,
    "chat_template": (_is_template, "a string, or a list of named templates"),
    "added_tokens_decoder": (_are_numbered_tokens, "an object of ids and token descriptions"),
}


def _vocabulary(repository: Repository, kwargs: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    """Argument -> path of tokenizer.json, or of every file of the vocabulary."""
    if any(kwargs.get(key) is not None for key in (*files, "tokenizer_file", "tokenizer_object", "vocab")):
        return {}
    whole = repository.find(TOKENIZER)
    if whole is not None and "tokenizer_file" in files:
        return {"tokenizer_file": str(whole)}
    found: dict[str, Any] = {}
    for argument, name in files.items():
        if argument != "tokenizer_file":
            more = SENTENCEPIECE if name.endswith(".model") else _OTHER_FILES.get(name, ())
            path = repository.find(name, *more)
            if path is not None:
                found[argument] = str(path)
    # It holds but one of a translator's two models, and SigLIP's as another class reads it: only where they are not.
    if whole is not None and len(found) < min(2, len(files)):
        return {"tokenizer_file": str(whole)}
    if found:
        return found
    other = [path.name for path in map(repository.find, _VOCABULARIES) if path is not None]
    wanted = " or ".join([TOKENIZER, *(name for name in files.values() if name != TOKENIZER)])
    raise OSError(
        f"{repository.name!r} has no {wanted}, so there is no tokenizer to load. "
        + (f"It has {', '.join(other)}, which many families use: {NAME_IT} " if other else "")
        + "Save one there with save_pretrained() of a fast tokenizer, which writes tokenizer.json, or check the name "
        "and subfolder=…."
    )


def _special_tokens(repository: Repository) -> dict[str, Any]:
    path = repository.find(SPECIAL)
    if path is None:
        return {}
    tokens = {key: _with_tokens(value) for key, value in _checked(read_json(path), path).items()}
    return {key: as_special(token) if isinstance(token, AddedToken) else token for key, token in tokens.items()}


def _added_tokens(repository: Repository, options: dict[str, Any]) -> dict[int, AddedToken]:
    path = repository.find(ADDED)
    if path is None:
        return {}
    special = {str(options[name]) for name in NAMES if options.get(name)}
    special.update(str(token) for key in EXTRA for token in options.get(key) or [])
    added = {}
    for token, token_id in read_json(path).items():
        if not isinstance(token_id, int):
            raise ValueError(f"{path}: the id of {token!r} is {token_id!r}, but it must be a whole number.")
        added[token_id] = AddedToken(token, special=token in special, normalized=token not in special)
    return added


def _chat_templates(repository: Repository) -> list[dict[str, str]] | str | None:
    """chat_template.jinja, and those of additional_chat_templates/ with it; None without the first."""
    path = repository.find(CHAT_TEMPLATE)
    if path is None:
        return None
    templates = {"default": path}
    if repository.is_local:
        templates |= {other.stem: other for other in sorted((path.parent / MORE_TEMPLATES).glob("*.jinja"))}
    else:  # the Hub's files cannot be listed offline; these are the names in use
        found = {name: repository.find(f"{MORE_TEMPLATES}/{name}.jinja") for name in ("tool_use", "rag")}
        templates |= {name: other for name, other in found.items() if other is not None}
    texts = {name: path.read_bytes().decode("utf-8") for name, path in templates.items()}  # line ends count
    if len(texts) == 1:
        return texts["default"]
    return [{"name": name, "template": text} for name, text in texts.items()]


def _with_tokens(value: Any) -> Any:
    """Dicts of AddedToken's fields, alone or in a list, become tokens."""
    if isinstance(value, list):
        return [read_token(item) for item in value]
    return read_token(value)
