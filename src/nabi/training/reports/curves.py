"""The curves of a training as one picture: losses, metrics, learning rate and gradient norm over the steps."""

from __future__ import annotations

import io
import logging
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .log_history import NO_METRIC, TIMES, as_metric_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

FILE_NAME = "training_curves.png"
Curve = list[tuple[int, float]]  # (step, value)


def plot(history: list[dict[str, Any]]) -> Figure:
    """Draw the log_history of a trainer's state; pyplot is not touched, so nothing pops up or stays open.

    One panel for losses, one for metrics between -1 and 1, one for each other metric, the learning rate and the
    gradient norm; what was not logged has none. ValueError if there is nothing to draw.

        plot(trainer.state.log_history).savefig("curves.png")
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('curves are drawn by matplotlib: pip install "nabi[train]"') from error

    panels = panels_of(history)
    if not panels:
        raise ValueError(
            "the history holds no losses or metrics by step, so there is nothing to draw: train with "
            'logging_steps=10, or eval_strategy="epoch", and pass trainer.state.log_history'
        )
    columns = min(len(panels), 2)
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(6.4 * columns, 3.8 * rows), layout="constrained")
    per_epoch = steps_per_epoch(history)
    last_step = max(curve[-1][0] for curves in panels.values() for curve in curves.values())
    for place, (title, curves) in enumerate(panels.items(), start=1):
        draw(figure.add_subplot(rows, columns, place), title, curves, last_step, per_epoch)
    write_in_a_font_that_has_the_letters(figure)
    figure._repr_png_ = partial(png, figure)  # type: ignore[attr-defined]  # what a notebook shows, without pyplot too
    return figure


def png(figure: Figure) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    return picture.getvalue()


def save_curves(history: list[dict[str, Any]], folder: str | Path) -> Path | None:
    """Write training_curves.png into the folder; None, and no file, without matplotlib or with nothing to draw."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        return None
    if not panels_of(history):
        return None
    path = Path(folder) / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    plot(history).savefig(path, dpi=120)
    return path


def panels_of(history: list[dict[str, Any]]) -> dict[str, dict[str, Curve]]:
    """Title of a panel -> name of a curve -> its points."""
    curves: dict[str, Curve] = {}
    for log in history:
        if "train_runtime" in log or "step" not in log:
            continue  # the summary at the end has averages of the whole training
        for name, value in log.items():
            value = value.item() if hasattr(value, "item") else value
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if number and name not in NO_METRIC | {"num_input_tokens_seen"} and not name.endswith(TIMES):
                curves.setdefault(name, []).append((log["step"], float(value)))

    panels: dict[str, dict[str, Curve]] = {"loss": {}, "metrics": {}}
    for name, curve in curves.items():
        if name == "loss" or name.endswith("_loss"):
            panels["loss"][loss_name(name)] = curve
        elif name in ("learning_rate", "grad_norm"):
            panels[{"learning_rate": "learning rate", "grad_norm": "gradient norm"}[name]] = {"": curve}
        else:
            readable = as_metric_name(name) if name.startswith("eval_") else name
            within = all(-1 <= value <= 1 for _, value in curve if math.isfinite(value))
            if within:
                panels["metrics"][readable] = curve
            else:
                panels[readable] = {"": curve}
    order = ["loss", "metrics", *(title for title in panels if title not in ("loss", "metrics"))]
    return {title: panels[title] for title in order if panels[title]}


def loss_name(name: str) -> str:
    if name == "loss":
        return "training"
    if name.startswith("eval_"):
        dataset = name.removeprefix("eval_").removesuffix("loss").strip("_")
        return f"validation ({dataset})" if dataset else "validation"
    return name


def steps_per_epoch(history: list[dict[str, Any]]) -> float | None:
    """From the newest log that knows its epoch; None if there is none."""
    known = [log["step"] / log["epoch"] for log in history if log.get("epoch") and log.get("step")]
    return known[-1] if known else None


def draw(axes: Axes, title: str, curves: dict[str, Curve], last_step: int, per_epoch: float | None) -> None:
    from matplotlib.ticker import MaxNLocator

    for name, curve in curves.items():
        steps, values = zip(*curve, strict=True)
        drawable = [value if math.isfinite(value) else math.nan for value in values]
        lost = sum(math.isnan(value) for value in drawable)
        label = f"{name} ({lost} of {len(values)} not finite)".strip() if lost else name
        # A few points are seen as points: one evaluation alone would be an invisible line.
        axes.plot(steps, drawable, label=label, marker="o" if len(curve) <= 30 else None, markersize=3, linewidth=1.5)
    axes.set_title(title, fontsize=11)
    axes.set_xlabel("step")
    axes.set_xlim(0, max(last_step, 1) * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if any(not str(line.get_label()).startswith("_") and line.get_label() for line in axes.get_lines()):
        axes.legend(frameon=False, fontsize=9)
    if per_epoch:
        mark_epochs(axes, per_epoch, last_step)


def mark_epochs(axes: Axes, per_epoch: float, last_step: int) -> None:
    """A dashed line and a number at the end of each epoch, of at most about ten of them."""
    epochs = int(last_step / per_epoch + 1e-6)
    every = max(1, math.ceil(epochs / 10))
    for epoch in range(every, epochs + 1, every):
        axes.axvline(epoch * per_epoch, color="grey", linestyle="--", linewidth=0.7, alpha=0.5, zorder=0)
        axes.annotate(
            f"epoch {epoch}" if epoch == every else str(epoch),
            (epoch * per_epoch, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-3, -2),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=7,
            color="grey",
        )


def write_in_a_font_that_has_the_letters(figure: Figure) -> None:
    """Give texts that matplotlib's own font cannot write (한글) an installed font that can; warn if there is none."""
    from matplotlib.text import Text

    texts = [text for text in figure.findobj(Text) if any(letter > "\u04ff" for letter in text.get_text())]
    letters = {letter for text in texts for letter in text.get_text() if letter > "\u04ff"}
    if not letters:
        return
    font = font_with(letters)
    if font is None:
        logger.warning(
            "no installed font has the letters %s: install one (for Korean: apt install fonts-nanum, or put "
            "NanumGothic.ttf into ~/.fonts) and start Python again",
            "".join(sorted(letters)[:10]),
        )
        return
    for text in texts:
        text.set_fontfamily(["DejaVu Sans", font])


def font_with(letters: set[str]) -> str | None:
    """The name of an installed font that has all the letters, a plain one before others."""
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    wanted = ["NanumGothic", "Noto Sans CJK KR", "Noto Sans KR", "Malgun Gothic", "Apple SD Gothic Neo", "AppleGothic"]
    plain_first = sorted(fontManager.ttflist, key=lambda font: wanted.index(font.name) if font.name in wanted else 99)
    for font in plain_first:
        if font.name.startswith("Last Resort"):
            continue  # has a box for every letter
        try:
            has = FT2Font(font.fname).get_charmap()
        except (OSError, RuntimeError):
            continue  # the list of fonts outlives the files
        if all(ord(letter) in has for letter in letters):
            return font.name
    return None
