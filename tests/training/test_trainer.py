"""What scripts of all eras do with a Trainer: its hooks, its data sets, its arguments, its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset

import nabi
from nabi.training.callbacks.callback import EarlyStoppingCallback, TrainerCallback
from nabi.training.trainer import Trainer

from .tiny import CALM, bert, padded, quiet, rows


def losses(trainer: Trainer) -> list[float]:
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def trained(folder: Path, data: Any, model: Any = None, trainer_class: type[Trainer] = Trainer, **options: Any) -> Any:
    settings = {"max_steps": 4, **options.pop("settings", {})}
    options.setdefault("data_collator", padded)
    model = bert(**CALM) if model is None else model
    trainer = trainer_class(model, quiet(folder, **settings), train_dataset=data, **options)
    trainer.train()
    return trainer


# --- data sets ----------------------------------------------------------------------------------------------------


class Mapped(Dataset):
    def __init__(self, data: list[dict[str, Any]]) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return self.data[place]


class Streamed(IterableDataset):
    def __init__(self, data: list[dict[str, Any]]) -> None:
        self.data = data

    def __iter__(self) -> Any:
        return iter(self.data)


def test_every_kind_of_data_set_gives_the_same_training(tmp_path: Path) -> None:
    data = [{**row, "note": "이 열은 쓰지 않아요"} for row in rows(24)]
    wanted = losses(trained(tmp_path, data))
    for kind in (Mapped(data), datasets.Dataset.from_list(data)):
        assert losses(trained(tmp_path, kind)) == wanted


@pytest.mark.parametrize("kind", [Streamed, lambda data: datasets.Dataset.from_list(data).to_iterable_dataset()])
def test_a_stream_is_read_in_its_order(kind: Any, tmp_path: Path) -> None:
    data = rows(40)
    wanted = losses(trained(tmp_path, data, settings={"train_sampling_strategy": "sequential", "max_steps": 7}))
    assert losses(trained(tmp_path, kind(data), settings={"max_steps": 7})) == wanted


def test_a_stream_needs_a_number_of_steps(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="max_steps"):
        trained(tmp_path, Streamed(rows(8)), settings={"max_steps": -1})


def test_workers_change_nothing(tmp_path: Path) -> None:
    settings = {
        "dataloader_num_workers": 2,
        "dataloader_persistent_workers": True,
        "num_train_epochs": 2,
        "max_steps": -1,
    }
    for kind in (Mapped, Streamed):
        steps = {"max_steps": 6} if kind is Streamed else {}
        alone = losses(trained(tmp_path, kind(rows(24)), settings={"num_train_epochs": 2, "max_steps": -1, **steps}))
        assert losses(trained(tmp_path, kind(rows(24)), settings={**settings, **steps})) == alone


# --- hooks --------------------------------------------------------------------------------------------------------


class Weighted(Trainer):
    """As the tutorials write it, in the signature of v4."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False) -> Any:  # type: ignore[override]
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = nn.functional.cross_entropy(outputs.logits, labels, weight=torch.tensor([1.0, 3.0]))
        return (loss, outputs) if return_outputs else loss


