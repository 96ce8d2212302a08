"""Every schedule gives the incumbent's learning rates, at every step, and goes on from a saved state."""

from __future__ import annotations

import io
import pickle

import pytest
import torch
import transformers
from transformers.optimization import TYPE_TO_SCHEDULER_FUNCTION as THEIRS

from nabi.training.arguments.choices import SchedulerType
from nabi.training.optimization import schedules
from nabi.training.optimization.schedules import get_scheduler

CASES = [
    ("linear", {}),
    ("cosine", {}),
    ("cosine", {"num_cycles": 1.5}),
    ("cosine_with_restarts", {"num_cycles": 3}),
    ("polynomial", {"power": 2.0, "lr_end": 1e-5}),
    ("constant", {}),
    ("constant_with_warmup", {}),
    ("inverse_sqrt", {}),
    ("inverse_sqrt", {"timescale": 7}),
    ("cosine_with_min_lr", {"min_lr": 1e-4}),
    ("cosine_with_min_lr", {"min_lr_rate": 0.2, "num_cycles": 1.0}),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1}),
    ("cosine_warmup_with_min_lr", {"min_lr": 1e-4, "warmup_lr_rate": 0.05}),
    ("warmup_stable_decay", {"num_decay_steps": 6}),
    (
        "warmup_stable_decay",
        {"num_decay_steps": 6, "warmup_type": "cosine", "decay_type": "1-sqrt", "min_lr_ratio": 0.1},
    ),
    (
        "warmup_stable_decay",
        {"num_decay_steps": 6, "num_stable_steps": 3, "warmup_type": "1-sqrt", "decay_type": "linear"},
    ),
]
BY_METRIC = [
    ("reduce_lr_on_plateau", {"patience": 1, "factor": 0.5}),
    ("greedy", {"patience": 1, "min_lr": 1e-4}),
    ("greedy", {"patience": 1, "min_lr": 1e-3, "reset_start": 1, "factor": 0.5, "cooldown": 1, "warmup": 2}),
    (
        "greedy",
        {"patience": 0, "mode": "max", "threshold_mode": "rel", "threshold": 0.1, "smooth": True, "window_size": 2},
    ),
]
STEPS = 24
METRICS = [3, 2.5, 2.4, 2.0, 2.2, 2.3, 2.4, 2.5, 1.9, 1.8, 1.7, 1.6, 2, 2, 2, 2, 2, 2, 1.5, 1.4, 1.3, 1.2, 2.0, 2.1]


def name_of(case: tuple[str, dict]) -> str:
    return "-".join([case[0], *(f"{key}={value}" for key, value in case[1].items())])


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(2))]}], lr=2e-3)


def rates(scheduler, of: torch.optim.Optimizer, steps: range, by_metric: bool) -> list[float]:
    seen = []
    for step in steps:
        seen.append(of.param_groups[0]["lr"])
        of.step()
        scheduler.step(METRICS[step]) if by_metric else scheduler.step()
    return seen


@pytest.mark.parametrize("case", [*CASES, *BY_METRIC], ids=name_of)
@pytest.mark.parametrize("warmup", [0, 5])
def test_learning_rates_are_the_incumbents_over_a_run_and_beyond(case: tuple[str, dict], warmup: int) -> None:
    name, settings = case
    ours, theirs = optimizer(), optimizer()
    by_metric = case in BY_METRIC
    made = get_scheduler(name, ours, warmup, STEPS - 4, settings)
    expected = transformers.get_scheduler(name, theirs, warmup, STEPS - 4, settings)
    steps = range(STEPS)
    assert rates(made, ours, steps, by_metric) == pytest.approx(rates(expected, theirs, steps, by_metric), abs=1e-12)
    assert made.get_last_lr() == pytest.approx(expected.get_last_lr())


@pytest.mark.parametrize("case", [*CASES, *BY_METRIC], ids=name_of)
def test_a_saved_state_is_plain_and_goes_on_where_it_was(case: tuple[str, dict]) -> None:
    name, settings = case
    by_metric = case in BY_METRIC
    whole, half, rest = optimizer(), optimizer(), optimizer()
    expected = rates(get_scheduler(name, whole, 5, 20, settings), whole, range(STEPS), by_metric)
    first = get_scheduler(name, half, 5, 20, settings)
    begun = rates(first, half, range(10), by_metric)
    file = io.BytesIO()
    torch.save([first.state_dict(), half.state_dict()], file)
    file.seek(0)
    state, of_optimizer = torch.load(file, weights_only=True)
    second = get_scheduler(name, rest, 5, 20, settings)
    second.load_state_dict(state)
    rest.load_state_dict(of_optimizer)
    assert begun + rates(second, rest, range(10, STEPS), by_metric) == pytest.approx(expected, abs=1e-12)
    pickle.dumps(first)


def test_greedy_smooths_over_its_window() -> None:
    made = get_scheduler("greedy", optimizer(), scheduler_specific_kwargs={"smooth": True, "window_size": 2})
    for metric in (4, 2, 0):
        made.step(metric)
    assert made.best == 1.0


def test_there_is_a_schedule_for_every_name_and_a_function_under_every_name_of_the_incumbent() -> None:
    assert {str(name) for name in schedules.SCHEDULES} == {name.value for name in THEIRS}
    assert {one.__name__ for one in schedules.SCHEDULES.values()} == {one.__name__ for one in THEIRS.values()}
    assert set(schedules.SCHEDULES) == set(SchedulerType)


@pytest.mark.parametrize(
    ("name", "settings", "error", "says"),
    [
        ("lineer", {}, ValueError, "did you mean 'linear'"),
        ("linear", {"power": 2}, TypeError, "takes no power; its settings: num_warmup_steps, num_training_steps"),
        ("warmup_stable_decay", {}, ValueError, "needs num_decay_steps"),
        ("warmup_stable_decay", {"num_decay_steps": 2, "decay_type": "cos"}, ValueError, "decay_type='cos'"),
        ("cosine_with_min_lr", {}, ValueError, "either min_lr or min_lr_rate"),
        ("cosine_with_min_lr", {"min_lr": 1e-5, "min_lr_rate": 0.1}, ValueError, "either min_lr or min_lr_rate"),
        ("polynomial", {"lr_end": 1.0}, ValueError, "lr_end=1.0 must be below"),
        ("greedy", {"factor": 1.0}, ValueError, "factor"),
        ("greedy", {"mode": "up"}, ValueError, "'up'"),
        ("greedy", {"threshold_mode": "up"}, ValueError, "'up'"),
        ("greedy", {"min_lr": [0.1, 0.1]}, ValueError, "2 values for 1 parameter groups"),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(name: str, settings: dict, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        get_scheduler(name, optimizer(), 2, 10, settings)


def test_a_schedule_without_its_steps_says_which() -> None:
    with pytest.raises(ValueError, match="needs num_training_steps"):
        get_scheduler("linear", optimizer(), 3)
    with pytest.raises(ValueError, match="needs num_warmup_steps"):
        get_scheduler("constant_with_warmup", optimizer())
    with pytest.raises(ValueError, match="num_stable_steps"):
        get_scheduler("warmup_stable_decay", optimizer(), 3, None, {"num_decay_steps": 2})
