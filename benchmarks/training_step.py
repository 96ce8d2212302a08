"""One step of training a text classifier on real reviews, nabi beside transformers, in turns.

    python -m benchmarks.training_step --data FOLDER [--rounds 3] [--steps 6] [--layers 6]

FOLDER holds nsmc/train.tsv and en_sentiment/train.tsv (tab-separated, columns "document" and "label"). The model is a
random BERT, 768 wide, without dropout, the same weights on both sides; a step is forward, backward and AdamW on 32
reviews, padded to the longest. The losses are compared. Peak memory is taken in a process for each side.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

ROWS = 32
THEIRS, PADDED, PACKED = "transformers", "nabi, padded rows", "nabi"
RANDOM, GROUPED = "random order", "grouped by length"


def batches(folder: Path, count: int, grouped: bool) -> list[dict[str, Any]]:
    """The same reviews either way, half of them Korean; grouped, those of like length stand together."""
    import torch

    import nabi
    from nabi.data.records import read_records
    from nabi.embedded import SENTIMENT

    reviews: list[dict[str, Any]] = []
    for language in ("nsmc", "en_sentiment"):
        records = read_records(folder / language / "train.tsv", "document")
        reviews += [record.fields for record in itertools.islice(records, count * ROWS // 2)]
    random.Random(0).shuffle(reviews)
    tokenizer = nabi.AutoTokenizer.from_pretrained(SENTIMENT)
    if grouped:
        reviews.sort(key=lambda fields: len(tokenizer(fields["document"])["input_ids"]))
    parts = [reviews[start : start + ROWS] for start in range(0, len(reviews), ROWS)]
    random.Random(1).shuffle(parts)
    made = []
    for part in parts:
        batch = tokenizer([f["document"] for f in part], padding=True, truncation=True, max_length=256)
        made.append({name: torch.tensor(values) for name, values in batch.items()})
        made[-1]["labels"] = torch.tensor([int(fields["label"]) for fields in part])
    return made


def load(side: str, folder: str) -> tuple[Any, Any]:
    """The model in training, and its optimizer."""
    import torch
    import transformers

    import nabi

    library: Any = transformers if side == THEIRS else nabi
    transformers.logging.disable_progress_bar()
    model = library.BertForSequenceClassification.from_pretrained(folder).train()
    return model, torch.optim.AdamW(model.parameters(), lr=2e-5, fused=True)


def step(side: str, model: Any, optimizer: Any, batch: dict[str, Any]) -> float:
    from nabi.nn import packing

    fewest = math.inf if side == PADDED else packing._FEWEST
    with mock.patch.object(packing, "_FEWEST", fewest):
        loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def peak_memory(side: str, folder: str, data: Path, steps: int) -> None:
    """Prints the megabytes that this process has needed at most, of them those before the first step."""
    model, optimizer = load(side, folder)
    made = batches(data, steps, grouped=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    for batch in made:
        step(side, model, optimizer, batch)
    print(f"{side:<20} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:6} MB, {before} MB before the first")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6, help="batches of each kind in a round")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--memory-of", nargs=2, metavar=("SIDE", "MODEL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        peak_memory(*options.memory_of, options.data, options.steps)
        return

    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=12000, num_hidden_layers=options.layers, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    with tempfile.TemporaryDirectory() as folder:
        transformers.BertForSequenceClassification(config).save_pretrained(folder)
        for side in (THEIRS, PACKED):  # first, as a process starts at the peak of the one that starts it
            command = [sys.executable, "-m", "benchmarks.training_step", "--memory-of", side, folder]
            command += ["--data", str(options.data), "--steps", str(options.steps)]
            subprocess.run(command, check=True)
        compare(folder, options)


def compare(folder: str, options: argparse.Namespace) -> None:
    kinds = {kind: batches(options.data, options.steps, kind == GROUPED) for kind in (RANDOM, GROUPED)}
    sides = {side: load(side, folder) for side in (THEIRS, PADDED, PACKED)}
    times: dict[tuple[str, str], list[float]] = {key: [] for key in itertools.product(kinds, sides)}
    largest = 0.0
    for turn in range(options.rounds + 1):  # the first is not counted
        for kind, made in kinds.items():
            seconds = dict.fromkeys(sides, 0.0)
            for batch in made:
                losses = {}
                for side, (model, optimizer) in sides.items():
                    start = time.perf_counter()
                    losses[side] = step(side, model, optimizer, batch)
                    seconds[side] += time.perf_counter() - start
                largest = max(largest, *(abs(loss - losses[THEIRS]) for loss in losses.values()))
            if turn:
                for side, spent in seconds.items():
                    times[kind, side].append(spent / len(made))
    for kind, made in kinds.items():
        real = sum(int(batch["attention_mask"].sum()) for batch in made)
        print(f"{kind}: {real / sum(batch['input_ids'].numel() for batch in made):.0%} of the positions are tokens")
        usual = statistics.median(times[RANDOM, THEIRS])
        same = statistics.median(times[kind, THEIRS])
        for side in sides:
            mine = statistics.median(times[kind, side])
            beside = f"{same / mine:5.2f} x" + (f", {usual / mine:5.2f} x in random order" if kind == GROUPED else "")
            print(f"  {side:<20} {mine * 1000:9.1f} ms a step   {beside}", flush=True)
    print(f"largest difference of a loss: {largest:.1e}")


if __name__ == "__main__":
    main()
