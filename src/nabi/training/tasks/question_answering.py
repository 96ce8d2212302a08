"""question-answering: a question and a context to the place of the answer in it (SQuAD, KorQuAD, KLUE-MRC).

A context that is too long is read in windows that overlap; an answer that is not in a window is at its first token, as
is that of a question without an answer.

{"question", "context", "answers": {"text": ["서울"], "answer_start": [4]}}
    -> windows {"input_ids": […], "start_positions": 9, "end_positions": 10}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...data.rows import Rows
from .answers import AnswerMetric, answers_of, metric_for
from .task import Encoded, Task, inputs_of, shortest

STRIDE = 128  # tokens that two windows share


class QuestionAnswering(Task):
    """Measured by the exact matches and the F1 of answers: as KorQuAD does where the text is Korean, else as SQuAD."""

    name = "question-answering"
    auto = "AutoModelForQuestionAnswering"
    usual_length = 384
    usual_batch = 16
    best = "f1"
    greater_is_better = True

    def learn(self, train: Rows, config: Any) -> None:
        if not any(answers_of(answers)[0] for answers in train["answers"]):
            raise ValueError("no question of the training rows has an answer")

    def encode_batch(self, rows: Rows, first: int, tokenizer: Any, length: int) -> Encoded:
        """Each window has beside its inputs `row`, and `offsets`: the place of each of its tokens in the context, None
        for tokens that are not of the context."""
        question_first = getattr(tokenizer, "padding_side", "right") == "right"
        questions, contexts = rows["question"], rows["context"]
        its_sequence = 1 if question_first else 0
        encoded = tokenizer(
            *((questions, contexts) if question_first else (contexts, questions)),
            truncation="only_second" if question_first else "only_first",
            max_length=length,
            stride=min(STRIDE, length // 3),
            return_overflowing_tokens=True,
            return_attention_mask=False,
        )
        part = Encoded()
        for number, window in enumerate(encoded.encodings):
            row = encoded["overflow_to_sample_mapping"][number]
            offsets = [
                place if whose == its_sequence and place[0] < place[1] else None
                for place, whose in zip(window.offsets, window.sequence_ids, strict=True)
            ]
            none = window.ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in window.ids else 0
            start, end = span_in(rows["answers"][row], contexts[row], offsets, none, first + row)
            part.examples.append(
                {
                    **inputs_of(encoded, number),
                    "start_positions": start,
                    "end_positions": end,
                    "row": first + row,
                    "offsets": offsets,
                    "none": none,
                }
            )
        return part

    def metrics(self, rows: Rows, encoded: Encoded, tokenizer: Any) -> Callable[..., dict[str, Any]]:
        return AnswerMetric(rows, encoded.examples, metric_for(rows))

    def example(self, rows: Rows, tokenizer: Any) -> list[str]:
        row = min(rows[:50], key=lambda one: len(one["context"]))
        return [shortest([row["question"]]), " ".join(row["context"].split())]


def span_in(answers: Any, context: str, offsets: list[tuple[int, int] | None], none: int, row: int) -> tuple[int, int]:
    """The first and last token of the first answer in a window; `none` twice if it is not in it, or if there is none.

    ValueError if the answer does not stand where it is said to.
    """
    texts, starts = answers_of(answers)
    if not texts:
        return none, none
    start, end = starts[0], starts[0] + len(texts[0])
    if context[start:end] != texts[0]:
        raise ValueError(
            f"row {row}: the answer {texts[0]!r} does not stand at {start} of its context, where there is "
            f"{context[start:end]!r}: correct answer_start, in characters"
        )
    inside = [(number, place) for number, place in enumerate(offsets) if place is not None]
    first = next((number for number, (a, b) in inside if a <= start < b), None)
    last = next((number for number, (a, b) in reversed(inside) if a < end <= b), None)
    return (none, none) if first is None or last is None else (first, last)
