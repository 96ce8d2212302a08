"""Vocabulary files that are more than text: each is read by its own module, and made an engine by another."""

from .sentencepiece_engine import engine_of as engine_of
from .sentencepiece_model import SentencePieceModel as SentencePieceModel
from .sentencepiece_model import read_sentencepiece as read_sentencepiece
