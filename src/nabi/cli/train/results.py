"""What a run of `nabi train` leaves: a folder that `nabi run` takes, its card, curves and numbers; and a last word."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...training.callbacks.pace import clock
from ...training.reports.curves import FILE_NAME
from ...training.reports.log_history import shown
from ...training.reports.model_card import ModelFacts, Split, framework_versions, notable_arguments, save_model_card
from ..messages import say
from .data import TrainData
from .options import TrainOptions
from .run_folder import AGAIN, RESULTS, RunFolder

if TYPE_CHECKING:
    from ...training.tasks.task import Task

ADAPTER = "adapter"  # the folder of the adapters alone; the model beside it has them worked in
HIDDEN = ("runtime", "samples_per_second", "steps_per_second")


def finish(
    trainer: Any, task: Task, data: TrainData, options: TrainOptions, folder: RunFolder, done: Any, seconds: float
) -> int:
    """Write everything into the folder, and say what came of it."""
    place = folder.path
    trainer.save_model(place, merge_adapter=options.lora)
    if options.lora:
        trainer.model.save_pretrained(place / ADAPTER)
    metrics = best_metrics(trainer)
    has_curves = (folder.checkpoints / FILE_NAME).exists()  # the trainer has drawn them, where matplotlib is there
    if has_curves:
        (folder.checkpoints / FILE_NAME).replace(place / FILE_NAME)
    save_model_card(facts(trainer, task, data, options), place)
    write_results(trainer, task, options, place / RESULTS, metrics, done)
    write_options(options, place / AGAIN)
    folder.end(options.keep_checkpoints)
    print()
    if metrics:
        print("   ".join(f"{name} {shown(value)}" for name, value in metrics.items()) + f"   ({which(trainer)})")
    files = ", ".join(
        [RESULTS, "README.md", *([FILE_NAME] if has_curves else []), *([ADAPTER] if options.lora else [])]
    )
    print(say("train_done_in", path=options.output, time=clock(seconds), files=files))
    print(f"\n  {command(task, data, options, trainer.processing_class)}")
    return 0


def best_metrics(trainer: Any) -> dict[str, float]:
    """Of the evaluation whose weights these are; of a language model with its perplexity."""
    logs = [log for log in trainer.state.log_history if "eval_loss" in log]
    best = trainer.state.best_global_step
    chosen = [log for log in logs if log["step"] == best] or logs[-1:]
    metrics = {
        name.removeprefix("eval_"): value
        for log in chosen
        for name, value in log.items()
        if name.startswith("eval_") and name.removeprefix("eval_") not in HIDDEN
    }
    if set(metrics) == {"loss"}:
        metrics["perplexity"] = math.exp(min(metrics["loss"], 700.0))
    return metrics


def which(trainer: Any) -> str:
    state = trainer.state
    step = state.best_global_step or state.global_step
    at = next((log["epoch"] for log in state.log_history if log["step"] == step and "eval_loss" in log), state.epoch)
    return say("train_best_of", epoch=f"{at:.3g}", epochs=f"{state.epoch:.3g}")


def facts(trainer: Any, task: Task, data: TrainData, options: TrainOptions) -> ModelFacts:
    sources = ", ".join(Path(path).name for path in options.data)
    splits = [Split("train", len(data.train), sources, balance(task, data.train))]
    if data.eval is not None:
        source = data.eval_source if options.eval else sources
        splits.append(Split("validation", len(data.eval), source, balance(task, data.eval)))
    return ModelFacts(
        model_name=Path(options.output).expanduser().resolve().name,
        model_id=options.output,
        task=task.name,
        language=language(data),
        base_model=None if options.from_scratch else options.model,
        splits=splits,
        history=trainer.state.log_history,
        best_step=trainer.state.best_global_step,
        arguments=notable_arguments(trainer.args),
        versions=framework_versions(),
    )


def balance(task: Task, rows: Any) -> dict[str, int]:
    """How many rows each label has, for tasks with one label a row."""
    names = task.describe()
    if names is None or "label" not in rows.columns or task.settings.multi_label:
        return {}
    counted = Counter(names[task.label_of(value, row)] for row, value in enumerate(rows["label"]))  # type: ignore[attr-defined]
    return {name: counted[name] for name in names.values()}


def language(data: TrainData) -> list[str] | None:
    """Korean, if a third of the letters is; else nobody can tell."""
    role = next((role for role in data.columns if isinstance(data.train[0].get(role), str)), None)
    if role is None:
        return None
    letters = [letter for text in data.train[:200][role] for letter in text[:200] if letter.isalpha()]
    korean = sum("가" <= letter <= "힣" for letter in letters)
    return ["ko"] if letters and korean > len(letters) / 3 else None


def write_results(
    trainer: Any, task: Task, options: TrainOptions, path: Path, metrics: dict[str, float], done: Any
) -> None:
    content = {
        "task": task.name,
        "base_model": options.model,
        "evaluation": metrics,
        "training": done.metrics,
        "best_step": trainer.state.best_global_step,
        "history": trainer.state.log_history,
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=float) + "\n", encoding="utf-8")


def write_options(options: TrainOptions, path: Path) -> None:
    """The run as a file for --config, to do it again or to change it."""
    import yaml

    text = yaml.safe_dump(options.plain(), allow_unicode=True, sort_keys=False)
    path.write_text(f"# nabi train --config {path.name}\n{text}", encoding="utf-8")


def command(task: Task, data: TrainData, options: TrainOptions, tokenizer: Any) -> str:
    """What to type next. A pair comes from the columns of a file only."""
    rows = data.train if data.eval is None else data.eval
    if "text_pair" in data.columns:
        pair = [part for role in ("text", "text_pair") for part in ("--column", data.columns[role])]
        words = ["--file", (options.eval or options.data)[0], *pair]
    else:
        words = task.example(rows, tokenizer)
    return shlex.join(["nabi", "run", options.task or task.name, *words, "--model", options.output])
