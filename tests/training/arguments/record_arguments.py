"""Writes recorded_arguments.json: the fields of transformers 4.57.1's Seq2SeqTrainingArguments with their defaults.

By hand, in an environment with transformers==4.57.1:    python tests/training/arguments/record_arguments.py
"""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from pathlib import Path

FILE = Path(__file__).with_name("recorded_arguments.json")

if __name__ == "__main__":
    from transformers import Seq2SeqTrainingArguments

    defaults = {}
    for field in dataclasses.fields(Seq2SeqTrainingArguments):
        if field.init:
            made = field.default_factory is not dataclasses.MISSING
            value = field.default_factory() if made else field.default
            defaults[field.name] = value.value if isinstance(value, Enum) else value
    FILE.write_text(json.dumps(defaults, indent=1) + "\n", encoding="utf-8")
