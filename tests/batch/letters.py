"""A pipeline without a checkpoint: how many letters a text has, and a share that depends on the texts beside it as
little as any model's does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nabi.config import Config
from nabi.pipelines.base import Pipeline, Steps


class Count(torch.nn.Module):
    config = Config()
    device = torch.device("cpu")
    dtype = torch.float32

    def forward(self, letters: Tensor) -> dict[str, Tensor]:
        return {"count": letters.sum(-1, keepdim=True)}

    def num_parameters(self, exclude_embeddings: bool = False) -> int:
        return 0


class LetterPipeline(Pipeline):
    """{"label": "long" or "short", "score": the letters' number}; ValueError for a text that says "bad"."""

    task = "text-classification"
    needs = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(Count(), **options)
        self.seen: list[list[str]] = []

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        self.seen.append(list(inputs))
        return super().__call__(self.seen[-1], **settings)

    def _sanitize_parameters(self, **settings: Any) -> Steps:
        return {}, {}, {}

    def preprocess(self, inputs: str, **_: Any) -> dict[str, Any]:
        if "bad" in inputs:
            raise ValueError(f"{inputs!r} is bad")
        if "broken" in inputs:
            raise RuntimeError(f"{inputs!r} is broken")
        return {"letters": torch.ones(1, len(inputs))}

    def _forward(self, model_inputs: dict[str, Any], **_: Any) -> Any:
        return self.model(**model_inputs)

    def postprocess(self, model_outputs: Any, **_: Any) -> dict[str, Any]:
        count = model_outputs["count"].item()
        return {"label": "long" if count > 3 else "short", "score": count}
