"""Span corruption, T5's objective (arXiv:1910.10683): write the spans that sentinels stand for.

나비 가 꽃 위 를 날아 다닌다  ->  나비 <extra_id_0> 위 를 <extra_id_1></s>      input_ids
                                 <extra_id_0> 가 꽃 <extra_id_1> 날아 다닌다</s>   labels
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any

import torch
from torch import Tensor

from ...nn.losses import IGNORED
from .examples import DataCollatorMixin, padded
from .padding import as_input_examples
from .randomness import Chance

_SENTINEL = re.compile(r"▁?<extra_id_(\d+)>")


@dataclass
class DataCollatorForSpanCorruption(DataCollatorMixin):
    """Replace random spans of each text by sentinels; the labels are the sentinels, each with its span.

    noise_density: the share of tokens in spans; mean_noise_span_length: their mean length. A text begins with kept
    tokens and ends in a span, as the published checkpoints were trained. Special tokens of the examples are dropped,
    and eos_token ends both sides.
    input_length, target_length: pad to these (None: to the longest of the batch); a longer row is a ValueError. See
    span_corruption_lengths for texts that fill them exactly.
    seed: for a generator of the collator's own; without it torch's global one decides.
    """

    tokenizer: Any
    noise_density: float = 0.15
    mean_noise_span_length: float = 3.0
    input_length: int | None = None
    target_length: int | None = None
    return_tensors: str = "pt"
    seed: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.noise_density < 1:
            raise ValueError(f"noise_density is {self.noise_density}; it is a share, above 0 and below 1")
        if self.mean_noise_span_length < 1:
            raise ValueError(f"mean_noise_span_length is {self.mean_noise_span_length}; a span has at least 1 token")
        self.sentinels = sentinel_ids(self.tokenizer)
        self.chance = Chance(self.seed)

    def torch_call(self, features: Sequence[Any]) -> dict[str, Tensor]:
        """input_ids and attention_mask (n, input length), labels (n, target length)."""
        special = torch.tensor(sorted({*self.tokenizer.all_special_ids, *self.sentinels}))
        inputs, targets = [], []
        for index, one in enumerate(as_input_examples(features)):
            ids = torch.as_tensor(one["input_ids"]).long()
            ids = ids[~torch.isin(ids, special)]
            if len(ids) < 2:
                raise ValueError(
                    f"example {index} of the batch has {len(ids)} tokens; a span and something to keep are two"
                )
            noise = self.noise_mask(len(ids))
            inputs.append(self.with_sentinels(ids, noise))
            targets.append(self.with_sentinels(ids, ~noise))
        pad_id = self.tokenizer.pad_token_id or 0
        sizes = torch.tensor([len(row) for row in inputs])
        ids = padded("input_ids", inputs, pad_id, length=self.input_length)
        return {
            "input_ids": ids,
            "attention_mask": (torch.arange(ids.shape[1]) < sizes[:, None]).long(),
            "labels": padded("labels", targets, IGNORED, length=self.target_length),
        }

    def noise_mask(self, length: int) -> Tensor:
        """True at the tokens of spans, for a text of this length (2 or more)."""
        noisy = min(max(round(length * self.noise_density), 1), length - 1)
        spans = min(max(round(noisy / self.mean_noise_span_length), 1), noisy, length - noisy)
        if spans > len(self.sentinels):
            raise ValueError(
                f"a text of {length} tokens has {spans} spans, but the tokenizer only {len(self.sentinels)} sentinels: "
                "cut it into shorter ones, or raise mean_noise_span_length"
            )
        sizes = torch.stack([self.parts(length - noisy, spans), self.parts(noisy, spans)], 1).flatten()
        return (torch.arange(2 * spans) % 2 == 1).repeat_interleave(sizes)

    def parts(self, total: int, count: int) -> Tensor:
        """`total` cut into `count` random parts, none empty: (count,)."""
        cuts = torch.randperm(total - 1, generator=self.chance.generator())[: count - 1].sort().values + 1
        return torch.diff(cuts, prepend=torch.tensor([0]), append=torch.tensor([total]))

    def with_sentinels(self, ids: Tensor, gone: Tensor) -> Tensor:
        """ids without those that are gone, a sentinel in place of each stretch of them, and eos at the end."""
        first = gone & ~torch.cat([torch.tensor([False]), gone[:-1]])
        numbers = (first.cumsum(0) - 1).clamp(min=0)
        out = torch.where(first, torch.tensor(self.sentinels)[numbers], ids)[~gone | first]
        eos = self.tokenizer.eos_token_id
        return out if eos is None else torch.cat([out, torch.tensor([eos])])


def sentinel_ids(tokenizer: Any) -> list[int]:
    """The ids of <extra_id_0>, <extra_id_1>, … ValueError if the tokenizer has none."""
    found = {int(match[1]): i for token, i in tokenizer.get_vocab().items() if (match := _SENTINEL.fullmatch(token))}
    if 0 not in found:
        raise ValueError(
            "this tokenizer has no sentinels <extra_id_0>, <extra_id_1>, … (those of T5 have 100); add some with "
            "tokenizer.add_special_tokens({'additional_special_tokens': [f'<extra_id_{i}>' for i in range(100)]}) and "
            "model.resize_token_embeddings(len(tokenizer))"
        )
    return [found[number] for number in takewhile(found.__contains__, count())]


def span_corruption_lengths(
    input_length: int, noise_density: float = 0.15, mean_noise_span_length: float = 3.0
) -> tuple[int, int]:
    """(tokens of a text, target_length): how long a text may be so that its corrupted form has input_length tokens."""

    def lengths(tokens: int) -> tuple[int, int]:
        noisy = round(tokens * noise_density)
        spans = max(round(noisy / mean_noise_span_length), 1)
        return tokens - noisy + spans + 1, noisy + spans + 1  # a sentinel for each span, and eos

    tokens = input_length
    while lengths(tokens + 1)[0] <= input_length:
        tokens += 1
    while lengths(tokens)[0] > input_length:
        tokens -= 1
    return tokens, lengths(tokens)[1]
