"""From the model_type in a config.json to the family's classes. Loads no torch before a model is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from .config import Config
from .models import CAUSAL_LM, FAMILIES, config_class_of, family_of, find_class


class AutoConfig:
    """Reads any known config.json."""

    registered: ClassVar[dict[str, type[Config]]] = {}  # model_type -> the configuration of a user's own family

    @classmethod
    def register(cls, model_type: str, config: type[Config], exist_ok: bool = False) -> None:
        """Make a family from outside known: files with this model_type are read by this configuration."""
        if not (isinstance(model_type, str) and isinstance(config, type) and issubclass(config, Config)):
            raise TypeError("AutoConfig.register takes a model_type, then a configuration class")
        if config.model_type != model_type:
            raise ValueError(
                f"AutoConfig.register({model_type!r}, …): {config.__name__}.model_type is {config.model_type!r}; they "
                "must be equal, as it is written into config.json"
            )
        if not exist_ok and (model_type in cls.registered or model_type.replace("-", "_") in FAMILIES):
            raise ValueError(f"model_type {model_type!r} is known already: choose another, or pass exist_ok=True")
        cls.registered[model_type] = config

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, **options: Any) -> Any:
        """The configuration in a folder or Hub repository, of its family's class; options as in Config."""
        return config_class_of(name_or_path, options, cls.registered).from_pretrained(name_or_path, **options)

    @classmethod
    def for_model(cls, model_type: str, **keys: Any) -> Config:
        """A configuration with the family's defaults and these keys."""
        found = cls.registered.get(model_type) or find_class(family_of(model_type), "Config")
        return found(**keys)


