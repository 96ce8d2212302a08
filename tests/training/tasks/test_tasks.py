"""Every task is found by its names, and offers what `nabi train` asks of it."""

from __future__ import annotations

import pytest

import nabi.auto
from nabi.pipelines import tasks as pipelines
from nabi.training.tasks import ALIASES, TASKS, find_task


@pytest.mark.parametrize("name", [*TASKS, *ALIASES, "translation_ko_to_en"])
def test_the_names_are_those_of_the_pipelines(name: str) -> None:
    found = find_task(name)
    assert found.name == pipelines.find_task(name).name
    assert hasattr(nabi.auto, found.auto)


def test_an_unknown_task_is_told_with_a_near_one() -> None:
    with pytest.raises(ValueError, match=r"'sentment-analysis'\. Did you mean 'sentiment-analysis'\?"):
        find_task("sentment-analysis")
