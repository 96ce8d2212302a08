"""What cannot be trained on stops at the first batch, by one error that names the item, the value and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest
import torch

from nabi.training.trainer import Trainer

from . import tiny

EVEN = {"input_ids": [5, 6, 7], "attention_mask": [1, 1, 1], "labels": 1}


def damaged(name: str, value: float) -> Any:
    def make() -> Any:
        model = tiny.bert()
        with torch.no_grad():
            model.get_parameter(name)[0, 0] = value
        return model

    return make


def with_labels(value: Any) -> list[dict[str, Any]]:
    return [{**EVEN, "labels": value}] * 8


def of_tokens() -> Any:
    return tiny.bert("ForTokenClassification", num_labels=60)


def of_values() -> Any:
    return tiny.bert(num_labels=1)


# What is wrong -> model, data, the kind of error, and the item, the value and the remedy that it names.
CASES: dict[str, tuple[Any, Any, type[Exception], list[str]]] = {
    "a weight is inf": (
        damaged("classifier.weight", float("inf")),
        [EVEN] * 8,
        ValueError,
        ["loss of step 1", "classifier.weight", "load the model anew", "no checkpoint was written yet"],
    ),
    "a label is nan": (
        of_values,
        [*with_labels(0.5), {**EVEN, "labels": float("nan")}],
        ValueError,
        ["'labels' holds nan", "take such rows out"],
    ),
    "a label is too high": (tiny.bert, with_labels(7), ValueError, ["label 7", "2 classes (0 to 1)", "num_labels"]),
    "a label is negative": (tiny.bert, with_labels(-1), ValueError, ["label -1", "2 classes", "-100"]),
    "no label counts": (tiny.bert, with_labels(-100), ValueError, ["the labels of the first update", "-100"]),
    "no token's label counts": (of_tokens, with_labels([-100] * 3), ValueError, ["all -100", "truncation"]),
    "a label is a text": (tiny.bert, with_labels("good"), ValueError, ["no loss", "as numbers (text"]),
    "a label is a fraction": (of_tokens, with_labels([0.5] * 3), ValueError, ["float32", "whole numbers"]),
    "labels lack": (tiny.bert, [{"input_ids": [5, 6, 7]}] * 8, ValueError, ["no loss", "input_ids", "labels"]),
    "labels have another name": (
        tiny.bert,
        [{"input_ids": [5, 6, 7], "grade": 1}] * 8,
        ValueError,
        ["no loss", "labels", "rename one of the columns grade"],
    ),
    "texts are to be labels": (
        lambda: tiny.bert("ForMaskedLM"),
        [{"input_ids": [5, 6, 7]}] * 8,
        ValueError,
        ["no loss", "DataCollatorForLanguageModeling"],
    ),
    "a text's label meets a model of tokens": (of_tokens, [EVEN] * 8, ValueError, ["ForSequenceClassification"]),
    "several labels meet one class": (
        lambda: tiny.bert(num_labels=3),
        with_labels([1, 0, 1]),
        ValueError,
        ["multi_label_classification"],
    ),
    "a class is a fraction": (tiny.bert, with_labels(1.0), ValueError, ["torch.float32", "whole number"]),
    "rows have a batch's dimension": (
        tiny.bert,
        [{"input_ids": torch.ones(1, 4, dtype=torch.long), "labels": 1}] * 8,
        ValueError,
        ["(8, 1, 4)", "without return_tensors"],
    ),
    "labels are too few": (of_tokens, with_labels([1, 2]), ValueError, ["labels", "(8, 2)", "(8, 3, 60)"]),
    "one row lacks its label": (
        tiny.bert,
        [EVEN, {"input_ids": [5, 6, 7], "attention_mask": [1] * 3}],
        ValueError,
        ["labels"],
    ),
    "there are no rows": (tiny.bert, [], ValueError, ["train_dataset has no examples", "filter"]),
    "texts are not tokenized": (
        tiny.bert,
        [{"text": "나비가 난다", "grade": 1}] * 8,
        ValueError,
        ["text, grade", "input_ids", "tokenizer(rows['text']"],
    ),
    "columns mean nothing": (tiny.bert, [{"words": [5], "grade": 1}] * 8, ValueError, ["words, grade", "rename"]),
    "lengths differ": (
        tiny.bert,
        tiny.rows(8),
        ValueError,
        ["input_ids", "values per example", "DataCollatorWithPadding"],
    ),
    "ids are fractions": (
        tiny.bert,
        [{**EVEN, "input_ids": [5.0, 6.0, 7.0]}],
        ValueError,
        ["input_ids", "whole numbers"],
    ),
    "ids are texts": (tiny.bert, [{**EVEN, "input_ids": ["나", "비"]}], ValueError, ["input_ids", "'나'"]),
    "an id is unknown": (tiny.bert, [{**EVEN, "input_ids": [5, 6, 99]}], ValueError, ["id 99", "0 to 59", "tokenizer"]),
    "texts are too long": (
        tiny.bert,
        [{"input_ids": [5] * 600, "labels": 1}],
        ValueError,
        ["600 tokens", "512 positions", "truncation=True"],
    ),
    "rows are lists": (tiny.bert, [[1, 2, 3]] * 8, TypeError, ["list ([1, 2, 3])", "dicts"]),
    "rows are texts": (tiny.bert, ["나비"] * 8, TypeError, ["str (나비)", "tokenizer"]),
    "the data are a path": (tiny.bert, "data.csv", TypeError, ["train_dataset is a str", "nabi.load_data"]),
    "the data are split": (tiny.bert, {"train": [EVEN]}, TypeError, ["dict of train", "data['train']"]),
    "there are no data": (tiny.bert, None, ValueError, ["needs a train_dataset"]),
    "the model has no head": (
        lambda: tiny.bert("Model"),
        [EVEN],
        ValueError,
        ["BertModel has no head", "AutoModelFor"],
    ),
    "the model is a name": (lambda: "klue/bert-base", [EVEN], TypeError, ["model is a str", "from_pretrained"]),
}


@pytest.mark.parametrize(("model", "data", "kind", "says"), CASES.values(), ids=CASES)
def test_the_first_batch_stops_with_a_clear_error(
    model: Any, data: Any, kind: type[Exception], says: list[str], tmp_path: Path
) -> None:
    with pytest.raises(kind) as caught:
        Trainer(model(), tiny.quiet(tmp_path, max_steps=2), train_dataset=data).train()
    for words in says:
        assert words in str(caught.value)


def test_a_loss_that_stops_being_a_number_names_the_last_good_checkpoint(tmp_path: Path) -> None:
    args = tiny.quiet(tmp_path, max_steps=9, save_strategy="steps", save_steps=1, learning_rate=1e38, optim="sgd")
    with pytest.raises(ValueError, match="learning rate") as caught:
        Trainer(tiny.bert(), args, train_dataset=[EVEN, {**EVEN, "labels": 0}] * 8).train()
    assert str(tmp_path / "checkpoint-") in str(caught.value)


def test_a_later_batch_without_labels_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = with_labels(1) + with_labels(-100)
    args = tiny.quiet(tmp_path, max_steps=2, train_sampling_strategy="sequential", optim="sgd", learning_rate=0.1)
    trainer = Trainer(tiny.bert(), args, train_dataset=data)
    trainer.train()
    assert "step 2 has no label that counts" in caplog.text
    assert [row["loss"] for row in trainer.state.log_history if "loss" in row][1] == 0
    assert all(bool(weight.isfinite().all()) for weight in trainer.model.parameters())


def test_what_is_no_data_set_is_refused_with_what_to_pass(tmp_path: Path) -> None:
    class Unsized(torch.utils.data.Dataset):
        def __getitem__(self, row: int) -> Any:
            return EVEN

    frame = datasets.Dataset.from_list([EVEN] * 4).to_pandas()
    for data, words in (
        (torch.utils.data.DataLoader([EVEN]), "loader.dataset"),
        (frame, "Dataset.from_pandas"),
        ({"input_ids": [[5, 6]], "labels": [1]}, "Dataset.from_dict"),
        (Unsized(), "has no __len__"),
    ):
        with pytest.raises(TypeError, match=words):
            Trainer(tiny.bert(), tiny.quiet(tmp_path), train_dataset=data)


def test_a_loss_that_cannot_be_trained_by_is_refused(tmp_path: Path) -> None:
    for returned, words in (
        (lambda outputs: outputs, "return outputs.loss"),
        (lambda outputs: outputs.loss.item(), r"without .item\(\)"),
        (lambda outputs: None, "returned None"),
        (lambda outputs: outputs.logits, r"take its mean\(\)"),
    ):

        class Own(Trainer):
            def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **more: Any) -> Any:
                return returned(model(**inputs))  # noqa: B023 - called within the loop

        with pytest.raises((TypeError, ValueError), match=words):
            Own(tiny.bert(), tiny.quiet(tmp_path, max_steps=1), train_dataset=[EVEN] * 8).train()


def test_what_cannot_train_is_refused_before_it_begins(tmp_path: Path) -> None:
    frozen = tiny.bert()
    frozen.requires_grad_(False)
    with pytest.raises(ValueError, match="no weight of BertForSequenceClassification learns"):
        Trainer(frozen, tiny.quiet(tmp_path), train_dataset=[EVEN]).train()
    with pytest.raises(TypeError, match="args is a dict"):
        Trainer(tiny.bert(), {"output_dir": str(tmp_path)}, train_dataset=[EVEN])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="model_init=lambda"):
        Trainer(args=tiny.quiet(tmp_path), model_init=tiny.bert(), train_dataset=[EVEN])
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="which is a file"):
        Trainer(tiny.bert(), tiny.quiet(tmp_path / "file"), train_dataset=[EVEN])


def test_a_push_without_a_network_is_refused_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE"):
        Trainer(tiny.bert(), tiny.quiet(tmp_path, push_to_hub=True, hub_model_id="me/mine"), train_dataset=[EVEN])


@pytest.mark.parametrize("returned", [0.5, None])
def test_metrics_that_are_no_dict_are_refused(returned: Any, tmp_path: Path) -> None:
    trainer = Trainer(tiny.bert(), tiny.quiet(tmp_path), eval_dataset=[EVEN] * 4, compute_metrics=lambda _: returned)
    with pytest.raises(TypeError, match="must return a dict"):
        trainer.evaluate()


def test_a_method_that_is_never_called_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Own(Trainer):
        def _save_checkpoint(self, model: Any, trial: Any) -> None: ...

    Trainer(tiny.bert(), tiny.quiet(tmp_path), train_dataset=[EVEN])
    assert "never calls" not in caplog.text
    Own(tiny.bert(), tiny.quiet(tmp_path), train_dataset=[EVEN])
    assert "Own._save_checkpoint" in caplog.text
