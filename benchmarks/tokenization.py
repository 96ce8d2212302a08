"""nabi's tokenizer beside the bare `tokenizers` engine and transformers: ratios within one run.

    python benchmarks/tokenization.py                         # texts made up of Korean words
    python benchmarks/tokenization.py --texts reviews.tsv     # the `document` column of a file, or its lines

Every figure is the best of `--rounds`, the candidates taking turns, so that a busy machine hurts all alike.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from nabi import AutoTokenizer, PreTrainedTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NAMES = {f"{token[1:-1].lower()}_token": token for token in SPECIAL}


def made_up_texts(count: int) -> list[str]:
    """Lines of random words of one to four Hangul syllables, as long as film reviews are."""
    rng = np.random.default_rng(0)
    words = ["".join(map(chr, rng.integers(0xAC00, 0xD7A4, rng.integers(1, 5)))) for _ in range(20_000)]
    return [" ".join(rng.choice(words, rng.integers(2, 16))) for _ in range(count)]


def read_texts(path: Path, count: int) -> list[str]:
    with open(path, encoding="utf-8", newline="\n") as file:
        if path.suffix == ".tsv":
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            return [row["document"] for row, _ in zip(rows, range(count), strict=False)]
        return [line.rstrip("\n") for line, _ in zip(file, range(count), strict=False)]


def trained_on(texts: list[str], folder: Path) -> Path:
    """A byte-level BPE of 20,000 pieces in a folder of its own."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=20_000, special_tokens=SPECIAL, show_progress=False)
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **NAMES).save_pretrained(folder)
    return folder


def large(folder: Path, pieces: int = 250_000) -> Path:
    """A Unigram vocabulary of XLM-R's size in a folder of its own."""
    rng = np.random.default_rng(1)
    made: dict[str, float] = {token: 0.0 for token in SPECIAL}
    while len(made) < pieces:
        made["▁" * int(rng.integers(2)) + "".join(map(chr, rng.integers(0xAC00, 0xD7A4, rng.integers(1, 5))))] = float(
            rng.uniform(-20, -5)
        )
    tokenizer = Tokenizer(models.Unigram(list(made.items()), unk_id=1))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **NAMES).save_pretrained(folder)
    return folder


def best(candidates: dict[str, Callable[[], Any]], rounds: int, repeat: int = 1) -> dict[str, float]:
    """Candidate -> its shortest time in seconds for `repeat` calls."""
    times = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):
        for name, call in candidates.items():
            start = time.perf_counter()
            for _ in range(repeat):
                call()
            times[name] = min(times[name], (time.perf_counter() - start) / repeat)
    return times


def show(what: str, times: dict[str, float], beside: str) -> None:
    """One line: nabi's time, and how it compares with another candidate's."""
    ours, other = times["nabi"], times[beside]
    print(
        f"{what:58s} nabi {ours * 1e3:9.3f} ms   {beside} {other * 1e3:9.3f} ms   nabi / {beside} = {ours / other:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Time nabi's tokenizer beside the bare engine and transformers.")
    parser.add_argument("--texts", type=Path, help="a .tsv with a column `document`, or a file of lines")
    parser.add_argument("--count", type=int, default=10_000, help="how many texts (10000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each candidate has its turn (5)")
    args = parser.parse_args()
    texts = read_texts(args.texts, args.count) if args.texts else made_up_texts(args.count)

    import transformers

    with tempfile.TemporaryDirectory() as place:
        folder = trained_on(texts, Path(place) / "bpe")
        bare = Tokenizer.from_file(str(folder / "tokenizer.json"))
        ours, theirs = AutoTokenizer.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(str(folder))
        assert ours(texts)["input_ids"] == theirs(texts)["input_ids"]

        def bare_batch() -> dict[str, list[Any]]:
            encodings = bare.encode_batch(texts)
            return {"input_ids": [e.ids for e in encodings], "attention_mask": [e.attention_mask for e in encodings]}

        batch = {"nabi": lambda: ours(texts), "engine": bare_batch, "transformers": lambda: theirs(texts)}
        times = best(batch, args.rounds)
        show(f"a batch of {len(texts):,} texts", times, "engine")
        show(f"a batch of {len(texts):,} texts", times, "transformers")

        text = "이 영화는 최고예요!"
        for name, options in {
            "one short text": {},
            "one short text, tensors": {"return_tensors": "pt"},
            "one short text, cut": {"truncation": True},
            "one short text, padded, cut, tensors": {"padding": True, "truncation": True, "return_tensors": "pt"},
        }.items():
            calls = {"nabi": lambda o=options: ours(text, **o), "transformers": lambda o=options: theirs(text, **o)}
            show(name, best(calls, args.rounds * 2, repeat=1000), "transformers")

        folder = large(Path(place) / "large")
        loads = {
            "nabi": lambda: AutoTokenizer.from_pretrained(folder),
            "engine": lambda: Tokenizer.from_file(str(folder / "tokenizer.json")),
            "transformers": lambda: transformers.AutoTokenizer.from_pretrained(str(folder)),
        }
        times = best(loads, args.rounds)
        show("loading 250,000 pieces", times, "engine")
        show("loading 250,000 pieces", times, "transformers")


if __name__ == "__main__":
    main()
