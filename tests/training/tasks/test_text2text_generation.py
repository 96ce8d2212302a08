"""Source and target become inputs and labels, within what the model reads and writes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nabi.auto import AutoConfig
from nabi.data.rows import Rows
from nabi.training.tasks.task import TaskSettings
from nabi.training.tasks.text2text_generation import Summarization, Translation

T5 = AutoConfig.for_model("t5", task_specific_params={"summarization": {"prefix": "summarize: "}})
BART = AutoConfig.for_model("bart", max_position_embeddings=16)


@pytest.mark.parametrize(
    ("config", "given", "prefix"), [(T5, None, "summarize: "), (T5, "요약: ", "요약: "), (BART, None, "")],
    ids=["the checkpoint's", "the user's", "none"],
)  # fmt: skip
def test_the_prefix_stands_before_the_source(config: Any, given: str | None, prefix: str, tokenizer: Any) -> None:
    task = Summarization(TaskSettings(prefix=given))
    rows = Rows([{"document": "긴 글입니다 정말", "summary": "긴 글"}])
    task.learn(rows, config)
    task.longest(SimpleNamespace(config=config, modules=list), tokenizer)
    (example,) = task.encode(rows, tokenizer, 12).examples
    assert example["input_ids"] == tokenizer(prefix + "긴 글입니다 정말", truncation=True, max_length=12)["input_ids"]
    assert example["labels"] == tokenizer("긴 글")["input_ids"]


def test_a_target_is_no_longer_than_the_model_writes(tokenizer: Any) -> None:
    task = Translation(TaskSettings())
    rows = Rows([{"source": "a", "target": "good " * 40}])
    task.learn(rows, BART)
    model = SimpleNamespace(config=BART, modules=list)
    assert task.longest(model, tokenizer) == 16
    encoded = task.encode(rows, tokenizer, 16)
    assert len(encoded.examples[0]["labels"]) == 16 and encoded.cut == 1
    with pytest.raises(ValueError, match="max_target_length is 20, but the model writes 16"):
        Translation(TaskSettings(max_target_length=20)).longest(model, tokenizer)


def test_a_model_without_an_encoder_is_refused() -> None:
    with pytest.raises(ValueError, match="gpt2 is none: train it for text-generation"):
        Translation(TaskSettings()).learn(Rows([{"source": "a", "target": "b"}]), AutoConfig.for_model("gpt2"))
