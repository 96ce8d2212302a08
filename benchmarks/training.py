"""A whole training by Trainer, nabi beside transformers: start-up, time, memory, loss, each run a process of its own.

    python -m benchmarks.training --data FOLDER [--rounds 2] [--steps 24] [--layers 6]

FOLDER holds nsmc/train.tsv and en_sentiment/train.tsv (tab-separated, columns "document" and "label"). The model is a
random BERT, 768 wide, without dropout, the same weights on both sides; batches of 32 reviews, half of them Korean,
padded to the longest, in the order of the seed, or grouped by length. `benchmarks.training_step` measures a step alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

ROWS = 32
SIDES = ("nabi", "transformers")
ORDERS = {"random": "random order", "group_by_length": "grouped by length"}


def reviews(folder: Path, count: int) -> list[dict[str, Any]]:
    """Encoded by the tokenizer inside nabi, the two languages by turns."""
    import nabi
    from nabi.data.records import read_records

    tokenizer = nabi.AutoTokenizer.from_pretrained(nabi.embedded.SENTIMENT)
    languages = [read_records(folder / name / "train.tsv", "document") for name in ("nsmc", "en_sentiment")]
    mixed = itertools.chain.from_iterable(zip(*languages, strict=False))
    found = []
    for record in itertools.islice(mixed, count):
        ids = tokenizer(record.fields["document"], truncation=True, max_length=256)["input_ids"]
        row = {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": int(record.fields["label"])}
        found.append(row)
    return found


def collate(examples: list[dict[str, Any]]) -> dict[str, Any]:
    import torch
    from torch.nn.utils.rnn import pad_sequence

    batch = {
        name: pad_sequence([torch.tensor(one[name]) for one in examples], batch_first=True)
        for name in ("input_ids", "attention_mask")
    }
    return {**batch, "labels": torch.tensor([one["labels"] for one in examples])}


def run(side: str, order: str, data: Path, model: str, steps: int) -> None:
    """One training; prints what it took as JSON."""
    began = time.perf_counter()
    if side == "nabi":
        from nabi import BertForSequenceClassification, Trainer, TrainingArguments
    else:
        from transformers import BertForSequenceClassification, Trainer, TrainingArguments
    imported = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        args = TrainingArguments(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=ROWS,
            learning_rate=2e-5,
            train_sampling_strategy=order,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
        )
        loaded = BertForSequenceClassification.from_pretrained(model)
        trainer = Trainer(loaded, args, data_collator=collate, train_dataset=[{"input_ids": [2], "labels": 0}])
        started = time.perf_counter() - began
        trainer.train_dataset = reviews(data, ROWS * steps)  # one epoch: the same reviews in either order
        for name in ("PrinterCallback", "ProgressCallback"):
            for callback in [one for one in trainer.callback_handler.callbacks if type(one).__name__ == name]:
                trainer.remove_callback(callback)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        began = time.perf_counter()
        trainer.train()
        spent = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    found = {"import": imported, "start": started, "train": spent, "before": before, "peak": peak, "losses": losses}
    print("\n" + json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--run", nargs=3, metavar=("SIDE", "ORDER", "MODEL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        side, order, model = options.run
        return run(side, order, options.data, model, options.steps)
    with tempfile.TemporaryDirectory() as model:
        # In a process too: one starts with the memory of the process that starts it.
        code = (
            "import sys, torch, transformers as t; torch.manual_seed(0); t.BertForSequenceClassification(t.BertConfig("
            "vocab_size=12000, num_hidden_layers=int(sys.argv[1]), hidden_dropout_prob=0.0, "
            "attention_probs_dropout_prob=0.0)).save_pretrained(sys.argv[2])"
        )
        subprocess.run([sys.executable, "-c", code, str(options.layers), model], check=True, capture_output=True)
        measure(model, options)


def measure(model: str, options: argparse.Namespace) -> None:
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {key: [] for key in itertools.product(ORDERS, SIDES)}
    for _ in range(options.rounds):
        for (order, side), kept in runs.items():
            command = [sys.executable, "-m", "benchmarks.training", "--run", side, order, model]
            command += ["--data", str(options.data), "--steps", str(options.steps)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            kept.append(json.loads(done.stdout.strip().splitlines()[-1]))

    def median(order: str, side: str, name: str) -> float:
        return statistics.median(one[name] for one in runs[order, side])

    def line(what: str, ours: float, theirs: float, unit: str) -> None:
        print(f"{what:<44} {ours:9.2f} {theirs:9.2f} {unit:<5} {theirs / ours:5.2f} x", flush=True)

    print(f"{'median of ' + str(options.rounds):<44} {'nabi':>9} {'transf.':>9}")
    for name, what in (("import", "from … import Trainer, a model"), ("start", "arguments, model loaded, Trainer(…)")):
        line(what, median("random", "nabi", name), median("random", "transformers", name), "s")
    starts = [median("random", side, "import") + median("random", side, "start") for side in SIDES]
    line("both", starts[0], starts[1], "s")
    usual = median("random", "transformers", "train") / options.steps
    for order, what in ORDERS.items():
        ours, theirs = (median(order, side, "train") / options.steps for side in SIDES)
        line(f"a step, {what}", ours, theirs, "s")
    grouped = median("group_by_length", "nabi", "train") / options.steps
    line("a step, ours grouped, theirs in random order", grouped, usual, "s")
    for order, what in ORDERS.items():
        line(f"peak memory, {what}", median(order, "nabi", "peak"), median(order, "transformers", "peak"), "MB")
    ours, theirs = (runs["random", side][0]["losses"] for side in SIDES)
    largest = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    print(f"largest difference of the loss over {len(ours)} steps in random order: {largest:.1e}")


if __name__ == "__main__":
    main()
