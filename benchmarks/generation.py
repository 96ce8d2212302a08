"""Writing texts beside transformers and CTranslate2, in turns, so that a busy minute of the machine slows all alike.

    pip install ctranslate2    # optional: its column is left out without
    python benchmarks/generation.py [--rounds 3] [--tokens 64] [--only gpt2 bart engine memory]

Models of GPT-2's size (124M) and of a BART with 6 + 6 layers of width 768 (124M), random weights, float32, on two
threads. Every engine writes the same number of tokens, and nabi's are the incumbent's. Memory is measured in a process
of its own for each library: the largest resident size while generating, less that before.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
THREADS = 2


def compare(name: str, tokens: int, engines: dict[str, Callable[[], Any]], rounds: int) -> None:
    """Tokens per second of each engine (median), and ours as a multiple of the others'."""
    times: dict[str, list[float]] = {engine: [] for engine in engines}
    for turn in range(rounds + 1):  # the first is not counted
        for engine, run in engines.items():
            time.sleep(0.5)  # the threads of the engine before go on waiting for work for a while, and take a core
            start = time.perf_counter()
            run()
            if turn:
                times[engine].append(time.perf_counter() - start)
    speed = {engine: tokens / statistics.median(taken) for engine, taken in times.items()}
    ours = next(iter(speed))
    ratios = [f"{speed[ours] / value:5.2f} x {engine}" for engine, value in speed.items() if engine != ours]
    shown = "  ".join(f"{engine} {value:7.1f}" for engine, value in speed.items())
    print(f"{name:<38} {shown}   {', '.join(ratios)}", flush=True)


def make(kind: str, folder: str) -> tuple[Any, Any]:
    """(nabi's, the incumbent's) model with the same random weights."""
    import torch
    import transformers

    import nabi

    transformers.logging.disable_progress_bar()
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    if kind == "gpt2":
        config: Any = transformers.GPT2Config(eos_token_id=None, bos_token_id=None)
        oracle, ours = transformers.GPT2LMHeadModel(config).eval(), nabi.GPT2LMHeadModel
    else:
        sizes = {f"{half}_{what}": size for half in ("encoder", "decoder") for what, size in HALF.items()}
        for_converter = {"normalize_before": False, "normalize_embedding": True}
        config = transformers.BartConfig(d_model=768, forced_eos_token_id=None, **sizes, **for_converter)
        oracle, ours = transformers.BartForConditionalGeneration(config).eval(), nabi.BartForConditionalGeneration
    oracle.save_pretrained(folder)
    return ours.from_pretrained(folder), oracle


HALF = {"layers": 6, "attention_heads": 12, "ffn_dim": 3072}


def prompt_and_settings(kind: str, rows: int, tokens: int) -> tuple[Any, dict[str, Any]]:
    import torch

    generator = torch.Generator().manual_seed(rows)
    ids = torch.randint(5, 50000, (rows, 32 if kind == "gpt2" else 256), generator=generator)
    if kind == "gpt2":
        return ids, {"max_new_tokens": tokens, "do_sample": False, "pad_token_id": 0}
    mask = torch.ones_like(ids)
    return ids, {"max_new_tokens": tokens, "min_new_tokens": tokens, "num_beams": 4, "attention_mask": mask}


def in_ctranslate2(kind: str, folder: str, rows: int, tokens: int) -> Callable[[], Any] | None:
    """The same weights and prompts in CTranslate2's float32, where it is installed. It runs in a process of its own,
    for its threads beside torch's in one process slow both."""
    try:
        from ctranslate2.converters import TransformersConverter
    except ImportError:
        return None
    target = f"{folder}/ctranslate2"
    if not os.path.isdir(target):
        save_a_tokenizer(kind, folder)
        TransformersConverter(folder).convert(target)
    words = [[f"w{number}" for number in row] for row in prompt_and_settings(kind, rows, tokens)[0].tolist()]
    code = IN_TURN.format(kind=kind, target=target, words=words, rows=rows, tokens=tokens, threads=THREADS)
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run() -> None:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
        if not worker.stdout.readline():
            raise RuntimeError("ctranslate2's process has ended")

    return run


