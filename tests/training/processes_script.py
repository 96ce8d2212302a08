"""What test_processes.py runs in one process and in two: torchrun --nproc_per_node 2 <this> <what> <folder>.

Each function trains or evaluates and returns numbers; the main process writes them to <folder>/<what>.json.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nabi import BertConfig, BertForSequenceClassification, BertForTokenClassification, GPT2Config, GPT2LMHeadModel
from nabi.training.arguments.training_arguments import TrainingArguments
from nabi.training.trainer import Trainer

STEPS = 10


def bert(kind: Any, dropout: float = 0.0) -> Any:
    sizes = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_labels": 3}
    drop = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    torch.manual_seed(1)
    return kind(BertConfig(**sizes, **drop, intermediate_size=24, max_position_embeddings=32))


def gpt2() -> Any:
    drop = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    torch.manual_seed(1)
    return GPT2LMHeadModel(GPT2Config(vocab_size=40, n_positions=32, n_embd=16, n_layer=2, n_head=2, **drop))


def tagged(count: int) -> list[dict[str, Any]]:
    """Rows of 12 tokens of which 0 to 11 have a label: in some batches of a process none has."""
    draws = np.random.default_rng(3)
    rows = []
    for row in range(count):
        labelled = int(draws.integers(0, 12)) if row % 8 > 3 else 0
        labels = [-100] * (12 - labelled) + draws.integers(0, 3, labelled).tolist()
        rows.append({"input_ids": draws.integers(5, 40, 12).tolist(), "attention_mask": [1] * 12, "labels": labels})
    return rows


def texts(count: int) -> list[dict[str, Any]]:
    draws = np.random.default_rng(4)
    return [{"input_ids": draws.integers(5, 40, 6).tolist(), "label": int(draws.integers(0, 3))} for _ in range(count)]


def sentences(count: int) -> list[dict[str, Any]]:
    return [{"input_ids": row["input_ids"], "labels": row["input_ids"]} for row in texts(count)]


def arguments(folder: Path, **options: Any) -> TrainingArguments:
    world = int(os.environ.get("WORLD_SIZE", 1))
    usual = {
        "per_device_train_batch_size": 8 // world,
        "per_device_eval_batch_size": 4,
        "max_steps": STEPS,
        "learning_rate": 0.1,
        "optim": "sgd",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
    }
    return TrainingArguments(str(folder), **{**usual, **options})


def losses(trainer: Trainer) -> list[float]:
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def weights_of(trainer: Trainer) -> dict[str, Any]:
    found = trainer.whole_state_dict()
    return {name: tensor.tolist() for name, tensor in (trainer.model.state_dict() if found is None else found).items()}


def trained(model: Any, data: Any, folder: Path, resume: Any = None, **options: Any) -> dict[str, Any]:
    trainer = Trainer(model, arguments(folder, **options), train_dataset=data)
    trainer.train(resume_from_checkpoint=resume)
    return {"losses": losses(trainer), "weights": weights_of(trainer)}


# --- the same in one process as in two ----------------------------------------------------------------------------


def tokens(folder: Path, **options: Any) -> dict[str, Any]:
    """Token classification: the processes have very different numbers of labels, one often has none."""
    model = bert(BertForTokenClassification)
    return trained(model, tagged(160), folder, gradient_accumulation_steps=2, **options)


def evaluation(folder: Path) -> dict[str, Any]:
    """21 texts, in batches of 4: neither the last batch nor its halves come out even."""

    def share(found: Any) -> dict[str, float]:
        return {
            "accuracy": float((found.predictions.argmax(-1) == found.label_ids).mean()),
            "rows": len(found.label_ids),
        }

    model = bert(BertForSequenceClassification)
    for size in (4, 3):
        args = arguments(folder, per_device_eval_batch_size=size)
        trainer = Trainer(model, args, eval_dataset=texts(21), compute_metrics=share)
        found = trainer.predict(texts(21))
    metrics = {name: trainer.evaluate()[f"eval_{name}"] for name in ("loss", "accuracy", "rows")}
    stream = trainer.predict(Stream(texts(21)))
    return {
        "predictions": found.predictions.tolist(),
        "labels": found.label_ids.tolist(),
        "metrics": metrics,
        "stream": stream.predictions.tolist(),
    }


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def __iter__(self) -> Any:
        return iter(self.rows)


# --- checkpoints --------------------------------------------------------------------------------------------------


def halfway(folder: Path, dropout: float = 0.0, **options: Any) -> dict[str, Any]:
    """Ten steps; a checkpoint after 7, within an epoch and between two logs. Goes on from it if it is there."""
    settings = {"save_steps": 7, "save_strategy": "steps", "logging_steps": 3, "optim": "adamw_torch", **options}
    start = folder / "checkpoint-7"
    model = bert(BertForSequenceClassification, dropout)
    return trained(model, texts(40), folder, resume=str(start) if start.exists() else None, **settings)


def resumed(folder: Path, **options: Any) -> dict[str, Any]:
    return {"whole": halfway(folder, **options), "again": halfway(folder, **options)}


def best(folder: Path, **more: Any) -> dict[str, Any]:
    """Every process goes back to the best checkpoint."""
    options = {"eval_strategy": "steps", "save_strategy": "steps", "eval_steps": 2, "save_steps": 2}
    args = arguments(folder, load_best_model_at_end=True, learning_rate=2.0, **options, **more)
    trainer = Trainer(bert(BertForSequenceClassification), args, train_dataset=texts(40), eval_dataset=texts(9))
    trainer.train()
    log = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    saved = Path(str(trainer.state.best_model_checkpoint)).name
    return {"weights": weights_of(trainer), "best": saved, "losses": log, "now": trainer.evaluate()["eval_loss"]}


def ddp(folder: Path) -> dict[str, Any]:
    return {
        "tokens": tokens(folder / "tokens"),
        "evaluation": evaluation(folder / "evaluation"),
        "resumed": resumed(folder / "resumed", dropout=0.1, gradient_accumulation_steps=2),
        "best": best(folder / "best"),
    }


def language(folder: Path, **options: Any) -> dict[str, Any]:
    return trained(gpt2(), sentences(80), folder, **options)


def fsdp(folder: Path) -> dict[str, Any]:
    named = {"fsdp": "full_shard auto_wrap", "fsdp_config": {"fsdp_transformer_layer_cls_to_wrap": "BertLayer"}}
    lean = {"activation_checkpointing": True, "reshard_after_forward": False}
    return {
        "tokens": tokens(folder / "tokens", **named),
        "language": language(folder / "language", fsdp=True),
        "lean": language(folder / "lean", fsdp=True, fsdp_config=lean),
        "half": language(folder / "half", fsdp=True, bf16=True),
        "resumed": resumed(folder / "resumed", fsdp=True),
        "taken over": halfway(folder / "one_process", fsdp=True),
        "best": best(folder / "best", fsdp=True),
    }


def deepspeed(folder: Path) -> dict[str, Any]:
    """Each stage of ZeRO, and then DDP in the same processes, which knows nothing of it."""
    found: dict[str, Any] = {}
    for stage in range(4):
        config = {"zero_optimization": {"stage": stage, "stage3_param_persistence_threshold": 0}}
        place = folder / f"stage{stage}"
        half = language(place / "half", deepspeed=config, bf16=True)
        found[str(stage)] = {
            "tokens": tokens(place / "tokens", deepspeed=config),
            "language": language(place / "language", deepspeed=config),
            "adamw": language(place / "adamw", deepspeed=config, **DECAYING),
            "adamw of the config": language(place / "own", deepspeed={**config, **OWN_ADAMW}, **DECAYING),
            "half": half["losses"],
            "resumed": resumed(place / "resumed", dropout=0.1, gradient_accumulation_steps=2, deepspeed=config),
            "best": best(place / "best", deepspeed=config),
        }
    found["rates"] = rates(folder / "rates")
    found["ddp"] = tokens(folder / "ddp")
    return found


DECAYING = {"optim": "adamw_torch", "learning_rate": 0.01, "weight_decay": 0.1, "max_grad_norm": 0.5}
OWN_ADAMW = {"optimizer": {"type": "AdamW", "params": {"lr": "auto", "torch_adam": True}}}


def rates(folder: Path) -> list[float]:
    """The learning rates of updates under a schedule of DeepSpeed's config."""
    names = ("warmup_min_lr", "warmup_max_lr", "warmup_num_steps", "total_num_steps")
    schedule = {"type": "WarmupDecayLR", "params": {**dict.fromkeys(names, "auto"), "warmup_type": "linear"}}
    config = {"zero_optimization": {"stage": 1}, "scheduler": schedule}
    trainer = Trainer(gpt2(), arguments(folder, deepspeed=config, warmup_steps=4), train_dataset=sentences(80))
    trainer.train()
    return [entry["learning_rate"] for entry in trainer.state.log_history if "loss" in entry]


def both(folder: Path) -> dict[str, Any]:
    return {"ddp": ddp(folder / "ddp"), "fsdp": fsdp(folder / "fsdp")}


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2])
    torch.set_num_threads(1)
    result = globals()[what](place)
    if int(os.environ.get("RANK", 0)) == 0:
        (place / f"{what}.json").write_text(json.dumps(result), encoding="utf-8")
