"""Parts of models by the names that they have in `transformers.models.….modeling_…`: BertEncoder, RobertaLMHead, ….

BertPooler(config)       what stands at `pooler` in a new BertModel(config)
LlamaDecoderLayer        the class of Llama's layers, to ask `isinstance`, or to wrap them in FSDP
LlamaRMSNorm(size, eps)  its norm
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from typing import Any

import torch
from torch import nn

import nabi

from ..nn.block import Block
from ..nn.norms import RMSNorm
from ..nn.roles import Room

# What a part is called behind its family's name -> the model's class, behind the same name, and where it stands there.
_PARTS = {
    "Embeddings": ("Model", "embeddings"),
    "Encoder": ("Model", "encoder"),
    "Decoder": ("Model", "decoder"),
    "Pooler": ("Model", "pooler"),
    "ClassificationHead": ("ForSequenceClassification", "classifier classification_head"),
    "LMHead": ("ForMaskedLM", "lm_head"),
    "MLMHead": ("ForMaskedLM", "predictions"),
    "OnlyMLMHead": ("ForMaskedLM", "cls"),
    "LMPredictionHead": ("ForMaskedLM", "cls.predictions"),
    "PredictionHeadTransform": ("ForMaskedLM", "cls.predictions.transform"),
    "PreTrainingHeads": ("ForPreTraining", "cls"),
    "GeneratorPredictions": ("ForMaskedLM", "generator_predictions"),
    "DiscriminatorPredictions": ("ForPreTraining", "discriminator_predictions"),
}
_LAYERS = ("EncoderLayer", "DecoderLayer", "Layer", "Block")
_NORMS = ("RMSNorm", "LayerNorm")


def __getattr__(name: str) -> Any:
    found = _part(name) or _layer(name) or _norm(name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found


@cache
def _part(name: str) -> Any:
    family, ending = _split(name, _PARTS)
    if not ending or not nabi.offers(family + _PARTS[ending][0]):
        return None
    model, places = _PARTS[ending]
    model_class = getattr(nabi, family + model)
    example = _drawn(model_class)
    place = next((place for place in places.split() if _can(example, place)), None)
    if place is None:
        return None

    def take_out(self: Any, config: Any, *_: Any, **__: Any) -> None:
        if ending not in ("Encoder", "Decoder"):
            config = copy.deepcopy(config)
            config.num_hidden_layers = 0
        made = model_class(config).get_submodule(place)
        self.__dict__.update(made.__dict__)

    kind = type(example.get_submodule(place))
    says = f"`{place}` of a new {model_class.__name__}(config), as code for transformers makes it by itself."
    return type(name, (kind,), {"__init__": take_out, "__doc__": says, "__module__": __name__})


@cache
def _layer(name: str) -> Any:
    family, ending = _split(name, _LAYERS)
    if not ending or not nabi.offers(f"{family}Model"):
        return None
    blocks = [module for module in _drawn(getattr(nabi, f"{family}Model")).modules() if isinstance(module, Block)]
    return type(blocks[-1 if ending == "DecoderLayer" else 0]) if blocks else None


@cache
def _norm(name: str) -> Any:
    family, ending = _split(name, _NORMS)
    if not ending or not nabi.offers(f"{family}Model"):
        return None
    modules = _drawn(getattr(nabi, f"{family}Model")).modules()
    return next((type(module) for module in modules if isinstance(module, RMSNorm)), None)


def _split(name: str, endings: Iterable[str]) -> tuple[str, str]:
    """The family's name and the part's, the longest that fits."""
    ending = max((ending for ending in endings if name.endswith(ending)), key=len, default="")
    return name.removesuffix(ending), ending


@cache
def _drawn(model_class: Any) -> Any:
    """A model of the usual sizes without weights."""
    with torch.device("meta"):
        return model_class(model_class.config_class())


def _can(model: nn.Module, place: str) -> bool:
    """Whether something stands there that may be called by itself."""
    try:
        part = model.get_submodule(place)
    except AttributeError:
        return False
    return not isinstance(part, Room) or part.does is not None
