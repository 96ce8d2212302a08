"""hyperparameter_search: the same training with other arguments, chosen by optuna."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .results import BestRun

if TYPE_CHECKING:
    from .trainer import Trainer

OF_NO_INTEREST = ("epoch", "_runtime", "_per_second", "_compilation_time", "_preparation_time", "_loss")


def default_space(trial: Any) -> dict[str, Any]:
    """Learning rate, epochs, seed and batch size, as most fine-tuning varies them."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-6, 1e-4, log=True),
        "num_train_epochs": trial.suggest_int("num_train_epochs", 1, 5),
        "seed": trial.suggest_int("seed", 1, 40),
        "per_device_train_batch_size": trial.suggest_categorical("per_device_train_batch_size", [4, 8, 16, 32, 64]),
    }


def default_objective(metrics: dict[str, float]) -> float:
    """The sum of the metrics, or the loss if there are no others."""
    others = [v for name, v in metrics.items() if not name.endswith(OF_NO_INTEREST)]
    return sum(others) if others else metrics["eval_loss"]


def search(
    trainer: Trainer,
    hp_space: Callable[[Any], dict[str, Any]] | None,
    compute_objective: Callable[[dict[str, float]], Any] | None,
    n_trials: int,
    direction: str | list[str],
    backend: str | None,
    hp_name: Callable[[Any], str] | None,
    **options: Any,
) -> BestRun | list[BestRun]:
    """Raises ValueError without model_init or an eval_dataset, or for a backend other than optuna."""
    if backend not in (None, "optuna"):
        raise ValueError(f"backend is {backend!r}; hyperparameter_search runs on 'optuna' (pip install optuna)")
    if trainer.model_init is None:
        raise ValueError("hyperparameter_search makes a model for each trial: pass model_init to Trainer, and no model")
    if trainer.eval_dataset is None:
        raise ValueError("hyperparameter_search compares evaluations: pass an eval_dataset to Trainer")
    try:
        import optuna
    except ImportError:
        raise ImportError('hyperparameter_search needs optuna: pip install "nabi[train]"') from None
    space, objective_of = hp_space or default_space, compute_objective or default_objective
    usual, folder = copy.deepcopy(trainer.args), trainer.output_dir

    def run(trial: Any) -> Any:
        name = hp_name(trial) if hp_name else f"run-{trial.number}"
        settings = space(trial)
        trainer.args = copy.deepcopy(usual)
        for key, value in settings.items():
            if not hasattr(trainer.args, key):
                raise ValueError(f"hp_space sets {key!r}, which is no training argument")
            setattr(trainer.args, key, value)
        trainer.output_dir = str(Path(folder) / name)
        trainer.train(trial=trial)
        trainer.state.is_hyper_param_search, trainer.state.trial_name = True, name
        trainer.state.trial_params = settings
        metrics = trainer.evaluate()
        gc.collect()  # the model of this trial is gone before the next is made
        return objective_of(metrics)

    several = isinstance(direction, list)
    made: dict[str, Any] = {
        name: options.pop(name)
        for name in ("study_name", "storage", "sampler", "pruner", "load_if_exists")
        if name in options
    }
    made["directions" if several else "direction"] = direction
    study = optuna.create_study(**made)
    try:
        study.optimize(run, n_trials=n_trials, **options)
    finally:
        trainer.args, trainer.output_dir = usual, folder
    if several:
        return [BestRun(str(best.number), list(best.values), best.params, study) for best in study.best_trials]
    best = study.best_trial
    return BestRun(str(best.number), float(best.value or 0), best.params, study)
