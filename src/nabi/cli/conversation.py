"""A conversation with a model: its messages, the prompt that they make, and what the model has computed of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from ..generation.streaming import TextStreamer
from .messages import say

ROLES = ("system", "user", "assistant")

# For a model that was never taught to chat: a text that goes on as such texts do.
PLAIN_TEMPLATE = (
    "{% if bos_token %}{{ bos_token }}{% endif %}"
    "{% for message in messages %}"
    "{% if message.role != 'system' %}{{ message.role | capitalize }}:{% endif %}"
    "{% if message.role != 'system' and message.content[:1] != ' ' %}{{ ' ' }}{% endif %}"
    "{{ message.content }}{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
PLAIN_END = "\nUser:"  # the model would go on with both parts

Message = dict[str, str]


class Conversation:
    """What was said, and what the model has computed of it: only what is new goes through the model.

    settings: those of `generate` beside max_new_tokens, such as temperature.
    """

    def __init__(self, model: Any, tokenizer: Any, *, max_new_tokens: int, **settings: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.max_new_tokens = max_new_tokens
        self.settings = settings
        self.is_plain = tokenizer.chat_template is None
        self.system = ""
        self.turns: list[Message] = []  # of the user and the assistant
        self._first = 0  # the first turn that still fits into the model
        self._prompt: list[int] = []
        self._cache: Any = None
        self._cached: list[int] = []  # the ids whose keys and values the cache holds

    @property
    def messages(self) -> list[Message]:
        return [*self._instructions(), *self.turns]

    def ask(self, text: str) -> int:
        """Add a message of the user. Returns how many of the oldest turns no longer fit, and are left out from now on.

        Raises ValueError, and adds nothing, if the message alone is too long or the chat template refuses it.
        """
        first = self._first
        self.turns.append({"role": "user", "content": text})
        try:
            self._prompt = self._fitting_prompt()
        except BaseException:
            self.turns.pop()
            self._first = first
            raise
        return self._first - first

    def answer(self, show: Callable[[str], None], stop: Event) -> str:
        """The model's answer to the last message. `show` gets each piece at once; `stop` ends it; the part stays."""
        import torch

        from ..nn.cache import Cache

        reply = Reply(self.tokenizer, show, PLAIN_END if self.is_plain else "")
        ids = torch.tensor([self._prompt], device=self.model.device)
        cache, self._cache = self._fitting_cache(), None  # a pass that breaks off would leave it half written
        try:
            out = self.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=min(self.max_new_tokens, (self._limit or sys.maxsize) - ids.shape[1]),
                streamer=reply,
                stopping_criteria=[lambda ids, scores, **_: stop.is_set() or reply.is_complete],
                past_key_values=cache,
                return_dict_in_generate=True,
                **self.settings,
            )
            if isinstance(out.past_key_values, Cache):
                self._cache = out.past_key_values
                self._cached = out.sequences[0].tolist()[: self._cache.get_seq_length()]
        except KeyboardInterrupt:
            reply.end()
        except BaseException:
            self.turns.pop()
            raise
        self.turns.append({"role": "assistant", "content": reply.text})
        return reply.text

    def undo(self) -> bool:
        """Take back the last message of the user and all that came after it; False if there is none."""
        asked = [place for place, turn in enumerate(self.turns) if turn["role"] == "user"]
        if asked:
            del self.turns[asked[-1] :]
            self._first = min(self._first, len(self.turns))
        return bool(asked)

    def reset(self) -> None:
        """Forget all but the instructions."""
        self.turns = []
        self._first = 0

    def save(self, path: Path) -> None:
        """Write the messages as JSON, or for people to read if the file's name ends in .md."""
        if path.suffix == ".md":
            text = "\n\n".join(f"## {message['role']}\n\n{message['content'].strip()}" for message in self.messages)
        else:
            text = json.dumps({"messages": self.messages}, ensure_ascii=False, indent=2)
        path.write_text(text + "\n", encoding="utf-8")

    def load(self, path: Path) -> None:
        """Go on with messages that `save` wrote as JSON, or with a bare list of them. Raises ValueError for others."""
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        messages = content.get("messages") if isinstance(content, dict) else content
        if not isinstance(messages, list):
            raise ValueError(say("no_messages"))
        for place, message in enumerate(messages):
            known = isinstance(message, dict) and message.get("role") in ROLES[place > 0 :]
            if not known or not isinstance(message.get("content"), str):
                raise ValueError(say("bad_message", place=place, roles=", ".join(ROLES[place > 0 :])))
        messages = [{"role": message["role"], "content": message["content"]} for message in messages]
        self.system = "".join(message["content"] for message in messages[:1] if message["role"] == "system")
        self.reset()
        self.turns = [message for message in messages if message["role"] != "system"]

    def _instructions(self) -> list[Message]:
        return [{"role": "system", "content": self.system}] if self.system else []

    @property
    def _limit(self) -> int | None:
        return getattr(self.model.config, "max_position_embeddings", None)

    def _fitting_prompt(self) -> list[int]:
        """The ids of the conversation without its oldest turns, if else no room would be left for an answer."""
        room = min(self.max_new_tokens, (self._limit or 0) // 4)
        while True:
            messages = [*self._instructions(), *self.turns[self._first :]]
            ids: list[int] = self.tokenizer.apply_chat_template(
                messages, chat_template=PLAIN_TEMPLATE if self.is_plain else None, add_generation_prompt=True
            )
            if self._limit is None or len(ids) + room <= self._limit:
                return ids
            later = range(self._first + 1, len(self.turns))
            following = next((place for place in later if self.turns[place]["role"] == "user"), None)
            if following is None:
                raise ValueError(say("message_too_long", tokens=len(ids), most=self._limit - room))
            self._first = following

    def _fitting_cache(self) -> Any:
        """The cache up to where the prompt says something else, at most to its last id, whose scores are needed."""
        if self._cache is None:
            return None
        pairs = enumerate(zip(self._cached, self._prompt[:-1], strict=False))
        same = next((place for place, (old, new) in pairs if old != new), min(len(self._cached), len(self._prompt) - 1))
        try:
            self._cache.crop(same)
        except ValueError:  # of a sliding window, which has forgotten what lies before
            return None
        return self._cache


class Reply(TextStreamer):
    """An answer while it is written, shown up to `until`, where there is one."""

    def __init__(self, tokenizer: Any, show: Callable[[str], None], until: str) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.show = show
        self.until = until
        self.text = ""
        self.is_complete = False
        self._shown = 0

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        if not self.is_complete:
            self.text += text
        held = 0
        if self.until:
            self.text, found, _ = self.text.partition(self.until)
            self.is_complete |= bool(found)
            begun = (size for size in range(len(self.until), 0, -1) if self.text.endswith(self.until[:size]))
            held = 0 if stream_end or self.is_complete else next(begun, 0)
        end = len(self.text) - held
        if end > self._shown:
            self.show(self.text[self._shown : end])
            self._shown = end
