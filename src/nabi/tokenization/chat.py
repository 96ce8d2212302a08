"""Messages -> the text that a chat model expects -> ids, by the tokenizer's chat template.

A template is a small Jinja program that comes with the checkpoint, so it is foreign code. It runs in Jinja's
sandbox, which lets it build text and nothing else, and it sees copies made of plain JSON types only.
jinja2 is imported with this module; the tokenizer imports this module when a chat comes.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import logging
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

import jinja2
import numpy as np
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Encoding

from .batch_encoding import BatchEncoding
from .json_schema import function_schema
from .tensors import as_tensor, tensor_kind

if TYPE_CHECKING:
    from .fast import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

Span = tuple[int, int]  # characters from … up to but without …

_REASONING = ("reasoning_content", "thinking", "reasoning")  # names under which thoughts of a model are passed
_CONTINUE = "NABI_CONTINUES_HERE "  # ends in a space to show whether the template trims the message


class ChatTemplateError(jinja2.TemplateError, ValueError):
    """A chat template that is no Jinja, fails, refuses the messages, or tries to leave the sandbox."""


def apply_chat_template(
    tokenizer: PreTrainedTokenizerFast,
    conversation: Any,
    tools: Sequence[dict[str, Any] | Callable[..., Any]] | None = None,
    documents: Sequence[dict[str, Any]] | None = None,
    chat_template: str | None = None,
    add_generation_prompt: bool = False,
    continue_final_message: bool | str = False,
    tokenize: bool = True,
    padding: bool | str = False,
    truncation: bool | str = False,
    max_length: int | None = None,
    return_tensors: str | None = None,
    return_dict: bool = False,
    return_assistant_tokens_mask: bool = False,
    tokenizer_kwargs: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Write a conversation (a list of {"role", "content"} dicts), or a list of them, as the model was trained to read.

    Returns ids, a BatchEncoding with `return_dict=True`, or the text with `tokenize=False`. (`return_dict` is False
    as in HF's v4; v5 made it True.) `tools` are JSON schemas or functions with type hints and a Google-style
    docstring. `add_generation_prompt` opens the model's answer; `continue_final_message` leaves the last message open
    instead (a str names the field to go on with). `return_assistant_tokens_mask` adds `assistant_masks`, 1 where the
    template's `{% generation %}` blocks stand. Further keywords are variables of the template. No special tokens are
    added but the template's. Raises TypeError or ValueError; ChatTemplateError, a ValueError, for the template.
    """
    _check_options(kwargs, add_generation_prompt, continue_final_message, return_assistant_tokens_mask)
    if return_assistant_tokens_mask and not (return_dict and tokenize):
        raise ValueError("return_assistant_tokens_mask=True needs return_dict=True and tokenize=True to return it in.")
    template = get_chat_template(tokenizer, chat_template, tools)
    conversations, many = _as_conversations(conversation)
    if return_assistant_tokens_mask and not re.search(r"\{%[-+]?\s*generation\b", template):
        _say_that_nothing_is_marked(template)
    shared = {
        **_plain({**tokenizer.special_tokens_map, **kwargs}),
        "tools": _tool_schemas(tools),
        "documents": _checked_documents(documents),
        "add_generation_prompt": add_generation_prompt,
    }
    key = continue_final_message if isinstance(continue_final_message, str) else "content"
    texts, spans = [], []
    for messages in conversations:
        last = _open_last_message(messages, key, template) if continue_final_message else None
        text, generated = _render(template, {**shared, "messages": messages})
        texts.append(text if last is None else _cut_at_mark(text, last))
        spans.append(generated)
    if not tokenize:
        return texts if many else texts[0]
    options = {
        "padding": padding,
        "truncation": truncation,
        "max_length": max_length,
        "add_special_tokens": False,
        "return_tensors": return_tensors,
        **(tokenizer_kwargs or {}),
    }
    batch = tokenizer(texts if many else texts[0], **options)
    if return_assistant_tokens_mask:
        batch["assistant_masks"] = _assistant_masks(batch, spans, many, tensor_kind(options["return_tensors"]))
    return batch if return_dict else batch["input_ids"]


def get_chat_template(tokenizer: PreTrainedTokenizerFast, chat_template: str | None = None, tools: Any = None) -> str:
    """The template that `apply_chat_template` uses: the one passed or named, else the tokenizer's own.

    Of a tokenizer with several, "tool_use" is taken when there are tools, else "default".
    Raises ValueError if there is none, or none of that name.
    """
    own = tokenizer.chat_template
    name = f"The tokenizer {tokenizer.name_or_path!r}" if tokenizer.name_or_path else "This tokenizer"
    if chat_template is not None:
        if not isinstance(chat_template, str):
            raise TypeError(f"chat_template must be a str, not {chat_template!r} ({type(chat_template).__name__}).")
        if isinstance(own, dict) and chat_template in own:
            return own[chat_template]
        if not re.search(r"\{[{%]", chat_template):
            known = f"its templates are {sorted(own)}" if isinstance(own, dict) else "it has no templates with names"
            raise ValueError(f"{name} has no chat template named {chat_template!r} ({known}), and Jinja it is not.")
        return chat_template
    if own is None:
        raise ValueError(
            f"{name} has no chat template, so it is probably of no chat model. Load a chat (instruct) checkpoint, set "
            "tokenizer.chat_template, or pass chat_template=… with a Jinja template."
        )
    if isinstance(own, str):
        return own
    if tools is not None and "tool_use" in own:
        return own["tool_use"]
    if "default" in own:
        return own["default"]
    raise ValueError(f"{name} has no default chat template: pass chat_template= one of the names {sorted(own)}.")


