"""Mappings from configurations to what goes with a model: its tokenizer, its processors, its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..auto_mappings import ModelMapping, config_classes
from ..config import Config
from ..processing import FEATURE_EXTRACTORS, IMAGE_PROCESSORS, PROCESSORS
from ..tokenization.families import MODEL_TYPES, tokenizer_class


class OfConfigurations(Mapping[type[Config], Any]):
    """Configuration class -> what goes with its model_type, loaded when it is asked for."""

    def __init__(self, names: Mapping[str, str], load: Callable[[str], Any]) -> None:
        self.names, self.load = names, load

    def __getitem__(self, config: type[Config]) -> Any:
        if getattr(config, "model_type", None) not in self.names:
            raise KeyError(config)
        return self.load(self.names[config.model_type])

    def __iter__(self) -> Iterator[type[Config]]:
        return (config for model_type, config in config_classes().items() if model_type in self.names)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _by_type(table: Mapping[str, str]) -> dict[str, str]:
    return {model_type: name for name, types in table.items() for model_type in types.split()}


def _processor(name: str) -> Any:
    import nabi

    return getattr(nabi, name)


def _tokenizers(name: str) -> tuple[Any, Any]:
    """The slow and the fast one: the same."""
    found = tokenizer_class(name)
    return found, found


TOKENIZER_MAPPING_NAMES = {model_type: (name, f"{name}Fast") for model_type, name in MODEL_TYPES.items()}
FEATURE_EXTRACTOR_MAPPING_NAMES = _by_type(FEATURE_EXTRACTORS)
IMAGE_PROCESSOR_MAPPING_NAMES = _by_type(IMAGE_PROCESSORS)
PROCESSOR_MAPPING_NAMES = _by_type(PROCESSORS)
TOKENIZER_MAPPING = OfConfigurations(MODEL_TYPES, _tokenizers)
FEATURE_EXTRACTOR_MAPPING = OfConfigurations(FEATURE_EXTRACTOR_MAPPING_NAMES, _processor)
IMAGE_PROCESSOR_MAPPING = OfConfigurations(IMAGE_PROCESSOR_MAPPING_NAMES, _processor)
PROCESSOR_MAPPING = OfConfigurations(PROCESSOR_MAPPING_NAMES, _processor)


def __getattr__(name: str) -> Any:
    if name == "MODEL_NAMES_MAPPING":  # model_type -> the name of the family, for people
        return {model_type: found.__name__.removesuffix("Config") for model_type, found in config_classes().items()}
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get_values(model_mapping: Mapping[Any, Any] | ModelMapping) -> list[Any]:
    """All classes of a mapping, those that stand in tuples one by one."""
    return [
        each for value in model_mapping.values() for each in (value if isinstance(value, (tuple, list)) else [value])
    ]


def model_type_to_module_name(key: str) -> str:
    return key.replace("-", "_")


def config_class_to_model_type(config: str) -> str | None:
    return next((model_type for model_type, found in config_classes().items() if found.__name__ == config), None)
