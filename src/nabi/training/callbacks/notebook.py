"""Progress in a notebook: a bar and a table of losses and metrics, drawn anew in place as HTML, with no widgets."""

from __future__ import annotations

import os
import time
from html import escape
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from ..reports.log_history import readable_metrics, shown
from .callback import TrainerCallback
from .pace import Pace, speed, time_left
from .progress import length, padded
from .state import TrainerControl, TrainerState

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments

# Greys that are half see-through and the text's own colour look right on light and on dark pages.
GREY = "rgba(128,128,128,.35)"
BLUE = "#3b82f6"


class NotebookProgressCallback(TrainerCallback):
    """The table Epoch or Step | Training Loss | Validation Loss | metrics, below a bar.

    One row per evaluation (by epochs: Epoch, by steps: Step); with no evaluations, one row per logged loss.
    """

    def __init__(self) -> None:
        self.page: Page | None = None
        self.pace: Pace | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        self.pace = Pace(args, state)
        self.page = Page()
        first = first_column(args)
        self.page.columns = [first, "Training Loss", *(["Validation Loss"] if args.eval_strategy != "no" else [])]
        self.draw_training(state)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.pace is not None:
            self.pace.step_done(state.global_step)
            self.draw_training(state)

    def draw_training(self, state: TrainerState, now: bool = False) -> None:
        assert self.page is not None and self.pace is not None
        if self.page.is_due() or now:
            epoch = f"epoch {state.epoch:.2f} of {state.num_train_epochs}"
            label = " · ".join([f"{self.pace.done}/{self.pace.total}", epoch, *time_left(self.pace), *speed(self.pace)])
            self.page.bar = (self.pace.done, self.pace.total, label)
            self.page.draw()

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
        page = self.page = self.page or Page()
        total = length(eval_dataloader)
        done = page.small_bar[0] + 1 if page.small_bar else 1
        page.small_bar = (done, total or done, f"evaluation {done}/{total or '?'}")
        if page.is_due():
            page.draw()

    def on_predict(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.end_of_evaluation()

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not state.is_world_process_zero:
            return
        page = self.page = self.page or Page()
        first = first_column(args)
        losses = [log["loss"] for log in state.log_history if "loss" in log]
        at = f"{state.epoch:.4g}" if first == "Epoch" else str(state.global_step)
        row = {first: at, **readable_metrics(metrics or {})}
        if self.pace is not None:
            row["Training Loss"] = losses[-1] if losses else "no log yet"
        elif not page.columns:  # on its own: there is no training to tell of
            page.columns = [first, *(name for name in ["Validation Loss"] if name in row)]
        page.add(row)
        self.end_of_evaluation()

    def end_of_evaluation(self) -> None:
        if self.page is None:
            return
        self.page.small_bar = None
        self.page.draw()
        if self.pace is None:  # an evaluation on its own: the next one has a page of its own
            self.page = None
        else:
            self.pace.something_else_done()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.pace is not None:
            self.pace.something_else_done()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if self.page is not None and args.eval_strategy == "no" and "loss" in (logs or {}):
            self.page.add({"Step": str(state.global_step), "Training Loss": (logs or {})["loss"]})
            self.draw_training(state, now=True)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.page is not None:
            self.draw_training(state, now=True)
        self.page = self.pace = None


def first_column(args: TrainingArguments) -> str:
    return "Epoch" if args.eval_strategy == "epoch" else "Step"


class Page:
    """What stands in the cell's output: bar, table, and the small bar of a running evaluation."""

    def __init__(self) -> None:
        self.bar: tuple[int, int, str] | None = None
        self.small_bar: tuple[int, int, str] | None = None
        self.columns: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self.drawn_at = float("-inf")
        self.every = 0.5 if "VSCODE_PID" in os.environ else 0.2  # seconds; VS Code draws HTML slowly
        self.output: Any = None

    def add(self, row: dict[str, Any]) -> None:
        """One more row; into the last one if it belongs to the same epoch or step (several evaluation sets)."""
        self.columns += [name for name in row if name not in self.columns]
        first = self.columns[0]
        if self.rows and self.rows[-1].get(first) == row.get(first):
            self.rows[-1].update(row)
        else:
            self.rows.append(row)

    def is_due(self) -> bool:
        return time.perf_counter() - self.drawn_at >= self.every

    def draw(self) -> None:
        from IPython.display import display

        self.drawn_at = time.perf_counter()
        content = {"text/html": self.html(), "text/plain": self.text()}
        if self.output is None:
            self.output = display(content, raw=True, display_id=True)
        else:
            self.output.update(content, raw=True)

    def html(self) -> str:
        parts = [bar_html(*self.bar, width=320)] if self.bar else []
        parts += [self.table_html()] if self.rows else []
        parts += [bar_html(*self.small_bar, width=160)] if self.small_bar else []
        return f'<div style="font-size:13px">{"".join(parts)}</div>'

    def table_html(self) -> str:
        cell = f"padding:3px 12px;text-align:right;border-bottom:1px solid {GREY}"
        head = "".join(f'<th style="{cell}">{escape(name)}</th>' for name in self.columns)
        lines = ("".join(f'<td style="{cell}">{escape(text)}</td>' for text in row) for row in self.texts())
        rows = "".join(f"<tr>{line}</tr>" for line in lines)
        style = (
            "color:inherit;font-size:inherit;border-collapse:collapse;margin:6px 0;font-variant-numeric:tabular-nums"
        )
        return f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'

    def texts(self) -> list[list[str]]:
        return [[shown(row.get(name, "")) for name in self.columns] for row in self.rows]

    def text(self) -> str:
        """The same for what shows no HTML (an exported notebook, a console)."""
        lines = [label for _, _, label in filter(None, [self.bar])]
        if self.rows:
            table = [self.columns, *self.texts()]
            widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
            lines += ["  ".join(map(padded, row, widths)) for row in table]
        return "\n".join(lines)


def bar_html(done: int, total: int, label: str, width: int) -> str:
    share = 100 * min(done / total, 1) if total else 100
    filled = f'<div style="width:{share:.1f}%;height:100%;background:{BLUE};border-radius:4px"></div>'
    frame = f"display:inline-block;width:{width}px;height:10px;background:{GREY};border-radius:4px;margin-right:10px"
    return f'<div style="margin:4px 0"><div style="{frame}">{filled}</div>{escape(label)}</div>'