# --- what the template is given


def _check_options(variables: dict[str, Any], prompt: bool, continue_final: bool | str, mask: bool) -> None:
    if continue_final and prompt:
        raise ValueError(
            "continue_final_message and add_generation_prompt exclude each other: the first goes on with the last "
            "message, the second opens a new one."
        )
    if continue_final and mask:
        raise ValueError("return_assistant_tokens_mask cannot be had with continue_final_message: ask for one of them.")
    if variables.pop("sanitize_control_tokens", False):
        raise ValueError(
            "sanitize_control_tokens is not supported: take the special tokens out of foreign text before."
        )
    if "messages" in variables:
        raise TypeError("messages is the template's name for the conversation: pass it as the first argument.")


def _as_conversations(conversation: Any) -> tuple[list[list[dict[str, Any]]], bool]:
    """Copies of the messages of each conversation, and whether the caller gave many."""
    if isinstance(conversation, (str, Mapping)) or not hasattr(
        getattr(conversation, "messages", conversation), "__iter__"
    ):
        raise TypeError(
            "A conversation is a list of messages such as {'role': 'user', 'content': '안녕'}, not "
            f"{_shown(conversation)} ({type(conversation).__name__})."
        )
    rows = list(getattr(conversation, "messages", conversation))
    many = len(rows) > 0 and (isinstance(rows[0], (list, tuple)) or hasattr(rows[0], "messages"))
    conversations = [list(getattr(row, "messages", row)) for row in rows] if many else [rows]
    for index, messages in enumerate(conversations):
        if not messages:
            raise ValueError(f"{f'Conversation {index}' if many else 'The conversation'} is empty: give it a message.")
    return [
        [_as_message(message, f"message {place} of conversation {index}") for place, message in enumerate(messages)]
        for index, messages in enumerate(conversations)
    ], many


def _as_message(message: Any, place: str) -> dict[str, Any]:
    """A plain copy without keys of None, which services write for what is not there and templates trip over."""
    plain = _plain(message)
    if not isinstance(plain, dict):
        raise TypeError(
            f"{place} is {_shown(message)} ({type(message).__name__}), but it must be a dict such as "
            "{'role': 'user', 'content': '안녕'}."
        )
    plain = {key: value for key, value in plain.items() if value is not None}
    thoughts = next((plain[name] for name in _REASONING if name in plain), None)
    if thoughts is not None:  # under the names that templates read
        plain = {"thinking": thoughts, **plain, "reasoning_content": thoughts}
    return plain


def _tool_schemas(tools: Any) -> list[Any] | None:
    if tools is None:
        return None
    if isinstance(tools, (str, Mapping)) or callable(tools):
        raise TypeError(f"tools must be a list of tools, not {_shown(tools)}: write tools=[…].")
    schemas = []
    for index, tool in enumerate(tools):
        if isinstance(tool, Mapping):
            schemas.append(_plain(tool))
        elif inspect.isfunction(tool) or inspect.ismethod(tool):
            schemas.append(function_schema(tool))
        else:
            raise TypeError(f"tools[{index}] must be a function or a dict with its JSON schema, not {_shown(tool)}.")
    return schemas


def _checked_documents(documents: Any) -> list[Any] | None:
    if documents is None:
        return None
    for index, document in enumerate(documents):
        if not isinstance(document, Mapping):
            raise TypeError(
                f"documents[{index}] must be a dict, usually with 'title' and 'text', not {_shown(document)}."
            )
    return _plain(list(documents))


