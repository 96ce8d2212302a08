"""The trainer beside the incumbent's: the same seed gives the same order of the data and the same curve of the loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import nabi
from nabi.training.trainer import Trainer

from .tiny import CALM, SIZES, padded, quiet, rows

transformers.logging.set_verbosity_error()
STEPS = 50
LOGGED = ("loss", "grad_norm", "learning_rate", "epoch")


def both(folder: Path, model_class: str, config: Any, data: list[dict[str, Any]], **settings: Any) -> tuple[Any, Any]:
    """Both trainers after the same training of the same weights."""
    torch.manual_seed(0)
    model = getattr(transformers, model_class)(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.02)
    model.save_pretrained(folder / "model")
    usual = {
        "max_steps": STEPS,
        "per_device_train_batch_size": 8,
        "learning_rate": 1e-3,
        "warmup_steps": 5,
        "weight_decay": 0.01,
        "max_grad_norm": 0.5,
    }
    arguments = quiet(folder / "ours", **{**usual, **settings})
    their_arguments = transformers.TrainingArguments(
        **{"save_strategy": "no", **usual, **settings},
        output_dir=str(folder / "theirs"),
        logging_steps=1,
        disable_tqdm=True,
        use_cpu=True,
        report_to="none",
    )
    trainers = []
    for package, make, args in ((nabi, Trainer, arguments), (transformers, transformers.Trainer, their_arguments)):
        loaded = getattr(package, model_class).from_pretrained(folder / "model")
        trainer = make(loaded, args, data_collator=padded, train_dataset=data, eval_dataset=data[:20])
        if package is transformers:
            trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
        trainers.append(trainer)
    return trainers[0], trainers[1]


def curve(trainer: Any) -> torch.Tensor:
    return torch.tensor([[entry[name] for name in LOGGED] for entry in trainer.state.log_history if "loss" in entry])


CLASSIFIER = transformers.BertConfig(**SIZES, **CALM)
DECODER = transformers.LlamaConfig(**SIZES, num_key_value_heads=2, max_position_embeddings=64)
SETTINGS: dict[str, dict[str, Any]] = {
    "linear": {},
    "cosine": {"lr_scheduler_type": "cosine", "warmup_steps": 0},
    "in order": {"train_sampling_strategy": "sequential", "adam_beta2": 0.95, "adam_epsilon": 1e-6},
    "no clipping": {"max_grad_norm": 0.0, "weight_decay": 0.0, "dataloader_drop_last": True},
    "smoothed": {"label_smoothing_factor": 0.1, "seed": 7, "data_seed": 3},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_loss_of_a_classifier_goes_the_incumbents_way(settings: dict[str, Any], tmp_path: Path) -> None:
    ours, theirs = both(tmp_path, "BertForSequenceClassification", CLASSIFIER, rows(70), **settings)
    assert len(curve(ours)) == STEPS
    torch.testing.assert_close(curve(ours), curve(theirs), rtol=0, atol=1e-4)
    mine, other = ours.evaluate(), theirs.evaluate()
    if "dataloader_drop_last" not in settings:  # there it drops examples of an evaluation too
        assert mine["eval_loss"] == pytest.approx(other["eval_loss"], abs=1e-5)
    assert set(mine) == set(other)
    assert ours.state.total_flos == theirs.state.total_flos


@pytest.mark.parametrize("accumulated", [1, 2])
def test_the_loss_of_a_decoder_on_ragged_texts_goes_the_incumbents_way(accumulated: int, tmp_path: Path) -> None:
    data = rows(70, labels="tokens")
    ours, theirs = both(
        tmp_path,
        "LlamaForCausalLM",
        DECODER,
        data,
        per_device_train_batch_size=8 // accumulated,
        gradient_accumulation_steps=accumulated,
        learning_rate=2e-4,
    )
    torch.testing.assert_close(curve(ours), curve(theirs), rtol=0, atol=1e-4)


def test_accumulated_batches_of_a_classifier_are_not_added_up_as_the_incumbent_does(tmp_path: Path) -> None:
    """5.23 takes the loss of a batch of classes for one that was divided by the accumulation: it is so many times too
    large there. Here four of 2 are one of 8."""
    whole, _ = both(tmp_path / "whole", "BertForSequenceClassification", CLASSIFIER, rows(64), max_steps=3)
    parts, theirs = both(
        tmp_path / "parts",
        "BertForSequenceClassification",
        CLASSIFIER,
        rows(64),
        max_steps=3,
        per_device_train_batch_size=2,
        gradient_accumulation_steps=4,
    )
    torch.testing.assert_close(curve(parts), curve(whole), rtol=0, atol=1e-5)
    assert curve(theirs)[0, 0] == pytest.approx(4 * float(curve(whole)[0, 0]), rel=0.01)


def test_a_checkpoint_of_the_incumbent_can_be_resumed(tmp_path: Path) -> None:
    config, data = CLASSIFIER, rows(64)
    ours, theirs = both(
        tmp_path, "BertForSequenceClassification", config, data, max_steps=12, save_strategy="steps", save_steps=8
    )
    resumed = Trainer(
        nabi.BertForSequenceClassification.from_pretrained(tmp_path / "model"),
        ours.args,
        data_collator=padded,
        train_dataset=data,
    )
    resumed.train(resume_from_checkpoint=str(tmp_path / "theirs" / "checkpoint-8"))
    torch.testing.assert_close(curve(resumed)[8:], curve(theirs)[8:], rtol=0, atol=1e-4)
