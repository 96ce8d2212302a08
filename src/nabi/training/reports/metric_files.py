"""Metrics as scripts show and keep them: a table in the terminal, and JSON files in the output folder."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints import write_json

if TYPE_CHECKING:
    from ..hooks.saving import SavingHooks


def log_metrics(trainer: SavingHooks, split: str, metrics: dict[str, Any]) -> None:
    """Print them below a heading, one a line, names and values aligned."""
    if not trainer.is_world_process_zero():
        return
    shown = {name: as_text(name, value) for name, value in sorted(metrics.items())}
    names, values = max(map(len, shown), default=0), max(map(len, shown.values()), default=0)
    print(f"***** {split} metrics *****")
    for name, text in shown.items():
        print(f"  {name:<{names}} = {text:>{values}}")


def as_text(name: str, value: Any) -> str:
    if name.endswith("_runtime") and isinstance(value, (int, float)):
        return str(datetime.timedelta(seconds=round(value)))
    if name == "total_flos":
        return f"{value / 1e9:.0f} GFLOPs"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def save_metrics(trainer: SavingHooks, split: str, metrics: dict[str, Any], combined: bool) -> None:
    if not trainer.is_world_process_zero():
        return
    folder = Path(trainer.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(metrics, folder / f"{split}_results.json")
    if combined:
        everything = folder / "all_results.json"
        before = json.loads(everything.read_text(encoding="utf-8")) if everything.exists() else {}
        write_json({**before, **metrics}, everything)
