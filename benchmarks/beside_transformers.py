"""nabi beside transformers, in turns, so that a busy minute of the machine slows both: times and their ratios.

    python benchmarks/beside_transformers.py [--rounds 5] [--layers 12]

Start-up runs in fresh processes. The models are random, of BERT-base's and GPT-2's widths.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"


def process(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - start


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):  # the first is not counted
        for kept, run in zip(times, (ours, theirs), strict=True):
            start = time.perf_counter()
            run()
            if turn:
                kept.append(time.perf_counter() - start)
    mine, other = map(statistics.median, times)
    print(f"{name:<46} {mine * 1000:9.1f} ms {other * 1000:9.1f} ms   {other / mine:5.2f} x", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layers", type=int, default=12)
    options = parser.parse_args()
    rounds = options.rounds
    print(f"{'median of ' + str(rounds):<46} {'nabi':>12} {'transformers':>12}")
    start_up = {
        "import": ("import nabi", "import transformers"),
        "from … import pipeline": ("from nabi import pipeline", "from transformers import pipeline"),
        "from … import BertModel": ("from nabi import BertModel", "from transformers import BertModel"),
    }
    for name, (ours, theirs) in start_up.items():
        compare(name, lambda code=ours: process(code), lambda code=theirs: process(code), rounds)

    import torch
    import transformers

    import nabi

    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    encoder = transformers.BertModel(transformers.BertConfig(num_hidden_layers=options.layers)).eval()
    decoder = transformers.GPT2LMHeadModel(transformers.GPT2Config(n_layer=options.layers)).eval()
    with tempfile.TemporaryDirectory() as bert, tempfile.TemporaryDirectory() as gpt2, torch.no_grad():
        encoder.save_pretrained(bert)
        decoder.save_pretrained(gpt2)
        load = "BertModel.from_pretrained", nabi.BertModel.from_pretrained, transformers.BertModel.from_pretrained
        compare(load[0], lambda: load[1](bert), lambda: load[2](bert), rounds)
        mine = nabi.BertModel.from_pretrained(bert)
        for rows, length in ((1, 24), (8, 24), (8, 128)):
            ids = torch.randint(1000, 30000, (rows, length))
            mask = torch.ones_like(ids)
            mask[rows // 2 :, length * 2 // 3 :] = 0
            inputs = {"input_ids": ids, "attention_mask": mask}
            compare(f"BERT {rows} x {length}", lambda i=inputs: mine(**i), lambda i=inputs: encoder(**i), rounds)
        writer = nabi.GPT2LMHeadModel.from_pretrained(gpt2)
        prompt, token = torch.randint(0, 50000, (1, 64)), torch.tensor([[7]])

        def thirty_tokens(model: object) -> None:
            out = model(prompt, use_cache=True, logits_to_keep=1)
            for _ in range(30):
                out = model(token, past_key_values=out.past_key_values, use_cache=True)

        compare(
            "GPT-2: 64 tokens, then 30 with the cache",
            lambda: thirty_tokens(writer),
            lambda: thirty_tokens(decoder),
            rounds,
        )


if __name__ == "__main__":
    main()
