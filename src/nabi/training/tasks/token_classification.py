"""token-classification: a tag for each word of a text, or for each character, as Korean data sets have it.

{"tokens": ["김민수", "는"], "tags": ["B-PER", "O"]}  ->  {"input_ids": […], "labels": [-100, 3, -100, 0, -100]}

Words are joined to a text again, and the text is tokenized whole, as it will be when the model is used. The first piece
of each word has its tag and the others -100; of tagged characters every piece has the tag of its first character.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from ...data.rows import Rows
from ...nn.losses import IGNORED
from .label_names import Labels
from .task import Encoded, Task, TaskSettings, inputs_of, shortest


class TokenClassification(Task):
    """Measured by the F1 of whole entities if the tags are B-, I- and O; else by the accuracy of single tags."""

    name = "token-classification"
    auto = "AutoModelForTokenClassification"
    takes = frozenset({"max_length", "label_names"})

    def __init__(self, settings: TaskSettings) -> None:
        super().__init__(settings)
        self.labels = Labels((), {})

    def learn(self, train: Rows, config: Any) -> None:
        self.labels = Labels.of(train["tags"], self.settings.label_names, config)
        self.by_character = all(len(token) == 1 for tokens in train["tokens"][:200] for token in tokens)
        self.libraries = () if self.has_entities else ("sklearn.metrics",)
        self.best, self.greater_is_better = "f1" if self.has_entities else "accuracy", True

    @property
    def has_entities(self) -> bool:
        return all(name == "O" or name[:2] in ("B-", "I-", "E-", "S-", "L-", "U-") for name in self.labels.names)

    def config_keys(self) -> dict[str, Any]:
        return self.labels.config_keys()

    def describe(self) -> dict[int, str]:
        return dict(enumerate(self.labels.names))

    def encode_batch(self, rows: Rows, first: int, tokenizer: Any, length: int) -> Encoded:
        tokens, tags = rows["tokens"], rows["tags"]
        for number, (words, marks) in enumerate(zip(tokens, tags, strict=True)):
            if len(words) != len(marks):
                raise ValueError(
                    f"row {first + number} has {len(words)} tokens, but {len(marks)} tags: one each is due"
                )
        texts = [self.joined(words) for words in tokens]
        encoded = tokenizer(texts, truncation=True, max_length=length, return_attention_mask=False, verbose=False)
        examples = []
        for number, (text, words, marks) in enumerate(zip(texts, tokens, tags, strict=True)):
            ids = [self.labels.id_of(mark, first + number) for mark in marks]
            labels = self.of_pieces(text, words, ids, encoded.encodings[number].offsets)
            examples.append({**inputs_of(encoded, number), "labels": labels})
        return Encoded(examples, sum(bool(one.overflowing) for one in encoded.encodings))

    def joined(self, words: Sequence[str]) -> str:
        return ("" if self.by_character else " ").join(map(str, words))

    def of_pieces(
        self, text: str, words: Sequence[str], ids: Sequence[int], offsets: Sequence[tuple[int, int]]
    ) -> list[int]:
        """A label for each piece; offsets: the characters of each, (0, 0) for special tokens."""
        gap = 0 if self.by_character else 1
        starts = [0]
        for text_of_word in words[:-1]:
            starts.append(starts[-1] + len(text_of_word) + gap)
        labels: list[int] = []
        before = -1
        for start, end in offsets:
            begin = end - len(text[start:end].lstrip())  # many a piece takes the blank before it
            if begin == end and self.by_character:  # a blank, which is a character with a tag of its own
                begin = start
            word = bisect_right(starts, begin) - 1 if start < end else -1
            goes_on = word == before and not self.by_character
            labels.append(IGNORED if word < 0 or goes_on else ids[word])
            before = word if word >= 0 else before
        return labels

    def collator(self, tokenizer: Any, model: Any) -> Any:
        from ..collators import DataCollatorForTokenClassification

        return DataCollatorForTokenClassification(tokenizer)

    def metrics(self, rows: Rows, encoded: Encoded, tokenizer: Any) -> Callable[..., dict[str, Any]]:
        from ..metrics import metric

        return metric("seqeval" if self.has_entities else ["accuracy", "f1_macro"], id2label=self.describe())

    def example(self, rows: Rows, tokenizer: Any) -> list[str]:
        return [shortest([self.joined(words) for words in rows[:50]["tokens"]])]
