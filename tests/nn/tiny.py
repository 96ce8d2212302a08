"""Tiny models of the registry's cases, every weight moved off its initial value."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import nabi

from ..parity.cases import CASES, Case

CASE = {case.name: case for case in CASES}


def config_of(case: Case | str, **keys: Any) -> Any:
    case = CASE[case] if isinstance(case, str) else case
    return case.config(nabi, **keys)


def class_of(case: Case | str, head: str = "Model") -> Any:
    case = CASE[case] if isinstance(case, str) else case
    return getattr(nabi, case.prefix + head)


def make(case: Case | str, head: str = "Model", seed: int = 0, **keys: Any) -> Any:
    """A model in eval mode."""
    torch.manual_seed(seed)
    model = class_of(case, head)(config_of(case, **keys)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def ids(rows: int = 2, length: int = 7, end: int = 7) -> torch.Tensor:
    """Ids that every case's vocabulary has, the last one an end token if need be."""
    found = torch.randint(5, 20, (rows, length), generator=torch.Generator().manual_seed(1))
    found[:, -1] = end
    return found


def first(out: Any) -> Tensor:
    """The first tensor of an output that a head computed from the input; of a backbone's maps the last."""
    if "aux_loss" in out:
        return out["logits"]
    return out[0][-1] if isinstance(out[0], tuple) else out[0]


State = dict[str, Tensor]


def state_of(model: Any) -> State:
    """What save_pretrained would write."""
    tied = model.tied_weights()
    return {name: tensor.clone() for name, tensor in model.state_dict().items() if name not in tied}


def checkpoint(folder: Path, case: Case | str, state: State, **keys: Any) -> Path:
    folder.mkdir(exist_ok=True)
    config_of(case, **keys).save_pretrained(folder)
    save_file(state, folder / "model.safetensors")
    return folder


def assert_same_weights(one: Any, other: Any) -> None:
    first, second = one.state_dict(), other.state_dict()
    assert set(first) == set(second)
    for name, tensor in first.items():
        assert tensor.dtype == second[name].dtype and torch.equal(tensor, second[name]), name


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
