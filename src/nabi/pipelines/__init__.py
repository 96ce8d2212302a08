"""pipeline(task) -> something to call: the model, what makes its inputs, and the task's three steps in one.

Importing this loads no torch; making a pipeline does.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .tasks import HUB_OPTIONS, PIPELINE_REGISTRY, TASKS

if TYPE_CHECKING:
    import torch

    from .base import Pipeline
    from .tasks import Task

CLASSES = {task.class_name: task for task in TASKS.values()}

__all__ = ["PIPELINE_REGISTRY", "Pipeline", "pipeline", *sorted(CLASSES)]

# What a pipeline may need beside its model, and the class that loads it.
LOADERS = {
    "tokenizer": ("tokenization", "AutoTokenizer"),
    "image_processor": ("processing", "AutoImageProcessor"),
    "feature_extractor": ("processing", "AutoFeatureExtractor"),
    "processor": ("processing", "AutoProcessor"),
}


def pipeline(
    task: str | None = None,
    model: Any = None,
    config: Any = None,
    tokenizer: Any = None,
    feature_extractor: Any = None,
    image_processor: Any = None,
    processor: Any = None,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    use_auth_token: str | bool | None = None,
    device: int | str | torch.device | None = None,
    device_map: Any = None,
    dtype: str | torch.dtype | None = None,
    torch_dtype: str | torch.dtype | None = None,
    batch_size: int | None = None,
    model_kwargs: Mapping[str, Any] | None = None,
    pipeline_class: type[Pipeline] | None = None,
    framework: str | None = None,
    use_fast: bool = True,
    trust_remote_code: bool | None = None,
    **settings: Any,
) -> Any:
    """Make the pipeline of a task, as in `pipeline("sentiment-analysis")("I like it")`.

    task: its name; left out, the model's card or class says it.
    model, tokenizer, feature_extractor, image_processor, processor: a repository's name, a folder, or a loaded object;
        what is left out and the task needs belongs to the model.
        With no model the task's usual one is taken: from the cache or the Hub, else the one inside nabi.
    revision, token: of the repository; model_kwargs: more of from_pretrained's options (cache_dir, subfolder, …).
    device: a number, a name or a torch.device; left out, an accelerator if there is one. dtype: of the weights.
    batch_size: how many items run together; no result depends on it.
    framework, use_fast and trust_remote_code are taken and have no effect: there is one framework and one kind of
        tokenizer, and nothing of a repository is ever executed.
    Other keywords are the task's settings (top_k, truncation, …). Raises KeyError for an unknown task, OSError for
    files that cannot be had, ValueError or TypeError for arguments that do not fit.
    """
    if task is None and model is None:
        raise ValueError("pipeline() needs a task, such as 'sentiment-analysis', or a model that says its task")
    where = hub_options(revision, token if token is not None else use_auth_token, model_kwargs or {})
    found = chosen_task(task, model, where)
    if model is None:
        from .tasks import default_model

        model, where["revision"] = default_model(found, task or found.name, where)
    options = {**(model_kwargs or {}), **where}
    for name, value in (("dtype", dtype if dtype is not None else torch_dtype), ("config", config)):
        if value is not None:
            options[name] = value
    kind = pipeline_class or found.load_class()
    source = model
    if isinstance(model, (str, os.PathLike)):
        model = kind.load_model(source, **options)
    given = {
        "tokenizer": tokenizer,
        "feature_extractor": feature_extractor,
        "image_processor": image_processor,
        "processor": processor,
    }
    parts = {name: load_part(name, part, source, where) for name, part in given.items()}
    for name in kind.needs:
        if parts[name] is None and getattr(parts["processor"], name, None) is None:
            parts[name] = load_part(name, source, source, where)
    place = device if device_map is None else single_place(device, device_map)
    return kind(model=model, task=task or found.name, device=place, batch_size=batch_size, **parts, **settings)


def hub_options(revision: str | None, token: str | bool | None, model_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say where files are, for config, weights and tokenizer alike."""
    options = {name: model_kwargs[name] for name in HUB_OPTIONS if name in model_kwargs}
    for name, value in (("revision", revision), ("token", token)):
        if value is not None:
            options[name] = value
    return options


def chosen_task(task: str | None, model: Any, where: Mapping[str, Any]) -> Task:
    from .tasks import find_task, task_of_architectures, task_of_card

    if task is not None:
        return find_task(task)
    if isinstance(model, (str, os.PathLike)):
        from ..config import Config
        from ..hub import Repository

        card = Repository.open(os.fspath(model), dict(where)).find("README.md")
        named = task_of_card(card.read_text(encoding="utf-8", errors="replace")) if card is not None else None
        if named is not None:
            return named
        keys, _ = Config.get_config_dict(os.fspath(model), **where)
        return task_of_architectures(keys.get("architectures") or [], repr(os.fspath(model)))
    return task_of_architectures([type(model).__name__], "the model")


def own_place(where: Mapping[str, Any]) -> dict[str, Any]:
    """Where another repository's files are: revision and subfolder are the model's."""
    return {name: value for name, value in where.items() if name not in ("revision", "subfolder")}


def load_part(name: str, part: Any, source: Any, where: Mapping[str, Any]) -> Any:
    """A tokenizer or processor: as it was given, or loaded by name, or from where this model object came from."""
    if part is None or (part is not source and not isinstance(part, (str, os.PathLike))):
        return part
    if not isinstance(part, (str, os.PathLike)):
        found = getattr(part, "name_or_path", "") or getattr(part.config, "_name_or_path", "")
        if not found:
            raise ValueError(
                f"This {type(part).__name__} does not say where it came from, so its {name} cannot be found: pass "
                f"{name}=… too, as an object or by name."
            )
        part = found
    room, loader = LOADERS[name]
    options = where if part == source else own_place(where)
    return getattr(importlib.import_module(f"nabi.{room}"), loader).from_pretrained(part, **options)


def single_place(device: Any, device_map: Any) -> Any:
    """The one device that a device_map names: nabi keeps a model in one place."""
    if device is not None:
        raise ValueError(f"device={device!r} and device_map={device_map!r} say the same thing twice: give one of them")
    from ..nn.placing import single_device

    return None if device_map in ("auto", "balanced", "sequential") else single_device(device_map)


def __getattr__(name: str) -> Any:
    if name == "Pipeline":
        from .base import Pipeline

        return Pipeline
    if name in CLASSES:
        return CLASSES[name].load_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
