"""AutoImageProcessor, AutoFeatureExtractor, AutoProcessor: the class that a checkpoint's files name."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from .. import processing
from ..config import read_json
from ..hub import Repository
from ..tokenization.auto import AutoTokenizer
from . import ALIASES, FEATURE_EXTRACTORS, HOMES, IMAGE_PROCESSORS, PROCESSORS
from .files import NO_EFFECT, PREPROCESSOR, PROCESSOR, found_settings, read_settings
from .processors import HUB_OPTIONS

logger = logging.getLogger(__name__)


class _Auto:
    """Made by `from_pretrained` only."""

    def __init__(self) -> None:
        name = type(self).__name__
        raise TypeError(f"{name} makes objects of other classes: call {name}.from_pretrained('folder or id').")


class _AutoPreprocessor(_Auto):
    part: str
    classes: dict[str, str]  # class -> model types

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """Load from a folder, a repository of the Hub or a JSON file; keywords as in the class's `from_pretrained`.

        The class is the one that the file names, else the one of config.json's model_type. Raises OSError if there is
        no file, ValueError for a class that nabi does not have.
        """
        config = kwargs.pop("config", None)
        if os.path.isfile(pretrained_model_name_or_path):
            settings, name = read_json(Path(pretrained_model_name_or_path)), str(pretrained_model_name_or_path)
            model_type = ""
        else:
            repository = Repository.open(pretrained_model_name_or_path, kwargs)
            settings, name = found_settings(repository, cls.part), repository.name
            model_type = model_type_of(repository, config)
        return cls._class(settings, model_type, name).from_dict(settings, **kwargs)

    @classmethod
    def _class(cls, settings: dict[str, Any], model_type: str, name: str) -> Any:
        named = settings.get("image_processor_type") or settings.get("feature_extractor_type")
        found = ALIASES.get(str(named), str(named)) if named else by_model_type(cls.classes, model_type)
        if found in cls._known():
            return getattr(processing, found)
        if named in HOMES:
            raise ValueError(f"{name!r} holds a {named}: load it with {named}.from_pretrained(…) or AutoProcessor.")
        why = f"asks for the class {named!r}" if named else f"names no class, and its model_type is {model_type!r}"
        raise ValueError(
            f"{name!r} {why}, which nabi does not have. It has {', '.join(sorted(cls._known()))}: if one of these "
            f"fits, load it by name, as in {sorted(cls._known())[0]}.from_pretrained(…)."
        )

    @classmethod
    def _known(cls) -> set[str]:
        return set(cls.classes)


class AutoImageProcessor(_AutoPreprocessor):
    part = "image_processor"
    classes = IMAGE_PROCESSORS


class AutoFeatureExtractor(_AutoPreprocessor):
    """Old files call image processors feature extractors: those are loaded as well."""

    part = "feature_extractor"
    classes = {**FEATURE_EXTRACTORS, **IMAGE_PROCESSORS}


class AutoProcessor(_Auto):
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """The processor of a checkpoint, or its tokenizer, image processor or feature extractor where it has no more.

        Keywords as in the class's `from_pretrained`. Raises OSError if the files hold none of them.
        """
        config = kwargs.pop("config", None)
        kwargs = {key: value for key, value in kwargs.items() if key not in NO_EFFECT}
        hub = {key: value for key, value in kwargs.items() if key in HUB_OPTIONS}
        repository = Repository.open(pretrained_model_name_or_path, hub)
        model_type = model_type_of(repository, config)
        named = named_processor(repository)
        if named is not None and named not in PROCESSORS:
            logger.warning(
                "%r asks for the processor %r, which nabi does not have: what is returned is one of its parts.",
                repository.name,
                named,
            )
        found = named if named in PROCESSORS else by_model_type(PROCESSORS, model_type)
        if found is not None and found in PROCESSORS:
            return getattr(processing, found).from_pretrained(pretrained_model_name_or_path, **kwargs)
        if repository.find("tokenizer_config.json", "tokenizer.json", "vocab.txt", "vocab.json", "spiece.model"):
            return AutoTokenizer.from_pretrained(pretrained_model_name_or_path, **kwargs)
        settings = read_settings(repository, "image_processor") or read_settings(repository, "feature_extractor")
        if settings is None:
            raise OSError(
                f"{repository.name!r} holds no processor, tokenizer, image processor or feature extractor: it has none "
                f"of {PROCESSOR}, {PREPROCESSOR} and a tokenizer's files. Check the name and subfolder=…."
            )
        is_sound = settings.get("feature_extractor_type") in FEATURE_EXTRACTORS or (
            by_model_type(FEATURE_EXTRACTORS, model_type) is not None
        )
        loader = AutoFeatureExtractor if is_sound else AutoImageProcessor
        return loader.from_pretrained(pretrained_model_name_or_path, config=config, **kwargs)


def named_processor(repository: Repository) -> str | None:
    """The `processor_class` that a checkpoint's files name, or None."""
    for name in (PROCESSOR, PREPROCESSOR, "tokenizer_config.json", "config.json"):
        path = repository.find(name)
        found = None if path is None else read_json(path).get("processor_class")
        if found:
            return str(found)
    return None


def model_type_of(repository: Repository, config: Any) -> str:
    """The model_type of a given configuration, else of config.json, else ""."""
    if config is not None:
        return str(getattr(config, "model_type", ""))
    path = repository.find("config.json")
    return "" if path is None else str(read_json(path).get("model_type", ""))


def by_model_type(classes: dict[str, str], model_type: str) -> str | None:
    return next((name for name, types in classes.items() if model_type in types.split()), None)
