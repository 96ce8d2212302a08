"""`nabi train`: files of rows to a model that knows the task, with a line for each thing that it found or decided.

options ─► rows, columns, labels ─► model, tokenizer ─► examples ─► trainer ─► folder that `nabi run` takes
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.labels import listed
from ..messages import say
from ..options import Problem
from ..results import columns as width_of
from ..run import check_model
from .data import TrainData, read_data
from .options import TrainOptions, option, read_options
from .run_folder import RunFolder, StopAfterStep

if TYPE_CHECKING:
    from ...training.tasks.task import Encoded, Task

KEY_WIDTH = 9  # columns of the longest key of a line
MOST_LABELS = 6


def train(given: Mapping[str, Any], *, config: Path | None, resume: bool, overwrite: bool) -> int:
    """Train as the options say. Returns the exit code. Raises Problem for what is wrong before anything is computed."""
    if resume and overwrite:
        raise Problem(say("resume_and_overwrite"))
    before: dict[str, Any] = {}
    if resume and given.get("output"):
        before = RunFolder(given["output"]).settings_of_last()
    options = read_options(given, config, before)
    name = options.task or ("text-classification" if options.multi_label or options.regression else None)
    kind = None if name is None else task_class(name)
    folder = RunFolder(options.output)
    if resume:
        folder.check_resumed(options)
    else:
        folder.check_new(overwrite)
    check_model(options.model)
    choose_device(options.device)

    data = read_data(options, None if kind is None else kind.columns_like())
    kind = kind or task_class(data.task)
    task = make_task(kind, options)
    tell("train_line_task", task.name + (f"  ({options.task})" if options.task not in (None, task.name) else ""))
    tell("train_line_columns", ", ".join(f"{role}: {column}" for role, column in data.columns.items()))
    with told_if_unreachable(options):
        return learn(task, data, options, folder, resume)


def task_class(name: str) -> type[Task]:
    from ...training.tasks import find_task

    try:
        return find_task(name)
    except ValueError as error:
        raise Problem(str(error)) from None


def make_task(kind: type[Task], options: TrainOptions) -> Task:
    """The task with its settings; Problem for a setting that is of another task."""
    from ...training.tasks.task import TaskSettings

    given = {name: getattr(options, name) for name in TaskSettings.__dataclass_fields__}
    for name, value in given.items():
        if name not in kind.takes and value not in (None, False):
            raise Problem(say("train_not_of_task", name=option(name), task=kind.name))
    if options.teacher is not None and kind.writes:
        raise Problem(say("train_not_of_task", name="--teacher", task=kind.name))
    return kind(TaskSettings(**given))


def choose_device(device: str | None) -> None:
    """A GPU by its number is made the only one that torch sees; Problem for a device that is not there."""
    if device is None or device == "cpu":
        return
    number = device.removeprefix("cuda").removeprefix(":")
    if number.isdigit():
        os.environ["CUDA_VISIBLE_DEVICES"] = number
    import torch

    there = torch.backends.mps.is_available() if device == "mps" else torch.cuda.is_available()
    if not (device == "mps" or number.isdigit() or device == "cuda") or not there:
        raise Problem(say("train_no_device", name=device), code=1)


@contextmanager
def told_if_unreachable(options: TrainOptions) -> Iterator[None]:
    """A Hub that cannot be reached is told with the model's name."""
    from ...hub import HubUnreachable

    try:
        yield
    except HubUnreachable as error:
        raise Problem(say("not_reached", name=options.model, reason=error), code=1) from error


# ---------------------------------------------------------------- the run


def learn(task: Task, data: TrainData, options: TrainOptions, folder: RunFolder, resume: bool) -> int:
    from ... import auto
    from ...tokenization import AutoTokenizer
    from ...training.seeds import set_seed
    from ...training.tasks.models import freeze_body, lora_config, make_model
    from .results import finish
    from .setup import check_metrics, make_arguments, make_trainer

    where = {"revision": options.revision, "local_files_only": options.offline}
    where = {name: value for name, value in where.items() if value}
    teacher = None
    config = auto.AutoConfig.from_pretrained(options.teacher or options.model, **({} if options.teacher else where))
    task.learn(data.train, config)
    tell_labels(task)
    if options.teacher is not None:
        teacher = make_model(task, options.teacher, from_scratch=False).model
    tell_rows(data)
    arguments = make_arguments(task, options, folder, evaluates=data.eval is not None)
    check_metrics(task)
    set_seed(options.seed)
    made = make_model(task, options.model, options.from_scratch, **where)
    tell_model(made, options)
    tokenizer = AutoTokenizer.from_pretrained(options.model, **where)
    give_padding(tokenizer, made.model)
    if options.freeze_body:
        freeze_body(made.model, task)
    adapters = lora_config(made.model, task, options.lora_rank, options.lora_alpha) if options.lora else None

    length = task.longest(made.model, tokenizer)
    encoded = {"train": encode(task, data.train, tokenizer, length, "train")}
    if data.eval is not None:
        encoded["eval"] = encode(task, data.eval, tokenizer, length, "eval")
    tell_length(encoded, length)

    stop = StopAfterStep()
    trainer = make_trainer(task, made.model, tokenizer, arguments, encoded, data, options, stop, adapters, teacher)
    tell_plan(trainer, options)
    if not resume:
        folder.begin(options)
    print(flush=True)
    began = time.perf_counter()
    try:
        with stop.listening():
            done = trainer.train(resume_from_checkpoint=resume or None)
    except KeyboardInterrupt:
        close_bars(trainer)
        tell_interruption(folder, options)
        raise
    return finish(trainer, task, data, options, folder, done, time.perf_counter() - began)


