"""image-feature-extraction: an image to the numbers that a model without a head makes of it.

image -> pixel_values (1, channels, height, width) -> last_hidden_state (1, tokens, hidden) -> nested lists
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .base import Steps
from .images import ImagePipeline, as_image, checked_timeout
from .settings import check_names


class ImageFeatureExtractionPipeline(ImagePipeline):
    """Hidden states of images, by a model without a head.

    pool: the pooled output, one vector for the image, in place of all hidden states.
    return_tensors: a tensor in place of nested lists.
    image_processor_kwargs: options of the image processor, such as {"size": {"height": 100, "width": 100}}.
    timeout: seconds for an image's URL.

        pipe("cat.jpg")                      [[[…hidden…], …tokens…]]   that is (1, tokens, hidden)
        pipe("cat.jpg", pool=True)           [[…hidden…]]               (1, hidden)
        pipe(["cat.jpg", image])             a list of these
    """

    task = "image-feature-extraction"
    heads = ("AutoModel",)

    def _sanitize_parameters(
        self,
        pool: bool | None = None,
        return_tensors: bool | str | None = None,
        image_processor_kwargs: dict[str, Any] | None = None,
        timeout: float | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, ("pool", "return_tensors", "image_processor_kwargs", "timeout"))
        before = checked_timeout(timeout)
        if image_processor_kwargs is not None:
            before["image_processor_kwargs"] = image_processor_kwargs
        forward = {} if pool is None else {"pool": bool(pool)}
        return before, forward, {} if return_tensors is None else {"return_tensors": bool(return_tensors)}

    def preprocess(  # type: ignore[override]
        self, inputs: Any, timeout: float | None = None, image_processor_kwargs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """One image -> pixel_values (1, channels, height, width)."""
        return self.pixels_of(as_image(inputs, timeout), **(image_processor_kwargs or {}))

    def _forward(  # type: ignore[override]
        self, model_inputs: dict[str, Any], pool: bool = False
    ) -> dict[str, Tensor]:
        """Pixels -> hidden states (batch, tokens, hidden), or pooled ones (batch, hidden)."""
        kind = type(self.model).__name__
        if hasattr(self.model, "get_image_features"):
            raise TypeError(
                f"{kind} reads text beside images: load its image tower alone, such as CLIPVisionModel or "
                "SiglipVisionModel, and pass it as model=…"
            )
        outputs = self.model(**model_inputs)
        if "last_hidden_state" not in outputs:
            raise TypeError(f"{kind} gives no hidden states, but {', '.join(outputs)}: load it with AutoModel")
        found = outputs.get("pooler_output") if pool else outputs["last_hidden_state"]
        if found is None:
            raise ValueError(f"{kind} has no pooled output: leave pool=True out, and take what you need of the tokens")
        return {"features": found}

    def postprocess(  # type: ignore[override]
        self, model_outputs: Mapping[str, Tensor], return_tensors: bool = False
    ) -> Any:
        """Features of one image, (1, …) -> nested lists, or the tensor."""
        features = model_outputs["features"]
        return features if return_tensors else features.tolist()
