"""`python -m nabi.drop_in` and `import nabi.drop_in`, in processes of their own: transformers is imported but once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, timeout=120)


def drop_in(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return run("-m", "nabi.drop_in", *arguments, cwd=cwd)


SAYS = "import sys, transformers as t; print(t.__version__, __name__, sys.argv[1:], t.AutoConfig.__module__)"
SAID = "4.57.1 __main__ ['a', '--b'] nabi.auto\n"


@pytest.mark.parametrize("way", ["script", "module", "code"])
def test_code_runs_on_nabi_with_its_own_arguments(way: str, tmp_path: Path) -> None:
    (tmp_path / "says.py").write_text(SAYS, encoding="utf-8")
    what = {"script": [str(tmp_path / "says.py")], "module": ["-m", "says"], "code": ["-c", SAYS]}[way]
    done = drop_in(*what, "a", "--b", cwd=tmp_path)
    assert (done.stdout, done.returncode) == (SAID, 0), done.stderr


def test_the_installed_transformers_is_not_touched_and_its_version_is_not_told() -> None:
    code = """
import sys, nabi.drop_in, importlib.metadata, transformers.models.bert.modeling_bert
print(importlib.metadata.version("transformers"))
files = [str(getattr(module, "__file__", "")) for module in sys.modules.values()]
print([file for file in files if "site-packages/transformers" in file])
"""
    assert run("-c", code).stdout == "4.57.1\n[]\n"


def test_a_script_fails_with_its_own_traceback(tmp_path: Path) -> None:
    script = tmp_path / "fails.py"
    script.write_text("def broken():\n    raise ValueError('나비')\n\nbroken()\n", encoding="utf-8")
    done = drop_in(str(script))
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert lines[0].startswith("Traceback") and "fails.py" in lines[1] and lines[-1] == "ValueError: 나비"
    assert "drop_in" not in done.stderr and "runpy" not in done.stderr


def test_a_script_that_exits_gives_its_own_status() -> None:
    assert drop_in("-c", "import sys; sys.exit(7)").returncode == 7


@pytest.mark.parametrize(
    ("arguments", "message"), [([], "usage"), (["no.py"], "no script no.py"), (["-m"], "-m needs a module")]
)
def test_what_cannot_be_run_is_said(arguments: list[str], message: str) -> None:
    done = drop_in(*arguments)
    assert done.returncode == 2 and message in done.stderr


def test_a_transformers_imported_before_is_an_error_that_says_what_to_do() -> None:
    code = "import sys, types; sys.modules['transformers'] = types.ModuleType('transformers'); import nabi.drop_in"
    assert "imported already" in run("-c", code).stderr


def test_in_a_notebook_it_is_switched_on_by_an_import() -> None:
    import nbclient
    import nbformat

    cells = [
        "import nabi.drop_in",
        "from transformers import AutoConfig, __version__; print(__version__, AutoConfig.__module__)",
        "from transformers import BertTokenizr",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    switched, used, wrong = (cell.outputs for cell in notebook.cells)
    assert not switched and used[0]["text"] == "4.57.1 nabi.auto\n"
    assert wrong[0]["evalue"].endswith("did you mean transformers.BertTokenizer?")