class _AutoModel:
    """Picks the family's class by the config. `endings`: what the class's name ends in, the best first.

    Where one name serves unlike tasks, `only` or `but` say of which families.
    """

    endings: ClassVar[tuple[str, ...]]
    only: ClassVar[frozenset[str] | None] = None
    but: ClassVar[frozenset[str]] = frozenset()
    registered: ClassVar[dict[type[Config], Any]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.registered = {}

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
        return cls._class_for(config_class_of(config or name_or_path, options, AutoConfig.registered)).from_pretrained(
            name_or_path, config=config, **options
        )

    @classmethod
    def from_config(cls, config: Config, **options: Any) -> Any:
        """A model with fresh random weights."""
        if not isinstance(config, Config):
            raise TypeError(
                f"{cls.__name__}.from_config takes a configuration, got {type(config).__name__}: read one by "
                "AutoConfig.from_pretrained(name_or_path)"
            )
        return cls._class_for(type(config)).from_config(config, **options)

    @classmethod
    def register(cls, config_class: type[Config], model_class: Any, exist_ok: bool = False) -> None:
        """Make this the class for that configuration, of a user's own family."""
        if not (isinstance(config_class, type) and issubclass(config_class, Config) and isinstance(model_class, type)):
            raise TypeError(f"{cls.__name__}.register takes a configuration class, then a model class")
        if getattr(model_class, "config_class", None) is not config_class:
            raise ValueError(
                f"{cls.__name__}.register: the config_class of {model_class.__name__} is "
                f"{getattr(model_class, 'config_class', None)}, not {config_class.__name__}: set it"
            )
        if not exist_ok and (config_class in cls.registered or cls.of(config_class) is not None):
            raise ValueError(f"{cls.__name__} has a class for {config_class.__name__} already: pass exist_ok=True")
        cls.registered[config_class] = model_class

    @classmethod
    def of(cls, config_class: type[Config]) -> Any:
        """The family's class for this task, or None."""
        if config_class in cls.registered:
            return cls.registered[config_class]
        module = str(config_class.model_type).replace("-", "_")
        return find_class(module, *cls.endings) if cls.serves(module) else None

    @classmethod
    def serves(cls, module: str) -> bool:
        return module in FAMILIES and module not in cls.but and (cls.only is None or module in cls.only)

    @classmethod
    def _class_for(cls, config_class: type[Config]) -> Any:
        found = cls.of(config_class)
        if found is None and config_class in AutoConfig.registered.values():
            raise ValueError(
                f"{cls.__name__}: no class is registered for {config_class.__name__}; "
                f"{cls.__name__}.register({config_class.__name__}, …) does it"
            )
        if found is None:
            module = family_of(config_class.model_type)
            others = [name for name in FAMILIES[module] if not name.endswith(("Config", "PreTrainedModel"))]
            raise ValueError(
                f"{cls.__name__}: the family {config_class.model_type!r} has no {' or '.join(cls.endings)} for this "
                f"task; it has {', '.join(others)}"
            )
        return found


SPEECH = frozenset({"hubert", "wav2vec2", "whisper"})
IMAGES_AND_TEXT = frozenset({"clip", "siglip"})
IMAGE_TO_TEXT = frozenset({"llava", "vision_encoder_decoder"})


class AutoModel(_AutoModel):
    endings = ("Model",)


class AutoModelForPreTraining(_AutoModel):
    endings = (
        *("ForPreTraining", "ForConditionalGeneration", "ForMaskedLM", "LMHeadModel", "WithLMHeadModel", "ForCausalLM"),
        *("MTModel", "ForMaskedImageModeling"),
    )


class AutoModelWithLMHead(_AutoModel):
    """What v4 chose for any language modelling: deprecated there, as it hides which kind it is."""

    endings = ("WithLMHeadModel", "ForConditionalGeneration", "MTModel", "ForMaskedLM", "LMHeadModel", "ForCausalLM")


class AutoModelForCausalLM(_AutoModel):
    endings = CAUSAL_LM


class AutoModelForMaskedLM(_AutoModel):
    endings = ("ForMaskedLM", "WithLMHeadModel")


class AutoModelForSeq2SeqLM(_AutoModel):
    endings = ("ForConditionalGeneration", "MTModel", "EncoderDecoderModel")
    but = SPEECH | IMAGE_TO_TEXT


class AutoModelForSequenceClassification(_AutoModel):
    endings = ("ForSequenceClassification",)
    but = SPEECH


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
    but = SPEECH


class AutoModelForImageClassification(_AutoModel):
    endings = ("ForImageClassification", "ForImageClassificationWithTeacher")


class AutoModelForMaskedImageModeling(_AutoModel):
    endings = ("ForMaskedImageModeling",)


class AutoModelForObjectDetection(_AutoModel):
    endings = ("ForObjectDetection",)


class AutoModelForImageSegmentation(_AutoModel):
    endings = ("ForSegmentation",)


class AutoModelForZeroShotImageClassification(_AutoModel):
    endings = ("Model",)
    only = IMAGES_AND_TEXT


class AutoBackbone(_AutoModel):
    endings = ("Backbone",)


class AutoModelForImageTextToText(_AutoModel):
    endings = ("ForConditionalGeneration", "EncoderDecoderModel", "Model")
    only = IMAGE_TO_TEXT


class AutoModelForVision2Seq(AutoModelForImageTextToText):
    """v4's name of it."""


class AutoModelForCTC(_AutoModel):
    endings = ("ForCTC",)


class AutoModelForSpeechSeq2Seq(_AutoModel):
    endings = ("ForConditionalGeneration",)
    only = SPEECH


class AutoModelForAudioClassification(_AutoModel):
    endings = ("ForSequenceClassification", "ForAudioClassification")
    only = SPEECH


class AutoModelForAudioFrameClassification(_AutoModel):
    endings = ("ForAudioFrameClassification",)


class AutoModelForAudioXVector(_AutoModel):
    endings = ("ForXVector",)


class AutoModelForTextWithProjection(_AutoModel):
    endings = ("ModelWithProjection",)
    only = frozenset({"clip_text_model"})


class AutoModelForVisionWithProjection(_AutoModel):
    endings = ("ModelWithProjection",)
    only = frozenset({"clip_vision_model"})
