"""fill-mask: to know hidden words by what stands around them, which teaches an encoder the language of a field.

{"text": "…"}  ->  {"input_ids": […]}; the collator hides tokens anew in every epoch (BERT, arXiv:1810.04805)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...data.rows import Rows
from .packing import blocks
from .task import Encoded, Task, inputs_of, shortest


class FillMask(Task):
    """Measured by the loss of the hidden tokens. Each text is a row, as it will be in use; pack=True fills blocks."""

    name = "fill-mask"
    auto = "AutoModelForMaskedLM"
    takes = frozenset({"max_length", "pack", "whole_words"})
    own_head = False

    def encode(
        self, rows: Rows, tokenizer: Any, length: int, advance: Callable[[int], object] = lambda count: None
    ) -> Encoded:
        encoded = super().encode(rows, tokenizer, length, advance)
        if not self.settings.pack:
            return encoded
        return Encoded([{"input_ids": ids} for ids in blocks([one["input_ids"] for one in encoded.examples], length)])

    def encode_batch(self, rows: Rows, first: int, tokenizer: Any, length: int) -> Encoded:
        cuts = {} if self.settings.pack else {"truncation": True, "max_length": length}
        encoded = tokenizer(rows["text"], return_attention_mask=False, verbose=False, **cuts)
        examples = [inputs_of(encoded, number) for number in range(len(rows))]
        return Encoded(examples, sum(bool(one.overflowing) for one in encoded.encodings))

    def collator(self, tokenizer: Any, model: Any) -> Any:
        from ..collators import DataCollatorForLanguageModeling, DataCollatorForWholeWordMask

        return (DataCollatorForWholeWordMask if self.settings.whole_words else DataCollatorForLanguageModeling)(
            tokenizer
        )

    def example(self, rows: Rows, tokenizer: Any) -> list[str]:
        *words, _ = ["", *shortest(rows["text"]).split()]
        return [" ".join([*words, tokenizer.mask_token]).strip()]
