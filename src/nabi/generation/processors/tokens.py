"""Single tokens and sequences: favoured, forbidden, forced; and scores that are no numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from .base import LogitsProcessor, TokenSet, is_token, whole


class SequenceBiasLogitsProcessor(LogitsProcessor):
    """Adds a bias to the last token of a sequence of ids, where the text ends in what comes before it.

    `sequence_bias`: {(id, …): bias} or [[[id, …], bias], …]; a positive bias favours, -inf forbids.
    """

    def __init__(self, sequence_bias: Mapping[tuple[int, ...], float] | Iterable[Any]) -> None:
        self.sequence_bias = _checked_biases(sequence_bias)
        self._prepared: tuple[Tensor, list[tuple[Tensor, Tensor, Tensor]]] | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self._prepared is None or self._prepared[0].device != scores.device:
            self._prepared = self._prepare(scores)
        singles, groups = self._prepared
        bias = torch.zeros_like(scores) + singles.to(scores.dtype)
        for beginnings, endings, amounts in groups:
            length = beginnings.shape[1]
            if length > input_ids.shape[1]:
                continue
            met = (input_ids[:, None, -length:] == beginnings).all(dim=-1)  # (rows, sequences)
            bias.index_add_(1, endings, torch.where(met, amounts, 0.0).to(bias.dtype))
        return scores + bias

    def _prepare(self, scores: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor, Tensor]]]:
        """The biases of single tokens (vocabulary,), and by their length those of sequences: beginnings (n, length),
        endings (n,), amounts (n,)."""
        vocabulary, device = scores.shape[-1], scores.device
        beyond = sorted({each for ids in self.sequence_bias for each in ids if each >= vocabulary})
        if beyond:
            raise ValueError(
                f"The model's vocabulary has {vocabulary} tokens, but there is a bias for {beyond}: leave these out, "
                "or take those of this model's tokenizer"
            )
        singles = torch.zeros(vocabulary, device=device)
        by_length: dict[int, list[tuple[tuple[int, ...], float]]] = {}
        for ids, bias in self.sequence_bias.items():
            if len(ids) == 1:
                singles[ids[0]] = bias
            else:
                by_length.setdefault(len(ids), []).append((ids, bias))
        groups = [
            (
                torch.tensor([ids[:-1] for ids, _ in group], device=device),
                torch.tensor([ids[-1] for ids, _ in group], device=device),
                torch.tensor([bias for _, bias in group], dtype=torch.float, device=device),
            )
            for group in by_length.values()
        ]
        return singles, groups


class NoBadWordsLogitsProcessor(SequenceBiasLogitsProcessor):
    """These sequences of ids, `[[id, …], …]`, are never completed. One that is just the end of texts does not count."""

    def __init__(self, bad_words_ids: list[list[int]], eos_token_id: int | list[int] | Tensor | None = None) -> None:
        if not isinstance(bad_words_ids, list) or not bad_words_ids:
            raise ValueError(f"bad_words_ids is {bad_words_ids!r}; expected a list of lists of ids, [[id, …], …]")
        ends = [] if eos_token_id is None else TokenSet(eos_token_id, "eos_token_id").ids.tolist()
        for ids in bad_words_ids:
            if not isinstance(ids, list) or not ids or not all(map(is_token, ids)):
                raise ValueError(
                    f"bad_words_ids holds {ids!r}; expected lists of ids, such as "
                    "tokenizer(words, add_special_tokens=False).input_ids"
                )
        words = [ids for ids in bad_words_ids if ids not in [[end] for end in ends]]
        if not words:
            raise ValueError(f"bad_words_ids={bad_words_ids!r} forbids only the end of texts: name other tokens")
        super().__init__({tuple(ids): -torch.inf for ids in words})


class SuppressTokensLogitsProcessor(LogitsProcessor):
    """These tokens never come."""

    def __init__(self, suppress_tokens: Iterable[int], device: str = "cpu") -> None:
        self.suppressed = TokenSet(suppress_tokens, "suppress_tokens", device)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self.suppressed.without(scores)


class SuppressTokensAtBeginLogitsProcessor(LogitsProcessor):
    """These tokens do not come first, where the text so far has `begin_index` ids."""

    def __init__(self, begin_suppress_tokens: Iterable[int], begin_index: int, device: str = "cpu") -> None:
        self.suppressed = TokenSet(begin_suppress_tokens, "begin_suppress_tokens", device)
        self.begin_index = begin_index

    def set_begin_index(self, begin_index: int) -> None:
        self.begin_index = begin_index

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self.suppressed.without(scores) if input_ids.shape[1] == self.begin_index else scores


class ForcedBOSTokenLogitsProcessor(LogitsProcessor):
    """This token comes first, behind the one that every text begins with."""

    def __init__(self, bos_token_id: int) -> None:
        self.bos_token_id = whole("forced_bos_token_id", bos_token_id, 0)
        self.forced = TokenSet(self.bos_token_id, "forced_bos_token_id")

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self.forced.only(scores) if input_ids.shape[1] == 1 else scores


class ForceTokensLogitsProcessor(LogitsProcessor):
    """v4's `forced_decoder_ids`: pairs [place, id]; None as the id leaves the place free."""

    def __init__(self, force_token_map: Iterable[Any]) -> None:
        pairs = [list(pair) for pair in force_token_map]
        for pair in pairs:
            if len(pair) != 2 or not is_token(pair[0]) or not (pair[1] is None or is_token(pair[1])):
                raise ValueError(f"forced_decoder_ids holds {pair!r}; expected pairs [place, id], such as [1, 50259]")
        self.force_token_map = dict(pairs)
        self._forced = {place: TokenSet(token, "forced_decoder_ids") for place, token in pairs if token is not None}

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        forced = self._forced.get(input_ids.shape[1])
        return scores if forced is None else forced.only(scores)


