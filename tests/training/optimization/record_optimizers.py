"""Writes recorded_optimizers.json: steps of transformers' own AdamW, which version 4.46.3 was among the last to have.

By hand, in an environment with transformers==4.46.3:    python tests/training/optimization/record_optimizers.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

FILE = Path(__file__).with_name("recorded_optimizers.json")
SETTINGS = [
    {},
    {"correct_bias": False},
    {"weight_decay": 0.1, "lr": 0.05},
    {"weight_decay": 0.1, "lr": 0.05, "correct_bias": False, "betas": (0.8, 0.9), "eps": 1e-3},
]
STEPS = 8


def start() -> torch.Tensor:
    return torch.linspace(-1.0, 1.0, 6, dtype=torch.float64).reshape(2, 3)


def loss(weight: torch.Tensor, step: int) -> torch.Tensor:
    """A loss whose gradient changes with the step and with the weight."""
    return (weight.sin() * (step + 1)).sum() + (weight**2).prod() * 3


def walk(make: type, settings: dict) -> list[list[float]]:
    """The weights after each step."""
    weight = torch.nn.Parameter(start())
    optimizer = make([weight], **settings)
    seen = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss(weight, step).backward()
        optimizer.step()
        seen.append(weight.detach().flatten().tolist())
    return seen


if __name__ == "__main__":
    from transformers.optimization import AdamW

    recorded = [{"settings": settings, "weights": walk(AdamW, settings)} for settings in SETTINGS]
    FILE.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
