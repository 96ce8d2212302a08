"""The small files that make weights a checkpoint: configuration, tokenizer, card. Code is never among them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from ..config import CONFIG_NAME
from ..hub import Repository

# What a repository of the Hub is asked for; it cannot be listed without the network.
NAMES = """config.json generation_config.json tokenizer.json tokenizer_config.json special_tokens_map.json
    added_tokens.json vocab.json vocab.txt merges.txt bpe.codes dict.txt spiece.model sentencepiece.bpe.model
    sentencepiece.model tokenizer.model spm.model source.spm target.spm target_vocab.json entity_vocab.json
    chat_template.jinja chat_template.json preprocessor_config.json processor_config.json modules.json
    config_sentence_transformers.json sentence_bert_config.json 1_Pooling/config.json README.md LICENSE""".split()
# What is taken of a folder here. Whatever else lies there, a script or a training state, stays behind.
SUFFIXES = {".json", ".txt", ".model", ".jinja", ".spm", ".codes", ".bpe", ".vocab", ".tiktoken", ".md"}
INNER_FOLDERS = ("1_Pooling", "additional_chat_templates")
WEIGHTS = re.compile(
    r"(model|pytorch_model|tf_model|flax_model)(-\d{5}-of-\d{5})?\.(safetensors|bin|h5|msgpack)(\.index\.json)?"
)


def copy_companions(repository: Repository, folder: Path) -> None:
    """Copy them, except config.json, which is written apart."""
    for name, file in _companions(repository):
        if name != CONFIG_NAME:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(file, folder / name)


def _companions(repository: Repository) -> list[tuple[str, Path]]:
    if not repository.is_local:
        found = [(name, repository.find(name)) for name in NAMES]
        return [(name, file) for name, file in found if file is not None]
    root = Path(repository.name, repository.subfolder)
    places = [root, *(root / inner for inner in INNER_FOLDERS if (root / inner).is_dir())]
    files = [file for place in places for file in sorted(place.iterdir()) if file.is_file()]
    return [(str(file.relative_to(root)), file) for file in files if _is_companion(file.name)]


def _is_companion(name: str) -> bool:
    known = Path(name).suffix.lower() in SUFFIXES or name in NAMES
    return known and not name.startswith(".") and not WEIGHTS.fullmatch(name)


def write_config(source: Path, folder: Path, keys: dict[str, Any], changes: dict[str, Any]) -> None:
    """config.json: the same bytes, unless a key has to change."""
    if not changes:
        shutil.copyfile(source, folder / CONFIG_NAME)
        return
    text = json.dumps({**keys, **changes}, indent=2, ensure_ascii=False)
    (folder / CONFIG_NAME).write_text(text + "\n", encoding="utf-8")


def held_checkpoint(folder: Path) -> str:
    """The name of a file that makes the folder a checkpoint, or ""."""
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    return next((name for name in names if WEIGHTS.fullmatch(name) or name == CONFIG_NAME), "")


def move_into(folder: Path, target: Path) -> None:
    """Put the finished folder in the target's place; of an old checkpoint there nothing stays, other files do."""
    if not target.exists():
        folder.rename(target)
        return
    replaced = held_checkpoint(target)
    for old in list(target.iterdir()):
        if WEIGHTS.fullmatch(old.name) or (replaced and old.name in NAMES):
            old.unlink()
    files = [file for file in folder.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: file.name == CONFIG_NAME):  # last what makes it a checkpoint
        place = target / file.relative_to(folder)
        place.parent.mkdir(exist_ok=True)
        file.replace(place)
