"""Classes of frameworks and families that nabi has not, for libraries that ask `isinstance`: nothing is one of them.

They can be imported, and no more: making or loading one is an ImportError.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .left_out import why

# Asked for by accelerate and evaluate; by sentence-transformers, of the models with an encoder; by lm-eval;
# by the example script for images.
NAMES = """TFPreTrainedModel FlaxPreTrainedModel BaseVideoProcessor BlenderbotSmallConfig LongT5Config PegasusXConfig
ProphetNetConfig SwitchTransformersConfig UdopConfig T5Gemma2Config T5Gemma2TextConfig T5GemmaConfig T5GemmaEncoderModel
MoonshineConfig TimmWrapperConfig TimmWrapperImageProcessor PaliGemmaProcessor Qwen2AudioForConditionalGeneration
Mistral3ForConditionalGeneration CodeCarbonCallback TrackioCallback""".split()


class Absent:
    """The base of them all."""

    def __init__(self, *_: Any, **__: Any) -> None:
        _refuse(type(self).__name__)

    @classmethod
    def from_pretrained(cls, *_: Any, **__: Any) -> NoReturn:
        _refuse(cls.__name__)


def _refuse(name: str) -> NoReturn:
    raise ImportError(why(name) or f"nabi has no {name}: it can be asked about by isinstance, and no more")


_made: dict[str, type[Absent]] = {}


def __getattr__(name: str) -> type[Absent]:
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _made.setdefault(name, type(name, (Absent,), {"__module__": __name__}))
