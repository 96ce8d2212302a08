"""pipeline(task) -> something to call with texts: the model, its tokenizer and the task's three steps in one.

Importing this loads no torch; making a pipeline does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from .base import Pipeline
    from .tasks import Task
    from .text_classification import TextClassificationPipeline

__all__ = ["Pipeline", "TextClassificationPipeline", "pipeline"]


def pipeline(
    task: str | None = None,
    model: Any = None,
    config: Any = None,
    tokenizer: Any = None,
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

    task: its name; left out, the model's class says it.
    model, tokenizer: a repository's name, a folder, or a loaded object; a tokenizer left out belongs to the model.
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
    if tokenizer is None:
        tokenizer = load_tokenizer(source, where)
    elif isinstance(tokenizer, (str, os.PathLike)):
        tokenizer = load_tokenizer(tokenizer, where if tokenizer == source else own_place(where))
    place = device if device_map is None else single_place(device, device_map)
    return kind(
        model=model, tokenizer=tokenizer, task=task or found.name, device=place, batch_size=batch_size, **settings
    )


def hub_options(revision: str | None, token: str | bool | None, model_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say where files are, for config, weights and tokenizer alike."""
    names = ("revision", "token", "cache_dir", "local_files_only", "force_download", "subfolder")
    options = {name: model_kwargs[name] for name in names if name in model_kwargs}
    for name, value in (("revision", revision), ("token", token)):
        if value is not None:
            options[name] = value
    return options


def chosen_task(task: str | None, model: Any, where: Mapping[str, Any]) -> Task:
    from .tasks import find_task, task_of_architectures

    if task is not None:
        return find_task(task)
    if isinstance(model, (str, os.PathLike)):
        from ..config import Config

        keys, _ = Config.get_config_dict(os.fspath(model), **where)
        return task_of_architectures(keys.get("architectures") or [], repr(os.fspath(model)))
    return task_of_architectures([type(model).__name__], "the model")


def own_place(where: Mapping[str, Any]) -> dict[str, Any]:
    """Where another repository's files are: revision and subfolder are the model's."""
    return {name: value for name, value in where.items() if name not in ("revision", "subfolder")}


def load_tokenizer(source: Any, where: Mapping[str, Any]) -> Any:
    """The tokenizer of this name or folder, or of where this model object came from."""
    from ..tokenization import AutoTokenizer

    if not isinstance(source, (str, os.PathLike)):
        name = getattr(source, "name_or_path", "") or getattr(source.config, "_name_or_path", "")
        if not name:
            raise ValueError(
                f"This {type(source).__name__} does not say where it came from, so its tokenizer cannot be found: pass "
                "tokenizer=… too, as an object or by name."
            )
        source = name
    return AutoTokenizer.from_pretrained(source, **where)


def single_place(device: Any, device_map: Any) -> Any:
    """The one device that a device_map names: nabi keeps a model in one place."""
    if device is not None:
        raise ValueError(f"device={device!r} and device_map={device_map!r} say the same thing twice: give one of them")
    from ..nn.pretrained import single_device

    return None if device_map in ("auto", "balanced", "sequential") else single_device(device_map)


def __getattr__(name: str) -> Any:
    if name == "Pipeline":
        from .base import Pipeline

        return Pipeline
    if name == "TextClassificationPipeline":
        from .text_classification import TextClassificationPipeline

        return TextClassificationPipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
