"""The mappings that people look families up in: `MODEL_FOR_CAUSAL_LM_MAPPING`, and its `…_NAMES`, and `CONFIG_MAPPING`.

Each reads the table of the families when it is asked, so nothing is loaded before, and what was registered is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import auto
from .config import Config
from .models import FAMILIES

AUTO_CLASSES: dict[str, type[auto._AutoModel]] = {
    "MODEL_MAPPING": auto.AutoModel,
    "MODEL_FOR_PRETRAINING_MAPPING": auto.AutoModelForPreTraining,
    "MODEL_WITH_LM_HEAD_MAPPING": auto.AutoModelWithLMHead,
    "MODEL_FOR_CAUSAL_LM_MAPPING": auto.AutoModelForCausalLM,
    "MODEL_FOR_MASKED_LM_MAPPING": auto.AutoModelForMaskedLM,
    "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING": auto.AutoModelForSeq2SeqLM,
    "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING": auto.AutoModelForSequenceClassification,
    "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING": auto.AutoModelForTokenClassification,
    "MODEL_FOR_QUESTION_ANSWERING_MAPPING": auto.AutoModelForQuestionAnswering,
    "MODEL_FOR_MULTIPLE_CHOICE_MAPPING": auto.AutoModelForMultipleChoice,
    "MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING": auto.AutoModelForNextSentencePrediction,
    "MODEL_FOR_TEXT_ENCODING_MAPPING": auto.AutoModelForTextEncoding,
    "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING": auto.AutoModelForImageClassification,
    "MODEL_FOR_MASKED_IMAGE_MODELING_MAPPING": auto.AutoModelForMaskedImageModeling,
    "MODEL_FOR_OBJECT_DETECTION_MAPPING": auto.AutoModelForObjectDetection,
    "MODEL_FOR_IMAGE_SEGMENTATION_MAPPING": auto.AutoModelForImageSegmentation,
    "MODEL_FOR_ZERO_SHOT_IMAGE_CLASSIFICATION_MAPPING": auto.AutoModelForZeroShotImageClassification,
    "MODEL_FOR_BACKBONE_MAPPING": auto.AutoBackbone,
    "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING": auto.AutoModelForImageTextToText,
    "MODEL_FOR_VISION_2_SEQ_MAPPING": auto.AutoModelForVision2Seq,
    "MODEL_FOR_CTC_MAPPING": auto.AutoModelForCTC,
    "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING": auto.AutoModelForSpeechSeq2Seq,
    "MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING": auto.AutoModelForAudioClassification,
    "MODEL_FOR_AUDIO_FRAME_CLASSIFICATION_MAPPING": auto.AutoModelForAudioFrameClassification,
    "MODEL_FOR_AUDIO_XVECTOR_MAPPING": auto.AutoModelForAudioXVector,
}


def config_classes() -> dict[str, type[Config]]:
    """model_type -> configuration, of all families and those registered."""
    classes = [auto.find_class(module, "Config") for module in FAMILIES]
    return {found.model_type: found for found in classes} | auto.AutoConfig.registered


class ConfigMapping(Mapping[str, type[Config]]):
    """model_type -> configuration class."""

    def __getitem__(self, model_type: str) -> type[Config]:
        return config_classes()[model_type]

    def __iter__(self) -> Iterator[str]:
        return iter(config_classes())

    def __len__(self) -> int:
        return len(config_classes())


class ModelMapping(Mapping[type[Config], Any]):
    """Configuration class -> the model class that an Auto class gives for it."""

    def __init__(self, chooser: type[auto._AutoModel]) -> None:
        self.chooser = chooser

    def __getitem__(self, config_class: type[Config]) -> Any:
        found = self.chooser.of(config_class) if isinstance(config_class, type) else None
        if found is None:
            raise KeyError(config_class)
        return found

    def __iter__(self) -> Iterator[type[Config]]:
        return (config for config in config_classes().values() if self.chooser.of(config) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def names(self) -> dict[str, str]:
        """model_type -> class name."""
        return {config.model_type: self[config].__name__ for config in self}


def __getattr__(name: str) -> Any:
    if name == "CONFIG_MAPPING":
        return ConfigMapping()
    if name == "CONFIG_MAPPING_NAMES":
        return {model_type: found.__name__ for model_type, found in config_classes().items()}
    if name.removesuffix("_NAMES") in AUTO_CLASSES:
        mapping = ModelMapping(AUTO_CLASSES[name.removesuffix("_NAMES")])
        return mapping.names() if name.endswith("_NAMES") else mapping
    raise AttributeError(f"nabi has no mapping {name}; it has CONFIG_MAPPING, {', '.join(AUTO_CLASSES)}")
