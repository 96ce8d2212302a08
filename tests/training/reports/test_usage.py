"""The example in a model card runs as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import nabi
from nabi.pipelines.tasks import TASKS
from nabi.training.reports.usage import CALLS, usage

from ...pipelines.record_text import build
from ...pipelines.record_writing import save

HEADS = {
    "text-classification": "ForSequenceClassification",
    "token-classification": "ForTokenClassification",
    "question-answering": "ForQuestionAnswering",
    "fill-mask": "ForMaskedLM",
    "zero-shot-classification": "ForSequenceClassification",
    "feature-extraction": "Model",
    "sentence-similarity": "Model",
    "multiple-choice": "ForMultipleChoice",
    "a-task-of-my-own": "Model",
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_task_that_has_an_example_is_a_pipeline() -> None:
    assert set(CALLS) <= set(TASKS)


@pytest.mark.parametrize("task", HEADS)
@pytest.mark.parametrize("language", ["ko", ["en"]], ids=["ko", "en"])
def test_an_example_of_an_encoder_runs(
    task: str, language: str | list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {"id2label": {0: "entailment", 1: "contradiction"}, "label2id": {"entailment": 0, "contradiction": 1}}
    folder = build(nabi, "bert", HEADS[task], tmp_path, **labels)
    exec(usage(task, str(folder), language), {})
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("task", ["text2text-generation", "summarization", "translation"])
def test_an_example_of_a_writer_runs(task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(usage(task, str(save(nabi, "bart", tmp_path)), "ko"), {})
    assert capsys.readouterr().out.strip()
