"""Whisper's way of writing down speech (arXiv:2212.04356): window by window, with times, and again where it failed."""

from .beginning import language_of
from .transcribe import generate

__all__ = ["generate", "language_of"]
