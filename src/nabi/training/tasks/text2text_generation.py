"""summarization, translation, text2text-generation: a text to the text that a model with an encoder writes of it.

{"source": "…", "target": "…"}  ->  {"input_ids": […], "labels": […]}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ...data.rows import Rows
from .task import Encoded, Task, inputs_of, reads_at_most, shortest

TARGET_LENGTH = 128


class Text2TextGeneration(Task):
    """Evaluations write texts, greedily, and compare them."""

    name = "text2text-generation"
    auto = "AutoModelForSeq2SeqLM"
    takes = frozenset({"max_length", "max_target_length", "prefix"})
    own_head = False
    usual_batch = 8
    writes = True
    best = "chrf"
    greater_is_better = True
    roles: ClassVar[tuple[str, str]] = ("source", "target")
    measured_by: ClassVar[tuple[str, ...]] = ("chrf", "exact_match")
    libraries = ("sacrebleu",)

    @classmethod
    def columns_like(cls) -> str:
        return "translation"

    def learn(self, train: Rows, config: Any) -> None:
        if not config.is_encoder_decoder:
            raise ValueError(
                f"{self.name} needs a model with an encoder and a decoder, as T5 or BART, and {config.model_type} is "
                "none: train it for text-generation"
            )
        of_task = (getattr(config, "task_specific_params", None) or {}).get(self.name) or {}
        usual = of_task.get("prefix") or getattr(config, "prefix", None) or ""
        self.prefix = usual if self.settings.prefix is None else self.settings.prefix

    def longest(self, model: Any, tokenizer: Any) -> int:
        """As for all; and the longest target, which the decoder must be able to write.

        ValueError for a tokenizer that must be told the languages.
        """
        if getattr(tokenizer, "src_lang", None):
            raise ValueError(
                f"the tokenizer tells this model its languages (now {tokenizer.src_lang}), and they cannot be said "
                "here: train it by Seq2SeqTrainer, with tokenizer.src_lang and tokenizer.tgt_lang set"
            )
        limit = reads_at_most(model, tokenizer)
        wanted = self.settings.max_target_length
        if wanted is not None and limit is not None and wanted > limit:
            raise ValueError(f"max_target_length is {wanted}, but the model writes {limit} tokens at most")
        self.target_length = wanted or min(TARGET_LENGTH, limit or TARGET_LENGTH)
        return super().longest(model, tokenizer)

    def encode_batch(self, rows: Rows, first: int, tokenizer: Any, length: int) -> Encoded:
        source, target = self.roles
        sources = tokenizer(
            [self.prefix + text for text in rows[source]],
            truncation=True,
            max_length=length,
            return_attention_mask=False,
            verbose=False,
        )
        targets = tokenizer(text_target=rows[target], truncation=True, max_length=self.target_length, verbose=False)
        examples = [
            {**inputs_of(sources, number), "labels": targets["input_ids"][number]} for number in range(len(rows))
        ]
        pairs = zip(sources.encodings, targets.encodings, strict=True)
        return Encoded(examples, sum(bool(one.overflowing or other.overflowing) for one, other in pairs))

    def collator(self, tokenizer: Any, model: Any) -> Any:
        from ..collators import DataCollatorForSeq2Seq

        return DataCollatorForSeq2Seq(tokenizer, model=model)

    def metrics(self, rows: Rows, encoded: Encoded, tokenizer: Any) -> Callable[..., dict[str, Any]]:
        from ..metrics import metric

        return metric([*self.measured_by, "gen_len"], tokenizer=tokenizer)

    def example(self, rows: Rows, tokenizer: Any) -> list[str]:
        return [shortest(rows[self.roles[0]], most=200)]


class Summarization(Text2TextGeneration):
    """Measured by ROUGE."""

    name = "summarization"
    roles = ("document", "summary")
    best = "rougeL"
    measured_by = ("rouge",)
    libraries = ("rouge_score",)

    @classmethod
    def columns_like(cls) -> str:
        return "summarization"


class Translation(Text2TextGeneration):
    """Measured by BLEU and chrF, which suits Korean better."""

    name = "translation"
    measured_by = ("bleu", "chrf")
