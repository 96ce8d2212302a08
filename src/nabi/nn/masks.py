"""Who may look at whom. Masks are boolean, True where a query may see a key, until a bias is added to them."""

from __future__ import annotations

import torch
from torch import Tensor


def attention_mask(
    given: Tensor | None,
    *,
    batch: int,
    queries: int,
    keys: int,
    device: torch.device,
    causal: bool = False,
    window: int | None = None,
    materialise: bool = False,
) -> tuple[Tensor | None, bool]:
    """The mask of one forward pass, and whether plain causal attention says it all.

    given: None; (batch, keys) with 1 at real tokens; (batch, queries, keys); or (batch, 1, queries, keys), as
    booleans, as 1/0, or as numbers to add (0 and a large negative number).
    Returns (mask, causal): a mask broadcastable to (batch, heads, queries, keys) or None where nothing is hidden.
    A window counts a query's own position: the last `window` ones if causal, else `window` - 1 on either side.
    The second is True only if the mask is None and each query sees the keys up to its own, so that the kernel can
    skip the other half; `materialise` asks for the mask itself even then.
    """
    if given is not None:
        _check_shape(given, batch, queries, keys)
        if given.dim() == 4:
            return _four_dimensional(given), False
    hidden = None if given is None or _all_ones(given) else _rows(given)
    if not causal:
        near = None if window is None or window >= keys else _band(queries, keys, window, device, ahead=window - 1)
        return (near if hidden is None else hidden if near is None else near & hidden), False
    if hidden is None and queries == keys and not materialise and (window is None or window >= keys):
        return None, True
    mask = _band(queries, keys, window, device, ahead=0)
    if hidden is None and queries == 1 and (window is None or window >= keys):
        return None, False
    return (mask if hidden is None else mask & hidden), False


def row_mask(given: Tensor | None, batch: int, length: int, device: torch.device) -> Tensor:
    """(batch, length), 1 at real tokens: the mask of attention that is not a matrix, so that no other is taken."""
    if given is None:
        return torch.ones(batch, length, dtype=torch.long, device=device)
    _check_shape(given, batch, length, length)
    if given.dim() != 2:
        raise ValueError(
            f"attention_mask has shape {tuple(given.shape)}, but this model's attention takes one number for each "
            f"token: pass ({batch}, {length})"
        )
    return given.expand(batch, length)


def additive(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """A boolean mask as numbers to add to scores: 0, or the lowest number of the dtype."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    return torch.zeros_like(mask, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)


def combine(mask: Tensor | None, bias: Tensor | None) -> Tensor | None:
    """One mask from a mask and a bias on the scores."""
    if bias is None:
        return mask
    hidden = additive(mask, bias.dtype)
    return bias if hidden is None else bias + hidden


def _band(queries: int, keys: int, window: int | None, device: torch.device, ahead: int) -> Tensor:
    """(1, 1, queries, keys): keys up to `ahead` behind a query. The queries are the last of the keys' positions."""
    query = torch.arange(keys - queries, keys, device=device)[:, None]
    key = torch.arange(keys, device=device)[None]
    mask = key <= query + ahead
    if window is not None:
        mask &= key > query - window
    return mask[None, None]


def visible_tokens(given: Tensor) -> Tensor:
    """A mask of 1 and 0 as a boolean one."""
    return given if given.dtype == torch.bool else given > 0


def _rows(given: Tensor) -> Tensor:
    visible = visible_tokens(given)
    return visible[:, None, None] if given.dim() == 2 else visible[:, None]


def _four_dimensional(given: Tensor) -> Tensor:
    if given.is_floating_point():
        return given
    return given if given.dtype == torch.bool else given > 0


def _all_ones(given: Tensor) -> bool:
    """Whether nothing is hidden. Looked up only where it costs no synchronisation and no recompilation."""
    if torch.compiler.is_compiling() or given.device.type != "cpu":
        return False
    return bool((given > 0).all()) if given.dtype != torch.bool else bool(given.all())


def _check_shape(given: Tensor, batch: int, queries: int, keys: int) -> None:
    if not isinstance(given, Tensor):
        raise TypeError(f"attention_mask is a {type(given).__name__}; expected a tensor of shape ({batch}, {keys})")
    shape = tuple(given.shape)
    fits = {
        2: shape in ((batch, keys), (1, keys)),
        3: shape in ((batch, queries, keys), (1, queries, keys)),
        4: len(shape) == 4 and shape[0] in (1, batch) and shape[2:] in ((queries, keys), (1, keys)),
    }
    if not fits.get(given.dim(), False):
        raise ValueError(
            f"attention_mask has shape {shape}, but the text has batch {batch}, {queries} new positions and "
            f"{keys} positions in all: pass (batch, {keys}) or (batch, 1, {queries}, {keys})"
        )
