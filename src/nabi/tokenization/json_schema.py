"""A Python function -> the JSON schema under which a chat template shows it to the model as a tool."""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_CONTAINERS: dict[Any, str] = {list: "array", tuple: "array", dict: "object"}
_MEDIA = {"PIL.Image.Image": "image", "torch.Tensor": "audio"}  # HF's words; by name, so that neither is imported
_SECTION = re.compile(r"(Args|Returns|Raises):\s*(.*)")
_ARGUMENT = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)")  # `name: text`, or `name (type): text`
_CHOICES = re.compile(r"\(choices:\s*(.*?)\)\s*$", re.IGNORECASE)


class Documentation(NamedTuple):
    """What a Google-style docstring says: the text above its sections, each argument's, and that of `Returns:`."""

    summary: str
    arguments: dict[str, str]
    returns: str | None


def function_schema(function: Callable[..., Any]) -> dict[str, Any]:
    """The schema of a function whose arguments all have a type hint and a line under `Args:` in its docstring.

    Hints: str, int, float, bool, None, list, tuple, dict, Any, Union, Optional, Literal and Enum classes. A line that
    ends with `(choices: ["tea", "coffee"])` allows only these values. `self` and `cls` are left out.
    Raises TypeError for a hint and ValueError for a docstring; both name the function and the argument.
    """
    name = getattr(function, "__name__", type(function).__name__)
    text = inspect.getdoc(function)
    if not text:
        raise ValueError(
            f"The tool {name}() has no docstring: the model learns from it what the tool does. Write what it does, and "
            "a line for each argument under 'Args:'."
        )
    documentation = read_docstring(text)
    hints, required = _hints(function, name)
    returned = hints.pop("return", inspect.Parameter.empty)
    properties = {}
    for argument, hint in hints.items():
        place = f"the argument {argument!r} of {name}()"
        if argument not in documentation.arguments:
            raise ValueError(
                f"The docstring says nothing about {place}: add a line '{argument}: what it is' under 'Args:'."
            )
        properties[argument] = _described(_schema(hint, place), documentation.arguments[argument], place)
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = required
    tool: dict[str, Any] = {"name": name, "description": documentation.summary, "parameters": parameters}
    result = _result(returned, documentation.returns)
    if result is not None:
        tool["return"] = result
    return {"type": "function", "function": tool}


def read_docstring(text: str) -> Documentation:
    """The parts of a Google-style docstring (without indentation, as `inspect.getdoc` gives it)."""
    sections: dict[str, list[str]] = {"": []}
    section = ""
    for line in text.strip().splitlines():
        heading = _SECTION.fullmatch(line)
        if heading:
            section = heading[1]
            sections[section] = [heading[2]] if heading[2] else []
        elif section and line and not line[0].isspace():
            section = "-"  # a line that is not indented ends the section; what follows is of no use to the model
        else:
            sections.setdefault(section, []).append(line)
    returns = "\n".join(sections["Returns"]).strip() if "Returns" in sections else None
    return Documentation("\n".join(sections[""]).strip(), _arguments(sections.get("Args", [])), returns)


def _arguments(lines: list[str]) -> dict[str, str]:
    """Name -> text. What is indented deeper than the names, or is no `name:`, goes on with the text above it."""
    found: dict[str, str] = {}
    name, depth = "", None
    for line in filter(str.strip, lines):
        indentation = len(line) - len(line.lstrip())
        depth = indentation if depth is None else depth
        entry = _ARGUMENT.fullmatch(line.strip()) if indentation <= depth else None
        if entry:
            name = entry[1]
            found[name] = entry[2]
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def _hints(function: Callable[..., Any], name: str) -> tuple[dict[str, Any], list[str]]:
    """The type hint of each argument (and of "return"), and the names of the arguments without a default."""
    arguments = dict(inspect.signature(function).parameters)
    first = next(iter(arguments), "")
    if first in ("self", "cls") and arguments[first].annotation is inspect.Parameter.empty:
        del arguments[first]
    for argument in arguments.values():
        if argument.annotation is inspect.Parameter.empty:
            raise TypeError(
                f"The argument {argument.name!r} of {name}() has no type hint: write it, such as {argument.name}: str."
            )
    try:
        hints = get_type_hints(function)
    except Exception as error:  # whatever evaluating a hint written as a string may raise
        raise TypeError(f"A type hint of {name}() cannot be evaluated: {error}.") from error
    hints = {key: hint for key, hint in hints.items() if key in arguments or key == "return"}
    return hints, [key for key, argument in arguments.items() if argument.default is inspect.Parameter.empty]


