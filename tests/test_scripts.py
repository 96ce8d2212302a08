"""The scripts of tests/scripts, written for transformers, run on nabi: `python -m nabi.drop_in`'s promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from .scripts import host
from .scripts.make_cache import make_cache
from .scripts.run import NABI, find_scripts, name_of, run

SCRIPTS = find_scripts()
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scripts")]  # one worker: they share one process to fork from


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Script -> its traceback, or None."""
    ran_on, found = run(SCRIPTS, NABI, make_cache(tmp_path_factory.mktemp("hub")))
    assert ran_on == NABI
    return found


@pytest.mark.parametrize("script", [name_of(script) for script in SCRIPTS])
def test_a_script_for_transformers_runs_on_nabi(script: str, errors: dict[str, str | None]) -> None:
    error = errors[script]
    assert error is None, f"python -m tests.scripts.run {script} says\n{error}"


def test_a_script_that_fails_is_told_with_its_own_traceback(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("print('before')\nassert 1 == 2, 'no such luck'\n")
    result = host.in_a_fork(script)
    assert "no such luck" in result["error"] and "broken.py" in result["error"]


def test_there_are_scripts_of_every_area() -> None:
    areas = {name_of(script).split("/")[0] for script in SCRIPTS}
    assert len(SCRIPTS) >= 120 and {"korean", "pipelines", "trainer", "generation", "v4_names"} <= areas