def test_an_own_loss_of_either_era_is_the_one_that_is_minimised(tmp_path: Path) -> None:
    def function(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        loss = nn.functional.cross_entropy(outputs.logits, labels, reduction="none")
        loss = loss * torch.tensor([1.0, 3.0])[labels]
        return loss.sum() / (num_items_in_batch or len(labels))

    data = [{**row, "labels": 1} for row in rows(16)]  # of one class, so that a weighted mean is the mean
    plain = losses(trained(tmp_path, data))
    assert losses(trained(tmp_path, data, trainer_class=Weighted)) == pytest.approx(plain, abs=1e-6)
    weighted = losses(trained(tmp_path, data, compute_loss_func=function))
    assert weighted[0] == pytest.approx(3 * plain[0], rel=1e-5)


def test_the_hooks_of_a_subclass_are_called(tmp_path: Path) -> None:
    called: list[str] = []

    class Own(Trainer):
        def get_train_dataloader(self) -> DataLoader:
            called.append("loader")
            return DataLoader(self.train_dataset, batch_size=4, collate_fn=padded)

        def create_optimizer(self, model: Any = None) -> Any:
            called.append("optimizer")
            self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
            return self.optimizer

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            called.append("step")
            return super().training_step(model, inputs, num_items_in_batch)

        def prediction_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            called.append("prediction")
            return super().prediction_step(model, inputs, *args, **kwargs)

        def log(self, logs: dict[str, float]) -> None:  # type: ignore[override]  # as v4 had it
            called.append("log")
            super().log(logs)

    trainer = trained(tmp_path, rows(16), trainer_class=Own, eval_dataset=rows(4), settings={"learning_rate": 0.1})
    trainer.evaluate()
    assert {"loader", "optimizer", "step", "prediction", "log"} <= set(called)
    assert called.count("step") == 4
    assert isinstance(trainer.optimizer.optimizer, torch.optim.SGD)


def test_a_given_optimizer_and_schedule_are_used(tmp_path: Path) -> None:
    model = bert(**CALM)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
    trainer = trained(tmp_path, rows(32), model, optimizers=(optimizer, schedule))
    rates = [entry["learning_rate"] for entry in trainer.state.log_history if "loss" in entry]
    assert rates == pytest.approx([0.5, 0.5, 0.05, 0.05])


def test_any_module_that_returns_a_loss_is_trained_and_saved(tmp_path: Path) -> None:
    class Tiny(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(60, 8)
            self.out = nn.Linear(8, 2)

        def forward(self, input_ids: torch.Tensor, labels: torch.Tensor | None = None) -> Any:
            logits = self.out(self.words(input_ids).mean(1))
            return (
                {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}
                if labels is not None
                else logits
            )

    settings = {"max_steps": 30, "learning_rate": 0.1, "save_strategy": "steps", "save_steps": 30}
    trainer = trained(tmp_path, rows(32), Tiny(), settings=settings)
    assert losses(trainer)[-1] < losses(trainer)[0]
    again = Trainer(Tiny(), trainer.args, train_dataset=rows(32), data_collator=padded)
    again.train(resume_from_checkpoint=True)
    assert torch.equal(again.model.out.weight, trainer.model.out.weight)
    assert trainer.predict([{"input_ids": [7, 8]}]).predictions.shape == (1, 2)


def test_callbacks_see_the_run_and_can_end_it(tmp_path: Path) -> None:
    class Ender(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
            assert kwargs["model"] is not None and kwargs["optimizer"] is not None
            control.should_training_stop = state.global_step == 3
            return control

    assert len(losses(trained(tmp_path, rows(32), callbacks=[Ender()], settings={"max_steps": 20}))) == 3


# --- evaluation ---------------------------------------------------------------------------------------------------


def test_predictions_come_in_the_datasets_order_however_they_were_grouped(tmp_path: Path) -> None:
    data, model = rows(21), bert()
    wanted = None
    for strategy in ("random", "group_by_length"):
        args = quiet(tmp_path, per_device_eval_batch_size=4, train_sampling_strategy=strategy)
        output = Trainer(model, args, data_collator=padded).predict(data)
        assert output.label_ids.tolist() == [row["labels"] for row in data]
        assert output.predictions.shape == (21, 2)
        wanted = output if wanted is None else wanted
        np.testing.assert_allclose(output.predictions, wanted.predictions, atol=1e-5)
        assert output.metrics["test_loss"] == pytest.approx(wanted.metrics["test_loss"], abs=1e-6)


def test_the_loss_of_tokens_does_not_depend_on_the_batches(tmp_path: Path) -> None:
    data, model = rows(21, labels="tokens"), bert("ForMaskedLM")
    found = {
        size: Trainer(model, quiet(tmp_path, per_device_eval_batch_size=size), data_collator=padded).evaluate(data)
        for size in (1, 4, 21)
    }
    assert found[1]["eval_loss"] == pytest.approx(found[21]["eval_loss"], abs=1e-5)
    assert found[4]["eval_loss"] == pytest.approx(found[21]["eval_loss"], abs=1e-5)


def test_token_predictions_of_unlike_lengths_are_filled_with_minus_100(tmp_path: Path) -> None:
    data, model = rows(9, labels="tokens"), bert("ForMaskedLM")
    output = Trainer(model, quiet(tmp_path, per_device_eval_batch_size=2), data_collator=padded).predict(data)
    longest = max(len(row["input_ids"]) for row in data)
    assert output.predictions.shape == (9, longest, 60) and output.label_ids.shape == (9, longest)
    for row, labels in zip(data, output.label_ids, strict=True):
        assert labels[: len(row["labels"])].tolist() == row["labels"]
        assert (labels[len(row["labels"]) :] == -100).all()


def test_metrics_by_name_by_function_and_batch_by_batch_agree(tmp_path: Path) -> None:
    data, model = rows(20), bert()
    seen: list[float] = []

    def accuracy(prediction: Any) -> dict[str, float]:
        logits, labels = prediction
        return {"accuracy": float((logits.argmax(-1) == labels).mean())}

    def by_batch(prediction: Any, compute_result: bool) -> dict[str, float]:
        seen.extend((prediction.predictions.argmax(-1) == prediction.label_ids).tolist())
        return {"accuracy": sum(seen) / len(seen)} if compute_result else {}

    def found(metric: Any, **settings: Any) -> float:
        args = quiet(tmp_path, per_device_eval_batch_size=8, **settings)
        trainer = Trainer(model, args, data_collator=padded, eval_dataset=data, compute_metrics=metric)
        return trainer.evaluate()["eval_accuracy"]

    assert found("accuracy") == found(accuracy) == found(by_batch, batch_eval_metrics=True)


def test_several_evaluation_sets_are_told_apart_and_logits_can_be_reduced(tmp_path: Path) -> None:
    shapes = []

    def metrics(prediction: Any) -> dict[str, float]:
        shapes.append(prediction.predictions.shape)
        return {"ones": float(prediction.predictions.mean())}

    trainer = Trainer(
        bert(),
        quiet(tmp_path),
        data_collator=padded,
        eval_dataset={"ko": rows(6), "en": rows(5, seed=1)},
        compute_metrics=metrics,
        preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1),
    )
    found = trainer.evaluate()
    assert {"eval_ko_loss", "eval_ko_ones", "eval_en_loss", "eval_en_ones"} <= set(found)
    assert shapes == [(6,), (5,)]


def test_the_best_model_comes_back_at_the_end_and_early_stopping_stops(tmp_path: Path) -> None:
    settings = {
        "max_steps": 60,
        "learning_rate": 0.05,  # so large that the loss rises again
        "eval_strategy": "steps",
        "eval_steps": 2,
        "save_strategy": "steps",
        "save_steps": 2,
        "save_total_limit": 2,
        "load_best_model_at_end": True,
        "metric_for_best_model": "loss",
    }
    trainer = trained(
        tmp_path, rows(16), eval_dataset=rows(16, seed=5), settings=settings, callbacks=[EarlyStoppingCallback(3)]
    )
    evaluated = {e["step"]: e["eval_loss"] for e in trainer.state.log_history if "eval_loss" in e}
    best = min(evaluated, key=lambda step: evaluated[step])
    assert trainer.state.global_step == best + 6 < 60
    assert trainer.state.best_model_checkpoint == str(tmp_path / f"checkpoint-{best}")
    assert trainer.evaluate()["eval_loss"] == pytest.approx(evaluated[best], abs=1e-6)
    kept = sorted(path.name for path in tmp_path.glob("checkpoint-*"))
    assert len(kept) == 2 and f"checkpoint-{best}" in kept


# --- switches -----------------------------------------------------------------------------------------------------


def test_a_frozen_or_checkpointed_model_trains_as_it_should(tmp_path: Path) -> None:
    wanted = losses(trained(tmp_path, rows(16)))
    recomputed = trained(tmp_path, rows(16), settings={"gradient_checkpointing": True})
    assert losses(recomputed) == pytest.approx(wanted, abs=1e-6)
    model = bert(**CALM)
    for weight in model.bert.parameters():
        weight.requires_grad_(False)
    before = model.bert.embeddings.word_embeddings.weight.clone()
    head = model.classifier.weight.clone()
    trained(tmp_path, rows(16), model)
    assert torch.equal(model.bert.embeddings.word_embeddings.weight, before)
    assert not torch.equal(model.classifier.weight, head)


def test_noise_on_embeddings_is_there_in_training_only(tmp_path: Path) -> None:
    wanted = losses(trained(tmp_path, rows(16)))
    trainer = trained(tmp_path, rows(16), settings={"neftune_noise_alpha": 5.0})
    assert losses(trainer) != wanted
    assert not trainer.model.get_input_embeddings()._forward_hooks


def test_batches_are_halved_until_they_fit(tmp_path: Path) -> None:
    class Greedy(Trainer):
        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            if len(inputs["input_ids"]) > 2:
                raise RuntimeError("CUDA out of memory.")
            return super().training_step(model, inputs, num_items_in_batch)

    settings = {"auto_find_batch_size": True, "per_device_train_batch_size": 8}
    trainer = trained(tmp_path, rows(32), trainer_class=Greedy, settings=settings)
    assert (trainer.args.per_device_train_batch_size, trainer.args.gradient_accumulation_steps) == (2, 4)
    assert losses(trainer) == pytest.approx(losses(trained(tmp_path, rows(32))), abs=1e-5)


def test_half_precision_is_accelerates_business(tmp_path: Path) -> None:
    trainer = trained(tmp_path, rows(16), settings={"bf16": True})
    wanted = losses(trained(tmp_path, rows(16)))
    assert losses(trainer) != wanted and losses(trainer) == pytest.approx(wanted, abs=0.02)


# --- files --------------------------------------------------------------------------------------------------------


def test_a_saved_model_is_a_folder_that_a_pipeline_reads(tmp_path: Path) -> None:
    tokenizer = nabi.AutoTokenizer.from_pretrained(nabi.embedded.SENTIMENT)
    model = bert(vocab_size=len(tokenizer), id2label={0: "부정", 1: "긍정"}, label2id={"부정": 0, "긍정": 1})
    texts = ["정말 좋아요", "최악이에요", "재미있어요", "지루해요"]
    data = [{**tokenizer(text), "label": place % 2} for place, text in enumerate(texts)]
    trainer = Trainer(
        model, quiet(tmp_path, max_steps=2), train_dataset=data, tokenizer=tokenizer, compute_metrics="f1"
    )
    trainer.train()
    trainer.save_model()
    trainer.log_metrics("eval", trainer.evaluate(data))
    trainer.save_metrics("eval", {"eval_loss": 0.5})
    trainer.save_state()
    trainer.create_model_card(language="ko")
    found = {path.name for path in tmp_path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "training_args.json", "trainer_state.json"} <= found
    assert {"eval_results.json", "all_results.json", "README.md", "training_curves.png"} <= found
    assert json.loads((tmp_path / "all_results.json").read_text()) == {"eval_loss": 0.5}
    assert nabi.pipeline("text-classification", model=str(tmp_path))("좋아요")[0]["label"] in ("부정", "긍정")


def test_adapters_are_trained_saved_and_merged(tmp_path: Path) -> None:
    from peft import LoraConfig, PeftModel

    lora = LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query", "value"])
    model = bert(**CALM)
    model.save_pretrained(tmp_path / "base")
    settings = {"max_steps": 6, "learning_rate": 0.05, "save_strategy": "steps", "save_steps": 3}
    trainer = trained(tmp_path / "out", rows(16), model, peft_config=lora, settings=settings)
    trainer.save_model(tmp_path / "adapter")
    trainer.save_model(tmp_path / "whole", merge_adapter=True)
    base = nabi.BertForSequenceClassification.from_pretrained(tmp_path / "base")
    whole = nabi.BertForSequenceClassification.from_pretrained(tmp_path / "whole")
    batch = padded(rows(5))
    wanted = trainer.model.eval()(**batch).logits
    torch.testing.assert_close(whole(**batch).logits, wanted, rtol=0, atol=1e-5)
    torch.testing.assert_close(PeftModel.from_pretrained(base, tmp_path / "adapter")(**batch).logits, wanted)
    fresh = bert(**CALM)
    again = Trainer(fresh, trainer.args, train_dataset=rows(16), data_collator=padded, peft_config=lora)
    again.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-3"))
    assert losses(again) == losses(trainer)


def test_a_second_training_starts_anew_and_model_init_makes_a_fresh_model(tmp_path: Path) -> None:
    trainer = Trainer(
        args=quiet(tmp_path, max_steps=3), model_init=lambda: bert(**CALM), train_dataset=rows(16), data_collator=padded
    )
    trainer.train()
    first = losses(trainer)
    trainer.train()
    assert losses(trainer) == first


def test_columns_that_the_collator_reads_reach_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = nabi.AutoTokenizer.from_pretrained(nabi.embedded.SENTIMENT)
    texts = ["정말 재미있는 영화예요", "다시는 보고 싶지 않아요"] * 4
    data = [dict(tokenizer(text, return_special_tokens_mask=True)) for text in texts]
    for row in data:
        row["special_tokens_mask"] = [1] * len(row["input_ids"])  # all are special: nothing may be masked
    collate = nabi.DataCollatorForLanguageModeling(tokenizer)
    model = bert("ForMaskedLM", vocab_size=len(tokenizer))
    trained(tmp_path, data, model, data_collator=collate)
    assert "step 1 has no label that counts" in caplog.text


def test_boxes_of_images_come_back_row_by_row(tmp_path: Path) -> None:
    """Labels that are a list of dicts, an item for each row, as detectors have them."""

    class Detector(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))

        def forward(self, pixel_values: torch.Tensor, labels: Any = None) -> dict[str, Any]:
            return {"loss": self.weight * pixel_values.mean(), "logits": self.weight * pixel_values}

    def collate(examples: list[Any]) -> dict[str, Any]:
        return {"pixel_values": torch.stack([x for x, _ in examples]), "labels": [{"boxes": y} for _, y in examples]}

    data = [(torch.full((2,), float(row)), torch.rand(row % 3, 4)) for row in range(6)]
    for together in (True, False):
        args = quiet(tmp_path, per_device_eval_batch_size=4, eval_do_concat_batches=together)
        found = Trainer(Detector(), args, data_collator=collate).predict(data)
        if together:
            assert found.predictions.shape == (6, 2)
            labels = found.label_ids
        else:
            assert [len(batch) for batch in found.predictions] == [4, 2]
            labels = [one for batch in found.label_ids for one in batch]
        assert [one["boxes"].shape for one in labels] == [tuple(boxes.shape) for _, boxes in data]


def test_a_loss_between_texts_and_images_is_trained_without_labels(tmp_path: Path) -> None:
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    texts = {**small, "vocab_size": 60, "max_position_embeddings": 16, "eos_token_id": 2}
    images = {**small, "image_size": 8, "patch_size": 4}
    model = nabi.CLIPModel(nabi.CLIPConfig(text_config=texts, vision_config=images, projection_dim=8))
    data = [{"input_ids": torch.tensor([5 + row, 6, 2]), "pixel_values": torch.randn(3, 8, 8)} for row in range(4)]

    def collate(examples: list[Any]) -> dict[str, Any]:
        batch = {name: torch.stack([one[name] for one in examples]) for name in examples[0]}
        return {**batch, "return_loss": True}

    trainer = Trainer(model, quiet(tmp_path, max_steps=3), train_dataset=data, eval_dataset=data, data_collator=collate)
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    assert losses[-1] < losses[0] and "eval_loss" in trainer.evaluate()
    with pytest.raises(ValueError, match="return_loss=True"):
        Trainer(model, quiet(tmp_path), train_dataset=data).train()


def test_the_sampler_of_a_subclass_gives_the_order(tmp_path: Path) -> None:
    class Balanced(Trainer):
        def _get_train_sampler(self, *dataset: Any) -> Any:
            return torch.utils.data.WeightedRandomSampler([1.0, 0.0, 1.0, 0.0], num_samples=40)

    data = [{"input_ids": [5 + row], "labels": row % 2} for row in range(4)]
    trainer = Balanced(bert(), quiet(tmp_path), train_dataset=data)
    batches = list(trainer.get_train_dataloader())
    assert len(batches) == 5 and all(set(batch["input_ids"].flatten().tolist()) <= {5, 7} for batch in batches)
    again = list(trainer.get_train_dataloader())
    assert all(torch.equal(one["input_ids"], two["input_ids"]) for one, two in zip(batches, again, strict=True))


class Counted(torch.utils.data.IterableDataset):
    """A stream that says how long it is, rightly or not."""

    def __init__(self, says: int) -> None:
        self.says = says

    def __len__(self) -> int:
        return self.says

    def __iter__(self) -> Any:
        return iter(rows(16))


@pytest.mark.parametrize(("says", "steps"), [(16, 4), (24, 4)])
def test_a_stream_that_knows_its_length_is_trained_by_epochs(says: int, steps: int, tmp_path: Path) -> None:
    args = quiet(tmp_path, num_train_epochs=2, per_device_train_batch_size=8)
    trainer = Trainer(bert(), args, train_dataset=Counted(says), data_collator=padded)
    assert trainer.train().global_step == steps


class OwnFiles(Trainer):
    """What sentence-transformers overrides, under HF's names."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.can_return_loss = True
        self.read: list[str] = []

    def get_train_dataloader(self) -> DataLoader:
        return DataLoader(self.train_dataset["one"], batch_size=8, collate_fn=padded)

    def get_optimizer_cls_and_kwargs(self, args: Any, model: Any = None) -> Any:  # type: ignore[override]
        kind, options = super().get_optimizer_cls_and_kwargs(args, model)
        return kind, {**options, "optimizer_dict": [{"params": list(self.model.classifier.parameters())}]}

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs = model(**{name: value for name, value in inputs.items() if name != "labels"})
        loss = outputs.logits.square().mean()
        return (loss, outputs) if return_outputs else loss

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        Path(str(output_dir), "own.txt").write_text("mine")
        torch.save(self.model.state_dict(), Path(str(output_dir), "own.pt"))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.read.append(Path(resume_from_checkpoint).name)
        self.model.load_state_dict(torch.load(Path(resume_from_checkpoint, "own.pt")))


def test_a_subclass_has_its_own_data_weights_losses_and_files(tmp_path: Path) -> None:
    unlabelled = rows(16, labels="none")
    settings = {"save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps", "eval_steps": 2}
    trainer = trained(
        tmp_path,
        {"one": rows(16)},
        trainer_class=OwnFiles,
        eval_dataset=unlabelled,
        settings={**settings, "load_best_model_at_end": True},
    )
    assert [len(group["params"]) for group in trainer.optimizer.param_groups] == [2]
    assert "eval_loss" in trainer.evaluate()
    assert {"own.txt", "trainer_state.json"} <= {path.name for path in (tmp_path / "checkpoint-4").iterdir()}
    assert not (tmp_path / "checkpoint-4" / "model.safetensors").exists()
    assert trainer.read == ["checkpoint-4"]
    trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert trainer.read[1] == "checkpoint-2"
