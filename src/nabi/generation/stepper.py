"""The model, one pass after another: what it is fed, and what it has said so far in its cache."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..nn.cache import Cache, SlidingWindowCache, StaticCache


class Stepper:
    """Scores of next tokens for rows of growing ids; each call feeds what the cache does not hold yet.

    inputs: what the model takes beside the ids, by name, a row for each row of the ids; an encoder's output has a row
    for each text, which `shared` rows of ids read. room: how many positions there will be at most. before: how many
    positions stand before the ids: of vectors, or known to the cache alone.
    """

    def __init__(
        self,
        model: Any,
        inputs: dict[str, Any],
        *,
        room: int,
        settings: Any,
        shared: int = 1,
        before: int = 0,
    ) -> None:
        self.model = model
        self.before = before
        self.inputs = dict(inputs)
        self.decodes = model.config.is_encoder_decoder
        self.mask_name = "decoder_attention_mask" if self.decodes else "attention_mask"
        self.mask: Tensor | None = self.inputs.pop(self.mask_name, None)
        self.takes = model._arguments()
        self.cache: Any = self.inputs.pop("past_key_values", None)
        self.cached = settings.use_cache
        self.last: Any = None  # the output of the last pass
        if self.cache is not None:
            self.cache = Cache.of(self.cache)
        elif self.cached:
            self.cache = new_cache(model, room, settings.cache_implementation)
            self.cache.shared = shared
        self.begun = False
        self.inputs.update(
            {
                name: True
                for name in ("output_attentions", "output_hidden_states")
                if getattr(settings, name) and settings.return_dict_in_generate
            }
        )

    def __call__(self, ids: Tensor, keep: int = 1) -> Tensor:
        """ids (rows, length) -> scores of the token after each of the last `keep`, (rows, keep, vocabulary)."""
        if self.before:
            ids = F.pad(ids, (self.before, 0))
        mask = self._mask_of(ids)
        inputs = dict(self.inputs)
        if not self.decodes:
            inputs["attention_mask"] = mask
            if "position_ids" in self.takes and "position_ids" not in inputs:
                inputs["position_ids"] = _positions(ids, mask)
            if inputs.get("token_type_ids") is not None:
                kinds = inputs["token_type_ids"]
                inputs["token_type_ids"] = torch.cat(
                    (kinds, kinds[:, -1:].expand(-1, ids.shape[1] - kinds.shape[1])), 1
                )
        elif mask is not None:
            inputs[self.mask_name] = mask
        if self.begun and self.cached:  # pictures and the like are seen once
            inputs = {name: value for name, value in inputs.items() if name not in SEEN_ONCE}
        if "logits_to_keep" in self.takes:
            inputs["logits_to_keep"] = keep
        inputs["use_cache"] = self.cached
        made = self.model.prepare_inputs_for_generation(ids, past_key_values=self.cache, **inputs)
        self.last = self.model(**made, return_dict=True)
        self.begun = True
        if self.cached:
            self.cache = self.last.get("past_key_values", self.last.get("mems"))
        return self.last.logits[:, -keep:].float()

    def _mask_of(self, ids: Tensor) -> Tensor | None:
        """The mask of all ids so far; new ones are real."""
        if self.mask is None:
            return None
        lacking = ids.shape[1] - self.mask.shape[1]
        if lacking > 0:
            self.mask = torch.cat((self.mask, self.mask.new_ones(len(ids), lacking)), dim=1)
        return self.mask[:, : ids.shape[1]]

    def reorder(self, rows: Tensor) -> None:
        """Go on with these rows, as after a step of beam search. Rows of one text stay among themselves."""
        if hasattr(self.model, "_reorder_cache"):  # what the model keeps is no Cache
            self.cache = self.model._reorder_cache(self.cache, rows)
        elif self.cache is not None:
            self.cache.reorder_cache(rows)
        if self.mask is not None:
            self.mask = self.mask[rows]

    def rewind(self, length: int) -> None:
        """Forget what came after the first `length` ids."""
        length += self.before
        if self.cache is not None and self.cache.get_seq_length() > length:
            self.cache.crop(length)
        if self.mask is not None:
            self.mask = self.mask[:, :length]


def _positions(ids: Tensor, mask: Tensor | None) -> Tensor:
    """(rows or 1, length): 0, 1, … from each row's first real token on, whatever the family counts from by itself."""
    if mask is None:
        return torch.arange(ids.shape[1], device=ids.device)[None]
    return (mask.cumsum(-1) - 1).clamp(min=0)


SEEN_ONCE = ("pixel_values", "image_sizes", "input_features", "inputs_embeds")


def new_cache(model: Any, room: int, kind: str | None = None) -> Cache:
    """An empty cache: a window's where the model's blocks have one, of a fixed size if asked, else a growing one."""
    if kind == "static":
        return StaticCache(max_cache_len=room)
    windowed = kind != "dynamic_full" and any(getattr(module, "window", None) for module in model.modules())
    return (SlidingWindowCache if windowed else Cache)(reserve=room)
