"""Which files hold the training, validation and test split."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .formats import ENDINGS
from .labels import listed

SPLITS = {
    "train": "train training 학습 훈련",
    "validation": "validation valid val dev development 검증",
    "test": "test testing eval evaluation 평가 시험",
}
SPLIT_OF = {word: split for split, words in SPLITS.items() for word in words.split()}

PathOrPaths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def files_of(path: PathOrPaths | Mapping[str, PathOrPaths]) -> dict[str, list[Path]]:
    """The files of every split; those of no split stand under "". FileNotFoundError, ValueError."""
    if isinstance(path, Mapping):
        return {str(name): existing(each) for name, each in path.items()}
    if isinstance(path, (str, os.PathLike)) and Path(path).is_dir():
        return files_in(Path(path))
    return {"": existing(path)}


def existing(path: PathOrPaths) -> list[Path]:
    files = [Path(each) for each in ([path] if isinstance(path, (str, os.PathLike)) else path)]
    if not files:
        raise ValueError("no file is named")
    for file in files:
        if file.is_dir():
            raise ValueError(f"{str(file)!r} is a folder, where the path of a file is due")
        if not file.exists():
            raise FileNotFoundError(f"there is no file or folder {str(file)!r}{neighbours(file)}")
    return files


def files_in(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    others = []
    for file in sorted(folder.iterdir()):
        split = split_of(file)
        if file.is_dir() or file.suffix.lower() not in ENDINGS or split is None:
            others.append(file.name)
        else:
            found.setdefault(split, []).append(file)
    if not found:
        raise ValueError(
            f"no file in {str(folder)!r} is called train, validation (dev) or test and ends in one of "
            f"{', '.join(ENDINGS)}; there are {listed(others) or 'no files'}"
        )
    for split, files in found.items():
        if len({re.sub(r"\d+", "", file.name) for file in files}) > 1:  # parts of one are told apart by numbers
            raise ValueError(
                f"in {str(folder)!r} several files are the split {split!r}: {listed([file.name for file in files])}. "
                f"Name the one to read, as load_data({{{split!r}: path}})"
            )
    return {split: found[split] for split in SPLITS if split in found}


def split_of(file: Path) -> str | None:
    """Of klue-nli-v1.1_dev.json validation, of ratings_train.txt train."""
    words = re.findall(r"[a-z]+|[가-힣]+", file.stem.lower())
    return next((SPLIT_OF[word] for word in reversed(words) if word in SPLIT_OF), None)


def neighbours(place: Path) -> str:
    if not place.parent.is_dir():
        return ""
    names = sorted(each.name for each in place.parent.iterdir() if not each.name.startswith("."))
    return f"; {str(place.parent)!r} has {listed(names)}" if names else ""
