"""Tagged texts, most with one token a line, to one row per text: tokens, ner_tags and what else the columns hold.

    EU NNP B-NP B-ORG      CoNLL-2003: token, part of speech, chunk, entity; or token and entity
    1<tab>비토리오<tab>PER_B  Naver NER: number, word, entity; "-" is outside
    ## id<tab>sentence      KLUE-NER: then character<tab>entity; KLUE-DP: number, word, lemma, pos, head, relation;
                           KMOU: ## number, ## sentence, ## marked; then token, lemma, pos, entity

    한 문장<tab>ORG-B O      KoBERT-NER: a text a line, words and tags with blanks between

A blank line ends a text. Tags come out as B-PER, however the file writes them (PER_B, PER-B).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .records import TextLine, no_text

TAG = re.compile(r"O|[BIESLU]-\S+|\S+[-_][BIESLU]")
KIND_FIRST = re.compile(r"(\S+)[-_]([BIESLU])")
TAGGED = ("tokens", "ner_tags")
COLUMNS: dict[int, tuple[str, ...]] = {
    2: TAGGED,
    3: ("tokens", "pos_tags", "ner_tags"),
    4: ("tokens", "pos_tags", "chunk_tags", "ner_tags"),
}
NUMBERED = ("index", *TAGGED)
UNDER_HEADING: dict[int, tuple[str, ...]] = {
    2: TAGGED,
    4: ("tokens", "lemmas", "pos_tags", "ner_tags"),
    6: ("index", "tokens", "lemmas", "pos_tags", "head", "deprel"),
}
LOOK_AT = 200  # lines


def is_tagged(lines: Sequence[TextLine]) -> bool:
    """Whether the first lines of a file look like one token a line, the last column being a tag."""
    if any(line.text.startswith("## ") for line in lines[:1]):
        below = next((line.text for line in lines if not line.text.startswith("## ")), "")
        return "\t" in below and len(cells_of(below)) in UNDER_HEADING
    cells = [cells_of(line.text) for line in lines[:LOOK_AT] if line.text.strip() and not is_marker(line.text)]
    tags = [row[-1] for row in cells]
    return (
        len(cells) > 1
        and {len(row) for row in cells} <= set(COLUMNS)
        and len({len(row) for row in cells}) == 1
        and all(TAG.fullmatch(tag) or tag == "-" for tag in tags)
        and any(TAG.fullmatch(tag) for tag in tags)
    )


def is_line_tagged(lines: Sequence[TextLine]) -> bool:
    """Whether every line is a text and the tags of its words."""
    parts = [line.text.rstrip("\r\n").split("\t") for line in lines[:LOOK_AT] if line.text.strip()]
    return bool(parts) and all(
        len(each) == 2
        and len(each[0].split()) == len(each[1].split())
        and all(TAG.fullmatch(tag) for tag in each[1].split())
        for each in parts
    )


def line_tagged_rows(lines: Iterable[TextLine], file_name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.text.strip():
            continue
        words, _, tags = line.text.partition("\t")
        if line.undecodable or len(words.split()) != len(tags.split()):
            problem = no_text(line.undecodable) or f"{len(words.split())} words have {len(tags.split())} tags"
            raise ValueError(f"{file_name}, line {number}: {problem}")
        yield {"tokens": words.split(), "ner_tags": [usual_tag(tag) for tag in tags.split()]}


def tagged_rows(lines: Iterable[TextLine], file_name: str) -> Iterator[dict[str, Any]]:
    """ValueError that names the line if one has other columns than the lines before it."""
    headings: list[str] = []
    rows: list[list[str]] = []
    names: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        text = line.text.rstrip("\r\n")
        if line.undecodable:
            raise ValueError(f"{file_name}, line {number}: {no_text(line.undecodable)}")
        if text.startswith("## ") and not (rows and not headings):
            if rows:
                yield row_of(headings, names, rows)
                headings, rows = [], []
            headings.append(text[3:])
            continue
        if not text.strip(" ") or is_marker(text):
            if rows:
                yield row_of(headings, names, rows)
            headings, rows = [], []
            continue
        cells = cells_of(text)
        names = names or names_of(cells, bool(headings), f"{file_name}, line {number}")
        if len(cells) != len(names):
            raise ValueError(
                f"{file_name}, line {number}: {text[:60]!r} has {len(cells)} columns, but the lines before it have "
                f"{len(names)} ({', '.join(names)})"
            )
        if names[0] == "index" and cells[0] == "1" and rows:
            yield row_of(headings, names, rows)
            headings, rows = [], []
        rows.append(cells)
    if rows:
        yield row_of(headings, names, rows)


def names_of(cells: Sequence[str], under_heading: bool, place: str) -> tuple[str, ...]:
    known = UNDER_HEADING if under_heading else COLUMNS
    if len(cells) not in known:
        raise ValueError(
            f"{place} has {len(cells)} columns; one token a line comes with {', '.join(map(str, known))} columns, the "
            "last one being its tag"
        )
    return NUMBERED if len(cells) == 3 and cells[0].isdigit() else known[len(cells)]


def row_of(headings: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The columns as lists; of KLUE's and KMOU's headings the id and the sentence."""
    row: dict[str, Any] = {}
    if headings:
        name, tab, sentence = headings[0].partition("\t")
        row = {"id": name, "sentence": sentence if tab else headings[1] if len(headings) > 1 else ""}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        if name == "head":
            row[name] = [int(value) for value in values]
        elif name == "ner_tags":
            row[name] = [usual_tag(value) for value in values]
        elif name != "index":
            row[name] = list(values)
    return row


def usual_tag(tag: str) -> str:
    if tag == "-":
        return "O"
    turned = KIND_FIRST.fullmatch(tag)
    return f"{turned[2]}-{turned[1]}" if turned and not tag.startswith(("B-", "I-", "E-", "S-")) else tag


def cells_of(line: str) -> list[str]:
    """By tabs if there are any, so that a token may be a blank; else by blanks."""
    line = line.rstrip("\r\n")
    return line.split("\t") if "\t" in line else line.split()


def is_marker(line: str) -> bool:
    return line.startswith("-DOCSTART-")
