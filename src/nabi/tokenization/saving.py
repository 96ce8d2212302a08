"""A tokenizer -> files that nabi and both v4 and v5 of HF's library read back to equal ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken

from .loading import CHAT_TEMPLATE, CONFIG, SPECIAL
from .special_tokens import EXTRA, NAMES

if TYPE_CHECKING:
    from .fast import PreTrainedTokenizerFast


def save(tokenizer: PreTrainedTokenizerFast, folder: Path, prefix: str | None) -> tuple[str, ...]:
    """Write the files, and return their paths."""
    make_folder(folder)
    before = f"{prefix}-" if prefix else ""
    files = {
        folder / (before + CONFIG): _as_json(_config(tokenizer)).encode("utf-8"),
        folder / (before + SPECIAL): _as_json(_special_tokens(tokenizer)).encode("utf-8"),
        **{folder / (before + name): content for name, content in tokenizer._vocabulary_contents().items()},
    }
    template = folder / (before + CHAT_TEMPLATE)
    if isinstance(tokenizer.chat_template, str):
        files[template] = tokenizer.chat_template.encode("utf-8")
    else:  # an old one would win over what the config says
        template.unlink(missing_ok=True)
    for path, content in files.items():
        path.write_bytes(content)  # line ends as they are, on Windows too
    return tuple(str(path) for path in files)


def write_vocabulary(folder: Path, prefix: str | None, contents: dict[str, bytes]) -> tuple[str, ...]:
    """Write the files of a vocabulary (name -> content), and return their paths."""
    make_folder(folder)
    paths = [folder / (f"{prefix}-{name}" if prefix else name) for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)  # line ends as they are, on Windows too
    return tuple(map(str, paths))


def push(folder: Path, options: dict[str, Any]) -> None:
    """Upload the folder to `repo_id`, by default its own name. Other options than the Hub's are left alone."""
    from ..hub import upload

    names = ("token", "private", "revision", "commit_message", "create_pr")
    upload(folder, options.get("repo_id") or folder.name, **{key: options[key] for key in names if key in options})


def make_folder(folder: Path) -> None:
    if folder.is_file():
        raise NotADirectoryError(f"{str(folder)!r} is a file: give a folder to save into.")
    folder.mkdir(parents=True, exist_ok=True)


def _config(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """What the constructor was given, brought up to date."""
    given = {key: value for key, value in tokenizer.init_kwargs.items() if key not in ("chat_template", *EXTRA)}
    config: dict[str, Any] = {
        key: str(value) if isinstance(value, AddedToken) else value for key, value in given.items()
    }
    config.update(
        model_max_length=tokenizer.model_max_length,
        padding_side=tokenizer.padding_side,
        truncation_side=tokenizer.truncation_side,
        model_input_names=tokenizer.model_input_names,
        clean_up_tokenization_spaces=tokenizer.clean_up_tokenization_spaces,
        tokenizer_class=tokenizer._saved_class(),
    )
    config.update({key: getattr(tokenizer, key) for key in ("add_bos_token", "add_eos_token") if key in config})
    if tokenizer.split_special_tokens or "split_special_tokens" in config:
        config["split_special_tokens"] = tokenizer.split_special_tokens
    config.update({name: None for name in NAMES if name in config})
    config.update(tokenizer.special_tokens_map)  # with additional_special_tokens, v4's name, which v5 takes as well
    own = {
        name: str(token) for name, token in tokenizer.special.named.items() if name not in NAMES and token is not None
    }
    if own:
        config["extra_special_tokens"] = own
    if isinstance(tokenizer.chat_template, dict):
        config["chat_template"] = [
            {"name": name, "template": template} for name, template in tokenizer.chat_template.items()
        ]
    config["added_tokens_decoder"] = {
        str(token_id): token.__getstate__() for token_id, token in sorted(tokenizer.added_tokens_decoder.items())
    }
    return config


def _special_tokens(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Tokens as strings, or with their properties where these are not the usual ones."""
    tokens = {token.content: token for token in tokenizer.added_tokens_decoder.values()}

    def written(content: str) -> Any:
        token = tokens.get(content)
        if token is None or not (token.lstrip or token.rstrip or token.single_word or token.normalized):
            return content
        return {key: value for key, value in token.__getstate__().items() if key != "special"}

    named = tokenizer.special_tokens_map
    return {
        name: [written(token) for token in value] if isinstance(value, list) else written(value)
        for name, value in named.items()
    }


def _as_json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
