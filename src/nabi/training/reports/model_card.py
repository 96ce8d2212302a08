"""The model card: a README.md that says what a model is, what it learned from, how, how well, and how to use it.

Its head is the YAML that the Hub reads (https://huggingface.co/docs/hub/model-cards); its body is written from facts.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .curves import FILE_NAME as CURVES
from .log_history import NO_METRIC, TIMES, evaluations, readable_metrics, shown
from .usage import usage

if TYPE_CHECKING:
    from ..arguments.training_arguments import TrainingArguments

logger = logging.getLogger(__name__)

# While this line is in the file, the file is the trainer's to write anew; who takes it out makes the file their own.
MARK = "<!-- nabi wrote this from the facts of a training, and will write it anew: delete this line to keep it. -->"


@dataclass
class Split:
    """One part of the data. labels: how many rows each label name has, if the rows have labels."""

    name: str
    rows: int | None = None
    source: str | None = None
    labels: dict[str, int] = field(default_factory=dict)


@dataclass
class ModelFacts:
    """What a model card is written from; what is left out is not mentioned.

    model_name: its title. model_id: where to load it from, in the example. task: a pipeline's name, or
    "multiple-choice". base_model: what was fine-tuned. datasets: ids on the Hub. history: the log_history of a
    trainer's state; best_step: the step whose weights these are, if not the last. arguments, versions: name -> value.
    curves: a picture's file name.
    """

    model_name: str
    model_id: str | None = None
    task: str | None = None
    language: str | list[str] | None = None
    license: str | None = None
    tags: str | list[str] | None = None
    base_model: str | None = None
    datasets: str | list[str] | None = None
    splits: list[Split] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    best_step: int | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    curves: str | None = None


def save_model_card(facts: ModelFacts, folder: str | Path) -> Path:
    """Write README.md into the folder, with the picture of the curves if that is there. Returns the file's path.

    A README.md of the user's own is left alone: the card then goes to MODEL_CARD.md, and a warning says so.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if facts.curves is None and (folder / CURVES).is_file():
        facts = dataclasses.replace(facts, curves=CURVES)
    path = folder / "README.md"
    if path.is_file() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        path = folder / "MODEL_CARD.md"
        logger.warning(
            "%s has a README.md that is not nabi's, so it stays, and the model card is %s", folder, path.name
        )
    path.write_text(model_card(facts), encoding="utf-8")
    return path


def model_card(facts: ModelFacts) -> str:
    """The whole text of README.md."""
    sections = [
        f"---\n{as_yaml(metadata(facts))}---",
        MARK,
        f"# {facts.model_name}",
        introduction(facts),
        f"## How to use it\n\n```python\n{usage(facts.task, facts.model_id or facts.model_name, facts.language)}\n```",
    ]
    if facts.splits:
        sections.append(f"## Data\n\n{data(facts.splits)}")
    if facts.arguments:
        rows = [
            [f"`{name}`", f"{value:g}" if isinstance(value, float) else str(value)]
            for name, value in facts.arguments.items()
        ]
        sections.append(f"## Training arguments\n\n{table(['Argument', 'Value'], rows)}")
    results = evaluations(facts.history)
    if results:
        columns = list(dict.fromkeys(name for row in results for name in row))
        rows = [[shown(row.get(name, "")) for name in columns] for row in results]
        sections.append(f"## Results by evaluation\n\n{table(columns, rows)}")
    if facts.curves:
        sections.append(f"![Curves of the training]({facts.curves})")
    if facts.versions:
        sections.append("## Versions\n\n" + "\n".join(f"- {name} {number}" for name, number in facts.versions.items()))
    return "\n\n".join(sections) + "\n"


def introduction(facts: ModelFacts) -> str:
    kind = f"a model for {facts.task}" if facts.task else "a model"
    origin = "trained from scratch"
    if facts.base_model:
        link = f"[{facts.base_model}](https://huggingface.co/{facts.base_model})"
        origin = f"fine-tuned from {link if is_repo_id(facts.base_model) else f'`{Path(facts.base_model).name}`'}"
    sources = listed(facts.datasets) or [
        where(split) for split in facts.splits if split.name.startswith("train") and split.source
    ]
    on = f" on {', '.join(f'`{source}`' for source in sources)}" if sources else ""
    lines = [f"This is {kind}, {origin}{on}."]
    result = final_metrics(facts)
    if result:
        lines += ["", "Evaluated, it has:", ""]
        lines += [f"- {name}: {shown(value)}" for name, value in readable_metrics(result).items()]
    return "\n".join(lines)


