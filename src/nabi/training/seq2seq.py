"""Seq2SeqTrainer: a trainer whose evaluation writes texts and compares those."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..generation.config import GenerationConfig
from .columns import unwrapped
from .results import PredictionOutput
from .trainer import Trainer


class Seq2SeqTrainer(Trainer):
    """The trainer for models that write. With args.predict_with_generate predictions are token ids (examples, length),
    filled with the padding id, written by model.generate with args.generation_config, generation_max_length and
    generation_num_beams, or what evaluate(…) and predict(…) are given."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._gen_kwargs: dict[str, Any] = {}
        given = getattr(self.args, "generation_config", None)
        if given is not None:
            found = given if isinstance(given, GenerationConfig) else GenerationConfig.from_pretrained(given)
            self.model.generation_config = found

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
        **gen_kwargs: Any,
    ) -> dict[str, float]:
        """As Trainer.evaluate; further keywords go to generate."""
        if gen_kwargs or not isinstance(eval_dataset if eval_dataset is not None else self.eval_dataset, dict):
            self._gen_kwargs = self._settings(gen_kwargs)
        return super().evaluate(eval_dataset, ignore_keys, metric_key_prefix)

    def predict(
        self,
        test_dataset: Any,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "test",
        **gen_kwargs: Any,
    ) -> PredictionOutput:
        """As Trainer.predict; further keywords go to generate."""
        self._gen_kwargs = self._settings(gen_kwargs)
        return super().predict(test_dataset, ignore_keys, metric_key_prefix)

    def _settings(self, given: dict[str, Any]) -> dict[str, Any]:
        settings = dict(given)
        if "max_length" not in settings and "max_new_tokens" not in settings:
            limit = getattr(self.args, "generation_max_length", None)
            settings.update({} if limit is None else {"max_length": limit})
        beams = getattr(self.args, "generation_num_beams", None)
        if "num_beams" not in settings and beams is not None:
            settings["num_beams"] = beams
        return settings

    def prediction_step(
        self,
        model: nn.Module,
        inputs: Any,
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
        **gen_kwargs: Any,
    ) -> tuple[Tensor | None, Any, Any]:
        """As Trainer.prediction_step, with written token ids in the place of logits."""
        if prediction_loss_only or not getattr(self.args, "predict_with_generate", False):
            return super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        inputs = self._prepare_inputs(inputs)
        labels = inputs.get("labels")
        loss = None
        with torch.no_grad(), self.compute_loss_context_manager():
            if labels is not None:
                loss = self.compute_loss(model, inputs).detach().mean()
            # The decoder's inputs are made of the labels, which a text that is written has not.
            given = {
                name: v
                for name, v in inputs.items()
                if name not in ("labels", "decoder_input_ids", "decoder_attention_mask")
            }
            written = unwrapped(self.model).generate(**given, **(gen_kwargs or self._gen_kwargs))
        return loss, self._filled(written), labels

    def _filled(self, tokens: Tensor) -> Tensor:
        """Of one width in all batches, so that they can be put together: -100 would be no token to decode."""
        settings = unwrapped(self.model).generation_config
        pad = getattr(self.processing_class, "pad_token_id", None)
        pad = settings.pad_token_id if pad is None else pad
        new = self._gen_kwargs.get("max_new_tokens")
        width = self._gen_kwargs.get("max_length") or (new + 1 if new else None) or settings.max_length
        if pad is None or not isinstance(width, int) or tokens.shape[1] >= width:
            return tokens
        return F.pad(tokens, (0, width - tokens.shape[1]), value=pad)
