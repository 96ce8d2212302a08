"""image-text-to-text: images and a text, or a chat with images in it, to the text that goes on from there.

images, "USER: <image>\\n이게 뭐예요? ASSISTANT:" -> input_ids (1, length), pixel_values (images, channels, …)
      -> generate -> [{"input_text": …, "generated_text": …}]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch

from ..generation.config import GenerationConfig
from ..processing.sources import from_base64
from .base import Steps
from .batching import ALIKE, KEPT
from .generating import GeneratingPipeline
from .image_to_text import joined_settings
from .images import as_image, checked_timeout, is_one_image
from .text_generation import is_chat

OF_TEXTS = ("return_full_text", "return_tensors", "skip_special_tokens", "clean_up_tokenization_spaces")
OF_CHATS = ("chat_template", "documents", "tools")
_FILES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")


class ImageTextToTextPipeline(GeneratingPipeline):
    """Texts about images, by a model that reads both (LLaVA).

    max_new_tokens: 256 if neither the call nor the model's generation_config says how many.
    generate_kwargs: options of generate, which may be given directly as well (num_beams=4).
    return_full_text: with the prompt, or the chat, before what was written; True if it is left out.
    return_tensors: ids in place of texts. stop_sequence: a text, or several, that ends the writing.
    continue_final_message: whether the last message of a chat is gone on with; left out, if it is the assistant's.
    processor_kwargs: options of the processor; those that generate does not know may be given directly. tools,
    documents and chat_template are for chats. timeout: seconds for an image's URL.

        pipe("cat.jpg", text="USER: <image>\\n…")               [{"input_text", "generated_text"}]
        pipe(images=[…], text=["…<image>…", …])                [{"input_text", "generated_text"}, …]
        pipe(chat)                                             [{"input_text": chat, "generated_text": longer chat}]
        pipe([chat, chat]), pipe([{"images", "text"}, …])      a list of these

    A chat: [{"role": "user", "content": [{"type": "image", "url": "cat.jpg"}, {"type": "text", "text": "…"}]}]
    """

    task = "image-text-to-text"
    heads = ("AutoModelForImageTextToText",)
    needs: ClassVar[tuple[str, ...]] = ("processor",)
    padding_side = "left"
    usual_batch_size = 4
    read_ahead = 4
    usual = {"max_new_tokens": 256}

    def __init__(self, model: Any, tokenizer: Any = None, *, processor: Any = None, **options: Any) -> None:
        if processor is not None and (model.config.is_encoder_decoder or not hasattr(processor, "image_processor")):
            raise TypeError(
                f"{type(model).__name__} with a {type(processor).__name__} does not read images and texts together, as "
                f"{self.task} needs (LLaVA does): for captions and TrOCR use image-to-text"
            )
        if processor is None:
            raise ValueError(f"{type(self).__name__} needs the processor that belongs to the model: processor=…")
        super().__init__(model, tokenizer, processor=processor, **options)

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, **settings: Any
    ) -> Any:
        """See the class. A list of texts with images gives one list of results."""
        if text is None or is_chat(text) or (isinstance(text, list) and text and is_chat(text[0])):
            if text is not None and images is not None:
                raise ValueError(
                    'a chat holds its images itself: write them into it, as {"type": "image", "image": …}, and leave '
                    "images=… out"
                )
            inputs = images if text is None else text
            if inputs is None:
                raise ValueError(f"{self.task} got neither images nor text: pass both, or a chat")
            if not isinstance(inputs, str) and is_one_image(inputs):
                raise ValueError("an image came without a text: text='USER: <image>\\nWhat is this? ASSISTANT:'")
            return super().__call__(inputs, **settings)
        if images is None:
            return super().__call__(text, **settings)
        if isinstance(text, str):
            return super().__call__({"images": images, "text": text}, **settings)
        results = super().__call__(self._pairs(images, list(text)), **settings)
        return [each for result in results for each in (result if isinstance(result, list) else [result])]

    def is_one(self, inputs: Any) -> bool:
        return isinstance(inputs, (str, Mapping)) or is_chat(inputs)

    def _pairs(self, images: Any, texts: list[Any]) -> list[dict[str, Any]]:
        """Each text with its images: those of its own list, or as many of all as it has places for."""
        listed = list(images) if isinstance(images, (list, tuple)) else [images]
        if any(isinstance(group, (list, tuple)) for group in listed):
            groups = listed
        else:
            token, rest = self.processor.image_token, iter(listed)
            counts = [str(text).count(token) for text in texts]
            if sum(counts) != len(listed):
                raise ValueError(
                    f"the texts have {sum(counts)} {token!r}, but there are {len(listed)} images: write one {token!r} "
                    "where each image belongs, or give a list of images for each text"
                )
            groups = [[next(rest) for _ in range(count)] for count in counts]
        if len(groups) != len(texts):
            raise ValueError(f"there are {len(texts)} texts and {len(groups)} lists of images: one list for each text")
        return [{"images": group, "text": text} for group, text in zip(groups, texts, strict=True)]

    def _sanitize_parameters(
        self,
        timeout: float | None = None,
        continue_final_message: bool | None = None,
        processor_kwargs: dict[str, Any] | None = None,
        max_new_tokens: int | None = None,
        generate_kwargs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Steps:
        before = {name: more.pop(name) for name in self._of_processor & more.keys()}
        after = {name: more.pop(name) for name in OF_TEXTS if name in more}
        after = {name: value for name, value in after.items() if value is not None}
        if after.get("return_tensors") and "return_full_text" in after:
            raise ValueError("return_tensors gives ids and return_full_text is about texts: pass one of them")
        before |= checked_timeout(timeout)
        for name, value in (("continue_final_message", continue_final_message), ("processor_kwargs", processor_kwargs)):
            if value is not None:
                before[name] = value
        own = {"timeout", "continue_final_message", "processor_kwargs", "generate_kwargs", *OF_TEXTS}
        settings = joined_settings(max_new_tokens, generate_kwargs, more)
        settings = self.generation_settings(settings, own | self._of_processor)
        return {**before, **settings}, settings, after

    @property
    def _of_processor(self) -> set[str]:
        """Names of settings that go to the processor."""
        names = {name for part in self.processor.parts for name in self.processor._known(part)}
        return (names | set(OF_CHATS)) - GenerationConfig.fields().keys() - set(OF_TEXTS)

    def preprocess(
        self,
        inputs: Any,
        timeout: float | None = None,
        continue_final_message: bool | None = None,
        processor_kwargs: dict[str, Any] | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        """A text, {"images", "text"} or a chat -> input_ids (1, length) and, of images, pixel_values (images, …)."""
        options = {name: settings.pop(name) for name in self._of_processor & settings.keys()}
        options |= {**(processor_kwargs or {}), "return_tensors": "pt"}
        goes_on: bool | None = False
        if is_chat(inputs):
            goes_on = continue_final_message
            if goes_on is None:
                goes_on = inputs[-1].get("role") == "assistant"
            images = [as_image(each, timeout) for each in images_of(inputs)]
            options |= {"tokenize": True, "return_dict": True, "images": images or None}
            options |= {"continue_final_message": goes_on, "add_generation_prompt": not goes_on}
            read = self.processor.apply_chat_template(inputs, **options)
            said = inputs
        else:
            said, given = text_and_images(inputs)
            images = [as_image(each, timeout) for each in given]
            options = {name: value for name, value in options.items() if name not in OF_CHATS}
            read = self.processor(images=images or None, text=said, **options)
        prompt = read["input_ids"]
        count = prompt.shape[-1]
        if count == 0:
            raise ValueError(f"the tokenizer finds no token in {said!r}, so there is nothing to go on from")
        return {
            **read.to(self.dtype),
            ALIKE: self.alike(count, settings, **self.new_tokens(count, settings)),
            KEPT: {"prompt": prompt[0].tolist(), "input": said, "goes_on": goes_on},
        }

    def _forward(self, model_inputs: dict[str, Any], **settings: Any) -> dict[str, Any]:
        """Prompts (batch, length) -> what was written behind them, (batch, texts, new length)."""
        return self.write(model_inputs, settings)

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: dict[str, Any],
        return_full_text: bool = True,
        return_tensors: bool = False,
        **options: Any,
    ) -> list[dict[str, Any]]:
        """New ids (1, texts, length) -> a record for each text."""
        kept = model_outputs[KEPT]
        rows = [[*kept["prompt"], *tokens] for tokens in self.texts(model_outputs)]
        if return_tensors:
            return [{"input_text": kept["input"], "generated_token_ids": torch.tensor(row)} for row in rows]
        before, *whole = self.processor.post_process_image_text_to_text([kept["prompt"], *rows], **options)
        records = []
        for number, text in enumerate(whole):
            text = behind(before, text)
            if return_full_text:
                text = gone_on(kept["input"], text, kept["goes_on"])
            records.append({"input_text": kept["input"], "generated_text": text, **self.more(model_outputs, number)})
        return records


def images_of(chat: Any) -> Iterator[Any]:
    """The images in a chat's messages, in their order. ValueError for a message without role or content."""
    for number, message in enumerate(chat):
        if not isinstance(message, Mapping) or not {"role", "content"} <= message.keys():
            raise ValueError(f"message {number} of the chat is {message!r:.200}; it needs a 'role' and a 'content'")
        content = message["content"]
        for block in content if isinstance(content, (list, tuple)) else ():
            if block.get("type") == "image_url":
                link = block.get("image_url")
                yield link.get("url") if isinstance(link, Mapping) else link
            elif block.get("type") == "image":
                image = next((block[key] for key in ("image", "url", "path") if block.get(key) is not None), None)
                if image is None and block.get("base64") is not None:
                    image = from_base64(block["base64"], f"the image of message {number}")
                if image is None:
                    raise ValueError(f'message {number} of the chat has an image with nothing under "image" or "url"')
                yield image