def encode(task: Task, rows: Any, tokenizer: Any, length: int, split: str) -> Encoded:
    """With a bar, for people who wait: a second in, in a terminal. A row that does not fit is told with its split."""
    from tqdm import tqdm

    options = {"delay": 1.0, "file": sys.stderr, "leave": False, "disable": not sys.stderr.isatty()}
    try:
        with tqdm(total=len(rows), desc=say(f"train_tokenizing_{split}"), **options) as bar:
            return task.encode(rows, tokenizer, length, bar.update)
    except ValueError as error:
        raise Problem(say(f"train_bad_row_{split}", reason=error), code=1) from error


def give_padding(tokenizer: Any, model: Any) -> None:
    """GPT-2 and its like have no padding token: the one that ends a text does, as its labels and mask are left out."""
    if tokenizer.pad_token_id is None and tokenizer.eos_token is not None:
        tokenizer.pad_token = tokenizer.eos_token
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id


def close_bars(trainer: Any) -> None:
    for callback in trainer.callback_handler.callbacks:
        bar = getattr(callback, "training_bar", None)
        if bar is not None:
            bar.close()


# ---------------------------------------------------------------- what is told


def tell(key: str, text: str) -> None:
    """One line: what it is about, and what was found or decided."""
    name = say(key)
    print(f"{name}{' ' * (KEY_WIDTH - width_of(name))}  {text}", flush=True)


def tell_labels(task: Task) -> None:
    names = task.describe()
    if names is None:
        if task.config_keys().get("problem_type") == "regression":
            tell("train_line_labels", say("train_numbers"))
        return
    shown = ", ".join(f"{number} = {name}" for number, name in list(names.items())[:MOST_LABELS])
    more = ", …" if len(names) > MOST_LABELS else ""
    tell("train_line_labels", f"{shown}{more}  ({len(names)})")


def tell_rows(data: TrainData) -> None:
    if data.eval is None:
        tell("train_line_rows", say("train_rows_alone", train=f"{len(data.train):,}"))
    else:
        tell(
            "train_line_rows",
            say("train_rows", train=f"{len(data.train):,}", eval=f"{len(data.eval):,}", source=data.eval_source),
        )
    if data.unused:
        print(say("train_note", text=say("train_unused_split", names=", ".join(data.unused))))


def tell_model(made: Any, options: TrainOptions) -> None:
    count = f"{made.model.num_parameters() / 1e6:.1f}M"
    tell("train_line_model", say("train_model", name=short(options.model), kind=type(made.model).__name__, count=count))
    if options.from_scratch:
        print(say("train_note", text=say("train_random_weights")))
    if made.reshaped:
        (_, disk, here), *_ = made.reshaped
        print(say("train_note", text=say("train_head_replaced", before=disk[0], now=here[0])))
    elif made.other_labels:
        print(say("train_note", text=say("train_head_of_others", names=listed(made.other_labels))))
    elif made.new:
        shown = ", ".join(made.new[:4]) + (", …" if len(made.new) > 4 else "")
        print(say("train_note", text=say("train_new_head", names=shown)))


def short(name: str) -> str:
    """A model's name as it is known, of a folder the last part."""
    return Path(name).expanduser().resolve().name if Path(name).expanduser().is_dir() else name


def tell_length(encoded: Mapping[str, Encoded], length: int) -> None:
    longest = max(len(one["input_ids"]) for part in encoded.values() for one in part.examples)
    tell("train_line_length", say("train_length", longest=longest, most=length))
    cut = sum(part.cut for part in encoded.values())
    if cut:
        print(say("train_note", text=say("train_cut", count=f"{cut:,}", most=length)))
    left_out = sum(part.left_out for part in encoded.values())
    if left_out:
        print(say("train_note", text=say("train_left_out", count=f"{left_out:,}", most=length)))


def tell_plan(trainer: Any, options: TrainOptions) -> None:
    args = trainer.args
    learning = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    whole = sum(weight.numel() for weight in trainer.model.parameters())
    values = {
        "epochs": f"{args.num_train_epochs:g}",
        "batch": args.train_batch_size * args.gradient_accumulation_steps,
        "rate": f"{args.learning_rate:g}",
        "device": args.device,
    }
    tell("train_line_plan", say("train_plan", **values))
    if learning < whole:
        print(say("train_note", text=say("train_part_learns", count=f"{learning:,}", share=f"{learning / whole:.1%}")))


def tell_interruption(folder: RunFolder, options: TrainOptions) -> None:
    last = folder.last_checkpoint()
    if last is None:
        print(say("train_interrupted_early"), file=sys.stderr)
    else:
        command = f"nabi train --output {quoted(options.output)} --resume"
        print(say("train_interrupted", path=str(last), command=command), file=sys.stderr)


def quoted(text: str) -> str:
    """For a command line that can be copied."""
    import shlex

    return shlex.quote(text)
