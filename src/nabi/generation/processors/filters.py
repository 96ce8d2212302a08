"""The shape of a distribution before sampling: temperature, and which tokens stay in the draw.

Each filter looks at a row's probabilities and gives `filter_value` to the tokens that it removes, but never to the
likeliest `min_tokens_to_keep`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .base import LogitsProcessor, number, whole

_TOP_H_CANDIDATES = 100


class TemperatureLogitsWarper(LogitsProcessor):
    """Scores divided by a number above 0: below 1 the likely gets likelier, above 1 the unlikely does."""

    def __init__(self, temperature: float) -> None:
        self.temperature = number(
            "temperature",
            temperature,
            lambda value: value > 0,
            "a number above 0 (for always the likeliest token: do_sample=False)",
        )

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores / self.temperature


class TopKLogitsWarper(LogitsProcessor):
    """The `top_k` likeliest tokens stay, and those that tie with the last of them (arXiv:1805.04833)."""

    def __init__(self, top_k: int, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1) -> None:
        self.min_tokens_to_keep = whole("min_tokens_to_keep", min_tokens_to_keep, 1)
        self.top_k = max(
            whole("top_k", top_k, 1, "leave it out, or pass 0 to generate, to keep all"), min_tokens_to_keep
        )
        self.filter_value = filter_value

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.masked_fill(scores < _kth_largest(scores, self.top_k), self.filter_value)


class TopPLogitsWarper(LogitsProcessor):
    """The smallest set of likeliest tokens whose probabilities sum to `top_p` stays (arXiv:1904.09751)."""

    def __init__(self, top_p: float, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1) -> None:
        self.top_p = number("top_p", top_p, lambda value: 0 <= value <= 1, "a number from 0 to 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = whole("min_tokens_to_keep", min_tokens_to_keep, 1)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        # Summed from the unlikely end: the tail that is removed holds at most 1 - top_p.
        ascending, order = scores.sort(dim=-1)
        removed = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - self.top_p
        removed[:, -self.min_tokens_to_keep :] = False
        return scores.masked_fill(_at_places(order, removed), self.filter_value)


class MinPLogitsWarper(LogitsProcessor):
    """Tokens stay that are at least `min_p` times as likely as the likeliest one (arXiv:2407.01082)."""

    def __init__(self, min_p: float, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1) -> None:
        self.min_p = number("min_p", min_p, lambda value: 0 <= value <= 1, "a number from 0 to 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = whole("min_tokens_to_keep", min_tokens_to_keep, 1)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        likely = scores.softmax(dim=-1)
        removed = likely < self.min_p * likely.amax(dim=-1, keepdim=True)
        kept = likely.topk(min(self.min_tokens_to_keep, likely.shape[-1]), dim=-1).indices
        return scores.masked_fill(removed.scatter(-1, kept, False), self.filter_value)


class TypicalLogitsWarper(LogitsProcessor):
    """Tokens stay whose surprise is nearest to the expected one, up to a total of `mass` (arXiv:2202.00666)."""

    def __init__(self, mass: float = 0.9, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1) -> None:
        self.mass = number("typical_p", mass, lambda value: 0 < value < 1, "a number between 0 and 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = whole("min_tokens_to_keep", min_tokens_to_keep, 1)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        log_likely = scores.log_softmax(dim=-1)
        expected = -(log_likely * log_likely.exp()).nansum(dim=-1, keepdim=True)  # the entropy
        oddness, order = (-log_likely - expected).abs().sort(dim=-1)
        covered = scores.gather(-1, order).softmax(dim=-1).cumsum(dim=-1)
        last = (covered < self.mass).sum(dim=-1, keepdim=True).clamp(max=scores.shape[-1] - 1)
        removed = oddness > oddness.gather(-1, last)
        removed[:, : self.min_tokens_to_keep] = False
        return scores.masked_fill(_at_places(order, removed), self.filter_value)


class EpsilonLogitsWarper(LogitsProcessor):
    """Tokens stay whose probability is at least `epsilon` (arXiv:2210.15191)."""

    def __init__(self, epsilon: float, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1) -> None:
        self.epsilon = number("epsilon_cutoff", epsilon, lambda value: 0 < value < 1, "a number between 0 and 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = whole("min_tokens_to_keep", min_tokens_to_keep, 1)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        removed = scores.softmax(dim=-1) < self.epsilon
        return scores.masked_fill(removed & (scores < _kth_largest(scores, self.min_tokens_to_keep)), self.filter_value)


class EtaLogitsWarper(LogitsProcessor):
    """As with `epsilon`, but the bar is lower, sqrt(epsilon) * exp(-entropy), where much is open (arXiv:2210.15191)."""

    def __init__(
        self, epsilon: float, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1, device: str = "cpu"
    ) -> None:
        value = number("eta_cutoff", epsilon, lambda value: 0 < value < 1, "a number between 0 and 1")
        self.epsilon = torch.tensor(value, device=device)
        self.filter_value = filter_value
        self.min_tokens_to_keep = whole("min_tokens_to_keep", min_tokens_to_keep, 1)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        epsilon = self.epsilon.to(scores.device)
        bar = torch.minimum(epsilon, epsilon.sqrt() * torch.exp(-_entropy(scores)))
        removed = scores.softmax(dim=-1) < bar[:, None]
        return scores.masked_fill(removed & (scores < _kth_largest(scores, self.min_tokens_to_keep)), self.filter_value)


class TopHLogitsWarper(LogitsProcessor):
    """Of the 100 likeliest, those stay that make up `top_h` of their entropy; the first always (arXiv:2509.02510)."""

    def __init__(self, top_h: float, filter_value: float = -torch.inf) -> None:
        self.top_h = number("top_h", top_h, lambda value: 0 < value <= 1, "a number above 0, at most 1")
        self.filter_value = filter_value

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        best, places = scores.topk(min(_TOP_H_CANDIDATES, scores.shape[-1]), dim=-1)
        likely = (best - best.logsumexp(dim=-1, keepdim=True)).softmax(dim=-1)
        kept = (-likely * likely.log()).cumsum(dim=-1) <= (_entropy(best) * self.top_h)[:, None]
        kept[:, 0] = True
        removed = torch.ones_like(scores, dtype=torch.bool).scatter(-1, places, ~kept)
        return scores.masked_fill(removed, self.filter_value)


def _kth_largest(scores: Tensor, k: int) -> Tensor:
    """(rows, 1)"""
    return scores.topk(min(k, scores.shape[-1]), dim=-1).values[:, -1:]


def _at_places(order: Tensor, flags: Tensor) -> Tensor:
    """Flags of sorted tokens, put back where the tokens stood."""
    return flags.scatter(-1, order, flags)


def _entropy(scores: Tensor) -> Tensor:
    """(rows,)"""
    log_likely = scores - scores.logsumexp(dim=-1, keepdim=True)
    finite = log_likely.clamp(min=torch.finfo(scores.dtype).min)  # else 0 * -inf
    return -(finite * log_likely.softmax(dim=-1)).sum(dim=-1)
