"""Where a token stands: rotary angles, linear biases and relative buckets.

Learned absolute positions are an embedding (see embeddings.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .block import Block
    from .context import Context

Table = tuple[Tensor, Tensor]  # cosines and sines
Rope = dict[str, Any]  # the config's rope keys: rope_type, rope_theta, factor, …


# --- rotary positions (arXiv:2104.09864) ------------------------------------------------------------------------


def _plain_frequencies(size: int, theta: float) -> Tensor:
    return theta ** (-torch.arange(0, size, 2, dtype=torch.float32) / size)


def _linear(size: int, rope: Rope, length: int) -> tuple[Tensor, float]:
    return _plain_frequencies(size, rope["rope_theta"]) / rope["factor"], 1.0


def _dynamic(size: int, rope: Rope, length: int) -> tuple[Tensor, float]:
    """The base grows with the text beyond the trained length ("dynamic NTK")."""
    trained, factor = rope["max_position_embeddings"], rope["factor"]
    stretch = factor * max(length, trained) / trained - (factor - 1)
    return _plain_frequencies(size, rope["rope_theta"] * stretch ** (size / (size - 2))), 1.0


def _llama3(size: int, rope: Rope, length: int) -> tuple[Tensor, float]:
    """Long waves are stretched, short ones kept, those between blended."""
    frequencies = _plain_frequencies(size, rope["rope_theta"])
    factor, low, high = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"]
    turns = rope["original_max_position_embeddings"] * frequencies / (2 * math.pi)
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return frequencies * kept + frequencies / factor * (1 - kept), 1.0


def _yarn(size: int, rope: Rope, length: int) -> tuple[Tensor, float]:
    """YaRN, arXiv:2309.00071: blended by how often a dimension turns; queries and keys are scaled a little."""
    theta, factor = rope["rope_theta"], rope["factor"]
    trained = rope.get("original_max_position_embeddings") or rope["max_position_embeddings"]
    frequencies = _plain_frequencies(size, theta)

    def dimension(turns: float) -> float:
        return size * math.log(trained / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = dimension(rope.get("beta_fast") or 32), dimension(rope.get("beta_slow") or 1)
    if rope.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, size - 1)
    ramp = ((torch.arange(size // 2, dtype=torch.float32) - low) / max(high - low, 0.001)).clamp(0, 1)

    def magnitude(weight: float) -> float:
        return 0.1 * weight * math.log(factor) + 1.0 if factor > 1 else 1.0

    attention = rope.get("attention_factor")
    if attention is None:
        weight, weight_all = rope.get("mscale"), rope.get("mscale_all_dim")
        attention = magnitude(weight) / magnitude(weight_all) if weight and weight_all else magnitude(1.0)
    return frequencies / factor * ramp + frequencies * (1 - ramp), float(attention)


def _longrope(size: int, rope: Rope, length: int) -> tuple[Tensor, float]:
    """LongRoPE, arXiv:2402.13753: a searched factor for each dimension, one list for short texts, one for long."""
    trained = rope.get("original_max_position_embeddings") or rope["max_position_embeddings"]
    factor = rope.get("factor") or rope["max_position_embeddings"] / trained
    attention = rope.get("attention_factor")
    if attention is None:
        attention = math.sqrt(1 + math.log(factor) / math.log(trained)) if factor > 1 else 1.0
    factors = torch.tensor(rope["long_factor"] if length > trained else rope["short_factor"])
    return _plain_frequencies(size, rope["rope_theta"]) / factors, float(attention)


ROPE_TYPES: dict[str, tuple[Callable[[int, Rope, int], tuple[Tensor, float]], tuple[str, ...]]] = {
    "default": (lambda size, rope, length: (_plain_frequencies(size, rope["rope_theta"]), 1.0), ()),
    "linear": (_linear, ("factor",)),
    "dynamic": (_dynamic, ("factor",)),
    "llama3": (_llama3, ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")),
    "yarn": (_yarn, ("factor",)),
    "longrope": (_longrope, ("short_factor", "long_factor")),
}


def check_rope(rope: Rope) -> None:
    """An unknown rope type or a missing key of a known one is a ValueError."""
    kind = rope.get("rope_type", "default")
    if kind not in ROPE_TYPES:
        raise ValueError(
            f"unknown rope type {kind!r} in the config's rope_scaling / rope_parameters; nabi computes "
            f"{', '.join(ROPE_TYPES)}"
        )
    missing = [key for key in ROPE_TYPES[kind][1] if rope.get(key) is None]
    if missing:
        raise ValueError(f"rope type {kind!r} needs {', '.join(missing)} in rope_scaling / rope_parameters")


def rotary_table(positions: Tensor, size: int, rope: Rope, dtype: torch.dtype) -> Table:
    """Cosines and sines (batch, 1, length, head size) for position ids (batch, length)."""
    frequencies_of, _ = ROPE_TYPES[rope.get("rope_type", "default")]
    varies = rope.get("rope_type") in ("dynamic", "longrope")
    length = int(positions.max()) + 1 if varies else 0
    frequencies, scale = frequencies_of(size, rope, length)
    angles = positions[:, None, :, None].float() * frequencies.to(positions.device)
    angles = torch.cat((angles, angles), dim=-1)
    return (angles.cos() * scale).to(dtype), (angles.sin() * scale).to(dtype)


def rotate(x: Tensor, table: Table) -> Tensor:
    """Turn queries or keys by their angles; the two halves of a head are the two coordinates.

    Where the table is narrower than the head, what is behind it stays as it is.
    """
    cos, sin = table
    x, rest = x[..., : cos.shape[-1]], x[..., cos.shape[-1] :]
    first, second = x.chunk(2, dim=-1)
    turned = x * cos + torch.cat((-second, first), dim=-1) * sin
    return torch.cat((turned, rest), dim=-1) if rest.shape[-1] else turned


def by_rotation(block: Block, q: Tensor, k: Tensor, context: Context) -> tuple[Tensor, Tensor]:
    """Queries and keys turned by their positions, where the context has angles."""
    table = context.angles(block.window)
    return (q, k) if table is None else (rotate(q, table), rotate(k, table))


# --- linear biases (arXiv:2108.12409) ----------------------------------------------------------------------------


def linear_biases(heads: int, positions: Tensor, dtype: torch.dtype) -> Tensor:
    """ALiBi: (batch, heads, 1, keys) to add to the scores; the further back a key (batch, keys), the less, by head."""
    whole = 2 ** math.floor(math.log2(heads))

    def slopes(count: int, step: int) -> list[float]:
        base = 2 ** -(2 ** (3 - math.log2(count)))
        return [base**power for power in range(1, count + 1, step)]

    steep = torch.tensor((slopes(whole, 1) + slopes(2 * whole, 2))[:heads], device=positions.device, dtype=dtype)
    return steep[:, None, None] * positions[:, None, None, :]


# --- relative buckets (arXiv:1910.10683) ------------------------------------------------------------------------


def relative_buckets(distance: Tensor, *, buckets: int, max_distance: int, both_ways: bool) -> Tensor:
    """Bucket of each distance key - query: exact when near, logarithmic when far.

    With both_ways, half of the buckets are for keys that come later; otherwise later keys count as distance 0.
    """
    if both_ways:
        buckets //= 2
        offset = (distance > 0).long() * buckets
        distance = distance.abs()
    else:
        offset = torch.zeros_like(distance)
        distance = (-distance).clamp(min=0)
    exact = buckets // 2
    far = torch.log(distance.float().clamp(min=1) / exact) / math.log(max_distance / exact)
    far_bucket = (exact + (far * (buckets - exact)).long()).clamp(max=buckets - 1)
    return offset + torch.where(distance < exact, distance, far_bucket)