def _plain(value: Any) -> Any:
    """A copy made of JSON's types. Anything else becomes its type's name, for the sandbox knows no other methods."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):  # a subclass, such as an enum, has methods of its own
            return kind.__str__(value) if kind is str else kind(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, np.generic):
        return _plain(value.item())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if callable(getattr(value, "model_dump", None)):  # pydantic
        return _plain(value.model_dump())
    return f"<{type(value).__name__}>"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


# --- going on with the last message


def _open_last_message(messages: list[dict[str, Any]], key: str, template: str) -> str:
    """Put the mark behind the last message's text, in place, and return the text."""
    last = messages[-1]
    content = last.get(key)
    names = [name for name in (_REASONING if key in _REASONING else (key,)) if name in last and last[name] == content]
    if content is None or not any(name in template for name in names):
        fault = "the last message has no such field" if content is None else "the chat template does not use that field"
        raise ValueError(f"continue_final_message cannot go on with {key!r}: {fault}.")
    if isinstance(content, list):
        block = next((part for part in reversed(content) if isinstance(part, dict) and "text" in part), None)
        if block is None:
            raise ValueError(
                "continue_final_message finds no text in the last message: its content has no 'text' part."
            )
        text = block["text"]
        block["text"] = text + _CONTINUE
    elif isinstance(content, str):
        text = content
        last.update(dict.fromkeys(names, text + _CONTINUE))
    else:
        raise TypeError(f"continue_final_message needs text to go on with, but {key!r} is {_shown(content)}.")
    return text


def _cut_at_mark(text: str, last: str) -> str:
    """The text up to the mark; without the spaces before it where the template trims messages."""
    position = text.rfind(_CONTINUE.strip())
    if position < 0 or last.strip() not in text:
        raise ValueError(
            f"The chat template leaves out the last message, or a part, so the model cannot go on with it: {last!r}."
        )
    kept = text[:position]
    return kept if text.startswith(_CONTINUE, position) else kept.rstrip()


# --- which tokens the model wrote


def _assistant_masks(batch: BatchEncoding, spans: list[list[Span]], many: bool, kind: str | None) -> Any:
    encodings = batch.encodings or []
    samples = batch.get("overflow_to_sample_mapping", range(len(encodings)))
    masks = [_mask(encoding, spans[int(sample)]) for encoding, sample in zip(encodings, samples, strict=True)]
    if kind is not None:
        return as_tensor("assistant_masks", masks, kind)
    return masks if many or "overflow_to_sample_mapping" in batch else masks[0]


def _mask(encoding: Encoding, spans: list[Span]) -> list[int]:
    mask = [0] * len(encoding)
    for start, end in spans:
        first = _first_token(encoding, range(start, end))
        last = _first_token(encoding, range(end - 1, start - 1, -1))
        if first is not None and last is not None:  # else it was cut off
            mask[first : last + 1] = [1] * (last + 1 - first)
    return mask


def _first_token(encoding: Encoding, characters: range) -> int | None:
    """The token of the first of the characters that has one (spaces may have none)."""
    return next((token for char in characters if (token := encoding.char_to_token(char)) is not None), None)


@cache
def _say_that_nothing_is_marked(template: str) -> None:
    logger.warning("The chat template has no {% generation %} block, so assistant_masks is 0 everywhere.")


# --- Jinja


def _render(template: str, variables: dict[str, Any]) -> tuple[str, list[Span]]:
    """The text, and where in it the `{% generation %}` blocks stand."""
    parts: list[str] = []
    watched = _Watched()
    token = _WATCHED.set(watched)
    try:
        for part in _compiled(template).generate(**variables):
            parts.append(part)
            watched.length += len(part)
    except Exception as error:  # a template can raise whatever Python's operators raise
        raise _explained(template, error) from error
    finally:
        _WATCHED.reset(token)
    return "".join(parts), watched.spans


def _explained(template: str, error: Exception) -> ChatTemplateError:
    line = getattr(error, "lineno", None)  # of a syntax error; of others Jinja writes it into the traceback
    if line is None:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
        line = frames[-1].lineno if frames else None
    lines = template.splitlines()
    place = f" (line {line}: {_shown(lines[line - 1].strip())})" if line and line <= len(lines) else ""
    if type(error) is jinja2.TemplateError:  # the template's own raise_exception
        return ChatTemplateError(f"The chat template refuses this conversation: {error}{place}")
    return ChatTemplateError(f"The chat template fails{place}: {type(error).__name__}: {error}")


@dataclasses.dataclass
class _Watched:
    """One rendering while it runs: how many characters are written, and which of them the model wrote."""

    length: int = 0
    spans: list[Span] = dataclasses.field(default_factory=list)


_WATCHED: ContextVar[_Watched] = ContextVar("_WATCHED")  # each thread and task has its own


class _Generation(Extension):
    """The block {% generation %} … {% endgeneration %}: what the model wrote."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_note"), [], [], body).set_lineno(line)

    def _note(self, caller: Callable[[], str]) -> str:
        text = caller()
        watched = _WATCHED.get()
        watched.spans.append((watched.length, watched.length + len(text)))
        return text


class _Environment(ImmutableSandboxedEnvironment):
    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if obj is dict and attr != "fromkeys":  # the type's methods would change any dict: dict.update(message, …)
            return False
        return super().is_safe_attribute(obj, attr, value)


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


@cache
def _environment() -> _Environment:
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json  # Jinja's own escapes for HTML
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


@lru_cache(maxsize=64)
def _compiled(template: str) -> jinja2.Template:
    return _environment().from_string(template)
