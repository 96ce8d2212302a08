"""The searches by their own names, as code called them until version 4.38: each is `generate` with the settings that
its name stands for, and no others of sampling.

The settings come from the arguments; ids (rows, length) begin the text, of a model with an encoder the target.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from ..outputs import ModelOutput

_PLAIN = {"num_beams": 1, "top_k": 0, "top_p": 1.0, "temperature": 1.0}


class OlderSearches:
    """What GenerationMixin has for them."""

    config: Any
    generate: Any

    def greedy_search(self, input_ids: Tensor, logits_processor: Any = None, **options: Any) -> Any:
        """The likeliest token each time."""
        return self._search(input_ids, logits_processor, options, **_PLAIN, do_sample=False)

    def sample(self, input_ids: Tensor, logits_processor: Any = None, logits_warper: Any = None, **options: Any) -> Any:
        """A token by its chance, as the warper leaves it."""
        processors = [*(logits_processor or ()), *(logits_warper or ())]
        return self._search(input_ids, processors, options, **_PLAIN, do_sample=True)

    def contrastive_search(
        self,
        input_ids: Tensor,
        top_k: int = 1,
        penalty_alpha: float = 0.0,
        logits_processor: Any = None,
        **options: Any,
    ) -> Any:
        """Of the top_k likeliest tokens the one least like those before it (arXiv:2202.06417)."""
        return self._search(input_ids, logits_processor, options, top_k=top_k, penalty_alpha=penalty_alpha)

    def beam_search(self, input_ids: Tensor, beam_scorer: Any, logits_processor: Any = None, **options: Any) -> Any:
        """The likeliest of beam_scorer.num_beams texts; the rows stand so many times in input_ids, and in what the
        options hold of an encoder."""
        return self._beams(input_ids, beam_scorer, logits_processor, options, **_PLAIN, do_sample=False)

    def beam_sample(
        self,
        input_ids: Tensor,
        beam_scorer: Any,
        logits_processor: Any = None,
        logits_warper: Any = None,
        **options: Any,
    ) -> Any:
        """The same with tokens drawn by chance."""
        processors = [*(logits_processor or ()), *(logits_warper or ())]
        return self._beams(input_ids, beam_scorer, processors, options, **_PLAIN, do_sample=True)

    def _beams(self, input_ids: Tensor, scorer: Any, processors: Any, options: dict[str, Any], **settings: Any) -> Any:
        count = scorer.num_beams
        once = {name: _every(value, count) for name, value in options.items()}
        settings.update(
            num_beams=count,
            num_return_sequences=scorer.num_beam_hyps_to_keep,
            length_penalty=scorer.length_penalty,
            early_stopping=scorer.do_early_stopping,
        )
        once.setdefault("max_length", scorer.max_length)
        return self._search(input_ids[::count], processors, once, **settings)

    def _search(
        self, input_ids: Tensor, processors: Iterable[Any] | None, options: dict[str, Any], **settings: Any
    ) -> Any:
        options = {name: value for name, value in options.items() if value is not None}
        settings = {**settings, **{name: options.pop(name) for name in list(options) if name in settings}}
        limit = options.pop("max_length", None) or getattr(options.get("stopping_criteria"), "max_length", None)
        if limit is not None:
            settings["max_length"] = limit
        if self.config.is_encoder_decoder:
            options["decoder_input_ids"] = input_ids
        else:
            options["inputs"] = input_ids
        return self.generate(logits_processor=list(processors or ()), **settings, **options)


def _every(value: Any, count: int) -> Any:
    """Of tensors the first of every `count` rows, also inside an encoder's output."""
    if isinstance(value, ModelOutput):
        return type(value)({name: _every(inner, count) for name, inner in value.items()})
    return value[::count] if isinstance(value, Tensor) and value.dim() else value
