"""preprocessor_config.json and processor_config.json: read, written, and what both kinds of preprocessors share.

The incumbent's version 4 keeps a preprocessor's settings in preprocessor_config.json; its version 5, for a processor,
within processor_config.json, under the part's name, and that wins where both are there. Both are written.
"""

from __future__ import annotations

import copy
import difflib
import json
import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..config import read_json
from ..hub import PushToHubMixin, Repository
from ..tokenization.saving import make_folder, push
from .sound import whole_number

logger = logging.getLogger(__name__)

PREPROCESSOR = "preprocessor_config.json"
PROCESSOR = "processor_config.json"

# Keywords of from_pretrained that change nothing here: there is one implementation, and no code of a repository is run.
NO_EFFECT = ("use_fast", "backend", "trust_remote_code", "code_revision", "_from_auto", "_commit_hash")
# Keys of the files that are no settings.
_NOT_SETTINGS = ("image_processor_type", "feature_extractor_type", "processor_class", "auto_map", "_processor_class")
# Keys of published files that change nothing here; a constructor takes them too, and they are saved again.
_PUBLISHED = """_valid_processor_keys model_input_names size_divisor device disable_grouping return_tensors
    return_metadata image_seq_length num_additional_image_tokens patch_size crop_pct max_size format""".split()
_SWITCHES = ("return_attention_mask", "default_to_square")  # beside all do_…
_COUNTS = ("feature_size", "sampling_rate", "hop_length", "n_fft", "chunk_length")
_NUMBERS = ("rescale_factor", "padding_value", "dither", "crop_pct", "image_mean", "image_std")

T = TypeVar("T", bound="Preprocessor")


def read_settings(repository: Repository, part: str) -> dict[str, Any] | None:
    """The settings of `part` ("image_processor" or "feature_extractor") in a checkpoint's files, or None."""
    path = repository.find(PROCESSOR)
    settings = None if path is None else read_json(path).get(part)
    if isinstance(settings, dict):
        return settings
    path = repository.find(PREPROCESSOR)
    return None if path is None else read_json(path)


def found_settings(repository: Repository, part: str) -> dict[str, Any]:
    """The same, but OSError if there are none."""
    settings = read_settings(repository, part)
    if settings is None:
        raise OSError(
            f"{repository.name!r} has neither {PREPROCESSOR} nor a {PROCESSOR} with {part!r}, so there is no {part} to "
            "load. Save one there with save_pretrained(), or check the name and subfolder=…."
        )
    return settings


def unknown_option(owner: str, kind: str, key: str, known: Collection[str]) -> TypeError:
    near = difflib.get_close_matches(key, known, 1)
    hint = f"Do you mean {near[0]!r}?" if near else f"It takes {', '.join(known)}."
    return TypeError(f"{owner} has no {kind} {key!r}. {hint}")


def check_values(settings: dict[str, Any]) -> None:
    """ValueError for a value that no step can work with. None is none given."""
    for key, value in settings.items():
        if value is None:
            continue
        if key.startswith("do_") or key in _SWITCHES:
            if not isinstance(value, (bool, np.bool_)):
                raise ValueError(f"{key}={value!r} is neither True nor False: give one of them.")
        elif key in _COUNTS:
            if (whole_number(value) or 0) < 1:
                raise ValueError(f"{key}={value!r} is no count: give a whole number above 0.")
        elif key in _NUMBERS:
            is_list = key.startswith("image_")
            wanted = "a number, or a list of one for each channel" if is_list else "a number"
            numbers = np.asarray(value, dtype=object).ravel() if is_list else [value]
            if not len(numbers) or not all(map(_is_number, numbers)):
                raise ValueError(f"{key}={value!r} is not {wanted}: give {wanted}.")
            if key == "image_std" and not all(numbers):
                raise ValueError(f"{key}={value!r} holds a zero, and pixels are divided by it: give numbers above 0.")
            if key in ("rescale_factor", "crop_pct") and value <= 0:
                raise ValueError(f"{key}={value!r} is not above 0: give a greater number.")


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return is_one and bool(np.isfinite(value))


