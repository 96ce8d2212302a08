"""Writing texts beside transformers and CTranslate2, in turns, so that a busy minute of the machine slows all alike.

    pip install ctranslate2    # optional: its column is left out without
    python benchmarks/generation.py [--rounds 3] [--tokens 64]

Models of GPT-2's size (124M) and of a BART with 6 + 6 layers of width 768 (124M), random weights, float32, on two
threads. Every engine writes the same number of tokens: none may end early.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import torch
import transformers

import nabi

transformers.logging.disable_progress_bar()
torch.set_num_threads(2)


def compare(name: str, tokens: int, engines: dict[str, Callable[[], Any]], rounds: int) -> None:
    """Tokens per second of each engine (median), and ours as a multiple of the others'."""
    times: dict[str, list[float]] = {engine: [] for engine in engines}
    for turn in range(rounds + 1):  # the first is not counted
        for engine, run in engines.items():
            start = time.perf_counter()
            run()
            if turn:
                times[engine].append(time.perf_counter() - start)
    speed = {engine: tokens / statistics.median(taken) for engine, taken in times.items()}
    ratios = [f"{speed['nabi'] / other:5.2f} x {engine}" for engine, other in speed.items() if engine != "nabi"]
    print(f"{name:<42} {'  '.join(f'{engine} {value:7.1f}' for engine, value in speed.items())}   {', '.join(ratios)}")


def translators(folder: str, kind: str) -> Any:
    """The same checkpoint in CTranslate2, float32, or None where that is not installed."""
    try:
        import ctranslate2
        from ctranslate2.converters import TransformersConverter
    except ImportError:
        return None
    target = f"{folder}-ct2"
    try:
        TransformersConverter(folder).convert(target)
    except Exception as error:
        print(f"ctranslate2 does not convert it: {error}")
        return None
    return getattr(ctranslate2, kind)(target, compute_type="float32", intra_threads=2)


def gpt2(options: argparse.Namespace, folder: str) -> None:
    torch.manual_seed(0)
    oracle = transformers.GPT2LMHeadModel(transformers.GPT2Config(eos_token_id=None)).eval()
    oracle.save_pretrained(folder)
    model = nabi.GPT2LMHeadModel.from_pretrained(folder)
    for rows in (1, 8):
        ids = torch.randint(0, 50000, (rows, 32))
        settings = {"max_new_tokens": options.tokens, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
        same = model.generate(ids, **settings).equal(oracle.generate(ids, **settings))
        engines = {
            "nabi": lambda ids=ids, s=settings: model.generate(ids, **s),
            "transformers": lambda ids=ids, s=settings: oracle.generate(ids, **s),
        }
        compare(f"GPT-2 124M, greedy, batch {rows} (same: {same})", rows * options.tokens, engines, options.rounds)


def bart(options: argparse.Namespace, folder: str) -> None:
    torch.manual_seed(0)
    config = transformers.BartConfig(
        d_model=768,
        encoder_layers=6,
        decoder_layers=6,
        encoder_attention_heads=12,
        decoder_attention_heads=12,
        encoder_ffn_dim=3072,
        decoder_ffn_dim=3072,
        forced_eos_token_id=None,
    )
    oracle = transformers.BartForConditionalGeneration(config).eval()
    oracle.save_pretrained(folder)
    model = nabi.BartForConditionalGeneration.from_pretrained(folder)
    for rows in (1, 8):
        ids = torch.randint(5, 50000, (rows, 256))
        settings = {
            "max_new_tokens": options.tokens,
            "min_new_tokens": options.tokens,
            "num_beams": 4,
            "attention_mask": torch.ones_like(ids),
        }
        same = model.generate(ids, **settings).equal(oracle.generate(ids, **settings))
        engines = {
            "nabi": lambda ids=ids, s=settings: model.generate(ids, **s),
            "transformers": lambda ids=ids, s=settings: oracle.generate(ids, **s),
        }
        compare(f"BART 124M, 4 beams, batch {rows} (same: {same})", rows * options.tokens, engines, options.rounds)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    options = parser.parse_args()
    for bench in (gpt2, bart):
        with tempfile.TemporaryDirectory() as folder:
            bench(options, folder)


if __name__ == "__main__":
    main()
