"""What a job writes: one flat record for each record read, as a line of JSON or a row of CSV.

{"text": "재미있다"} and {"label": "positive", "score": 0.98}  ->  {"text": …, "label": …, "score": …}
{"text": "…"} and a ValueError                                ->  {"text": …, "error": "…"}
"""

from __future__ import annotations

import base64
import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.records import allow_long_cells

if TYPE_CHECKING:
    from PIL.Image import Image

# Results of these are lists in which one answer is the usual number: it stands in the record itself.
ONE_OF_MANY = frozenset(
    """text-generation text2text-generation summarization translation image-to-text image-text-to-text
    visual-question-answering""".split()
)
NAMES_OF_LISTS = {  # the field of a result that is a list
    "text-classification": "labels",
    "image-classification": "labels",
    "audio-classification": "labels",
    "zero-shot-image-classification": "labels",
    "token-classification": "entities",
    "question-answering": "answers",
    "visual-question-answering": "answers",
    "fill-mask": "fillings",
    "object-detection": "objects",
    "image-segmentation": "segments",
    "sentence-similarity": "scores",
    "feature-extraction": "features",
    "image-feature-extraction": "features",
}
USUAL_FIELDS = {  # of a result that is one mapping, for the header of a file in which no record could be worked on
    "text-classification": ("label", "score"),
    "question-answering": ("score", "start", "end", "answer"),
    "zero-shot-classification": ("labels", "scores"),
    "summarization": ("summary_text",),
    "translation": ("translation_text",),
    "automatic-speech-recognition": ("text",),
    "visual-question-answering": ("answer",),
    **dict.fromkeys(
        ("text-generation", "text2text-generation", "conversational", "image-to-text", "image-text-to-text"),
        ("generated_text",),
    ),
}
# Fields of a result that repeat the input.
NOT_AGAIN = {"zero-shot-classification": ("sequence",), "image-text-to-text": ("input_text",)}


def output_record(fields: Mapping[str, Any], task: str, result: Any) -> dict[str, Any]:
    """The record's fields and its result's beside them; of an exception, its reason as "error".

    A name that the record has already, such as the true "label", is given to the result as "predicted_label".
    """
    record = {str(key): value for key, value in ((key, plain(value)) for key, value in fields.items()) if known(value)}
    if task == "image-segmentation" and not isinstance(result, Exception):
        result = [{**segment, "mask": as_base64(segment["mask"])} for segment in result]
    for key, value in fields_of(task, result).items():
        while key in record:
            key = f"predicted_{key}"
        record[key] = plain(value)
    return record


def fields_of(task: str, result: Any) -> dict[str, Any]:
    """A result of any shape as a flat mapping."""
    if isinstance(result, Exception):
        return {"error": reason(result)}
    if isinstance(result, (list, tuple)) and len(result) == 1 and task in ONE_OF_MANY:
        result = result[0]
    if task == "conversational" and hasattr(result, "messages"):
        return {"generated_text": result.messages[-1]["content"]}
    if isinstance(result, Mapping):
        return {key: value for key, value in result.items() if key not in NOT_AGAIN.get(task, ())}
    return {NAMES_OF_LISTS.get(task, "results" if isinstance(result, (list, tuple)) else "result"): result}


def reason(error: BaseException) -> str:
    """Why an item could not be worked on, on one line, without its number in the pipeline's call."""
    return " ".join(str(error.__cause__ or error).split()) or type(error).__name__


def as_base64(image: Image) -> str:
    """A PNG file of the image, in letters that JSON can hold."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


class Unknown:
    """What JSON has no word for."""


def plain(value: Any) -> Any:
    """The value in JSON's types; Unknown for pictures and others that it cannot hold."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        inside = {str(key): plain(one) for key, one in value.items()}
        return {key: one for key, one in inside.items() if known(one)}
    if isinstance(value, (list, tuple)):
        return [one if known(one) else None for one in map(plain, value)]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # numbers, arrays and tensors
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return Unknown


def known(value: Any) -> bool:
    return value is not Unknown


# ---------------------------------------------------------------- a file


