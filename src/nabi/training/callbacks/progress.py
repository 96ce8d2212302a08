"""Progress in a terminal: a bar below, a line of the table for each log above it.

    step  epoch       loss  grad_norm  learning_rate
     100   0.50     0.6931     1.2040       4.50e-05
     200   1.00     0.5123     0.8840       4.00e-05
    evaluation at step 200   loss 0.4987   accuracy 0.8123   (0:02, 512 rows/s)
     20%|██████▏                      | 200/1000  0:45 left  loss 0.5123  12.3 steps/s  196 rows/s  lr 4.00e-05

Where standard error is no terminal (a pipe, a CI log), there are the lines and no bar.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from tqdm import tqdm

from ..reports.log_history import TIMES, shown
from .callback import PrinterCallback, TrainerCallback
from .pace import Pace, clock, plain, speed, time_left
from .state import TrainerControl, TrainerState

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments


class ProgressCallback(TrainerCallback):
    """A bar for the training, a short one for each evaluation, and a line for each log.

    max_str_len: a logged string longer than this is cut.
    """

    def __init__(self, max_str_len: int = 100) -> None:
        self.max_str_len = max_str_len
        self.training_bar: TrainingBar | None = None
        self.prediction_bar: tqdm | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.is_world_process_zero:
            self.table = LogTable(state.max_steps, self.max_str_len)
            self.training_bar = TrainingBar(Pace(args, state))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.training_bar is not None:
            self.training_bar.pace.step_done(state.global_step)
            self.training_bar.update(state.global_step - self.training_bar.n)

    def on_prediction_step(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        eval_dataloader: Any = None,
        **kwargs: Any,
    ) -> None:
        if not state.is_world_process_zero:
            return
        if self.prediction_bar is None:
            self.prediction_bar = tqdm(
                total=length(eval_dataloader),
                leave=False,
                bar_format="evaluation  {bar:20} {n_fmt}/{total_fmt} batches, {remaining} left",
                dynamic_ncols=True,
                disable=None,
            )
        self.prediction_bar.update(1)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.close_prediction_bar()

    def on_predict(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.close_prediction_bar()

    def close_prediction_bar(self) -> None:
        if self.prediction_bar is not None:
            self.prediction_bar.close()
            self.prediction_bar = None
        if self.training_bar is not None:
            self.training_bar.pace.something_else_done()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.training_bar is not None:
            self.training_bar.pace.something_else_done()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if self.training_bar is None or not logs:
            return
        self.training_bar.newest.update(logs)
        for line in self.table.lines(logs, state.global_step):
            tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()  # a pipe would keep the lines for itself

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.training_bar is not None:
            self.training_bar.close()
            self.training_bar = None


def default_callbacks(args: TrainingArguments) -> list[TrainerCallback]:
    """What shows the progress here: a table in a notebook, a bar in a terminal, dicts with disable_tqdm=True."""
    if args.disable_tqdm:
        return [PrinterCallback()]
    if in_notebook():
        from .notebook import NotebookProgressCallback

        return [NotebookProgressCallback()]
    return [ProgressCallback()]


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel (Jupyter, VS Code, Colab), not merely in IPython's terminal."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


class TrainingBar(tqdm):
    """The bar of the whole training; its text is made only when it is drawn, so a step costs nothing."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.newest: dict[str, Any] = {}
        super().__init__(
            initial=pace.done,
            total=pace.total,
            bar_format="{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{details}",
            dynamic_ncols=True,
            disable=None,
        )

    @property
    def format_dict(self) -> dict[str, Any]:
        """tqdm's own values, and as many details, the most wanted first, as leave the bar some room."""
        values = super().format_dict
        room = (values["ncols"] or 80) - len(f"100%|{'#' * 10}| {self.total}/{self.total}")
        wanted = time_left(self.pace)
        if "loss" in self.newest:
            wanted.append(f"loss {shown(self.newest['loss'])}")
        wanted += speed(self.pace)
        if "learning_rate" in self.newest:
            wanted.append(f"lr {shown(self.newest['learning_rate'])}")
        details = ""
        for one in wanted:
            if len(details) + len(one) + 2 > room:
                break
            details += f"  {one}"
        return {**values, "details": details}


class LogTable:
    """Turns logs into lines: those of the training into rows below a heading, an evaluation into a line of its own."""

    def __init__(self, total_steps: int, max_str_len: int) -> None:
        self.step_width = max(len(str(total_steps)), len("step"))
        self.max_str_len = max_str_len
        self.columns: list[str] = []

    def lines(self, logs: dict[str, Any], step: int) -> list[str]:
        """What to print for one log, at this step."""
        values = {name: self.cut(value) for name, value in logs.items() if name != "total_flos"}
        prefix = summary_prefix(values)
        return [summary(prefix, values, step)] if prefix else self.rows(values, step)

    def cut(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > self.max_str_len:
            return f"{value[: self.max_str_len]}… ({len(value)} characters)"
        return value

    def rows(self, values: dict[str, Any], step: int) -> list[str]:
        epoch = values.pop("epoch", None)
        new = [name for name in values if name not in self.columns]
        self.columns += new
        widths = [max(cell_len(name), len("-0.00e+00")) for name in self.columns]
        cells = [padded(shown(values.get(name, "")), width) for name, width in zip(self.columns, widths, strict=True)]
        row = [padded(str(step), self.step_width), padded("" if epoch is None else f"{epoch:.2f}", 5), *cells]
        lines = ["  ".join(row).rstrip()]
        if new:
            names = [padded(name, width) for name, width in zip(self.columns, widths, strict=True)]
            lines.insert(0, "  ".join([padded("step", self.step_width), "epoch", *names]))
        return lines


def summary_prefix(values: dict[str, Any]) -> str | None:
    """eval, train, test, … for the log that ends an evaluation or a training; None for one on the way."""
    for name in values:
        if name.endswith("_runtime"):
            return name.removesuffix("_runtime")
    return "eval" if any(name.startswith("eval_") for name in values) else None


def summary(prefix: str, values: dict[str, Any], step: int) -> str:
    """evaluation at step 200   loss 0.4987   accuracy 0.8123   (0:02, 512 rows/s)"""
    title = {"eval": f"evaluation at step {step}", "train": "training"}.get(prefix, f"{prefix} at step {step}")
    metrics = {name.removeprefix(f"{prefix}_"): value for name, value in values.items() if name != "epoch"}
    seconds, rows = metrics.pop("runtime", None), metrics.pop("samples_per_second", None)
    parts = [f"{name} {shown(value)}" for name, value in metrics.items() if f"_{name}" not in TIMES]
    times = [clock(seconds)] if seconds is not None else []
    times += [f"{plain(rows)} rows/s"] if rows is not None else []
    if times:
        parts.append(f"({', '.join(times)})")
    return "   ".join([title, *parts])


def padded(text: str, width: int) -> str:
    """Right-aligned in this many cells of a terminal, where a Hangul syllable takes two."""
    return " " * (width - cell_len(text)) + text


def length(dataloader: Any) -> int | None:
    try:
        return len(dataloader)
    except TypeError:
        return None  # a stream does not know how long it is