def _schema(hint: Any, place: str) -> dict[str, Any]:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union(parts, place)
    if origin is Literal:
        return _enumeration(list(parts), hint, place)
    if origin in _CONTAINERS:
        return _container(origin, parts, place)
    if hint is Any:
        return {}
    if isinstance(hint, type):
        if issubclass(hint, Enum):
            return _enumeration([member.value for member in hint], hint, place)
        name = _SCALARS.get(hint) or _CONTAINERS.get(hint) or _MEDIA.get(f"{hint.__module__}.{hint.__qualname__}")
        if name:
            return {"type": name}
    raise TypeError(
        f"The type hint {hint!r} of {place} has no counterpart in JSON: use str, int, float, bool, list, dict, tuple, "
        "Literal, an Enum class, or a union of these, or pass the tool as a dict with a schema of your own."
    )


def _union(parts: tuple[Any, ...], place: str) -> dict[str, Any]:
    options = [_schema(part, place) for part in parts if part is not type(None)]
    if len(options) == 1:
        schema = options[0]
    elif all(set(option) == {"type"} and isinstance(option["type"], str) for option in options):
        names = sorted({option["type"] for option in options})
        schema = {"type": names[0] if len(names) == 1 else names}
    else:
        schema = {"anyOf": options}
    return {**schema, "nullable": True} if type(None) in parts else schema


def _enumeration(values: list[Any], hint: Any, place: str) -> dict[str, Any]:
    strange = [value for value in values if type(value) not in _SCALARS]
    if strange or not values:
        found = f"the value {strange[0]!r}" if strange else "no value"
        raise TypeError(f"{hint!r}, the type hint of {place}, has {found}: use str, int, float, bool or None.")
    names = list(dict.fromkeys(_SCALARS[type(value)] for value in values))
    return {"type": names[0] if len(names) == 1 else names, "enum": values}


def _container(origin: type, parts: tuple[Any, ...], place: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _CONTAINERS[origin]}
    if origin is list and parts:
        schema["items"] = _schema(parts[0], place)
    elif origin is dict and parts:
        schema["additionalProperties"] = _schema(parts[1], place)  # the keys of JSON's objects are strings
    elif origin is tuple and parts:
        if len(parts) == 1 or ... in parts:
            raise TypeError(f"The tuple in the type hint of {place} has no fixed length above one: use a list instead.")
        schema["prefixItems"] = [_schema(part, place) for part in parts]
    return schema


def _described(schema: dict[str, Any], text: str, place: str) -> dict[str, Any]:
    """The schema with its description, and with the choices that stand at its end."""
    choices = _CHOICES.search(text)
    if choices is None:
        return {**schema, "description": text}
    try:
        values = json.loads(choices[1])
    except json.JSONDecodeError as error:
        raise ValueError(
            f'The choices of {place} are no JSON list: {choices[1]}. Write them as (choices: ["tea", "coffee"]).'
        ) from error
    values = [value.strip() if isinstance(value, str) else value for value in values]
    return {**schema, "enum": values, "description": text[: choices.start()].strip()}


def _result(hint: Any, text: str | None) -> dict[str, Any] | None:
    """The schema of what the function returns; None where JSON cannot say it, for the model never writes it."""
    if hint is inspect.Parameter.empty:
        return None
    try:
        schema = _schema(hint, "what is returned")
    except TypeError:
        return None
    return schema if text is None else {**schema, "description": text}
