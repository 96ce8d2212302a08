"""The outputs of calls of `generate`, row by row, and rows of several calls as one output again."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# Of what a call returns: a tuple with a (rows, …) tensor for each step, or for each layer …
_OF_STEPS = {"scores", "logits"}
_OF_LAYERS = {"encoder_attentions", "encoder_hidden_states"}
_OF_STEPS_AND_LAYERS = {"decoder_attentions", "decoder_hidden_states", "cross_attentions"}


def row_of(output: Any, row: int) -> Any:
    """What belongs to one text: its ids, or a dict with what else the output holds, but no cache, on the CPU.

    Of beams what is kept of a step is that of the beam which the text went through.
    """
    if isinstance(output, Tensor):
        return output[row]
    beams = output.get("beam_indices")
    path = None if beams is None else beams[row].tolist()
    return {
        name: None if name == "past_key_values" else _row(name, value, row, path)
        for name, value in output.items()
        if value is not None
    }


def _row(name: str, value: Any, row: int, path: list[int] | None) -> Any:
    if name in _OF_LAYERS:
        return [layer[row].cpu() for layer in value]
    if name not in _OF_STEPS | _OF_STEPS_AND_LAYERS:
        return value[row].cpu()
    places = [row] * len(value) if path is None else [path[min(i, len(path) - 1)] for i in range(len(value))]
    if name in _OF_STEPS:
        return [step[place].cpu() for step, place in zip(value, places, strict=True)]
    # The first pass of beams reads the same ids for all of a text.
    return tuple(tuple(layer[place][None].cpu() for layer in step) for step, place in zip(value, places, strict=True))


def joined(kind: type, rows: list[dict[str, Any]], padding: int, device: Any) -> Any:
    """One output of the rows' dicts; a plain dict where it has the tokens' times.

    What rows of different lengths cannot share, because they come from calls at different temperatures, is left out.
    """
    made: dict[str, Any] = {}
    for name in rows[0]:
        values: list[Any] = [row.get(name) for row in rows]
        if name in ("sequences", "beam_indices", "token_timestamps"):
            filling = {"sequences": padding, "beam_indices": -1}.get(name)
            made[name] = padded(values, filling).to(device)
        elif any(value is None for value in values):
            continue
        elif name in _OF_STEPS | _OF_LAYERS:
            if len({len(value) for value in values}) == 1:
                made[name] = tuple(torch.stack(each).to(device) for each in zip(*values, strict=True))
        elif name in _OF_STEPS_AND_LAYERS:
            if len({len(value) for value in values}) == 1:
                made[name] = tuple(
                    tuple(torch.cat(layer).to(device) for layer in zip(*step, strict=True))
                    for step in zip(*values, strict=True)
                )
        else:
            made[name] = torch.stack(values).to(device)
    return made if "token_timestamps" in made else kind(made)


def padded(rows: list[Any], filling: float | None) -> Tensor:
    """(rows, longest): filled behind the shorter ones; None: with their own last number."""
    longest = max(map(len, rows))
    values = [(row[-1].item() if len(row) else 0) if filling is None else filling for row in rows]
    return torch.stack(
        [F.pad(row, (0, longest - len(row)), value=value) for row, value in zip(rows, values, strict=True)]
    )
