"""Tables of a model card, and the card of version 2."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def make_markdown_table(lines: Sequence[Any]) -> str:
    """A table of rows: a list of lists, of which the first is the head; or of dictionaries."""
    if not lines:
        return ""
    rows = [list(lines[0]), *([row[key] for key in lines[0]] for row in lines)] if isinstance(lines[0], dict) else lines
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    head, *body = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    rule = "|" + "|".join(f":{'-' * width}:" for width in widths) + "|"
    return "\n".join([head, rule, *body]) + "\n"


def _cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


class ModelCard:
    """What modelcard.json says of a model: a dictionary in sections, of any content."""

    def __init__(self, **sections: Any) -> None:
        self.__dict__.update(sections)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **options: Any) -> ModelCard:
        """The card in a folder or repository; an empty one where there is none."""
        from .cached_files import cached_file
        from .file_names import MODEL_CARD_NAME

        options["_raise_exceptions_for_missing_entries"] = False
        found = cached_file(pretrained_model_name_or_path, MODEL_CARD_NAME, **options)
        return cls(**(json.loads(Path(found).read_text(encoding="utf-8")) if found else {}))

    @classmethod
    def from_dict(cls, json_object: dict[str, Any]) -> ModelCard:
        return cls(**json_object)

    def to_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def to_json_string(self) -> str:
        return json.dumps(self.to_dict(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def save_pretrained(self, save_directory_or_file: str | os.PathLike[str]) -> None:
        path = Path(save_directory_or_file)
        (path / "modelcard.json" if path.is_dir() else path).write_text(self.to_json_string(), encoding="utf-8")
