"""One call of `generate`, ready to be searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .outputs import Record
from .prompt import Prompt
from .stepper import Stepper


@dataclass
class Run:
    """What every search works with. ids (rows, prompt length): a row for each beam, or each text to be returned."""

    model: Any
    search: Callable[[Run], Any]
    settings: Any  # a GenerationConfig with the lengths counted out: max_length is that of the whole rows
    prompt: Prompt
    ids: Tensor
    inputs: dict[str, Any]
    shared: int  # how many rows read one row of the encoder's output
    processors: Any  # (ids, scores) -> scores
    stopping: Any  # (ids, scores) -> (rows,) which are at their end
    record: Record
    streamer: Any = None
    tokenizer: Any = None
    assistant: Any = None
    assistant_tokenizer: Any = None

    def stepper(self) -> Stepper:
        """The model's passes over these rows, with a fresh cache or the one that was given."""
        return Stepper(
            self.model,
            self.inputs,
            room=self.prompt.before + self.settings.max_length,
            settings=self.settings,
            shared=self.shared,
            before=self.prompt.before,
        )


def vocabulary_of(model: Any) -> int:
    """How many tokens the model can write."""
    words: Any = (model.get_decoder() if model.config.is_encoder_decoder else model).get_input_embeddings()
    return getattr(words, "num_embeddings", None) or len(words.weight)