def as_json(data: dict[str, Any]) -> str:
    return json.dumps(plain(data), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """A copy of JSON's types: arrays as lists, enums and other whole numbers as int."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, str, float)) or value is None:
        return value
    return int(value) if isinstance(value, (int, np.integer)) else str(value)


class Preprocessor(PushToHubMixin):
    """Settings as attributes, from and to files.

    A constructor refuses settings that its class does not know; those of a file are kept and saved again.
    """

    part: ClassVar[str]  # under what name a processor holds it
    model_input_names: list[str]
    old_names: ClassVar[tuple[str, ...]] = ()  # which old files have, and the constructor reads

    def __init__(self, **settings: Any) -> None:
        for key in settings:
            if not self._takes(key):
                raise unknown_option(type(self).__name__, "setting", key, self.settings())
        check_values(settings)
        for key, value in settings.items():
            if key in _COUNTS:
                value = whole_number(value)
            if key not in _NOT_SETTINGS:
                setattr(self, key, value)

    @classmethod
    def from_pretrained(cls: type[T], pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """Load from a folder, a repository of the Hub, or one JSON file.

        Keywords are the Hub's (`revision, cache_dir, token, local_files_only, force_download, subfolder`) and the
        class's settings, which win over the file's. `return_unused_kwargs=True` gives (object, other keywords).
        """
        if os.path.isfile(pretrained_model_name_or_path):
            return cls.from_dict(read_json(Path(pretrained_model_name_or_path)), **kwargs)
        repository = Repository.open(pretrained_model_name_or_path, kwargs)
        return cls.from_dict(found_settings(repository, cls.part), **kwargs)

    @classmethod
    def from_dict(cls: type[T], settings: dict[str, Any], return_unused_kwargs: bool = False, **kwargs: Any) -> Any:
        """An object of these settings. Keywords that are settings win; others are left out, or given back."""
        given = {key: value for key, value in kwargs.items() if key not in NO_EFFECT}
        known = {key: value for key, value in given.items() if cls.is_setting(key) or key in settings}
        all_of_them = {**settings, **known}
        made = cls(**{key: value for key, value in all_of_them.items() if cls._takes(key)})
        for key, value in all_of_them.items():
            if not cls._takes(key) and value is not None:
                setattr(made, key, value)
        rest = {key: value for key, value in given.items() if key not in known}
        if return_unused_kwargs:
            return made, rest
        if rest:
            logger.warning("%s has no setting %s: it is left out.", cls.__name__, ", ".join(map(repr, rest)))
        return made

    @classmethod
    def settings(cls) -> list[str]:
        """What the constructor takes."""
        raise NotImplementedError(f"{cls.__name__} is a base: use one of its classes.")

    @classmethod
    def is_setting(cls, key: str) -> bool:
        return key in cls.settings()

    @classmethod
    def _takes(cls, key: str) -> bool:
        return cls.is_setting(key) or key in cls.old_names or key in _NOT_SETTINGS or key in _PUBLISHED

    def to_dict(self) -> dict[str, Any]:
        """The settings as they go into the file, with the class's name."""
        settings = {key: value for key, value in vars(self).items() if not key.startswith("_")}
        return {**copy.deepcopy(settings), f"{self.part}_type": type(self).__name__}

    def to_json_string(self) -> str:
        return as_json(self.to_dict())

    def to_json_file(self, json_file_path: str | os.PathLike[str]) -> None:
        Path(json_file_path).write_text(self.to_json_string(), encoding="utf-8")

    @classmethod
    def from_json_file(cls: type[T], json_file: str | os.PathLike[str]) -> T:
        return cls.from_dict(read_json(Path(json_file)))  # type: ignore[no-any-return]

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any
    ) -> list[str]:
        """Write preprocessor_config.json and return its path; `push_to_hub` and its options as a tokenizer's."""
        folder = Path(save_directory)
        make_folder(folder)
        self.to_json_file(folder / PREPROCESSOR)
        if push_to_hub:
            push(folder, kwargs)
        return [str(folder / PREPROCESSOR)]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"