def data(splits: list[Split]) -> str:
    """Tables of the splits and of how often each label occurs."""
    columns = {
        "Split": [split.name for split in splits],
        "Source": [where(split) for split in splits],
        "Rows": ["" if split.rows is None else f"{split.rows:,}" for split in splits],
    }
    known = {name: cells for name, cells in columns.items() if any(cells)}
    text = table(list(known), [list(row) for row in zip(*known.values(), strict=True)])
    labelled = [split for split in splits if split.labels]
    if labelled:
        names = list(dict.fromkeys(label for split in labelled for label in split.labels))
        counts = [[name, *(with_share(split.labels, name) for split in labelled)] for name in names]
        text += "\n\n" + table(["Label", *(split.name for split in labelled)], counts)
    return text


def where(split: Split) -> str:
    """The split's source, without the folders of this machine."""
    source = split.source or ""
    return Path(source).name if os.path.isabs(source) else source


def with_share(labels: dict[str, int], name: str) -> str:
    count = labels.get(name, 0)
    return f"{count:,} ({count / max(sum(labels.values()), 1):.1%})"


def metadata(facts: ModelFacts) -> dict[str, Any]:
    """What the Hub reads: the fields of a model card's YAML that are known."""
    metrics = {name.removeprefix("eval_"): value for name, value in final_metrics(facts).items()}
    known: dict[str, Any] = {
        "library_name": "transformers",  # the files are in its format, so what loads those loads this
        "pipeline_tag": facts.task,
        "language": listed(facts.language),
        "license": facts.license,
        "base_model": facts.base_model if facts.base_model and is_repo_id(facts.base_model) else None,
        "tags": list(dict.fromkeys([*listed(facts.tags), "nabi", "generated_from_trainer"])),
        "datasets": listed(facts.datasets),
        "metrics": [name for name in metrics if name != "loss"],
        "model-index": model_index(facts, metrics),
    }
    return {name: value for name, value in known.items() if value}


def model_index(facts: ModelFacts, metrics: dict[str, float]) -> list[dict[str, Any]]:
    """Results in the Hub's form, which wants a task, a dataset and a metric; [] where one is not known."""
    evaluated = [split for split in facts.splits if not split.name.startswith("train") and split.source]
    dataset = (listed(facts.datasets) or [where(split) for split in evaluated] or [""])[0]
    if not (facts.task and dataset and metrics):
        return []
    result = {
        "task": {"type": facts.task, "name": facts.task.replace("-", " ").capitalize()},
        "dataset": {"type": dataset, "name": dataset},
        "metrics": [{"type": name, "name": name, "value": value} for name, value in metrics.items()],
    }
    return [{"name": facts.model_name, "results": [result]}]


def final_metrics(facts: ModelFacts) -> dict[str, float]:
    """The finite eval_… numbers of the evaluation at best_step, or else of the last one; {} if there was none."""
    logs = [log for log in facts.history if any(name.startswith("eval_") for name in log)]
    chosen = [log for log in logs if log.get("step") == facts.best_step] or logs[-1:]
    numbers = {
        name: float(value)
        for log in chosen
        for name, value in log.items()
        if name.startswith("eval_") and name not in NO_METRIC and not name.endswith(TIMES)
        if isinstance(value, (int, float)) or hasattr(value, "item")
    }
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


ESSENTIAL = """learning_rate num_train_epochs per_device_train_batch_size gradient_accumulation_steps optim
lr_scheduler_type warmup_steps weight_decay seed""".split()
# Where things are on this machine and whose they are: no business of a reader.
PRIVATE = re.compile(r"hub_.*|.*_dir|.*_id|run_name|project|report_to|push_to_hub|log_.*|disable_tqdm|do_.*|resume_.*")


def notable_arguments(args: TrainingArguments) -> dict[str, Any]:
    """The arguments that everyone asks for, and those that are not the default; no tokens, no folders."""
    notable = {name: getattr(args, name) for name in ESSENTIAL}
    usual = type(args)(output_dir=args.output_dir)
    for one in dataclasses.fields(args):
        value = getattr(args, one.name)
        if value != getattr(usual, one.name) and not PRIVATE.fullmatch(one.name):
            notable[one.name] = value
    return notable


def framework_versions() -> dict[str, str]:
    """The versions of what had a part in the training, of those that are installed."""
    versions = {}
    for name in ("nabi", "torch", "tokenizers", "safetensors", "accelerate", "datasets", "peft"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {**versions, "Python": platform.python_version()}


def as_yaml(content: dict[str, Any]) -> str:
    import yaml  # comes with huggingface_hub

    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=math.inf)


def is_repo_id(name: str) -> bool:
    """Whether this can be a model on the Hub and is no folder here."""
    return re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name, re.ASCII) is not None and not Path(name).exists()


def listed(value: str | Iterable[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; a bar or a line break in a cell does not break it."""
    lines = [columns, ["---"] * len(columns), *rows]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
