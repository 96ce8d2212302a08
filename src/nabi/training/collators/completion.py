"""Learn only the answers: labels of what stands before them are -100."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .flattening import DataCollatorWithFlattening
from .language_modeling import DataCollatorForLanguageModeling

logger = logging.getLogger(__name__)


class DataCollatorForCompletionOnlyLM(DataCollatorForLanguageModeling):
    """Next-token labels for what follows `response_template` ("### 답변:"), -100 for all before it.

    instruction_template: for dialogues. Every instruction, up to the end of the answer's template after it, is left
    out then; without it, everything up to the last response_template is.
    Templates: a text, or the ids that it has inside a whole text, which differ with some tokenizers.
    ignore_index: the label that counts nothing. padding_free: one row without padding, as DataCollatorWithFlattening.
    An example without its template counts nothing, and a warning names it.
    """

    def __init__(
        self,
        response_template: str | list[int],
        instruction_template: str | list[int] | None = None,
        tokenizer: Any = None,
        mlm: bool = False,
        ignore_index: int = -100,
        padding_free: bool = False,
        **settings: Any,
    ) -> None:
        """settings are those of DataCollatorForLanguageModeling."""
        if mlm:
            raise ValueError("DataCollatorForCompletionOnlyLM is for models that write on: mlm must be False")
        if tokenizer is None:
            raise TypeError("DataCollatorForCompletionOnlyLM needs the tokenizer: pass tokenizer=tokenizer")
        super().__init__(tokenizer, mlm=False, **settings)
        self.response_template = response_template
        self.instruction_template = instruction_template
        self.response_token_ids = self.ids_of(response_template, "response_template")
        self.instruction_token_ids = (
            None if instruction_template is None else self.ids_of(instruction_template, "instruction_template")
        )
        self.ignore_index = ignore_index
        self.padding_free = padding_free

    def torch_call(self, features: Sequence[Any]) -> Any:
        """input_ids, attention_mask, labels (n, length)."""
        batch = super().torch_call(features)
        labels = batch["labels"]
        labels[labels == -100] = self.ignore_index
        for index, ids in enumerate(batch["input_ids"]):
            answered = self.answers(ids)
            labels[index, ~answered] = self.ignore_index
            if (labels[index] == self.ignore_index).all():
                self.warn(index, ids[batch["attention_mask"][index] == 1])
        return self.flat(batch) if self.padding_free else batch

    def answers(self, ids: Tensor) -> Tensor:
        """True at the tokens of answers: ids (length,)."""
        responses = places_of(self.response_token_ids, ids) + len(self.response_token_ids)
        turns = torch.zeros(len(ids) + 1, dtype=torch.long)
        if self.instruction_token_ids is None:
            turns[responses[-1:]] = 1  # the last template is the answer's; earlier ones may be examples in the prompt
        else:
            instructions = places_of(self.instruction_token_ids, ids)
            if len(instructions) == 0:
                return turns[:-1].bool()
            turns[instructions] = -1
            turns[responses] = 1
        return self.last_turn(turns[:-1]) > 0

    @staticmethod
    def last_turn(turns: Tensor) -> Tensor:
        """For each place the last of 1 (an answer begins) and -1 (an instruction begins) up to it; 0 before any."""
        places = torch.arange(len(turns))
        latest = torch.where(turns != 0, places, -1).cummax(0).values
        return torch.where(latest < 0, 0, turns[latest.clamp(min=0)])

    def ids_of(self, template: str | list[int], name: str) -> list[int]:
        ids = self.tokenizer.encode(template, add_special_tokens=False) if isinstance(template, str) else list(template)
        if not ids:
            raise ValueError(f"{name} is {template!r}, which has no token: pass the words that every example has")
        return ids

    def warn(self, index: int, ids: Tensor) -> None:
        templates = [one for one in (self.instruction_template, self.response_template) if one is not None]
        logger.warning(
            "Example %d of the batch has no answer after %r, so it teaches nothing: %r. If the text has the template, "
            "its tokens differ there from those of the template alone (pass the ids that it has in a whole text), or "
            "the text was cut before its answer (raise max_length).",
            index,
            " … ".join(map(str, templates)),
            self.tokenizer.decode(ids)[:80],
        )

    def flat(self, batch: Any) -> Any:
        real = batch["attention_mask"].bool()
        rows = zip(batch["input_ids"], batch["labels"], real, strict=True)
        examples = [{"input_ids": ids[keep], "labels": labels[keep]} for ids, labels, keep in rows]
        return DataCollatorWithFlattening(separator_id=self.ignore_index)(examples)


def places_of(pattern: list[int], ids: Tensor) -> Tensor:
    """Where a pattern begins: indices into ids (length,)."""
    if len(pattern) > len(ids):
        return torch.zeros(0, dtype=torch.long)
    return (ids.unfold(0, len(pattern), 1) == torch.tensor(pattern)).all(1).nonzero().squeeze(1)