IN_TURN = """
import sys, ctranslate2
options = dict(compute_type="float32", intra_threads={threads}, inter_threads=1)
words = {words}
if "{kind}" == "gpt2":
    engine = ctranslate2.Generator("{target}", **options)
    lengths = dict(max_length={tokens}, min_length={tokens}, include_prompt_in_result=False, sampling_topk=1)
    run = lambda: engine.generate_batch(words, max_batch_size={rows}, **lengths)
else:
    engine = ctranslate2.Translator("{target}", **options)
    lengths = dict(max_decoding_length={tokens}, min_decoding_length={tokens}, beam_size=4)
    run = lambda: engine.translate_batch(words, max_batch_size={rows}, **lengths)
for line in sys.stdin:
    run()
    print("done", flush=True)
"""


def save_a_tokenizer(kind: str, folder: str) -> None:
    """A word for each id, which the converter wants to see."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    size = 50257 if kind == "gpt2" else 50265
    names = {0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>"}
    vocabulary = {names.get(number, f"w{number}"): number for number in range(size)}
    engine = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokens = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=engine, **tokens).save_pretrained(folder)


def beside_others(kind: str, options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model, oracle = make(kind, folder)
        for rows in (1, 8):
            ids, settings = prompt_and_settings(kind, rows, options.tokens)
            same = model.generate(ids, **settings).equal(oracle.generate(ids, **settings))
            engines = {
                "nabi": lambda ids=ids, settings=settings: model.generate(ids, **settings),
                "transformers": lambda ids=ids, settings=settings: oracle.generate(ids, **settings),
                "ctranslate2": in_ctranslate2(kind, folder, rows, options.tokens),
            }
            engines = {name: run for name, run in engines.items() if run is not None}
            what = "GPT-2, greedy" if kind == "gpt2" else "BART, 4 beams, 256 source tokens"
            compare(
                f"{what}, batch {rows}{'' if same else ' (OTHER TOKENS)'}",
                rows * options.tokens,
                engines,
                options.rounds,
            )


def under_load(options: argparse.Namespace) -> None:
    """16 requests of mixed lengths through the engine, and one after another."""
    import torch

    from nabi.generation.engine import Engine

    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        model, _ = make("gpt2", folder)
        requests = [
            (torch.randint(0, 50000, (1, chance.randint(8, 64))), {"max_new_tokens": chance.randint(16, 96)})
            for _ in range(16)
        ]

        def together() -> None:
            with Engine(model, rows=16) as engine:
                for request in [engine.submit(ids, **settings) for ids, settings in requests]:
                    request.result()

        def one_by_one() -> None:
            for ids, settings in requests:
                model.generate(ids, **settings)

        tokens = sum(settings["max_new_tokens"] for _, settings in requests)
        compare("GPT-2, 16 streams", tokens, {"engine": together, "one by one": one_by_one}, options.rounds)


def memory(options: argparse.Namespace) -> None:
    """Megabytes that generating adds to what the loaded model takes."""
    for kind in ("gpt2", "bart"):
        with tempfile.TemporaryDirectory() as folder:
            make(kind, folder)
            for rows in (1, 8):
                used = []
                for library in ("nabi", "transformers"):
                    code = ADDED.format(library=library, kind=kind, folder=folder, rows=rows, tokens=options.tokens)
                    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
                    used.append(float(done.stdout.split()[-1]))
                print(f"{kind}, batch {rows}: nabi {used[0]:.0f} MB, transformers {used[1]:.0f} MB", flush=True)


ADDED = """
import resource, sys, torch
import {library} as library
from benchmarks.generation import prompt_and_settings
torch.set_num_threads(2)
name = "GPT2LMHeadModel" if "{kind}" == "gpt2" else "BartForConditionalGeneration"
model = getattr(library, name).from_pretrained("{folder}").eval()
for parameter in model.parameters():  # what is mapped becomes resident
    parameter.data = parameter.data.clone()
ids, settings = prompt_and_settings("{kind}", {rows}, 2)
model.generate(ids[:, :2], **{{**settings, "attention_mask": None}})
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = resident()
ids, settings = prompt_and_settings("{kind}", {rows}, {tokens})
open("/proc/self/clear_refs", "w").write("5")
model.generate(ids, **settings)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1e3
print(peak - before)
"""

PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "gpt2": lambda options: beside_others("gpt2", options),
    "bart": lambda options: beside_others("bart", options),
    "engine": under_load,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    print("tokens per second; nabi's as a multiple of the others'")
    for part in options.only:
        PARTS[part](options)


if __name__ == "__main__":
    main()
