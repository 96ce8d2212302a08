"""The tasks that `nabi train` can teach: for each, how rows become a model's inputs, and how its answers are measured.

One file per task. Loads no torch before a task is asked for.
"""

from __future__ import annotations

import difflib
import importlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .task import Task

# Name -> (file, class).
TASKS: dict[str, tuple[str, str]] = {
    "text-classification": ("text_classification", "TextClassification"),
    "token-classification": ("token_classification", "TokenClassification"),
    "question-answering": ("question_answering", "QuestionAnswering"),
    "summarization": ("text2text_generation", "Summarization"),
    "translation": ("text2text_generation", "Translation"),
    "text2text-generation": ("text2text_generation", "Text2TextGeneration"),
    "text-generation": ("text_generation", "TextGeneration"),
    "fill-mask": ("fill_mask", "FillMask"),
}
ALIASES = {"sentiment-analysis": "text-classification", "ner": "token-classification"}
_TRANSLATION = re.compile(r"translation_\w+_to_\w+")


def find_task(name: str) -> type[Task]:
    """The class of a task by its name or alias; ValueError, with a near name, for one that is not there."""
    known = "translation" if _TRANSLATION.fullmatch(name) else ALIASES.get(name, name)
    if known not in TASKS:
        names = sorted([*TASKS, *ALIASES])
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"no model can be trained for the task {name!r}.{hint} The tasks are: {', '.join(names)}")
    file, class_name = TASKS[known]
    found: type[Task] = getattr(importlib.import_module(f".{file}", __package__), class_name)
    return found
