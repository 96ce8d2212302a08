"""Tiny data and models that the tests of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

import nabi
from nabi.training.arguments.training_arguments import TrainingArguments

SIZES = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
CALM = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def rows(count: int = 32, *, labels: str = "class", seed: int = 0, classes: int = 2) -> list[dict[str, Any]]:
    """Ragged texts as ids; labels: "class" (which half of the vocabulary begins it), "tokens", "value" or "none"."""
    draw = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        length = int(torch.randint(3, 14, (), generator=draw))
        ids = torch.randint(5, 60, (length,), generator=draw).tolist()
        row: dict[str, Any] = {"input_ids": ids, "attention_mask": [1] * length}
        if labels == "class":
            row["labels"] = min(ids[0] * classes // 60, classes - 1)
        elif labels == "value":
            row["labels"] = ids[0] / 60
        elif labels == "tokens":
            row["labels"] = ids
        found.append(row)
    return found


def padded(examples: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """A collator: ids filled with 0, labels of tokens with -100."""
    width = max(len(one["input_ids"]) for one in examples)
    filling = {"input_ids": 0, "attention_mask": 0, "labels": -100}

    def column(name: str) -> torch.Tensor:
        values = [one[name] for one in examples]
        if isinstance(values[0], list):
            values = [value + [filling[name]] * (width - len(value)) for value in values]
        return torch.tensor(values)

    return {name: column(name) for name in examples[0]}


def bert(head: str = "ForSequenceClassification", seed: int = 1, **keys: Any) -> Any:
    torch.manual_seed(seed)
    return getattr(nabi, f"Bert{head}")(nabi.BertConfig(**{**SIZES, **keys}))


def quiet(folder: Path, **settings: Any) -> TrainingArguments:
    """Arguments that print nothing, on the CPU."""
    usual = {
        "output_dir": str(folder),
        "disable_tqdm": True,
        "use_cpu": True,
        "logging_steps": 1,
        "save_strategy": "no",
    }
    return TrainingArguments(**{**usual, **settings})
