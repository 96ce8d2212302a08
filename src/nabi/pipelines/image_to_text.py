"""image-to-text: an image to a text, a caption or what is written in it.

image -> pixel_values (1, channels, height, width) -> generate -> ids (1, texts, length) -> [{"generated_text": …}]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import Steps
from .batching import ALIKE, KEPT
from .generating import GeneratingPipeline
from .images import ImagePipeline, as_image, checked_timeout


class ImageToTextPipeline(ImagePipeline, GeneratingPipeline):
    """Captions, or the text in an image, by a VisionEncoderDecoderModel (TrOCR is one); LLaVA with a prompt.

    max_new_tokens: 256 if neither the call nor the model's generation_config says how many.
    generate_kwargs: options of generate, which may be given directly as well (num_beams=4).
    prompt: a text to go on with, for models that take one: "USER: <image>\\nWhat is this? ASSISTANT:".
    timeout: seconds for an image's URL.

        pipe("cat.jpg")               [{"generated_text": "a cat on a sofa"}]
        pipe(["cat.jpg", image])      a list of these
    """

    task = "image-to-text"
    heads = ("AutoModelForImageTextToText",)
    needs = ("tokenizer", "image_processor")
    padding_side = "left"
    usual = {"max_new_tokens": 256}

    def _sanitize_parameters(
        self,
        prompt: str | None = None,
        timeout: float | None = None,
        max_new_tokens: int | None = None,
        generate_kwargs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Steps:
        settings = joined_settings(max_new_tokens, generate_kwargs, more)
        settings = self.generation_settings(settings, ("prompt", "timeout", "generate_kwargs"))
        before = checked_timeout(timeout)
        if prompt is not None:
            if not isinstance(prompt, str) or not prompt.strip():
                raise ValueError(f"prompt is {prompt!r}; expected one text that is not empty")
            before["prompt"] = prompt
        return {**before, **settings}, settings, {}

    def preprocess(  # type: ignore[override]
        self, inputs: Any, prompt: str | None = None, timeout: float | None = None, **settings: Any
    ) -> dict[str, Any]:
        """One image -> pixel_values (1, channels, height, width); with a prompt, input_ids (1, length) too."""
        image = as_image(inputs, timeout)
        kind = type(self.model).__name__
        if self.model.config.is_encoder_decoder:
            if prompt is not None:
                raise ValueError(f"{kind} writes of the image alone and takes no prompt: leave prompt={prompt!r} out")
            read, count = self.pixels_of(image), 1
        elif prompt is None:
            raise ValueError(f"{kind} needs a prompt to go on with, such as 'USER: <image>\\nWhat is this? ASSISTANT:'")
        else:
            read = dict(self._reader()(images=image, text=prompt, return_tensors="pt").to(self.dtype))
            count = read["input_ids"].shape[1]
            read[KEPT] = read["input_ids"][0].tolist()
        return {**read, ALIKE: self.alike(count, settings, **self.new_tokens(count, settings))}

    def _reader(self) -> Any:
        """The processor of image and prompt: the one given, or one made of its parts by the model's config."""
        if self.processor is not None:
            return self.processor
        from ..processing.processors import LlavaProcessor

        config = self.model.config
        return LlavaProcessor(
            image_processor=self.image_processor,
            tokenizer=self.tokenizer,
            patch_size=config.vision_config.patch_size,
            vision_feature_select_strategy=config.vision_feature_select_strategy,
            num_additional_image_tokens=int(getattr(self.model.vision_tower, "has_class_token", True)),
        )

    def _forward(self, model_inputs: dict[str, Any], **settings: Any) -> dict[str, Any]:
        return self.write(model_inputs, settings)

    def postprocess(self, model_outputs: dict[str, Any]) -> list[dict[str, Any]]:  # type: ignore[override]
        """Ids (1, texts, length) -> the texts, each behind its prompt."""
        prompt, records = model_outputs.get(KEPT, []), []
        for number, tokens in enumerate(self.texts(model_outputs)):
            text = self.tokenizer.decode([*prompt, *tokens], skip_special_tokens=True)
            records.append({"generated_text": text, **self.more(model_outputs, number)})
        return records


def joined_settings(
    max_new_tokens: int | None, generate_kwargs: Mapping[str, Any] | None, more: Mapping[str, Any]
) -> dict[str, Any]:
    """The options of generate in one; ValueError for one that is given in two places."""
    settings = {} if max_new_tokens is None else {"max_new_tokens": max_new_tokens}
    for given in (generate_kwargs or {}, more):
        for name, value in given.items():
            if name in settings:
                raise ValueError(f"{name} is given twice, as {settings[name]!r} and as {value!r}: leave one out")
            settings[name] = value
    return settings
