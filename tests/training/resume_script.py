"""Trainings that test_resume.py lets die. Each runs in a process of its own, forked from one that has the imports."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import Any

import accelerate  # noqa: F401 - what a training loads on its way is loaded once, before the forks
import torch
import torch._dynamo
from tokenizers import Tokenizer, models, pre_tokenizers

from nabi import PreTrainedTokenizerFast
from nabi.training import checkpoints, loop
from nabi.training.callbacks.callback import EarlyStoppingCallback, TrainerCallback
from nabi.training.callbacks.state import ExportableState
from nabi.training.collators import DataCollatorForLanguageModeling
from nabi.training.trainer import Trainer

from . import tiny

ROWS = 42  # 11 batches of 4, the last one short: 6 updates of 2 batches in an epoch, the last of one


class Seen(TrainerCallback, ExportableState):
    """The data that each update saw: the sum of its ids, masks and all, in order."""

    def __init__(self) -> None:
        self.updates: list[int] = []
        self.now = 0

    def look(self, module: Any, args: Any, inputs: dict[str, Any]) -> None:
        if module.training:
            ids = inputs["input_ids"]
            self.now += int((ids * torch.arange(1, ids.numel() + 1).view(ids.shape)).sum())

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self.updates.append(self.now)
        self.now = 0

    def state(self) -> dict[str, dict[str, Any]]:
        return {"args": {}, "attributes": {"updates": self.updates}}


class Dies(TrainerCallback):
    """SIGKILL, or an exception, at an event of a step."""

    def __init__(self, event: str, step: int, how: str = "kill") -> None:
        self.step, self.how = step, how
        setattr(self, event, self.maybe)

    def maybe(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        if state.global_step >= self.step:
            if self.how == "raise":
                raise KeyError("a fault in the callback")
            os.kill(os.getpid(), signal.SIGKILL)


class Stream(torch.utils.data.IterableDataset):
    def __iter__(self) -> Any:
        return iter(tiny.rows(ROWS, labels="none"))


def tokenizer() -> Any:
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    vocabulary.update({f"w{number}": number for number in range(5, 60)})
    engine = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    engine.pre_tokenizer = pre_tokenizers.Whitespace()
    marks = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    return PreTrainedTokenizerFast(tokenizer_object=engine, **marks)


def make(folder: Path, data: Any = None, callbacks: Any = (), model: Any = None, **settings: Any) -> Trainer:
    """A masked language model with dropout; saves fall in the middle of epochs and between logs and evaluations."""
    torch.set_num_threads(1)
    usual = {
        "num_train_epochs": 3,
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 2,
        "learning_rate": 5e-3,
        "logging_steps": 7,
        "save_strategy": "steps",
        "save_steps": 5,
        "eval_strategy": "steps",
        "eval_steps": 4,
        "metric_for_best_model": "eval_loss",
        "save_total_limit": 3,
    }
    seen = Seen()
    trainer = Trainer(
        tiny.bert("ForMaskedLM") if model is None else model,
        tiny.quiet(folder, **{**usual, **settings}),
        data_collator=DataCollatorForLanguageModeling(tokenizer()),
        train_dataset=tiny.rows(ROWS, labels="none") if data is None else data,
        eval_dataset=tiny.rows(9, labels="none", seed=5),
        callbacks=[seen, *callbacks],
    )
    trainer.model.register_forward_pre_hook(lambda *given: seen.look(*given), with_kwargs=True)
    return trainer


VARIANTS: dict[str, dict[str, Any]] = {
    "usual": {},
    "stream": {"data": "stream", "max_steps": 16},
    "workers": {"dataloader_num_workers": 2, "dataloader_multiprocessing_context": "fork"},
    "by length": {"train_sampling_strategy": "group_by_length"},
    "by epoch": {
        "save_steps": 6,  # together with the end of an epoch, whose evaluation and log come after the checkpoint
        "logging_strategy": "epoch",
        "eval_strategy": "epoch",
    },
}


def run(
    folder: Path,
    variant: str = "usual",
    resume: Any = None,
    event: str | None = None,
    step: int = 0,
    how: str = "kill",
    syncs: int | None = None,
    largest: int | None = None,
) -> None:
    """Train; die at an event, or when a checkpoint is being made durable for the syncs-th time; or have no room for
    files larger than so many bytes after the first checkpoint."""
    loop.save_curves = lambda *given: None  # a picture takes longer than the training
    options = dict(VARIANTS[variant])
    if options.get("data") == "stream":
        options["data"] = Stream()
    callbacks: list[Any] = [EarlyStoppingCallback(early_stopping_patience=4)]
    if event:
        callbacks.append(Dies(event, step, how))
    if largest is not None:
        callbacks.append(Fills(largest))
    if syncs is not None:
        die_at_sync(syncs)
    if resume is None and (folder / "resume").exists():
        resume = True
    try:
        make(folder, callbacks=callbacks, **options).train(resume_from_checkpoint=resume)
    except Exception as error:
        (folder / "error.txt").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")


class Fills(TrainerCallback):
    """After the first checkpoint no file may be larger than so many bytes, as on a full disk."""

    def __init__(self, largest: int) -> None:
        self.largest = largest

    def on_save(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.largest, resource.RLIM_INFINITY))


def die_at_sync(count: int) -> None:
    done = 0
    real = checkpoints.sync

    def sync(path: Path) -> None:
        nonlocal done
        done += 1
        if done == count:
            os.kill(os.getpid(), signal.SIGKILL)
        real(path)

    checkpoints.sync = sync
