"""ELECTRA: the parts' losses are the paper's, tables are one, and what is saved are two plain checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import transformers

import nabi
from nabi.training.arguments.training_arguments import TrainingArguments
from nabi.training.objectives.replaced_tokens import ReplacedTokenDetection
from nabi.training.trainer import Trainer

from .small_models import make

MASK = 4


def both(**settings: Any) -> ReplacedTokenDetection:
    generator = make("ElectraForMaskedLM", 1, hidden_size=8, intermediate_size=16)
    return ReplacedTokenDetection(generator, make("ElectraForPreTraining", 2), **settings).eval()


def batch() -> dict[str, torch.Tensor]:
    text = torch.randint(5, 60, (3, 12), generator=torch.Generator().manual_seed(3))
    mask = (torch.arange(12) < torch.tensor([[12], [9], [5]])).long()
    chosen = (torch.arange(12) % 3 == 1) & (mask == 1)
    ids = text.masked_fill(chosen, MASK)
    ids[0, 1] = text[0, 1]  # chosen, but kept: as one in ten is
    return {"input_ids": ids, "attention_mask": mask, "labels": text.masked_fill(~chosen, -100)}


def test_the_loss_is_the_generators_and_the_discriminators() -> None:
    model, given = both(discriminator_weight=7.0), batch()
    chosen = given["labels"] != -100
    text = torch.where(chosen, given["labels"], given["input_ids"])
    torch.manual_seed(0)
    out = model(**given)
    torch.manual_seed(0)
    with torch.no_grad():
        guesses = model.generator(given["input_ids"], given["attention_mask"]).logits
        replaced = text.clone()
        replaced[chosen] = torch.multinomial(guesses[chosen].softmax(-1), 1)[:, 0]
        logits = model.discriminator(replaced, given["attention_mask"]).logits
    real = given["attention_mask"] == 1
    expected = F.binary_cross_entropy_with_logits(logits[real], (replaced != text)[real].float())
    torch.testing.assert_close(out.generator_loss, F.cross_entropy(guesses[chosen], given["labels"][chosen]))
    torch.testing.assert_close(out.discriminator_loss, expected)
    torch.testing.assert_close(out.loss.detach(), out.generator_loss + 7.0 * expected)
    torch.testing.assert_close(out.logits.detach(), logits)
    assert (replaced != text).any()


def test_guesses_that_are_right_are_not_replaced() -> None:
    model = both(temperature=0.001)
    given = batch()
    with torch.no_grad():  # a generator that knows the text
        chosen = given["labels"] != -100
        best = model.generator(given["input_ids"], given["attention_mask"]).logits.argmax(-1)
    given["labels"] = torch.where(chosen, best, -100)
    out = model(**given)
    real = given["attention_mask"] == 1
    expected = F.binary_cross_entropy_with_logits(out.logits[real], torch.zeros_like(out.logits[real]))
    torch.testing.assert_close(out.discriminator_loss, expected.detach())


@pytest.mark.parametrize("tied", [True, False])
def test_tables_are_one_if_they_are_to_be(tied: bool) -> None:
    model = both(tie_embeddings=tied)
    for name in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
        tables = [getattr(one.base_model.embeddings, name).weight for one in (model.generator, model.discriminator)]
        assert (tables[0] is tables[1]) is tied
    assert model.generator.get_output_embeddings().weight is model.generator.get_input_embeddings().weight
    model(**batch()).loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_step_lowers_the_loss() -> None:
    model, given = both().train(), batch()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    torch.manual_seed(0)
    losses = []
    for _ in range(25):
        loss = model(**given).loss
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_without_labels_or_masks_nothing_is_replaced() -> None:
    model, given = both(), batch()
    labels = given.pop("labels")
    expected = model.discriminator(**given).logits
    out = model(**given)
    assert out.loss is None and out.logits.equal(expected)
    assert model(**given, labels=torch.full_like(labels, -100)).loss.isfinite()


def test_both_are_saved_as_checkpoints_of_their_own_and_restored(tmp_path: Path) -> None:
    model, given = both(), batch()
    model.save_pretrained(tmp_path, state_dict=model.state_dict())
    expected = model.discriminator(given["input_ids"]).logits
    again = ReplacedTokenDetection.from_pretrained(tmp_path)
    assert type(again.generator) is nabi.ElectraForMaskedLM and again.generator.get_input_embeddings().weight is (
        again.discriminator.get_input_embeddings().weight
    )
    theirs = transformers.ElectraForPreTraining.from_pretrained(tmp_path / "discriminator")
    torch.testing.assert_close(theirs(given["input_ids"]).logits, expected, atol=1e-4, rtol=0)
    with torch.no_grad():
        for parameter in again.parameters():
            parameter.zero_()
    again.restore_weights(tmp_path)
    assert all(value.equal(model.state_dict()[name]) for name, value in again.state_dict().items())


def test_a_training_that_goes_on_from_a_checkpoint_ends_as_the_whole_one(tmp_path: Path) -> None:
    rows = [
        {"input_ids": ids, "labels": labels}
        for ids, labels in zip(batch()["input_ids"], batch()["labels"], strict=True)
    ]
    ends = []
    for name, resume in (("whole", None), ("resumed", str(tmp_path / "whole" / "checkpoint-2"))):
        args = TrainingArguments(
            output_dir=str(tmp_path / name),
            max_steps=4,
            per_device_train_batch_size=2,
            save_steps=2,
            learning_rate=1e-2,
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        )
        trainer = Trainer(both(), args, train_dataset=rows)
        trainer.train(resume_from_checkpoint=resume)
        ends.append(trainer.model.state_dict())
    assert all(value.equal(ends[1][name]) for name, value in ends[0].items())
    assert not ends[0]["discriminator.discriminator_predictions.dense.weight"].equal(
        both().state_dict()["discriminator.discriminator_predictions.dense.weight"]
    )


@pytest.mark.parametrize(
    ("generator", "settings", "says"),
    [
        ({"vocab_size": 61}, {}, "61 tokens, the discriminator 60"),
        ({"embedding_size": 4}, {}, r"word_embeddings is \(60, 4\) .* tie_embeddings=False"),
        ({}, {"temperature": 0}, "temperature is 0"),
    ],
    ids=["vocabulary", "tables", "temperature"],
)
def test_models_that_do_not_fit_are_refused(generator: dict[str, Any], settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ReplacedTokenDetection(make("ElectraForMaskedLM", **generator), make("ElectraForPreTraining"), **settings)