class PrefixConstrainedLogitsProcessor(LogitsProcessor):
    """A function (index of the text, ids so far) -> the ids that may come next (arXiv:2010.00904)."""

    def __init__(self, prefix_allowed_tokens_fn: Callable[[int, Tensor], Any], num_beams: int) -> None:
        if not callable(prefix_allowed_tokens_fn):
            raise ValueError(
                f"prefix_allowed_tokens_fn is {prefix_allowed_tokens_fn!r}; expected a function of a text's index and "
                "its ids so far"
            )
        self.prefix_allowed_tokens_fn = prefix_allowed_tokens_fn
        self.num_beams = whole("num_beams", num_beams, 1)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        mask = torch.full_like(scores, -torch.inf)
        for row, ids in enumerate(input_ids):
            text = row // self.num_beams
            allowed = self.prefix_allowed_tokens_fn(text, ids)
            if len(allowed) == 0:
                raise ValueError(
                    f"prefix_allowed_tokens_fn allows nothing after {ids.tolist()} (text {text}): return at least one "
                    "id, such as the one that ends texts"
                )
            mask[row, allowed] = 0
        constrained = scores + mask
        # Where others exclude all that is allowed to all rows of a text, what is allowed wins.
        stuck = constrained.isneginf().view(input_ids.shape[0] // self.num_beams, -1).all(dim=-1, keepdim=True)
        return torch.where(stuck.repeat_interleave(self.num_beams, dim=0), mask, constrained)


class InfNanRemoveLogitsProcessor(LogitsProcessor):
    """NaN becomes 0, infinities the largest and smallest numbers of the type."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.nan_to_num(nan=0.0)


class LogitNormalization(LogitsProcessor):
    """Scores become the logarithms of probabilities, that sum to 1."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.log_softmax(dim=-1)


def _checked_biases(given: Any) -> dict[tuple[int, ...], float]:
    wanted = "expected {(id, …): bias} or [[[id, …], bias], …], with at least one entry"
    if isinstance(given, Mapping):
        entries = list(given.items())
    elif isinstance(given, (list, tuple)) and all(
        isinstance(entry, (list, tuple)) and len(entry) == 2 for entry in given
    ):
        entries = [(entry[0], entry[1]) for entry in given]
    else:
        raise ValueError(f"sequence_bias is {given!r}; {wanted}")
    for ids, bias in entries:
        if not isinstance(ids, (list, tuple)) or not ids or not all(map(is_token, ids)):
            raise ValueError(f"sequence_bias holds the sequence {ids!r}; {wanted}")
        if not isinstance(bias, Real) or isinstance(bias, bool) or bias != bias:
            raise ValueError(f"sequence_bias holds the bias {bias!r} for {ids!r}; expected a number")
    if not entries:
        raise ValueError(f"sequence_bias is {given!r}; {wanted}")
    return {tuple(ids): float(bias) for ids, bias in entries}
