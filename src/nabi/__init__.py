"""nabi: the Hugging Face experience that people learned, small, fast and readable.

Names are imported when they are first used: `import nabi` loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import Any

from .compat.left_out import why
from .compat.names import HOMES as OTHER_NAMES
from .models import FAMILIES
from .pipelines import CLASSES as PIPELINES
from .processing import HOMES as PROCESSORS
from .tokenization.families import HOMES as TOKENIZERS
from .training import HOMES as TRAINING

__version__ = "0.1.0"

# Public name -> the module that defines it, and the name there after a colon if it is another.
_MODULE_OF: dict[str, str] = {
    **OTHER_NAMES,
    **dict.fromkeys(["PIPELINE_REGISTRY", "pipeline", "Pipeline", *PIPELINES], "pipelines"),
    "AggregationStrategy": "pipelines.token_classification",
    "Conversation": "pipelines.conversational",
    "SquadExample": "pipelines.question_answering",
    **dict.fromkeys(
        """AutoBackbone AutoConfig AutoModel AutoModelForAudioClassification AutoModelForAudioFrameClassification
        AutoModelForAudioXVector AutoModelForCTC AutoModelForCausalLM AutoModelForImageClassification
        AutoModelForImageSegmentation AutoModelForImageTextToText AutoModelForMaskedImageModeling AutoModelForMaskedLM
        AutoModelForMultipleChoice AutoModelForNextSentencePrediction AutoModelForObjectDetection
        AutoModelForPreTraining AutoModelForQuestionAnswering AutoModelForSeq2SeqLM AutoModelForSequenceClassification
        AutoModelForSpeechSeq2Seq AutoModelForTextEncoding AutoModelForTokenClassification AutoModelForVision2Seq
        AutoModelForZeroShotImageClassification AutoModelWithLMHead""".split(),
        "auto",
    ),
    **dict.fromkeys(["AddedToken", "AutoTokenizer", "BatchEncoding", "PreTrainedTokenizerFast"], "tokenization"),
    **{name + ending: "tokenization" for name in TOKENIZERS for ending in ("", "Fast")},
    **dict.fromkeys(PROCESSORS, "processing"),
    **dict.fromkeys(["Cache", "DynamicCache", "EncoderDecoderCache", "SlidingWindowCache", "StaticCache"], "nn.cache"),
    "GenerationMixin": "nn.generating",
    "GenerationConfig": "generation.config",
    **dict.fromkeys(
        """EncoderNoRepeatNGramLogitsProcessor EncoderRepetitionPenaltyLogitsProcessor EpsilonLogitsWarper
        EtaLogitsWarper ExponentialDecayLengthPenalty ForceTokensLogitsProcessor ForcedBOSTokenLogitsProcessor
        ForcedEOSTokenLogitsProcessor HammingDiversityLogitsProcessor InfNanRemoveLogitsProcessor LogitNormalization
        LogitsProcessor LogitsProcessorList LogitsWarper MinLengthLogitsProcessor MinNewTokensLengthLogitsProcessor
        MinPLogitsWarper NoBadWordsLogitsProcessor NoRepeatNGramLogitsProcessor PrefixConstrainedLogitsProcessor
        RepetitionPenaltyLogitsProcessor SequenceBiasLogitsProcessor SuppressTokensAtBeginLogitsProcessor
        SuppressTokensLogitsProcessor TemperatureLogitsWarper TopHLogitsWarper TopKLogitsWarper TopPLogitsWarper
        TypicalLogitsWarper UnbatchedClassifierFreeGuidanceLogitsProcessor WhisperTimeStampLogitsProcessor""".split(),
        "generation.processors",
    ),
    **dict.fromkeys(
        """ConfidenceCriteria EosTokenCriteria MaxLengthCriteria MaxNewTokensCriteria MaxTimeCriteria StopStringCriteria
        StoppingCriteria StoppingCriteriaList""".split(),
        "generation.stopping",
    ),
    **dict.fromkeys(
        ["Constraint", "ConstraintListState", "DisjunctiveConstraint", "PhrasalConstraint"], "generation.constraints"
    ),
    **dict.fromkeys(
        ["AsyncTextIteratorStreamer", "BaseStreamer", "TextIteratorStreamer", "TextStreamer"], "generation.streaming"
    ),
    **{name: f"training.{home}" for name, home in TRAINING.items()},
    "load_data": "data.load",
    "Rows": "data.rows",
    "convert_checkpoint": "conversion",
    "PreTrainedModel": "nn.pretrained",
    **dict.fromkeys(["PretrainedConfig", "PreTrainedConfig"], "config:Config"),
    "ModelOutput": "outputs",
    **{name: f"models.{family}" for family, names in FAMILIES.items() for name in names},
}

_MODULES = {"batch": "batch", "logging": "compat.logging"}  # what is a module itself

__all__ = sorted([*_MODULE_OF, "__version__"])


def offers(name: str) -> bool:
    """Whether nabi has this public name."""
    return name in _MODULE_OF or name in _MODULES or name.endswith(("_MAPPING", "_MAPPING_NAMES"))


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"nabi.{_MODULES[name]}")
    if name not in _MODULE_OF and name.endswith(("_MAPPING", "_MAPPING_NAMES")):
        return getattr(importlib.import_module("nabi.auto_mappings"), name)
    if name not in _MODULE_OF:
        raise AttributeError(why(name) or f"module 'nabi' has no attribute {name!r}")
    home, _, inside = _MODULE_OF[name].partition(":")
    value = getattr(importlib.import_module(f"nabi.{home}"), inside or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
