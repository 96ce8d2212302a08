"""Makes a tiny model with the incumbent, moves every parameter, saves it, and loads it in nabi."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor

import nabi

from .cases import Case

torch.set_num_threads(1)  # tiny models lose more to waiting than two threads can gain
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

_FOLDERS: list[Any] = []  # temporary folders, removed when the process ends


def class_name(case: Case, head: str) -> str:
    return case.prefix + head


def make_oracle(case: Case, head: str) -> Any:
    """The incumbent's model with every parameter and saved buffer moved off its initial value."""
    config = case.config(transformers)
    config._attn_implementation = case.kernel
    torch.manual_seed(0)
    model = getattr(transformers, class_name(case, head))(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:  # others are made, not learned
                parameter.add_(torch.randn_like(parameter) * 0.1)
        for name, buffer in model.named_buffers():
            if name in model.state_dict() and buffer.is_floating_point():
                buffer.add_(torch.randn_like(buffer) * 0.1)
    return model


def new_folder() -> str:
    folder = tempfile.TemporaryDirectory()
    _FOLDERS.append(folder)
    return folder.name


@cache
def pair(case: Case, head: str) -> tuple[Any, Any, str]:
    """(the incumbent's model, nabi's, the folder that the first was saved to)."""
    oracle = make_oracle(case, head)
    folder = new_folder()
    oracle.save_pretrained(folder)
    model, info = getattr(nabi, class_name(case, head)).from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    return oracle, model, folder


def on_disk(model: Any) -> dict[str, Tensor]:
    """The weights by the names and in the shapes that they have in a file: the incumbent's differ in memory."""
    folder = new_folder()
    model.save_pretrained(folder)
    return load_file(Path(folder) / "model.safetensors")


def real_positions(case: Case, inputs: dict[str, Tensor], value: Tensor) -> Tensor:
    """The part of an output that belongs to real tokens; what stands at padding means nothing."""
    mask = inputs.get("attention_mask")
    if mask is None or case.kind == "speech" or value.dim() < 2:
        return value
    if mask.dim() == 3 and value.numel() % mask.numel() == 0:  # choices count as texts
        value, mask = value.reshape(mask.shape[0] * mask.shape[1], -1, value.shape[-1]), mask.flatten(0, 1)
        return value[mask.bool()] if value.shape[:2] == mask.shape else value
    if value.dim() >= 4 and value.shape[-2] == mask.shape[1]:  # attentions: rows of real queries
        return torch.cat([row[:, keep.bool()].flatten() for row, keep in zip(value, mask, strict=True)])
    if value.shape[0] == mask.numel() and value.dim() == 2:  # a router's
        return value[mask.flatten().bool()]
    if value.shape[:2] == mask.shape:
        return value[mask.bool()]
    return value


def assert_same(case: Case, inputs: dict[str, Tensor], ours: Any, theirs: Any, where: str, atol: float = 1e-4) -> None:
    """Compare two outputs, nested as they are."""
    if theirs is None:
        assert ours is None, where
    elif isinstance(theirs, dict):
        assert set(ours) == set(theirs), f"{where}: {sorted(ours)}, {sorted(theirs)} expected"
        for name, value in theirs.items():
            assert_same(case, inputs, ours[name], value, f"{where}.{name}", atol)
    elif isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs), f"{where}: {len(ours)} entries, {len(theirs)} expected"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(case, inputs, a, b, f"{where}[{i}]", atol)
    elif isinstance(theirs, Tensor):
        same_shape = (
            ours.shape == theirs.shape or inputs.get("attention_mask", ours).dim() == 3
        )  # the incumbent shapes one back
        assert same_shape, f"{where}: {tuple(ours.shape)}, {tuple(theirs.shape)} expected"
        a, b = real_positions(case, inputs, ours), real_positions(case, inputs, theirs)
        difference = (a.float() - b.float()).abs().max().item() if a.numel() else 0.0
        assert difference <= atol, f"{where}: differs by {difference:.2e}"
