"""What the pipelines that write share: what `generate` is told, and which of its tokens belong to which text.

Greedy and beam search write for a text what they write for it alone, whatever stands beside it in the batch: where a
setting counts the prompt too (max_length) or looks at its padding, only texts of equal lengths run together. Sampling
draws for a whole batch at once, so a seed (torch.manual_seed) brings texts back only with the same texts and the same
batch_size; with batch_size=1 they are written one after the other, in their order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor

from .. import auto
from ..generation.config import GenerationConfig
from ..generation.generate import DEFAULT_NEW_TOKENS, position_limit
from ..tokenization import AutoTokenizer
from .base import Pipeline, Steps
from .batching import ALIKE, KEPT
from .settings import check_names

BEYOND_SETTINGS = frozenset(
    """assistant_model assistant_tokenizer generation_config logits_processor negative_prompt_attention_mask
    negative_prompt_ids prefix_allowed_tokens_fn stop_sequence stopping_criteria streamer synced_gpus tokenizer
    use_model_defaults""".split()
)
# With these the texts are written one by one: they look at whole batches, or return what no batch can be cut into.
ALONE = (
    *("assistant_model", "logits_processor", "max_time", "prefix_allowed_tokens_fn", "prompt_lookup_num_tokens"),
    *("return_dict_in_generate", "stopping_criteria", "streamer"),
)
# These read the prompt's tokens, padding included.
OF_THE_PROMPT = ("encoder_no_repeat_ngram_size", "encoder_repetition_penalty", "guidance_scale", "no_repeat_ngram_size")
NOT_SAMPLED = ("constraints", "force_words_ids", "num_beam_groups", "penalty_alpha")


class GeneratingPipeline(Pipeline):
    """A pipeline whose model writes. A child says in `usual` what holds where nobody says anything else."""

    tokenizer: Any
    usual_batch_size = 8
    usual: ClassVar[dict[str, Any]] = {}

    def __init__(self, model: Any, tokenizer: Any = None, **options: Any) -> None:
        super().__init__(model, tokenizer, **options)
        if not model.can_generate():
            names = " or ".join(self.heads)
            raise TypeError(f"{type(model).__name__} scores no next token, so it cannot write: load it with {names}")

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        """See the class."""
        if not self._alone(settings):
            return super().__call__(inputs, **settings)
        listed = isinstance(inputs, (list, tuple)) and not self.is_one(inputs)
        results = super().__call__(iter(inputs) if listed else inputs, **{**settings, "batch_size": 1})
        return list(results) if listed else results

    def _alone(self, settings: dict[str, Any]) -> bool:
        """Whether texts are written one by one, in their order."""
        given = {**self._settings[1], **settings}
        size = settings.get("batch_size") or self.batch_size
        return size == 1 or any(self.said(given, name) not in (None, False) for name in ALONE)

    def _merged(self, settings: dict[str, Any]) -> Steps:
        """As ever, but a generation_config of the call stands in for the constructor's settings of generation."""
        before, model, after = super()._merged(settings)
        if settings.get("generation_config") is not None:
            kept = {*settings, "stop_strings"}
            gone = {name for name in self._settings[1] if GenerationConfig.is_setting(name) and name not in kept}
            before, model = ({k: v for k, v in step.items() if k not in gone} for step in (before, model))
        return before, model, after

    def _width(self, size: int | None) -> int:
        """A missing padding token does no harm: what fills a row up is masked."""
        return size or self.usual_batch_size

    # ------------------------------------------------------------ settings

    def generation_settings(self, settings: dict[str, Any], own: Iterable[str] = ()) -> dict[str, Any]:
        """The keywords that `generate` takes; TypeError for one that nobody knows. own: the task's other keywords."""
        unsure = [name for name in settings if not GenerationConfig.is_setting(name)]
        check_names(self.task or type(self).task, unsure, {*GenerationConfig.fields(), *BEYOND_SETTINGS, *own})
        settings = dict(settings)
        stop = settings.pop("stop_sequence", None)
        if stop is not None:
            settings["stop_strings"] = [stop] if isinstance(stop, str) else list(stop)
        if isinstance(settings.get("assistant_model"), (str, os.PathLike)):
            name = settings["assistant_model"]
            helper = auto.AutoModelForCausalLM.from_pretrained(name, dtype=self.model.dtype)
            settings["assistant_model"] = helper.to(self.model.device)
            if helper.config.vocab_size != self.model.config.vocab_size:
                settings.setdefault("assistant_tokenizer", AutoTokenizer.from_pretrained(name))
        return settings

    def said(self, settings: dict[str, Any], name: str) -> Any:
        """What the call, its generation_config, the task or the checkpoint says of a setting; None if nobody does."""
        if settings.get(name) is not None:
            return settings[name]
        given, own = settings.get("generation_config"), self.task_settings(settings)
        if given is not None and name in given.given:
            return getattr(given, name)
        saved = self.model.generation_config
        return own.get(name, getattr(saved, name) if name in saved.given else None)

    def task_settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What the checkpoint's config.json says for this task in particular."""
        return {}

    def options(self, settings: dict[str, Any]) -> dict[str, Any]:
        """All that `generate` is told: `usual` where nobody says it, what the task says, what the caller says."""
        given, own = settings.get("generation_config"), self.task_settings(settings)
        known = {*self.model.generation_config.given, *own, *settings, *(given.given if given is not None else ())}
        usual = {**self.usual, "pad_token_id": self._padding_id}
        if "max_length" in known:
            usual.pop("max_new_tokens", None)
        if known.intersection(NOT_SAMPLED):
            usual.pop("do_sample", None)
        usual = {name: value for name, value in usual.items() if name not in known and value is not None}
        own = {name: value for name, value in own.items() if given is None or name not in given.given}
        return {**usual, **own, **settings}

    def new_tokens(self, count: int, settings: dict[str, Any], before: int = 0, fitting: bool = True) -> dict[str, int]:
        """How many tokens may come behind a prompt of so many; before: what in it max_length does not count.

        fitting: where nobody says it, no more than the model has positions. ValueError if there is no room.
        """
        most, total = self.said(settings, "max_new_tokens"), self.said(settings, "max_length")
        if most is None and total is not None:
            most = total + before - count
            if most < 1:
                raise ValueError(
                    f"the prompt has {count} tokens already, and max_length is {total}: pass max_new_tokens, which "
                    "counts new ones only, or a higher max_length"
                )
        limit, learned = position_limit(self.model.config)
        if limit is not None and count > limit and fitting:
            raise ValueError(
                f"the prompt has {count} tokens, but the model knows {limit} positions: pass "
                "handle_long_generation='hole', which leaves its beginning out, or give a shorter text"
            )
        if most is None:
            most = DEFAULT_NEW_TOKENS if "max_new_tokens" in settings else self.usual["max_new_tokens"]
            if limit is not None and learned and count < limit and fitting:
                most = min(most, limit - count)
        least, total = self.said(settings, "min_new_tokens"), self.said(settings, "min_length")
        if least is None and total:
            least = max(total + before - count, 0)
        return {"max_new_tokens": most, **({"min_new_tokens": least} if least else {})}

    def alike(self, count: int, settings: dict[str, Any], **options: Any) -> tuple[dict[str, Any], int | None]:
        """What texts must have in common to be written together: options of `generate`, and perhaps their length."""
        return options, count if any(self.said(settings, name) for name in OF_THE_PROMPT) else None

    # ------------------------------------------------------------ writing

    def write(self, model_inputs: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
        """Run `generate`: "written" (batch, texts, tokens), without the prompt, and "length" (batch,): how many of the
        tokens are the item's own and do not fill up what a neighbour has more. With return_dict_in_generate=True also
        what else there is of each text: scores, …"""
        of_items, _ = model_inputs.pop(ALIKE, ({}, None))
        options = {"tokenizer": self.tokenizer, **self.options(settings), **of_items}
        out = self.model.generate(**model_inputs, **options)
        sequences = out if isinstance(out, Tensor) else out.sequences
        items, width = model_inputs["input_ids" if "input_ids" in model_inputs else "pixel_values"].shape[:2]
        reads = self.model.config.is_encoder_decoder
        written = sequences if reads else sequences[:, width:]
        written = written.reshape(items, -1, written.shape[-1])
        end = self.said(options, "eos_token_id")
        ends = [] if end is None else list(end) if isinstance(end, (list, tuple)) else [end]
        filling = self.said(options, "pad_token_id")
        filling = ends[0] if filling is None and ends else filling
        found = {"written": written, "length": own_lengths(written, ends, filling, first=int(reads))}
        return found if isinstance(out, Tensor) else {**found, **by_text(out, items)}

    def texts(self, model_outputs: dict[str, Any]) -> list[list[int]]:
        """The tokens of each text of an item."""
        tokens: list[list[int]] = model_outputs["written"][0, :, : int(model_outputs["length"])].tolist()
        return tokens

    def more(self, model_outputs: dict[str, Any], text: int) -> dict[str, Any]:
        """What return_dict_in_generate=True gives beside the tokens of an item's text."""
        names = [name for name in model_outputs if name not in ("written", "length", KEPT)]
        return {name: model_outputs[name][0][text].tolist() for name in names}


def own_lengths(written: Tensor, ends: list[int], filling: int | None, first: int) -> Tensor:
    """Tokens (batch, texts, width) -> how many each item has, up to the end of its longest text (batch,).

    first: how many tokens a text begins with that end nothing, though they may look so.
    """
    width = written.shape[-1]
    if not width:
        return torch.zeros(len(written), dtype=torch.long)
    place = torch.arange(1, width + 1, device=written.device)
    ended = torch.isin(written, torch.tensor(ends, dtype=written.dtype, device=written.device)) & (place > first)
    last = (place * (written != filling)).amax(-1).clamp(min=first) if filling is not None else width
    return torch.where(ended.any(-1), ended.int().argmax(-1) + 1, last).amax(1)


def by_text(out: Any, items: int) -> dict[str, Tensor]:
    """What there is of each text, (items, texts, …): of a value for each step (steps, rows, …) -> (rows, steps, …)."""
    rows, found = len(out.sequences), {}
    for name, value in out.items():
        if isinstance(value, tuple) and value and isinstance(value[0], Tensor) and len(value[0]) == rows:
            value = torch.stack(value, dim=1)
        if name not in ("sequences", "past_key_values") and isinstance(value, Tensor) and len(value) == rows:
            found[name] = value.reshape(items, rows // items, *value.shape[1:])
    return found
