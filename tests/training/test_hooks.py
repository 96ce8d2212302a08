"""A subclass may replace any method of Trainer: each is called on the trainer, whichever file it stands in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers

from nabi.training.trainer import Trainer

from .tiny import CALM, bert, padded, quiet, rows

# What a training goes through, in this order, under HF's names: an update, what is due after it, the end.
CHAIN = """train get_train_dataloader create_optimizer_and_scheduler create_optimizer get_optimizer_cls_and_kwargs
    create_scheduler get_batch_samples training_step _prepare_inputs compute_loss_context_manager compute_loss log
    evaluate get_eval_dataloader evaluation_loop prediction_step _save _load_best_model _load_from_checkpoint predict
    get_test_dataloader save_model""".split()


def recorder(called: list[str]) -> type[Trainer]:
    """A subclass that has each method of Trainer itself, noted when it is called and then passed on."""

    def noted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def wrapped(*args: Any, **options: Any) -> Any:
            called.append(name)
            return method(*args, **options)

        return wrapped

    methods: dict[str, Any] = {}
    for name in dir(Trainer):
        method = getattr(Trainer, name)
        if callable(method) and not name.startswith("__"):
            methods[name] = noted(name, method)
    methods["get_optimizer_cls_and_kwargs"] = staticmethod(methods["get_optimizer_cls_and_kwargs"])
    return type("Recorder", (Trainer,), methods)


def test_every_step_of_a_training_is_a_method_that_a_subclass_may_have(tmp_path: Path) -> None:
    assert all(callable(getattr(transformers.Trainer, name)) for name in CHAIN)
    called: list[str] = []

    def losses(kind: type[Trainer], folder: Path) -> list[float]:
        steps = {"eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps", "save_steps": 2}
        args = quiet(folder, max_steps=4, load_best_model_at_end=True, **steps)
        trainer = kind(bert(**CALM), args, train_dataset=rows(16), eval_dataset=rows(6), data_collator=padded)
        trainer.train()
        trainer.predict(rows(3))
        trainer.save_model()
        return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]

    assert losses(recorder(called), tmp_path / "recorded") == losses(Trainer, tmp_path / "plain")
    assert set(CHAIN) <= set(called)
    assert sorted(CHAIN, key=called.index) == CHAIN
