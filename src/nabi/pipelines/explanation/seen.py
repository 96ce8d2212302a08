"""What is kept while a pipeline's call is watched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .beams import BeamWatch
from .contents import Stage


@dataclass
class Pass:
    """One call of the model: its inputs by name, its output, the modules on the way, and the ids a decoder read."""

    inputs: dict[str, Any]
    outputs: Any
    stages: list[Stage]
    target_ids: Tensor | None = None
    writing: Writing | None = None


@dataclass
class Writing:
    """One call of generate, for the first text that it wrote: ids (length,), of which `start` are the prompt's.

    first: what the model said of the first token, (vocabulary,), None where that is not known.
    """

    inputs: dict[str, Any]
    settings: Any
    ids: Tensor
    start: int
    scores: tuple[Tensor, ...]  # of each step, after the settings' processors; empty after a beam search
    beams: BeamWatch
    first: Tensor | None = None


@dataclass
class Seen:
    """All of one call of the pipeline. prepared: the parts as preprocess made them; encoded: (texts, encoding) for
    each text or pair that the tokenizer has read."""

    result: Any = None
    prepared: list[Any] = field(default_factory=list)
    encoded: list[tuple[list[str], Any]] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    wrote: list[Writing] = field(default_factory=list)
    stages: dict[str, Stage] = field(default_factory=dict)  # of the call that goes on
    generating: bool = False
    missing: list[str] = field(default_factory=list)


def decoder_of(model: Any) -> Any:
    """The half that writes, where there are two."""
    if not model.config.is_encoder_decoder:
        return None
    try:
        return model.get_decoder()
    except AttributeError:  # an encoder alone, whose config still speaks of both
        return None
