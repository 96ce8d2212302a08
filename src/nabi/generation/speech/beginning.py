"""What a text begins with: <|startoftranscript|> <|ko|> <|transcribe|> <|notimestamps|>."""

from __future__ import annotations

import difflib
from typing import Any

import torch
from torch import Tensor

from ...tokenization.families.whisper import LANGUAGES, TASKS, TO_LANGUAGE_CODE
from .ear import Ear

Beginning = list[int | None]  # None: the language, which is to be heard


def beginnings(settings: Any, config: Any, texts: int) -> list[Beginning]:
    """The ids that each text begins with, as the settings want them. Raises ValueError for what the model cannot do.

    Of the settings it reads language (a name, code or token, or one for each text), task and return_timestamps; where
    neither language nor task is set, v4's forced_decoder_ids.
    """
    start: Beginning = [settings.decoder_start_token_id]
    if start[0] is None:
        raise ValueError("generation_config.decoder_start_token_id is not set: it is the id of <|startoftranscript|>")
    language, task = settings.language, settings.task
    if language is None and task is None:
        start += _forced(settings.forced_decoder_ids or getattr(config, "forced_decoder_ids", None) or [])
    hears = settings.lang_to_id is not None and (len(start) == 1 or start[1] is None)
    rows = []
    for name in _for_each(language, texts):
        row = list(start)
        if name is not None:
            row[1:2] = [language_id(name, settings)]
        elif hears:
            row[1:2] = [None]
        elif len(row) > 1 and row[1] is None:
            row.pop(1)
        _add_task(row, task, language, settings)
        rows.append(_with_or_without_times(row, settings))
    return rows


def _forced(pairs: Any) -> Beginning:
    """v4's [[1, id], [2, id], …] as a list; it must leave no place out."""
    places = [place for place, _ in pairs]
    if places[:1] != [1]:
        return []
    if places != list(range(1, len(places) + 1)):
        raise ValueError(
            f"forced_decoder_ids is {pairs!r}; expected pairs [place, id] for the places 1, 2, 3, …: pass language and "
            "task instead"
        )
    return [token for _, token in pairs]


def _for_each(language: Any, texts: int) -> list[str | None]:
    if language is None or isinstance(language, str):
        return [language] * texts
    if not isinstance(language, (list, tuple)) or not all(isinstance(each, str) for each in language):
        raise TypeError(
            f"language is {language!r}; expected a name such as 'korean' or 'ko', a list with one for each text, or "
            "None, and the model will listen for it"
        )
    if len(language) != texts:
        raise ValueError(f"language holds {len(language)} names, but there are {texts} sounds: pass one for each")
    return list(language)


def language_id(name: str, settings: Any) -> int:
    """The token of a language, by its English name, its code or its token."""
    known = settings.lang_to_id
    if known is None:
        raise ValueError(
            f"language={name!r} needs generation_config.lang_to_id, which this checkpoint lacks: take the "
            "generation_config.json of a multilingual Whisper, or leave language out"
        )
    low = name.lower()
    token = low if low in known else f"<|{TO_LANGUAGE_CODE.get(low, low)}|>"
    if token in known:
        return int(known[token])
    codes = [each.strip("<|>") for each in known]
    names = [LANGUAGES[code] for code in codes if code in LANGUAGES]
    near = difflib.get_close_matches(low, [*names, *codes, *TO_LANGUAGE_CODE], n=1)
    if low in TO_LANGUAGE_CODE or low in LANGUAGES:
        said = f"language={name!r} is none of the {len(known)} languages of this model"
    else:
        said = f"language={name!r} is unknown" + (f"; did you mean {near[0]!r}?" if near else "")
    examples = ", ".join(f"{LANGUAGES.get(code, code)} ({code})" for code in codes[:5])
    raise ValueError(
        f"{said}{'' if said.endswith('?') else '.'} It knows {examples}{', …' if len(codes) > 5 else ''}: see "
        "generation_config.lang_to_id"
    )


def _add_task(row: Beginning, task: str | None, language: Any, settings: Any) -> None:
    tasks = settings.task_to_id
    if task is not None:
        if task not in TASKS:
            near = difflib.get_close_matches(str(task), TASKS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ValueError(f"task={task!r} is unknown{hint} Use 'transcribe' or 'translate' (into English)")
        if tasks is None or task not in tasks:
            raise ValueError(
                f"task={task!r} needs generation_config.task_to_id, which this checkpoint lacks: take the "
                "generation_config.json of a multilingual Whisper, or leave task out"
            )
        row.append(tasks[task])
    elif language is not None and tasks is not None and not set(row) & set(tasks.values()):
        row.append(tasks["transcribe"])


def _with_or_without_times(row: Beginning, settings: Any) -> Beginning:
    without = settings.no_timestamps_token_id
    if without is None or (row[-1] == without) is not bool(settings.return_timestamps):
        return row
    return row[:-1] if settings.return_timestamps else [*row, without]


@torch.no_grad()
def language_of(model: Any, features: Tensor | None, read: Any = None, settings: Any = None) -> Tensor:
    """(sounds,) ids of their languages, by the first window of features (sounds, mel bins, frames)."""
    settings = model.generation_config if settings is None else settings
    if settings.lang_to_id is None or settings.decoder_start_token_id is None:
        raise ValueError("to know the languages, generation_config.lang_to_id and decoder_start_token_id must be set")
    if features is not None and read is not None:
        raise ValueError("input_features and encoder_outputs were both given: pass one of them")
    ear = Ear(model, settings, features, read)
    heard = ear([(text, 0, min(ear.frames, ear.window)) for text in range(ear.texts)])
    return detect_language(model, heard, settings)


def detect_language(model: Any, heard: Any, settings: Any) -> Tensor:
    """(texts,) ids: the likeliest token of a language behind <|startoftranscript|>, for an encoder's output."""
    texts = len(heard.last_hidden_state)
    start = torch.full((texts, 1), settings.decoder_start_token_id, device=model.device)
    scores = model(encoder_outputs=heard, decoder_input_ids=start, use_cache=False, return_dict=True).logits[:, -1]
    languages = torch.tensor(sorted(settings.lang_to_id.values()), device=scores.device)
    return languages[scores[:, languages].argmax(-1)]
