"""The registry of the parity suite: tiny configurations of every family. A family added here brings its tests."""

from __future__ import annotations

from . import decoders, encoders, images, joined, own_attention, seq2seq, speech
from .case import Case

CASES: list[Case] = [
    case for group in (encoders, own_attention, decoders, seq2seq, speech, images, joined) for case in group.CASES
]
PAIRS = [(case, head) for case in CASES for head in case.heads]
IDS = [f"{case.name}-{head}" for case, head in PAIRS]