def text_and_images(inputs: Any) -> tuple[str, list[Any]]:
    """The text of an item that is no chat, and its images; TypeError or ValueError if it has no text."""
    if isinstance(inputs, str):
        if inputs.startswith(("http://", "https://", "data:image")) or inputs.lower().endswith(_FILES):
            raise ValueError(f"{inputs!r:.200} looks like an image and came as the text: pass images=…, text=…")
        return inputs, []
    if not isinstance(inputs, Mapping):
        kind = "None" if inputs is None else f"{inputs!r:.80} of the type {type(inputs).__name__}"
        raise TypeError(f'{kind} is no input: pass a text, {{"images": …, "text": …}} or a chat')
    images = inputs.get("images", inputs.get("image"))
    if not isinstance(inputs.get("text"), str):
        raise ValueError(f"'text' is {inputs.get('text')!r}; expected a text that says what to do with the images")
    listed = images if isinstance(images, (list, tuple)) else [] if images is None else [images]
    return inputs["text"], list(listed)


def behind(prompt: str, text: str) -> str:
    """The text without the prompt, which decoding may have moved by a space or two."""
    place = text.find(prompt)
    return text[place + len(prompt) :] if 0 <= place <= 2 else text


def gone_on(said: Any, text: str, goes_on: bool) -> Any:
    """The prompt with the text behind it; of a chat, its messages with an answer, or the last one longer."""
    if isinstance(said, str):
        return said + text
    if not goes_on:
        return [*said, {"role": "assistant", "content": text}]
    content = said[-1]["content"]
    if isinstance(content, str):
        longer: Any = content + text
    else:
        longer = [*content[:-1], {**content[-1], "text": content[-1]["text"] + text}]
    return [*said[:-1], {**said[-1], "content": longer}]
