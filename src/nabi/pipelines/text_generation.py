"""text-generation: a text, or a chat, to what a model writes on.

"나비가" -> input_ids (1, length) -> generate -> {"generated_text": "나비가 꽃에 앉았다."}
[{"role": "user", "content": "안녕?"}] -> chat template -> … -> {"generated_text": [{…}, {"role": "assistant", …}]}
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator, Mapping
from types import GeneratorType
from typing import Any

import torch

from .base import Steps
from .batching import ALIKE, KEPT
from .generating import GeneratingPipeline
from .settings import longest_text
from .text_classification import described

FOR_TOKENIZER = ("add_special_tokens", "padding", "truncation")
FOR_TEMPLATE = ("documents", "tools")


class ReturnType(enum.Enum):
    TENSORS = 0
    NEW_TEXT = 1
    FULL_TEXT = 2


class TextGenerationPipeline(GeneratingPipeline):
    """Texts written on by a model of the kind …ForCausalLM or …LMHeadModel.

    What comes back: with the prompt (return_full_text=True), without it (False), or token ids (return_tensors=True).
    All settings of `generate` are taken: max_new_tokens (256 if nobody says more), do_sample (True if nobody says
    more, with temperature 0.7), num_beams, num_return_sequences, stop_strings or stop_sequence, streamer,
    response_format, regex, generation_config, assistant_model (loaded, or by name), …
    prefix: stands before each prompt and does not come back. handle_long_generation="hole": of a prompt too long for
    the model its beginning is left out. add_special_tokens, padding, truncation and tokenizer_encode_kwargs go to the
    tokenizer; tools, documents and continue_final_message (True if the assistant spoke last) to the chat template.

        pipe("text")                            [{"generated_text": "text…"}]
        pipe(["text", …])                       [[{"generated_text"}], …]
        pipe([{"role", "content"}, …])          [{"generated_text": [{"role", "content"}, …]}]
        pipe([[{"role", "content"}], …])        [[{"generated_text": […]}], …]
        pipe("text", return_tensors=True)       [{"generated_token_ids": [12, …]}]

    What a text becomes does not depend on its batch, but for sampling: see nabi.pipelines.generating.
    """

    task = "text-generation"
    heads = ("AutoModelForCausalLM",)
    padding_side = "left"
    usual = {"max_new_tokens": 256, "do_sample": True, "temperature": 0.7}

    def __init__(self, model: Any, tokenizer: Any = None, **options: Any) -> None:
        super().__init__(model, tokenizer, **options)
        if model.config.is_encoder_decoder:
            raise TypeError(
                f"{type(model).__name__} writes from a source and does not write on: use the task text2text-generation"
            )

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        """See the class. A generator may yield texts, chats, or the messages of one chat."""
        return super().__call__(opened(inputs) if isinstance(inputs, GeneratorType) else inputs, **settings)

    def is_one(self, inputs: Any) -> bool:
        return is_chat(inputs) or super().is_one(inputs)

    def _sanitize_parameters(
        self,
        return_full_text: bool | None = None,
        return_tensors: bool | None = None,
        return_text: bool | None = None,
        return_type: ReturnType | int | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        skip_special_tokens: bool | None = None,
        prefix: str | None = None,
        handle_long_generation: str | None = None,
        continue_final_message: bool | None = None,
        tokenizer_encode_kwargs: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Steps:
        if handle_long_generation not in (None, "hole"):
            raise ValueError(f"handle_long_generation is {handle_long_generation!r}; expected None or 'hole'")
        before = {name: settings.pop(name) for name in (*FOR_TOKENIZER, *FOR_TEMPLATE) if name in settings}
        before.update(
            prefix=prefix,
            handle_long_generation=handle_long_generation,
            continue_final_message=continue_final_message,
            tokenizer_encode_kwargs=tokenizer_encode_kwargs,
        )
        own = {*before, *FOR_TOKENIZER, *FOR_TEMPLATE, "return_full_text", "return_tensors", "return_text"}
        settings = self.generation_settings(settings, own | {"clean_up_tokenization_spaces", "skip_special_tokens"})
        after = {
            "return_type": returned(return_full_text, return_tensors, return_text, return_type),
            "clean_up_tokenization_spaces": clean_up_tokenization_spaces,
            "skip_special_tokens": skip_special_tokens,
            "continue_final_message": continue_final_message,
        }
        return {**without_none(before), **settings}, settings, without_none(after)

    def preprocess(
        self,
        inputs: Any,
        prefix: str | None = None,
        handle_long_generation: str | None = None,
        continue_final_message: bool | None = None,
        tools: Any = None,
        documents: Any = None,
        tokenizer_encode_kwargs: dict[str, Any] | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        """A text or chat -> input ids and their mask, each (1, length); ids and words of the prompt are kept."""
        for_tokenizer = {name: settings.pop(name) for name in FOR_TOKENIZER if name in settings}
        for_tokenizer["max_length"] = settings.get("max_length")
        if for_tokenizer.get("padding"):
            for_tokenizer["padding_side"] = "left"
        for_tokenizer = {**without_none(for_tokenizer), **(tokenizer_encode_kwargs or {})}
        before = 0
        if is_chat(inputs):
            inputs = checked_chat(inputs)
            goes_on = inputs[-1]["role"] == "assistant" if continue_final_message is None else continue_final_message
            encoded = self._encode_chat(inputs, goes_on, tools, documents, for_tokenizer)
        else:
            prefix = getattr(self.model.config, "prefix", None) or "" if prefix is None else prefix
            if prefix:
                special = for_tokenizer.get("add_special_tokens", False)
                before = len(self.tokenizer(prefix, add_special_tokens=special)["input_ids"])
            encoded = self.tokenizer(prefix + checked_text(inputs), return_tensors="pt", **for_tokenizer)
        ids, mask = encoded["input_ids"], encoded.get("attention_mask")
        if handle_long_generation == "hole":
            ids, mask = self._cut(ids, mask, settings)
        kept = {"given": inputs, "prompt": ids[0].tolist(), "begun": []}
        if not ids.shape[1]:
            kept["begun"] = [self._begin(settings)]
            ids, mask = torch.tensor([kept["begun"]]), None
        count = ids.shape[1]
        return {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids) if mask is None else mask,
            ALIKE: self.alike(count, settings, **self.new_tokens(count, settings, before)),
            KEPT: kept,
        }

    def _encode_chat(self, chat: list[Any], goes_on: bool, tools: Any, documents: Any, options: dict[str, Any]) -> Any:
        named = {name: options[name] for name in ("padding", "truncation", "max_length") if name in options}
        rest = {k: v for k, v in options.items() if k not in named and k not in ("add_special_tokens", "padding_side")}
        side = {"padding_side": options["padding_side"]} if "padding_side" in options else None
        return self.tokenizer.apply_chat_template(
            chat,
            tools=tools,
            documents=documents,
            add_generation_prompt=not goes_on,
            continue_final_message=goes_on,
            return_dict=True,
            return_tensors="pt",
            tokenizer_kwargs=side,
            **named,
            **rest,
        )

    def _begin(self, settings: dict[str, Any]) -> int:
        """The id that a text of no tokens begins with."""
        begin = self.said(settings, "bos_token_id")
        if begin is None:
            raise ValueError("the text has no tokens, and the model no bos_token_id to begin with: give it a word")
        return int(begin)

    def _cut(self, ids: Any, mask: Any, settings: dict[str, Any]) -> tuple[Any, Any]:
        """The end of a prompt, as much of it as leaves room for what shall be written."""
        longest = longest_text(self.model, self.tokenizer)
        if longest is None:
            return ids, mask
        most = self.new_tokens(ids.shape[1], settings, fitting=False)["max_new_tokens"]
        room = longest - most
        if room < 1:
            raise ValueError(
                f"{most} new tokens are asked for, but the model knows {longest} positions, so that nothing of the "
                f"prompt would be left: pass max_new_tokens={longest - 1} or less"
            )
        return ids[:, -room:], None if mask is None else mask[:, -room:]

    def _forward(self, model_inputs: dict[str, Any], **settings: Any) -> dict[str, Any]:
        return self.write(model_inputs, settings)

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: dict[str, Any],
        return_type: ReturnType = ReturnType.FULL_TEXT,
        clean_up_tokenization_spaces: bool | None = None,
        skip_special_tokens: bool = True,
        continue_final_message: bool | None = None,
    ) -> list[dict[str, Any]]:
        """New tokens (1, texts, tokens) -> a {"generated_text"} or {"generated_token_ids"} for each text."""
        kept = model_outputs[KEPT]
        given, records = kept["given"], []
        for number, tokens in enumerate(self.texts(model_outputs)):
            tokens = [*kept["begun"], *tokens]
            if return_type is ReturnType.TENSORS:
                records.append({"generated_token_ids": [*kept["prompt"], *tokens]})
                continue
            text = self.tokenizer.decode(
                tokens,
                skip_special_tokens=skip_special_tokens,
                clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            )
            if return_type is ReturnType.FULL_TEXT:
                text = given + text if isinstance(given, str) else answered(given, text, continue_final_message)
            records.append({"generated_text": text, **self.more(model_outputs, number)})
        return records


def without_none(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def returned(full: bool | None, tensors: bool | None, text: bool | None, kind: Any) -> ReturnType | None:
    """What comes back, by the arguments that say it; ValueError if they contradict each other."""
    if kind is not None:
        return ReturnType(kind)
    if tensors and (full is not None or text):
        raise ValueError(f"return_tensors=True gives ids; leave {'return_text' if text else 'return_full_text'} out")
    if full is not None and text is not None:
        raise ValueError("return_full_text and return_text both say which text comes back: leave one of them out")
    if tensors:
        return ReturnType.TENSORS
    return None if full is None else ReturnType.FULL_TEXT if full else ReturnType.NEW_TEXT


# ---------------------------------------------------------------- chats


def is_chat(inputs: Any) -> bool:
    """Whether this is one chat: a list of messages, or an object that has them, as a Conversation."""
    return hasattr(inputs, "messages") or (
        isinstance(inputs, (list, tuple)) and len(inputs) > 0 and isinstance(inputs[0], Mapping) and "role" in inputs[0]
    )


def checked_chat(inputs: Any) -> list[Any]:
    """Its messages; ValueError or TypeError for one that says not who speaks."""
    chat = list(getattr(inputs, "messages", inputs))
    for number, message in enumerate(chat):
        if not isinstance(message, Mapping) or "role" not in message:
            raise TypeError(
                f"message {number} of the chat is {described(message)}: expected a dict with 'role' and 'content'"
            )
        if "content" not in message and "tool_calls" not in message:
            raise ValueError(f"message {number} of the chat has no 'content', only {list(message)}")
    if not chat:
        raise ValueError("the chat has no messages: give it one such as {'role': 'user', 'content': '안녕'}")
    return chat


def checked_text(inputs: Any) -> str:
    if isinstance(inputs, str):
        return inputs
    if isinstance(inputs, Mapping) or (isinstance(inputs, (list, tuple)) and not inputs):
        raise TypeError(f"{described(inputs)} is no chat: expected a list of messages, [{{'role': …, 'content': …}}]")
    raise TypeError(f"{described(inputs)} is no text: pass a string, or a chat as a list of messages")


def answered(chat: list[Any], text: str, goes_on: bool | None) -> list[Any]:
    """The chat with the answer as its last message, or behind the last one if the model went on with that."""
    last = chat[-1]
    if last["role"] == "assistant" if goes_on is None else goes_on:
        said = last["content"]
        whole = said + text if isinstance(said, str) else [*said, {"type": "text", "text": text}]
        return [*chat[:-1], {"role": last["role"], "content": whole}]
    return [*chat, {"role": "assistant", "content": text}]


def opened(source: Iterator[Any]) -> Any:
    """A generator as it was; if it yields messages, they are one chat."""
    first = list(itertools.islice(source, 1))
    whole = itertools.chain(first, source)
    return list(whole) if first and is_chat(first) else whole
