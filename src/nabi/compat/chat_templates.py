"""Schemas of tools, and which variables a chat template reads."""

from __future__ import annotations

from typing import Any

from ..tokenization.json_schema import function_schema


class TypeHintParsingException(TypeError):
    pass


class DocstringParsingException(ValueError):
    pass


def get_json_schema(func: Any) -> dict[str, Any]:
    """A function as the tool that a chat template shows: its name, what it does, its arguments."""
    try:
        schema = function_schema(func)
    except TypeError as error:
        raise TypeHintParsingException(str(error)) from error
    except ValueError as error:
        raise DocstringParsingException(str(error)) from error
    return schema


def _get_template_variables(chat_template: str) -> frozenset[str]:
    from jinja2 import meta
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(extensions=["jinja2.ext.loopcontrols"])
    return frozenset(meta.find_undeclared_variables(environment.parse(chat_template)))
