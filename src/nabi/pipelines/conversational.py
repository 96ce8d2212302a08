"""conversational, a task of version 4: a Conversation in, the same Conversation out, with the model's answer.

Conversation("안녕?") -> chat template, or the messages joined by the end token -> generate -> …messages[-1]
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..generation.generate import position_limit
from .base import Steps
from .batching import ALIKE, KEPT
from .generating import GeneratingPipeline
from .text_classification import described
from .text_generation import checked_chat, is_chat

logger = logging.getLogger(__name__)

BETWEEN = "  "  # what Blenderbot was trained to see between the messages of a history


class Conversation:
    """Who said what so far: `messages`, a list of {"role": "user" | "assistant" | "system", "content": text}.

    messages: a text, the user's first; or messages. Of older days: text, past_user_inputs and generated_responses.
    """

    def __init__(
        self,
        messages: str | list[dict[str, str]] | None = None,
        conversation_id: uuid.UUID | str | None = None,
        past_user_inputs: list[str] | None = None,
        generated_responses: list[str] | None = None,
        text: str | None = None,
    ) -> None:
        self.uuid = conversation_id if conversation_id is not None else uuid.uuid4()
        self.messages: list[dict[str, Any]] = []
        asked, answers = list(past_user_inputs or []), list(generated_responses or [])
        for number in range(max(len(asked), len(answers))):
            for role, texts in (("user", asked), ("assistant", answers)):
                self.messages += [{"role": role, "content": each} for each in texts[number : number + 1]]
        if isinstance(messages, str):
            self.add_user_input(messages)
        elif messages is not None:
            self.messages += checked_chat(messages)
        if text is not None:
            self.add_user_input(text)

    def add_message(self, message: dict[str, str]) -> None:
        (checked,) = checked_chat([message])
        if checked["role"] not in ("user", "assistant", "system"):
            raise ValueError(f"the role is {checked['role']!r}; expected 'user', 'assistant' or 'system'")
        self.messages.append(checked)

    def add_user_input(self, text: str, overwrite: bool = False) -> None:
        """What the user says next. A question that is not answered yet is kept, unless overwrite=True."""
        if not isinstance(text, str):
            raise TypeError(f"{described(text)} is nothing that a user says: pass a string")
        if self.messages and self.messages[-1]["role"] == "user":
            if not overwrite:
                logger.warning("%r waits for an answer still, so %r is left out: overwrite=True", self[-1], text)
                return
            self.messages.pop()
        self.messages.append({"role": "user", "content": text})

    def append_response(self, response: str) -> None:
        self.messages.append({"role": "assistant", "content": response})

    def mark_processed(self) -> None:
        """Of older days: a question is a past one as soon as it has its answer."""

    @property
    def past_user_inputs(self) -> list[str]:
        said = self._of("user")
        return said[:-1] if self.messages and self.messages[-1]["role"] == "user" else said

    @property
    def generated_responses(self) -> list[str]:
        return self._of("assistant")

    @property
    def new_user_input(self) -> str | None:
        said = self._of("user")
        return said[-1] if said else None

    def iter_texts(self) -> Iterator[tuple[bool, str]]:
        """Whether the user said it, and what."""
        for message in self.messages:
            yield message["role"] == "user", message["content"]

    def _of(self, role: str) -> list[str]:
        return [message["content"] for message in self.messages if message["role"] == role]

    def __iter__(self) -> Iterator[dict[str, str]]:
        return iter(self.messages)

    def __getitem__(self, item: Any) -> Any:
        return self.messages[item]

    def __setitem__(self, item: Any, message: dict[str, str]) -> None:
        self.messages[item] = message

    def __len__(self) -> int:
        return len(self.messages)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Conversation) and (self.uuid == other.uuid or self.messages == other.messages)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        said = "".join(f"{message['role']}: {message.get('content')}\n" for message in self.messages)
        return f"Conversation id: {self.uuid}\n{said}"


class ConversationalPipeline(GeneratingPipeline):
    """Answers by a model that talks: of a chat template, as DialoGPT, or with an encoder, as Blenderbot.

    A history that is longer than the model has positions loses its oldest messages, so that min_length_for_response
    tokens are left for the answer. All settings of `generate` are taken; max_new_tokens is 256 if nobody says more.

        pipe(Conversation("text"))          that Conversation, with the answer as its last message
        pipe([Conversation("text"), …])     a list of them; of a list of one, the Conversation
        pipe([{"role", "content"}, …])      a Conversation
    """

    task = "conversational"
    heads = ("AutoModelForCausalLM", "AutoModelForSeq2SeqLM")
    usual = {"max_new_tokens": 256}

    def __init__(self, model: Any, tokenizer: Any = None, **options: Any) -> None:
        super().__init__(model, tokenizer, **options)
        self.padding_side = "right" if model.config.is_encoder_decoder else "left"  # type: ignore[misc]

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        """See the class."""
        results = super().__call__(inputs, **settings)
        return results[0] if isinstance(results, list) and len(results) == 1 else results

    def is_one(self, inputs: Any) -> bool:
        return is_chat(inputs) or super().is_one(inputs)

    def _sanitize_parameters(
        self,
        min_length_for_response: int | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        **settings: Any,
    ) -> Steps:
        settings = self.generation_settings(settings, ("min_length_for_response", "clean_up_tokenization_spaces"))
        before = {} if min_length_for_response is None else {"min_length_for_response": min_length_for_response}
        clean = clean_up_tokenization_spaces
        after = {} if clean is None else {"clean_up_tokenization_spaces": clean}
        return {**settings, **before}, settings, after

    def task_settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What an old config.json says for conversations in particular, as DialoGPT's does."""
        return dict((getattr(self.model.config, "task_specific_params", None) or {}).get(self.task) or {})

    def preprocess(self, inputs: Any, min_length_for_response: int = 32, **settings: Any) -> dict[str, Any]:
        """A conversation -> input ids and their mask, each (1, length)."""
        if not is_chat(inputs):
            hint = f": Conversation({inputs!r})" if isinstance(inputs, str) else ", or a list of messages"
            raise TypeError(f"{described(inputs)} is no conversation: pass a nabi.pipelines.conversational{hint}")
        conversation = inputs if isinstance(inputs, Conversation) else Conversation(checked_chat(inputs))
        messages = checked_chat(conversation)
        ids, limit = self._ids(messages), position_limit(self.model.config)[0]
        while limit is not None and ids.shape[1] > limit - min_length_for_response:
            oldest = next((i for i, message in enumerate(messages[:-1]) if message["role"] != "system"), None)
            if oldest is None:
                raise ValueError(
                    f"the last message has {ids.shape[1]} tokens, but the model knows {limit} positions, of which "
                    f"{min_length_for_response} are for the answer: shorten it, or lower min_length_for_response"
                )
            logger.warning("the conversation has %s tokens, too many: its oldest message is left out", ids.shape[1])
            messages = [message for i, message in enumerate(messages) if i != oldest]
            ids = self._ids(messages)
        reads = self.model.config.is_encoder_decoder
        options = {} if reads else self.new_tokens(ids.shape[1], settings)
        return {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            ALIKE: self.alike(ids.shape[1], settings, **options),
            KEPT: conversation,
        }

    def _ids(self, messages: list[Mapping[str, Any]]) -> Tensor:
        """The history as the model was trained to read it (1, length)."""
        if self.tokenizer.chat_template is not None:
            ids: Tensor = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
            return ids
        if self.model.config.is_encoder_decoder:
            said = (" " * (message["role"] == "user") + message["content"] for message in messages)
            return self.tokenizer(BETWEEN.join(said), return_tensors="pt")["input_ids"]
        end = self.tokenizer.eos_token_id
        if end is None:
            raise ValueError(
                "the tokenizer has neither a chat template nor an eos_token to put between messages, so it is probably "
                "of no model that talks: set tokenizer.chat_template"
            )
        texts = [self.tokenizer(message["content"], add_special_tokens=False)["input_ids"] for message in messages]
        return torch.tensor([[token for text in texts for token in (*text, end)]])

    def _forward(self, model_inputs: dict[str, Any], **settings: Any) -> dict[str, Any]:
        return self.write(model_inputs, settings)

    def postprocess(  # type: ignore[override]
        self, model_outputs: dict[str, Any], clean_up_tokenization_spaces: bool = True
    ) -> Conversation:
        """New tokens (1, texts, tokens) -> the conversation, to which the first of the texts is added."""
        conversation: Conversation = model_outputs[KEPT]
        answer = self.tokenizer.decode(
            self.texts(model_outputs)[0],
            skip_special_tokens=True,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
        )
        conversation.append_response(answer)
        return conversation
