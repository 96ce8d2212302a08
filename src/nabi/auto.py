"""From the model_type in a config.json to the family's classes. Loads no torch before a model is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from .config import Config
from .models import CAUSAL_LM, FAMILIES, config_class_of, family_of, find_class


class AutoConfig:
    """Reads any known config.json."""

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, **options: Any) -> Any:
        """The configuration in a folder or Hub repository, of its family's class; options as in Config."""
        return config_class_of(name_or_path, options).from_pretrained(name_or_path, **options)

    @classmethod
    def for_model(cls, model_type: str, **keys: Any) -> Config:
        """A configuration with the family's defaults and these keys."""
        return find_class(family_of(model_type), "Config")(**keys)


class _AutoModel:
    """Picks the family's class by the config. `endings`: what the class's name ends in, the best first."""

    endings: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        raise TypeError(
            f"{type(self).__name__} is not made directly: use {type(self).__name__}.from_pretrained(name_or_path) or "
            f"{type(self).__name__}.from_config(config)"
        )

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, *, config: Config | None = None, **options: Any) -> Any:
        """Load a checkpoint with the family's class for this task; options as in PreTrainedModel.from_pretrained."""
        if isinstance(config, Config):
            return cls._class_for(type(config)).from_pretrained(name_or_path, config=config, **options)
        return cls._class_for(config_class_of(config or name_or_path, options)).from_pretrained(
            name_or_path, config=config, **options
        )

    @classmethod
    def from_config(cls, config: Config, **options: Any) -> Any:
        """A model with fresh random weights."""
        return cls._class_for(type(config)).from_config(config, **options)

    @classmethod
    def _class_for(cls, config_class: type[Config]) -> Any:
        module = family_of(config_class.model_type)
        found = find_class(module, *cls.endings)
        if found is None:
            others = [name for name in FAMILIES[module] if not name.endswith(("Config", "PreTrainedModel"))]
            raise ValueError(
                f"{cls.__name__}: the family {config_class.model_type!r} has no {' or '.join(cls.endings)}; it has "
                f"{', '.join(others)}"
            )
        return found


class AutoModel(_AutoModel):
    endings = ("Model",)


class AutoModelForPreTraining(_AutoModel):
    endings = (
        "ForPreTraining",
        "ForConditionalGeneration",
        "ForMaskedLM",
        "LMHeadModel",
        "WithLMHeadModel",
        "ForCausalLM",
    )


class AutoModelForCausalLM(_AutoModel):
    endings = CAUSAL_LM


class AutoModelForMaskedLM(_AutoModel):
    endings = ("ForMaskedLM", "WithLMHeadModel")


class AutoModelForSeq2SeqLM(_AutoModel):
    endings = ("ForConditionalGeneration", "MTModel")


class AutoModelForSequenceClassification(_AutoModel):
    endings = ("ForSequenceClassification",)


class AutoModelForTokenClassification(_AutoModel):
    endings = ("ForTokenClassification",)


class AutoModelForQuestionAnswering(_AutoModel):
    endings = ("ForQuestionAnsweringSimple", "ForQuestionAnswering")


class AutoModelForMultipleChoice(_AutoModel):
    endings = ("ForMultipleChoice",)


class AutoModelForNextSentencePrediction(_AutoModel):
    endings = ("ForNextSentencePrediction",)


class AutoModelForTextEncoding(_AutoModel):
    endings = ("EncoderModel", "Model")


class AutoModelForCTC(_AutoModel):
    endings = ("ForCTC",)


class AutoModelForAudioClassification(_AutoModel):
    endings = ("ForSequenceClassification",)


class AutoModelForAudioFrameClassification(_AutoModel):
    endings = ("ForAudioFrameClassification",)


class AutoModelForAudioXVector(_AutoModel):
    endings = ("ForXVector",)
