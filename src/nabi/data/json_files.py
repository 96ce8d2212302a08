"""A .json file as a whole, to rows: a list of records, or questions about texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .questions import is_question_file, question_rows
from .records import decoded, encoding_of, no_text


def json_rows(raw: bytes, file_name: str) -> list[dict[str, Any]] | None:
    """None if the file has one JSON object a line. ValueError with the line of what is no JSON.

    Of {"data": [{…}, …]} the list is taken. KLUE-STS's {"labels": {"label": 3.7, …}} becomes columns of its own.
    """
    encoding = encoding_of(raw)
    text, undecodable = decoded(raw, encoding)
    if undecodable:
        raise ValueError(f"{file_name}: {no_text(undecodable)}")
    try:
        content = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno > 1:
            return None
        raise ValueError(f"{file_name}, line {error.lineno}, column {error.colno}: no JSON: {error.msg}") from error
    if is_question_file(content):
        return question_rows(content, file_name)
    records = content.get("data", [content]) if isinstance(content, Mapping) else content
    if not isinstance(records, list):
        raise ValueError(f"{file_name} holds {shown(content)}; expected a list of records")
    rows = []
    for number, record in enumerate(records):
        if isinstance(record, str):
            record = {"text": record}
        if not isinstance(record, dict):
            raise ValueError(f"{file_name}: [{number}] is {shown(record)}; expected a record, as {{'text': …}}")
        rows.append(without_nested_labels(record))
    return rows


def without_nested_labels(record: dict[str, Any]) -> dict[str, Any]:
    nested = record.get("labels")
    if not isinstance(nested, Mapping):
        return record
    return {**{key: value for key, value in record.items() if key != "labels"}, **nested}


def shown(value: Any) -> str:
    return f"a {type(value).__name__} ({str(value)[:40]!r})"
