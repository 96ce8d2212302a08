"""What a task takes of a record: the columns that hold its parts, and the item that its pipeline gets of them.

{"id": 7, "document": "재미있다"}, column "document"  ->  "재미있다"
{"question": …, "context": …}                        ->  {"question": …, "context": …}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..data.records import Record
from ..pipelines.tasks import find_task

# The parts of an item by task, in the order in which columns are named; other tasks take one of the kind they say.
PARTS = {
    "question-answering": ("question", "context"),
    "sentence-similarity": ("source_sentence", "sentences"),
    "visual-question-answering": ("image", "question"),
    "image-text-to-text": ("image", "text"),
    "zero-shot-image-classification": ("image",),
}
SECOND_TEXT = {"text-classification": "text_pair"}  # a part that an item may lack
NEEDED = {  # settings without which no item of the task can be worked on
    "zero-shot-classification": "candidate_labels",
    "zero-shot-image-classification": "candidate_labels",
}


class Unusable(ValueError):
    """Why a record is no item of the task."""


class MissingColumn(Unusable):
    """The record lacks a column that the task takes."""


@dataclass(frozen=True)
class Items:
    """How records become a task's items. columns: where the parts are, in their order; fixed: parts that are the same
    for every record, such as one context for many questions."""

    task: str
    columns: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, task: str, column: str | Sequence[str] | None, fixed: Mapping[str, Any] | None = None) -> Items:
        """ValueError for more columns than the task has parts, or a fixed part that it has not."""
        found = cls(find_task(task).name, () if column is None else named(column), dict(fixed or {}))
        parts = [*found.parts, *found.optional]
        for part in found.fixed:
            if part not in parts:
                raise ValueError(f"{found.task} takes no {part}; it takes {' and '.join(parts)}")
        open_parts = [part for part in parts if part not in found.fixed]
        if len(found.columns) > len(open_parts):
            raise ValueError(
                f"{found.task} takes {' and '.join(open_parts) or 'no column'} of a record, but {len(found.columns)} "
                f"columns are named: {', '.join(found.columns)}"
            )
        return found

    @property
    def parts(self) -> tuple[str, ...]:
        kind = find_task(self.task).kind
        return PARTS.get(self.task, (kind,) if kind in ("text", "image", "audio") else ("text",))

    @property
    def optional(self) -> tuple[str, ...]:
        return (SECOND_TEXT[self.task],) if self.task in SECOND_TEXT else ()

    @property
    def main_part(self) -> str:
        """The part that a line of text, or an item that is no dict, stands for."""
        return next((part for part in self.parts if part not in self.fixed), self.parts[0])

    def item_of(self, record: Record) -> Any:
        """The pipeline's input; Unusable if the record lacks a part."""
        if record.problem:
            raise Unusable(record.problem)
        parts = self.parts_of(record.fields)
        for part, value in parts.items():
            if value is None or (isinstance(value, str) and not value.strip()):
                raise Unusable(f"the {part.replace('_', ' ')} is {'missing' if value is None else 'empty'}")
        if self.task == "conversational" and isinstance(parts["text"], str):
            return [{"role": "user", "content": parts["text"]}]
        if self.task == "image-text-to-text":
            return {"images": parts["image"], "text": parts["text"]}
        if self.task == "sentence-similarity":
            return {**parts, "sentences": self.sentences_of(record.fields)}
        return next(iter(parts.values())) if len(parts) == 1 else parts

    def settled(self, fields: Mapping[str, Any]) -> Items:
        """The same, as the first of many records says: its only column is the one to read, whatever its name.

        MissingColumn if it lacks a part, for then all will.
        """
        open_parts = [part for part in self.parts if part not in self.fixed]
        alone = len(fields) == 1 and len(open_parts) == 1 and not self.columns
        settled = replace(self, columns=tuple(fields)) if alone else self
        settled.parts_of(fields)
        return settled

    def parts_of(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The value of each part; MissingColumn names the columns that there are."""
        values = dict(self.fixed)
        for part, column in self.columns_of(fields).items():
            if column not in fields:
                there = ", ".join(repr(str(key)) for key in fields) or "none"
                which = "it" if len(self.parts) == 1 else f"them, in the order {', '.join(self.parts)},"
                raise MissingColumn(
                    f"there is no column {column!r} for the {part.replace('_', ' ')}. The columns are {there}: name "
                    f"{which} with column=… (--column on the command line)"
                )
            values[part] = fields[column]
        return {part: values[part] for part in (*self.parts, *self.optional) if part in values}

    def sentences_of(self, fields: Mapping[str, Any]) -> list[str]:
        """What a sentence is compared with: several texts, or one; none in other tasks."""
        sentences = self.parts_of(fields).get("sentences", [])
        return [sentences] if isinstance(sentences, str) else sentences

    def columns_of(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """Part -> column: as they were named, else the part's own name."""
        open_parts = [part for part in (*self.parts, *self.optional) if part not in self.fixed]
        columns = dict(zip(open_parts, self.columns, strict=False))
        for part in open_parts[len(columns) :]:
            if part in self.parts or (not self.columns and fields.get(part)):
                columns[part] = part
        return columns


def named(column: str | Sequence[str]) -> tuple[str, ...]:
    return (column,) if isinstance(column, str) else tuple(column)
