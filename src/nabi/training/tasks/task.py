"""What all tasks share: settings, and rows turned to examples a thousand at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...data.rows import Rows

ROWS_AT_ONCE = 1000
NO_LIMIT = 10**15  # tokenizers without a limit say a number beyond it


@dataclass(frozen=True)
class TaskSettings:
    """What a user may say about a task; each task names those that it takes.

    label_names: of all labels, in the order of their ids. multi_label: a text may have several labels, in a list or
    with commas between them. regression: labels are numbers to hit. max_length, max_target_length: in tokens.
    pack: put texts together in blocks of max_length (True), or keep each text a row (False). whole_words: mask words,
    not pieces. prefix: stands before each source text.
    """

    label_names: tuple[str, ...] | None = None
    multi_label: bool = False
    regression: bool = False
    max_length: int | None = None
    max_target_length: int | None = None
    pack: bool | None = None
    whole_words: bool = False
    prefix: str | None = None


@dataclass
class Encoded:
    """The examples of a split, as the trainer takes them; how many rows were too long and are cut, and how many are
    left out since nothing would be left of them to learn."""

    examples: list[dict[str, Any]] = field(default_factory=list)
    cut: int = 0
    left_out: int = 0


class Task:
    """How a model learns one task.

    name; auto: the class in nabi.auto that loads its models; takes: the settings that it knows; usual_length: tokens
    of the longest text, if neither the user nor the model says less; usual_batch: rows of a batch; own_head: the head
    is new for each data set, and no part of the language model; writes: an evaluation generates text; best: the metric
    that says which weights are the best, and whether more of it is better; libraries: modules that the metrics need.
    """

    name: ClassVar[str]
    auto: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset({"max_length"})
    usual_length: ClassVar[int] = 512
    usual_batch: ClassVar[int] = 32
    own_head: ClassVar[bool] = True
    writes: ClassVar[bool] = False
    libraries: tuple[str, ...] = ()
    best: str = "loss"
    greater_is_better: bool = False

    def __init__(self, settings: TaskSettings) -> None:
        self.settings = settings

    @classmethod
    def columns_like(cls) -> str:
        """The task under which nabi.data.columns knows its columns."""
        return cls.name

    def learn(self, train: Rows, config: Any) -> None:
        """Look at the training rows, and at the config of the checkpoint, for what the whole training must know."""

    def config_keys(self) -> dict[str, Any]:
        """Keys of config.json that this data set decides: labels and the like."""
        return {}

    def describe(self) -> dict[int, str] | None:
        """The label names by id, if there are any."""
        return None

    def encode(
        self, rows: Rows, tokenizer: Any, length: int, advance: Callable[[int], object] = lambda count: None
    ) -> Encoded:
        """All rows as examples; advance(n) is called after each n rows."""
        encoded = Encoded()
        for start in range(0, len(rows), ROWS_AT_ONCE):
            batch = rows[start : start + ROWS_AT_ONCE]
            part = self.encode_batch(batch, start, tokenizer, length)
            encoded.examples += part.examples
            encoded.cut += part.cut
            encoded.left_out += part.left_out
            advance(len(batch))
        if not encoded.examples:
            raise ValueError(f"nothing can be learned of any row within {length} tokens: raise max_length")
        return encoded

    def encode_batch(self, rows: Rows, first: int, tokenizer: Any, length: int) -> Encoded:
        """Some rows, of which the first is row number `first` of its split."""
        raise NotImplementedError(f"{type(self).__name__} encodes no rows: write encode_batch")

    def collator(self, tokenizer: Any, model: Any) -> Any:
        """Examples to a batch."""
        from ..collators import DataCollatorWithPadding

        return DataCollatorWithPadding(tokenizer)

    def metrics(self, rows: Rows, encoded: Encoded, tokenizer: Any) -> Callable[..., dict[str, Any]] | None:
        """compute_metrics for this evaluation set; None: its loss alone."""
        return None

    def example(self, rows: Rows, tokenizer: Any) -> list[str]:
        """Texts to try the model on, as `nabi run` takes them."""
        return [shortest(rows["text"])]

    def longest(self, model: Any, tokenizer: Any) -> int:
        """How many tokens an example may have: what the user says, within what the model reads.

        ValueError if the user wants more than that.
        """
        limit = reads_at_most(model, tokenizer)
        wanted = self.settings.max_length
        if wanted is None:
            return min(self.usual_length, limit or self.usual_length)
        if limit is not None and wanted > limit:
            raise ValueError(f"max_length is {wanted}, but the model reads {limit} tokens at most")
        return wanted


def reads_at_most(model: Any, tokenizer: Any) -> int | None:
    """Tokens of the longest text by the model's positions and the tokenizer's limit; None: any number."""
    stated = getattr(tokenizer, "model_max_length", None) or NO_LIMIT
    positions = getattr(model.config, "max_position_embeddings", None) or NO_LIMIT
    if stated < NO_LIMIT:
        return int(min(stated, positions))
    # RoBERTa's positions begin at 2, and its config counts those before that too.
    first = next((module.first_position for module in model.modules() if hasattr(module, "first_position")), 0)
    return None if positions == NO_LIMIT else int(positions - first)


def inputs_of(encoded: Mapping[str, Any], number: int) -> dict[str, Any]:
    """One text's inputs of a tokenizer's output; the collator makes the attention mask."""
    return {name: encoded[name][number] for name in ("input_ids", "token_type_ids") if name in encoded}


def shortest(texts: list[str], most: int = 60) -> str:
    """A short text of the first ones, on one line."""
    text = " ".join(min(texts[:50], key=len).split())
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0]
