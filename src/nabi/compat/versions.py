"""Checks of versions: of a package by a requirement, and of what `transformers.__version__` says."""

from __future__ import annotations

import importlib.metadata
import re

from . import VERSION


def at_least(version: str, wanted: str) -> bool:
    """Whether a version is not older; a development version counts as the one that it becomes."""
    return _numbers(version) >= _numbers(wanted)


def _numbers(version: str) -> tuple[int, ...]:
    head = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(number) for number in head[0].split(".")] if head else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def require_version(requirement: str, hint: str | None = None) -> None:
    """Raise ImportError unless the requirement, as `tokenizers>=0.20`, holds here."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        wanted = Requirement(requirement)
    except InvalidRequirement as error:
        raise ValueError(f"{requirement!r} is no requirement, such as 'tokenizers>=0.20': {error}") from None
    if wanted.name == "python":
        import platform

        found = platform.python_version()
    else:
        try:
            found = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            raise importlib.metadata.PackageNotFoundError(
                f"{requirement} is needed, and not installed. {hint or ''}"
            ) from None
    if not wanted.specifier.contains(found, prereleases=True):
        raise ImportError(f"{requirement} is needed, and {found} is installed. {hint or ''}")


require_version_core = require_version


def dep_version_check(package: str, hint: str | None = None) -> None:
    """There is nothing to check: pip did when it installed nabi."""


def check_min_version(min_version: str) -> None:
    """Raise ImportError if a script asks for a transformers newer than the one that nabi stands in for."""
    if not at_least(VERSION, min_version):
        raise ImportError(f"the script asks for transformers {min_version} or newer; nabi stands in for {VERSION}")
