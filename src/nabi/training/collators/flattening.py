"""No padding at all: a batch's examples in one row, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from .examples import DataCollatorMixin, as_examples, check_column, check_numbers, joined


@dataclass
class DataCollatorWithFlattening(DataCollatorMixin):
    """Join the examples into one row for a model whose attention keeps them apart.

    return_position_ids: positions that begin again, at position_ids_start, with every example.
    separator_id: the label of every example's first token, which nothing before it predicts.
    return_flash_attn_kwargs: cu_seq_lens_q/k (where examples begin and end), max_length_q/k.
    return_seq_idx: which example each token is of.
    """

    return_tensors: str = "pt"
    return_position_ids: bool = True
    separator_id: int = -100
    return_flash_attn_kwargs: bool = False
    return_seq_idx: bool = False
    position_ids_start: int = 0

    def __call__(
        self, features: Sequence[Any], return_tensors: str | None = None, separator_id: int | None = None
    ) -> Any:
        """input_ids, labels, position_ids and seq_idx: each (1, tokens of all examples)."""
        if separator_id is not None:
            return replace(self, separator_id=separator_id)(features, return_tensors)
        return super().__call__(features, return_tensors)

    def torch_call(self, features: Sequence[Any]) -> dict[str, Any]:
        examples = as_examples(features)
        check_column("input_ids", examples[0])
        check_numbers({key: examples[0].get(key, 0) for key in ("input_ids", "labels")})
        ids, sizes = joined([one["input_ids"] for one in examples])
        labels = joined([one["labels"] for one in examples])[0] if "labels" in examples[0] else ids.clone()
        ends = sizes.cumsum(0)
        starts = ends - sizes
        if len(labels) != len(ids):
            raise ValueError(f"labels have {len(labels)} values in all, input_ids {len(ids)}: give one per token")
        labels[starts[sizes > 0]] = self.separator_id
        batch: dict[str, Any] = {"input_ids": ids[None], "labels": labels[None]}
        if self.return_position_ids:
            inside = torch.arange(len(ids)) - starts.repeat_interleave(sizes)
            batch["position_ids"] = (inside + self.position_ids_start)[None]
        if self.return_seq_idx:
            batch["seq_idx"] = torch.arange(len(sizes), dtype=torch.int32).repeat_interleave(sizes)[None]
        if self.return_flash_attn_kwargs:
            bounds = torch.cat([starts[:1], ends]).to(torch.int32)
            batch["cu_seq_lens_q"] = batch["cu_seq_lens_k"] = bounds
            batch["max_length_q"] = batch["max_length_k"] = int(sizes.max())
        return batch
