"""The tasks by name: which pipeline runs each, what its models are called, and which model is the default."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..embedded import SENTIMENT
from ..hub import Repository

if TYPE_CHECKING:
    from .base import Pipeline

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DefaultModel:
    """What a task takes when no model is named: a repository at a commit, or the embedded folder in its stead."""

    name: str
    revision: str
    files: tuple[str, ...]  # those that loading needs
    embedded: Path


@dataclass(frozen=True)
class Task:
    name: str
    load_class: Callable[[], type[Pipeline]]  # imports torch, so it is called late
    head: str  # the end of its models' class names
    default: DefaultModel


def _text_classification() -> type[Pipeline]:
    from .text_classification import TextClassificationPipeline

    return TextClassificationPipeline


TASKS: dict[str, Task] = {
    "text-classification": Task(
        name="text-classification",
        load_class=_text_classification,
        head="ForSequenceClassification",
        default=DefaultModel(
            name="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
            revision="714eb0fa89d2f80546fda750413ed43d93601a13",
            files=("config.json", "model.safetensors", "vocab.txt"),
            embedded=SENTIMENT,
        ),
    )
}
ALIASES = {"sentiment-analysis": "text-classification"}


def find_task(name: str) -> Task:
    """The task of this name or alias. An unknown one is a KeyError that names the near ones."""
    if not isinstance(name, str):
        raise TypeError(f"task is a {type(name).__name__}; expected a name such as 'sentiment-analysis'")
    found = TASKS.get(ALIASES.get(name, name))
    if found is not None:
        return found
    known = sorted([*TASKS, *ALIASES])
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise KeyError(f"There is no task {name!r}.{hint} The tasks are: {', '.join(known)}.")


def task_of_architectures(names: list[str], source: str) -> Task:
    """The task that a model's class names say; ValueError if they say none."""
    for name in names:
        for task in TASKS.values():
            if name.endswith(task.head):
                return task
    raise ValueError(
        f"{source} does not say its task (architectures: {', '.join(names) or 'none'}). Name it: "
        f"pipeline(task, model=…) with one of {', '.join(sorted([*TASKS, *ALIASES]))}."
    )


def default_model(task: Task, called: str, options: Mapping[str, Any]) -> tuple[str, str | None]:
    """Name and revision of the model for a task when none is named, told in one line of the log.

    The Hub's default if its files are in the cache or the Hub gives them; else the folder inside nabi.
    """
    default = task.default
    revision = options.get("revision") or default.revision
    repository = Repository.open(default.name, {**options, "revision": revision})
    try:
        for filename in default.files:
            repository.file(filename)
    except OSError as error:
        logger.warning(
            "No model was named for %s. The usual one, %s, is not in the cache and the Hub does not give it now, so "
            "nabi's own small checkpoint for Korean and English is used. Name a model with model=…",
            called,
            default.name,
        )
        logger.info("Why the Hub's default was not used: %s", error)
        return str(default.embedded), None
    logger.warning("No model was named for %s: %s is used. Name a model with model=…", called, default.name)
    return default.name, revision