class Output:
    """The file that a job writes, at its end only: a record is there whole, or its half is cut off on resuming.

    `count`: how many records are in it already.
    """

    def __init__(self, path: str | os.PathLike[str], task: str, *, resume: bool = False, overwrite: bool = False):
        self.path, self.task = Path(path), task
        self.kind = self.path.suffix.lower()
        if self.kind not in (".jsonl", ".csv"):
            raise ValueError(
                f"out={os.fspath(path)!r}: the name must end in .jsonl or .csv, the kinds of file that are written"
            )
        if resume and overwrite:
            raise ValueError("resume goes on with the file and overwrite begins it anew: give one of them")
        if self.path.exists() and not (resume or overwrite):
            raise FileExistsError(
                f"{os.fspath(path)!r} is there already. Go on with it with resume=True (--resume), or write it anew "
                "with overwrite=True (--overwrite)."
            )
        self.header: list[str] | None = None
        self.count = 0
        if resume and self.path.exists():
            self._keep_whole_records()
        elif not self.path.parent.is_dir():
            raise FileNotFoundError(f"there is no folder {os.fspath(self.path.parent)!r} for {self.path.name!r}")
        self._mode = "wb" if overwrite else "ab"
        self._stream: Any = None

    def _keep_whole_records(self) -> None:
        allow_long_cells()
        with self.path.open("r+b") as stream:
            whole = 0
            for end in whole_records(stream, quoted=self.kind == ".csv"):
                self.count += 1
                whole = end
            stream.truncate(whole)
        if self.kind == ".csv" and self.count:
            self.count -= 1
            with self.path.open(encoding="utf-8-sig", newline="") as text:
                self.header = next(csv.reader(text))

    def __enter__(self) -> Output:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self.write([])  # a job without records leaves a file without records
        if self._stream is not None:
            self._stream.close()

    def write(self, records: list[dict[str, Any]]) -> None:
        """Append the records, which are all in the file when this returns: no buffer of ours dies with the process."""
        if self._stream is None:
            self._stream = self.path.open(self._mode, buffering=0)
        if records:
            lines = self._rows(records) if self.kind == ".csv" else "".join(map(as_json, records)).encode()
            left = memoryview(lines)
            while left:
                left = left[self._stream.write(left) :]

    def _rows(self, records: list[dict[str, Any]]) -> bytes:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        start = b""
        if self.header is None:
            self.header = self._columns(records)
            rows.writerow(self.header)
            start = b"\xef\xbb\xbf"  # by which spreadsheets know UTF-8
        for record in records:
            beside = {key: value for key, value in record.items() if key not in self.header}
            if beside:
                record = {**record, "error": f"has no column in {self.path.name}: {as_json(beside).strip()}"}
            rows.writerow([as_cell(record.get(column)) for column in self.header])
        return start + text.getvalue().encode()

    def _columns(self, records: list[dict[str, Any]]) -> list[str]:
        """The header: the fields of the first records, errors last."""
        names = dict.fromkeys(key for record in records if "error" not in record for key in record)
        if not names:
            usual = USUAL_FIELDS.get(self.task) or (NAMES_OF_LISTS.get(self.task, "result"),)
            names = dict.fromkeys([*(key for record in records for key in record), *usual])
        return [*(name for name in names if name != "error"), "error"]

    def kept(self) -> Iterator[dict[str, Any]]:
        """The records that are in the file already."""
        if not self.count:
            return
        if self.kind == ".jsonl":
            with self.path.open("rb") as stream:
                yield from map(json.loads, stream)
        else:
            with self.path.open(encoding="utf-8-sig", newline="") as text:
                yield from csv.DictReader(text)

    def holds(self, written: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
        """Whether a written record was made of these fields."""
        record = output_record(fields, self.task, {})
        if self.kind == ".csv":
            record = {key: as_cell(value) for key, value in record.items() if key in written}
        else:
            record = json.loads(as_json(record))
        return all(key in written and written[key] == value for key, value in record.items())


def as_json(record: Mapping[str, Any]) -> str:
    # A lone surrogate, which no UTF-8 can hold, is written as its escape.
    line = json.dumps(record, ensure_ascii=False)
    return (line if line.isprintable() or can_encode(line) else json.dumps(record)) + "\n"


def can_encode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_cell(value: Any) -> str:
    """A text as it is, nothing as nothing, the rest as JSON."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def whole_records(lines: Iterable[bytes], *, quoted: bool) -> Iterator[int]:
    """Where each whole record ends, in bytes. quoted: a line that ends inside of quotes is not the record's last."""
    end = quotes = 0
    for line in lines:
        end += len(line)
        quotes += line.count(b'"')
        if line.endswith(b"\n") and not (quoted and quotes % 2):
            yield end
