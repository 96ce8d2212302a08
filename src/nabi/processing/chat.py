"""Chats with images: a processor's templates, and the images that a conversation holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import read_json
from ..hub import Repository
from ..tokenization.chat import apply_chat_template as apply_to_text
from ..tokenization.loading import CHAT_TEMPLATE, MORE_TEMPLATES
from .sources import from_base64

if TYPE_CHECKING:
    from .processors import Processor

OLD_TEMPLATE = "chat_template.json"  # {"chat_template": …}
_IMAGE_KEYS = ("image", "url", "path", "base64")


def read_template(repository: Repository) -> Any:
    """A processor's template out of its own files, or None; chat_template.jinja is read with the tokenizer."""
    path = repository.find(OLD_TEMPLATE)
    return None if path is None else read_json(path).get("chat_template")


def write_template(folder: Path, template: Any) -> None:
    """A processor's template, or several by name, to their files. Without one the tokenizer's, written before, stay."""
    templates = {"default": template} if isinstance(template, str) else dict(template or {})
    for name, text in templates.items():
        if Path(name).name != name:
            raise ValueError(f"The chat template {name!r} cannot be a file's name: rename it.")
        file = folder / (CHAT_TEMPLATE if name == "default" else f"{MORE_TEMPLATES}/{name}.jinja")
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode("utf-8"))


def apply_chat_template(
    processor: Processor,
    conversation: Any,
    chat_template: str | None = None,
    tokenize: bool = False,
    return_dict: bool = False,
    return_tensors: str | None = None,
    processor_kwargs: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """The text of a conversation, or of each in a list; with `tokenize=True` its ids, or all of the model's input with
    `return_dict=True`.

    The template is the one given (or its name), the processor's, or the tokenizer's. `processor_kwargs`, and those of
    the further keywords that are options of a call (`padding`, `do_resize`), go to the processor; the others are the
    template's (`add_generation_prompt`, `continue_final_message`, `tools`, its variables).
    """
    if options.get("return_assistant_tokens_mask"):
        raise ValueError(
            "return_assistant_tokens_mask=True is for text alone: use processor.tokenizer.apply_chat_template."
        )
    calls = {key: options.pop(key) for key in list(options) if _is_call_option(processor, key)}
    calls.update(processor_kwargs or {})
    conversation = _with_images_named(conversation)
    template = _chosen(processor, chat_template)
    texts = apply_to_text(processor.tokenizer, conversation, chat_template=template, tokenize=False, **options)
    if not tokenize:
        return texts
    begin = processor.tokenizer.bos_token
    first = texts if isinstance(texts, str) else texts[0]
    if begin and first.startswith(begin):  # the template wrote it: the tokenizer shall not write it again
        calls.setdefault("add_special_tokens", False)
    images = calls.pop("images", None) or _images(conversation)
    batch = processor(images=images or None, text=texts, return_tensors=return_tensors, **calls)
    return batch if return_dict else batch["input_ids"]


def _chosen(processor: Processor, named: str | None) -> str | None:
    """The text of the template, or what the tokenizer shall look up."""
    own = processor.chat_template
    if isinstance(own, dict):
        if named is None and "default" not in own:
            raise ValueError(
                f"The processor has the chat templates {sorted(own)} and no default: name one, chat_template=…."
            )
        return own.get(named or "default", named)
    return named or own


def _is_call_option(processor: Processor, key: str) -> bool:
    groups = ("images", "text_kwargs", "images_kwargs", "common_kwargs")
    return key in groups or any(processor._takes(part, key) for part in processor.parts)


def _with_images_named(conversation: Any) -> Any:
    """OpenAI's {"type": "image_url", "image_url": {"url": …}} as {"type": "image", "url": …}; the rest as it is."""
    if isinstance(conversation, (list, tuple)):
        return [_with_images_named(item) for item in conversation]
    if not isinstance(conversation, dict):
        return conversation
    if conversation.get("type") == "image_url" and "image_url" in conversation:
        link = conversation["image_url"]
        return {"type": "image", "url": link.get("url", "") if isinstance(link, dict) else link}
    if isinstance(conversation.get("content"), (list, tuple)):
        return {**conversation, "content": _with_images_named(conversation["content"])}
    return conversation


def _images(conversation: Any) -> list[Any]:
    """All images of a conversation or of a list of them, in their order."""
    found = []
    for item in conversation:
        if isinstance(item, list):
            found += _images(item)
        elif isinstance(item, dict) and isinstance(item.get("content"), list):
            for block in item["content"]:
                if isinstance(block, dict) and block.get("type") == "image":
                    found += [_image(key, block[key]) for key in _IMAGE_KEYS if block.get(key) is not None][:1]
    return found


def _image(key: str, value: Any) -> Any:
    return from_base64(value, "the image of a message") if key == "base64" and isinstance(value, str) else value
