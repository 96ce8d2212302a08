"""The READMEs' Python runs as it stands, block after block, in one go."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nabi.models import FAMILIES
from nabi.pipelines.tasks import TASKS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_readme_runs_as_written(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    assert "pipeline(" in code and "from_pretrained(" in code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "my-model" / "model.safetensors").is_file()


def test_the_page_on_tokenizers_runs_as_written(tmp_path: Path) -> None:
    code = "\n".join(
        re.findall(r"```python\n(.*?)```", (ROOT / "docs/tokenizers.md").read_text(encoding="utf-8"), re.DOTALL)
    )
    code += "\nassert tokenizer.get_vocab() == AutoTokenizer.from_pretrained('my-tokenizer').get_vocab()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "-> 나비처럼" in done.stdout


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_two_commands_stand_in_both_readmes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert 'pip install -c constraints.txt . && nabi run sentiment-analysis "이 영화는 최고예요!"' in text
    assert 'pip install -c constraints.txt -e ".[test]" && pytest' in text


def test_every_file_that_the_documents_point_to_is_there() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_both_readmes_name_every_model_type(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    shown = [{f"`{family}`", f"`{family.replace('_', '-')}`"} for family in FAMILIES]
    assert not [names for names in shown if not any(name in text for name in names)]


def test_the_page_on_pipelines_runs_and_names_every_task(tmp_path: Path) -> None:
    text = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not [task for task in TASKS if f"`{task}`" not in text]


def test_the_page_on_writing_texts_runs_as_written(tmp_path: Path) -> None:
    pytest.importorskip("llguidance")
    text = (ROOT / "docs/generation.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    code += "\nassert len(written) == 4"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_page_on_training_runs_as_written(tmp_path: Path) -> None:
    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "my-model" / "model.safetensors").is_file()
    assert (tmp_path / "out" / "training_curves.png").is_file()
