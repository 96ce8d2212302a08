"""What an explanation holds: plain data, so that it can be read, compared, and written as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from torch import Tensor

DECIMALS = 6


@dataclass
class Piece:
    """A token: its name in the vocabulary, its id, and how it reads.

    start, end: the characters that it stands for in texts[number] of its sequence, None where the text is not known.
    share: "2/3" for the second of three tokens that make up one letter, which all have that letter as their text.
    """

    token: str
    id: int
    text: str
    mask: int = 1
    special: bool = False
    written: bool = False
    share: str = ""
    number: int | None = None
    start: int | None = None
    end: int | None = None


@dataclass
class Sequence:
    """Tokens that the model reads in a row. texts: those that the pieces' characters count in, both of a pair."""

    name: str
    pieces: list[Piece]
    texts: list[str] = field(default_factory=list)


@dataclass
class Stage:
    """A module that the values went through, by its name on disk, with the shapes of what went in and came out."""

    name: str
    kind: str
    shape_in: list[int]
    shape_out: list[int]
    parameters: int


@dataclass
class Score:
    """One of several things that could be said. id: the number of the label, of the token, or of the piece."""

    label: str
    logit: float
    probability: float
    id: int
    chosen: bool = False
    drawn_from: float | None = None  # of written tokens: the probability after temperature, top_k, penalties, …


@dataclass
class Group:
    """Scores that were weighed against each other: of a text's labels, of a token's, of the next token. place: of the
    piece that they are about."""

    title: str
    scores: list[Score]
    place: int | None = None


@dataclass
class Outputs:
    """What the head says. function: what made probabilities of logits."""

    function: str
    groups: list[Group]


@dataclass
class Attention:
    """weights (layers, heads, queries, keys): how much each piece of `rows` looks at each of `columns`."""

    name: str
    rows: str
    columns: str
    weights: Tensor
    left_out: str = ""


@dataclass
class Attribution:
    """How much each piece added to one number of the output, `target`.

    scores: for each sequence that the model embeds, a number for each piece. value, baseline_value: the target with the
    text and with the baseline in its place; error: how far the scores' sum is from their difference, None where the
    method promises no such sum.
    """

    method: str
    target: str
    baseline: str
    scores: dict[str, list[float]]
    value: float
    baseline_value: float | None = None
    error: float | None = None
    steps: int | None = None


@dataclass
class Lens:
    """What the head would say after each layer: rows[layer][i] are the likeliest tokens at places[i]."""

    sequence: str
    places: list[int]
    layers: list[str]
    rows: list[list[list[Score]]]


@dataclass
class Branch:
    """A beginning of a text in beam search. total: the sum of its tokens' log-probabilities. fate: "kept", "dropped" or
    "ended"; score: of one that ended, what the texts are compared by."""

    number: int
    parent: int | None
    step: int
    token: str
    id: int
    text: str
    total: float
    fate: str
    score: float | None = None
    best: bool = False  # on the way to the text that won


@dataclass
class Beams:
    width: int
    branches: list[Branch]


@dataclass
class Part:
    """One run of the model: the item, or one of its windows or hypotheses. missing: what it cannot give, and why."""

    title: str
    inputs: dict[str, list[int]]
    sequences: list[Sequence]
    stages: list[Stage]
    outputs: Outputs | None = None
    attentions: list[Attention] = field(default_factory=list)
    attribution: Attribution | None = None
    lens: Lens | None = None
    beams: Beams | None = None
    missing: list[str] = field(default_factory=list)

    def sequence(self, name: str) -> Sequence:
        return next(each for each in self.sequences if each.name == name)


def plain(value: Any) -> Any:
    """Dictionaries, lists, numbers and texts, as JSON has them; tensors become nested lists."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):  # a tensor, an array
        return plain(value.tolist())
    if isinstance(value, float):
        return round(value, DECIMALS) if value == value and abs(value) != float("inf") else str(value)
    return value if value is None or isinstance(value, (str, int)) else str(value)
