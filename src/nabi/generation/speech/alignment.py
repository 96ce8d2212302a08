"""When each token was spoken: the heads of the decoder that follow the sound are warped onto the text.

Some of its heads over the encoder's output (generation_config.alignment_heads) look at the moment of which they write.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

MEDIAN_WIDTH = 7


def token_times(
    model: Any,
    sequences: Tensor,
    mask: Tensor | None,
    heard: Any,
    frames: list[int] | None,
    settings: Any,
    *,
    prompt: int,
    step: float,
) -> Tensor:
    """(texts, length) seconds from the window's begin, of sequences (texts, length) with `prompt` ids before the text.

    The texts are read once more, in one pass. mask (texts, prompt) tells the padding of what was given; frames says how
    much of each window is sound; step is what a position of the encoder lasts, in seconds. The last token, which is the
    end of the text, has the time of the one before.
    """
    times = torch.zeros(sequences.shape, dtype=torch.float32)
    written = sequences.shape[1] - prompt - 1
    if written < 1:
        return times
    width = getattr(model.config, "median_filter_width", None) or settings.median_filter_width or MEDIAN_WIDTH
    weights = _weights(model, sequences[:, :-1], mask, heard, settings.alignment_heads)[:, :, prompt:]
    for row, each in enumerate(weights):
        if frames is not None:
            each = each[..., : max(frames[row] // 2, 1)]
        likeness = _smooth(_standardized(each), width).mean(0)
        begins = torch.from_numpy(warp(-likeness.double().cpu().numpy()) * step)
        times[row, prompt:-1] = begins.float()
        times[row, -1] = begins[-1]
    return times


def check_heads(model: Any, heads: Any) -> None:
    """ValueError unless the heads are [layer, head] pairs that the decoder has."""
    if not heads:
        raise ValueError(
            "generation_config.alignment_heads is not set, and without it no token has a time: take the "
            "generation_config.json of the model that this one was made from"
        )
    layers, count = model.config.decoder_layers, model.config.decoder_attention_heads
    for pair in heads:
        if len(pair) != 2 or not 0 <= pair[0] < layers or not 0 <= pair[1] < count:
            raise ValueError(
                f"generation_config.alignment_heads holds {pair}; expected [layer, head], of {layers} layers with "
                f"{count} heads"
            )


def _weights(model: Any, ids: Tensor, mask: Tensor | None, heard: Any, heads: Any) -> Tensor:
    """(texts, alignment heads, length, source length): what each of these ids looks at."""
    if mask is not None:
        mask = F.pad(mask, (0, ids.shape[1] - mask.shape[1]), value=1)
    read = type(heard)({"last_hidden_state": heard.last_hidden_state})
    made = model.prepare_inputs_for_generation(ids, decoder_attention_mask=mask, encoder_outputs=read, use_cache=False)
    layers = model(**made, output_attentions=True, return_dict=True).cross_attentions
    return torch.stack([layers[layer][:, head] for layer, head in heads], dim=1)


def _standardized(weights: Tensor) -> Tensor:
    """Each moment's weights over all tokens with mean 0 and deviation 1, so that loud moments do not draw all."""
    deviation = weights.std(dim=-2, keepdim=True, unbiased=False)
    return torch.nan_to_num((weights - weights.mean(dim=-2, keepdim=True)) / deviation)


def _smooth(x: Tensor, width: int) -> Tensor:
    """The median of `width` (odd) neighbours along the last dimension."""
    half = width // 2
    if x.shape[-1] <= half:
        return x
    return F.pad(x, (half, half), mode="reflect").unfold(-1, width, 1).sort(-1).values[..., half]


def warp(costs: np.ndarray) -> np.ndarray:
    """Dynamic time warping: for each row of costs (tokens, moments) the first moment of the cheapest path through all.

    Cells on a diagonal do not depend on each other, so that a diagonal is computed at once: of cell (i, j) it holds
    place i, in the diagonal i + j.
    """
    rows, columns = costs.shape
    total = np.full((rows + columns + 1, rows + 1), np.inf, dtype=np.float32)
    came = np.zeros((rows + columns + 1, rows + 1), dtype=np.int8)  # 0: from both before, 1: token, 2: moment
    total[0, 0] = 0
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        both, token, moment = total[diagonal - 2, i - 1], total[diagonal - 1, i - 1], total[diagonal - 1, i]
        way = np.where((both < token) & (both < moment), 0, np.where((token < both) & (token < moment), 1, 2))
        came[diagonal, i] = way
        total[diagonal, i] = costs[i - 1, diagonal - i - 1] + np.choose(way, (both, token, moment))
    first = np.zeros(rows)
    i, j = rows, columns
    while i > 0 and j > 0:
        first[i - 1] = j - 1
        way = came[i + j, i]
        i, j = i - (way != 2), j - (way != 1)
    return first
