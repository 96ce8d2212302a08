"""What was asked of Whisper, by name or in a generation config, checked against what the checkpoint can do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any

from .ear import Ear
from .window import Manner


def threshold_in(given: Any, settings: Any) -> Callable[[str, Any], Any]:
    """What was passed by name, or else stands in one of the generation configs."""

    def find(name: str, passed: Any) -> Any:
        found = next((each for each in (passed, getattr(given, name, None)) if each is not None), None)
        return getattr(settings, name, None) if found is None else found

    return find


def checked_temperatures(given: Any, settings: Any) -> list[float | None]:
    temperatures = list(given) if isinstance(given, (list, tuple)) else [given]
    fits = all(each is None or (isinstance(each, Real) and float(each) >= 0) for each in temperatures)
    if not temperatures or not fits:
        raise ValueError(
            f"temperature is {given!r}; expected a number from 0, or several, to be tried one after another"
        )
    samples = any(temperatures)
    if settings.do_sample and not samples:
        warnings.warn(
            "do_sample=True without a temperature above 0 changes nothing here: pass temperature=1.0 too", stacklevel=4
        )
    settings.do_sample = samples
    return temperatures


def settle_times(manner: Manner, asked: bool | str | None, ear: Ear, long: bool) -> None:
    settings = manner.settings
    times = settings.return_timestamps if asked is None else asked
    if long and times is False:
        raise ValueError(
            f"input_features has {ear.frames} frames, more than the {ear.window} that the model hears at once; longer "
            "sounds are read on from the times that it writes: pass return_timestamps=True, or cut the sound"
        )
    settings.return_timestamps = bool(times) or long
    for needs, name in ((settings.return_timestamps, "timestamps"), (manner.too_silent is not None, "silence")):
        if needs and settings.no_timestamps_token_id is None:
            raise ValueError(
                f"to know the tokens for {name}, generation_config.no_timestamps_token_id must be set: take the "
                "generation_config.json of a Whisper model"
                + (f", or cut the sound to {ear.window} frames" if long and name == "timestamps" else "")
            )


def settle_words(settings: Any, language: Any, task: str | None, multilingual: bool | None) -> None:
    if multilingual is not None:
        settings.is_multilingual = multilingual
    if settings.is_multilingual is False and (task is not None or language is not None):
        raise ValueError(
            f"language={language!r} and task={task!r} are for a multilingual Whisper, and this one writes English "
            "only: leave them out, or pass is_multilingual=True if it is none"
        )
    if language is not None:
        settings.language = language
    if task is not None:
        settings.task = task
