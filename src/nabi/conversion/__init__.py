"""Checkpoints from one container into another, each written file checked against its source."""

from .checkpoints import ALL_IN_ONE, DTYPES, Conversion, convert_checkpoint
from .companions import held_checkpoint
from .stored import MissingLibrary

__all__ = ["ALL_IN_ONE", "DTYPES", "Conversion", "MissingLibrary", "convert_checkpoint", "held_checkpoint"]
