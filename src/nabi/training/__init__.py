"""Training: arguments, the trainer and its callbacks, collators, metrics, schedules. Names are imported when used."""

from __future__ import annotations

# Public name -> the module of this room that defines it.
HOMES: dict[str, str] = {}
