"""Seq2SeqTrainer writes the texts that the incumbent's writes, and gives the same metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers

import nabi
from nabi.training.arguments.training_arguments import Seq2SeqTrainingArguments
from nabi.training.seq2seq import Seq2SeqTrainer

from .tiny import padded, rows

transformers.logging.set_verbosity_error()
CONFIG = transformers.T5Config(
    vocab_size=60, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, decoder_start_token_id=0, dropout_rate=0.0
)
SETTINGS: dict[str, Any] = {
    "max_steps": 8,
    "learning_rate": 1e-2,
    "predict_with_generate": True,
    "generation_max_length": 9,
    "disable_tqdm": True,
    "use_cpu": True,
    "logging_steps": 4,
    "save_strategy": "no",
    "report_to": "none",
}


class Padding:
    pad_token_id = 0


@pytest.fixture(scope="module")
def trainers(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("t5")
    torch.manual_seed(0)
    model = transformers.T5ForConditionalGeneration(CONFIG)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    model.save_pretrained(folder)
    data = rows(24, labels="tokens")
    made = []
    for package, trainer_class, arguments in (
        (nabi, Seq2SeqTrainer, Seq2SeqTrainingArguments),
        (transformers, transformers.Seq2SeqTrainer, transformers.Seq2SeqTrainingArguments),
    ):
        trainer = trainer_class(
            package.T5ForConditionalGeneration.from_pretrained(folder),
            arguments(output_dir=str(folder / package.__name__), **SETTINGS),
            data_collator=padded,
            train_dataset=data,
            eval_dataset=data[:10],
            compute_metrics=lambda found: {"sum": float(found.predictions.sum())},
            processing_class=Padding(),
        )
        trainer.train()
        made.append(trainer)
    return made


@pytest.mark.parametrize("settings", [{}, {"num_beams": 2, "max_length": 7}, {"max_new_tokens": 4}], ids=str)
def test_written_tokens_and_metrics_are_the_incumbents(trainers: list[Any], settings: dict[str, Any]) -> None:
    data = rows(10, labels="tokens")
    ours, theirs = (trainer.predict(data, **settings) for trainer in trainers)
    width = theirs.predictions.shape[1]  # the incumbent fills up to 20 whatever is asked for
    for mine, other in ((ours.predictions, theirs.predictions), (ours.label_ids, theirs.label_ids)):
        mine, other = (np.where(found == -100, 0, found) for found in (mine, other))  # labels keep theirs here
        np.testing.assert_array_equal(np.pad(mine, ((0, 0), (0, width - mine.shape[1]))), other)
    assert ours.metrics["test_sum"] == theirs.metrics["test_sum"]
    assert ours.metrics["test_loss"] == pytest.approx(theirs.metrics["test_loss"], abs=0.05)  # a mean of tokens here


def test_evaluation_writes_too_unless_only_the_loss_is_wanted(trainers: list[Any]) -> None:
    ours, theirs = (trainer.evaluate(max_length=6) for trainer in trainers)
    assert ours["eval_sum"] == theirs["eval_sum"]
    trainer = trainers[0]
    trainer.args.predict_with_generate, trainer.compute_metrics = False, None
    assert trainer.predict(rows(3, labels="tokens")).predictions[0].shape[-1] == 60
