"""An update's gradient depends on its examples alone: 1 batch of 32, 2 of 16 and 8 of 4 are the same, however unevenly
the labels are spread, for every task and every way to compute a loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import nabi
from nabi.training.trainer import Trainer

from . import tiny

ROWS = 32
IGNORED = -100


def tagged(seed: int = 3) -> list[dict[str, Any]]:
    """12 tokens each; the first half of the rows has a label or two, the others up to eleven, some rows none."""
    draw = torch.Generator().manual_seed(seed)
    rows = []
    for row in range(ROWS):
        labelled = int(torch.randint(0, 3 if row < ROWS // 2 else 12, (), generator=draw))
        ids = torch.randint(5, 60, (12,), generator=draw).tolist()
        labels = [IGNORED] * (12 - labelled) + [one % 4 for one in ids[12 - labelled :]]
        rows.append({"input_ids": ids, "attention_mask": [1] * 12, "labels": labels})
    return rows


def of_tokens(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "labels": [
            one if mark != IGNORED else IGNORED for one, mark in zip(row["input_ids"], row["labels"], strict=True)
        ],
    }


def with_label(kind: str) -> list[dict[str, Any]]:
    return [
        {
            "input_ids": row["input_ids"],
            "labels": row["input_ids"][0] / 60 if kind == "value" else row["input_ids"][0] % 3,
        }
        for row in tagged()
    ]


def answers() -> list[dict[str, Any]]:
    return [
        {"input_ids": row["input_ids"], "start_positions": 2, "end_positions": 3 + row["input_ids"][0] % 5}
        for row in tagged()
    ]


def gpt2() -> Any:
    drop = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    torch.manual_seed(1)
    return nabi.GPT2LMHeadModel(nabi.GPT2Config(vocab_size=60, n_positions=32, n_embd=16, n_layer=2, n_head=2, **drop))


def t5() -> Any:
    sizes = {"vocab_size": 60, "d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2}
    torch.manual_seed(1)
    return nabi.T5ForConditionalGeneration(
        nabi.T5Config(**sizes, dropout_rate=0.0, decoder_start_token_id=0, pad_token_id=0)
    )


def bert(head: str, **keys: Any) -> Any:
    return tiny.bert(head, **tiny.CALM, **keys)


TASKS: dict[str, tuple[Any, Any]] = {
    "causal_lm": (gpt2, lambda: [of_tokens(row) for row in tagged()]),
    "seq2seq": (t5, lambda: [of_tokens(row) for row in tagged()]),
    "masked_lm": (lambda: bert("ForMaskedLM"), lambda: [of_tokens(row) for row in tagged()]),
    "token_classification": (lambda: bert("ForTokenClassification", num_labels=4), tagged),
    "sequence_classification": (lambda: bert("ForSequenceClassification", num_labels=3), lambda: with_label("class")),
    "regression": (lambda: bert("ForSequenceClassification", num_labels=1), lambda: with_label("value")),
    "question_answering": (lambda: bert("ForQuestionAnswering"), answers),
}


class Keeps:
    """An optimizer's place: what the gradients were, before clipping could hide a factor."""

    def __init__(self, trainer: Trainer) -> None:
        self.gradients: dict[str, torch.Tensor] = {}
        trainer.clip_gradients = self.look  # type: ignore[method-assign]
        self.model = trainer.model

    def look(self, model: Any) -> None:
        named = self.model.named_parameters()
        self.gradients = {name: one.grad.clone() for name, one in named if one.grad is not None}


def gradients(
    task: str, size: int, folder: Path, kind: type[Trainer] = Trainer, loss: Any = None, **settings: Any
) -> tuple[dict[str, torch.Tensor], float]:
    """The gradient of one update of all 32 rows, in batches of that size, and the loss that was logged."""
    model, data = TASKS[task]
    options = {"per_device_train_batch_size": size, "gradient_accumulation_steps": ROWS // size, **settings}
    args = tiny.quiet(folder, max_steps=1, optim="sgd", max_grad_norm=0.0, **options)
    trainer = kind(model(), args, train_dataset=data(), compute_loss_func=loss)
    kept = Keeps(trainer)
    trainer.train()
    return kept.gradients, trainer.state.log_history[0]["loss"]


def assert_independent_of_batches(task: str, folder: Path, *given: Any, **named: Any) -> None:
    expected, loss = gradients(task, 32, folder, *given, **named)
    assert max(float(one.abs().max()) for one in expected.values()) > 1e-3
    for size in (16, 4):
        found, found_loss = gradients(task, size, folder, *given, **named)
        assert found_loss == pytest.approx(loss, abs=1e-5)
        for name, one in expected.items():
            torch.testing.assert_close(found[name], one, rtol=0, atol=1e-5, msg=f"{name}, batches of {size}")


@pytest.mark.parametrize("task", TASKS)
def test_the_models_own_loss(task: str, tmp_path: Path) -> None:
    assert_independent_of_batches(task, tmp_path)


@pytest.mark.parametrize("task", ["causal_lm", "seq2seq", "token_classification", "sequence_classification"])
def test_label_smoothing(task: str, tmp_path: Path) -> None:
    assert_independent_of_batches(task, tmp_path, label_smoothing_factor=0.2)
    smooth, _ = gradients(task, 32, tmp_path, label_smoothing_factor=0.2)
    plain, _ = gradients(task, 32, tmp_path)
    assert any(not torch.allclose(smooth[name], plain[name], atol=1e-4) for name in plain)


def summed(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
    logits = outputs["logits"].flatten(0, -2)
    return F.cross_entropy(logits, labels.flatten(), reduction="sum") / num_items_in_batch


def averaged(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(outputs["logits"].flatten(0, -2), labels.flatten())


class Version4(Trainer):
    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False) -> Any:  # type: ignore[override]
        outputs = model(**inputs)
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]


class Ignoring(Trainer):
    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs = model(**inputs)
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]


class Dividing(Trainer):
    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = summed(outputs, labels, num_items_in_batch)
        return (loss, outputs) if return_outputs else loss


class Calling(Trainer):
    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **rest: Any) -> Any:
        loss, outputs = super().compute_loss(model, inputs, return_outputs=True, **rest)
        return (loss, outputs) if return_outputs else loss


class CallingWithout(Trainer):
    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        return super().compute_loss(model, inputs, return_outputs)


@pytest.mark.parametrize("loss", [summed, averaged])
def test_a_loss_function_of_ones_own(loss: Any, tmp_path: Path) -> None:
    assert_independent_of_batches("token_classification", tmp_path, Trainer, loss)
    own, _ = gradients("token_classification", 4, tmp_path, Trainer, loss)
    models, _ = gradients("token_classification", 4, tmp_path)
    for name, one in models.items():
        torch.testing.assert_close(own[name], one, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", [Version4, Ignoring, Dividing, Calling, CallingWithout])
def test_a_compute_loss_of_ones_own(kind: type[Trainer], tmp_path: Path) -> None:
    """Rows without labels would give a mean over none: here every batch of four has one."""
    expected, _ = gradients("token_classification", 32, tmp_path)
    for size in (32, 16, 4):
        found, _ = gradients("token_classification", size, tmp_path, kind)
        for name, one in expected.items():
            torch.testing.assert_close(found[name], one, rtol=0, atol=1e-5, msg=f"{name}, batches of {size}")
