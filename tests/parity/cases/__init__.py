"""The registry of the parity suite: tiny configurations of every family. A family added here brings its tests."""

from __future__ import annotations

from . import decoders, encoders, images, own_attention, seq2seq, speech
from .case import Case

TEXTS = [*encoders.CASES, *own_attention.CASES, *decoders.CASES, *seq2seq.CASES]
CASES: list[Case] = [*TEXTS, *speech.CASES, *images.CASES]
PAIRS = [(case, head) for case in CASES for head in case.heads]
IDS = [f"{case.name}-{head}" for case, head in PAIRS]
