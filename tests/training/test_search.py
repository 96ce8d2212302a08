"""hyperparameter_search tries arguments by optuna, each on a fresh model, and leaves the trainer's own as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from nabi.training.trainer import Trainer

from .tiny import CALM, bert, padded, quiet, rows

optuna.logging.set_verbosity(optuna.logging.WARNING)


def trainer(folder: Path, **options: Any) -> Trainer:
    options = {"model_init": lambda: bert(**CALM), "eval_dataset": rows(16, seed=3), **options}
    return Trainer(args=quiet(folder, max_steps=6), train_dataset=rows(16), data_collator=padded, **options)


def test_the_best_of_the_trials_is_found_and_the_arguments_come_back(tmp_path: Path) -> None:
    mine = trainer(tmp_path)
    usual = mine.args.learning_rate
    found = mine.hyperparameter_search(
        lambda trial: {"learning_rate": trial.suggest_categorical("learning_rate", [1e-9, 1e-2])},
        n_trials=4,
        sampler=optuna.samplers.RandomSampler(seed=1),
        hp_name=lambda trial: f"try-{trial.number}",
    )
    assert found.hyperparameters == {"learning_rate": 1e-2}
    assert found.objective == min(trial.value for trial in found.run_summary.trials)
    assert mine.args.learning_rate == usual and mine.output_dir == str(tmp_path)


def test_several_objectives_give_several_best_runs(tmp_path: Path) -> None:
    mine = trainer(tmp_path, compute_metrics="accuracy")
    found = mine.hyperparameter_search(
        lambda trial: {"seed": trial.suggest_int("seed", 1, 9)},
        compute_objective=lambda metrics: (metrics["eval_loss"], metrics["eval_accuracy"]),
        n_trials=2,
        direction=["minimize", "maximize"],
    )
    assert all(len(run.objective) == 2 for run in found)


@pytest.mark.parametrize(
    ("options", "search", "message"),
    [
        ({}, {"backend": "sigopt"}, "backend is 'sigopt'"),
        ({"eval_dataset": None}, {}, "eval_dataset"),
        ({"model_init": None, "model": bert()}, {}, "model_init"),
        ({}, {"hp_space": lambda trial: {"lerning_rate": 1.0}}, "lerning_rate"),
    ],
    ids=["backend", "no data", "no model_init", "no argument"],
)
def test_a_search_that_cannot_be_is_refused(options: dict, search: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        trainer(tmp_path, **options).hyperparameter_search(n_trials=1, **search)
