"""nabi's text-classification pipeline beside transformers' on real reviews, defaults on both sides, in turns.

    python benchmarks/pipelines.py --data FOLDER [--reviews 2000] [--rounds 2] [--layers 12]

FOLDER holds nsmc/test.tsv and en_sentiment/test.tsv (tab-separated, a column "document"): half of the reviews are
Korean, half English. Two models, in float32 on both sides: the one inside nabi, and a random one of BERT-base's size
on the same tokenizer. The answers are compared; a label may differ only where two scores are equal.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


def reviews(folder: Path, count: int) -> list[str]:
    from nabi.data.records import read_records

    texts: list[str] = []
    for language, share in (("nsmc", count // 2), ("en_sentiment", count - count // 2)):
        records = (record.fields["document"] for record in read_records(folder / language / "test.tsv", "document"))
        texts += [text for text, _ in zip((text for text in records if text.strip()), range(share), strict=False)]
    return texts


def largest_difference(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> float:
    for mine, other in zip(ours, theirs, strict=True):
        assert mine["label"] == other["label"] or abs(mine["score"] - other["score"]) < 1e-5, (mine, other)
    return max(abs(mine["score"] - other["score"]) for mine, other in zip(ours, theirs, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--reviews", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--layers", type=int, default=12)
    options = parser.parse_args()

    import torch
    import transformers

    transformers.logging.disable_progress_bar()

    import nabi
    from nabi.embedded import SENTIMENT

    texts = reviews(options.data, options.reviews)
    print(f"{len(texts)} reviews, {torch.get_num_threads()} threads, torch {torch.__version__}")
    torch.manual_seed(0)
    tokenizer = nabi.AutoTokenizer.from_pretrained(SENTIMENT)
    config = transformers.BertConfig(vocab_size=len(tokenizer), num_hidden_layers=options.layers)
    model = transformers.BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.mul_(20)  # so that scores differ from text to text
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as small:
        nabi.AutoModelForSequenceClassification.from_pretrained(SENTIMENT).float().save_pretrained(small)
        tokenizer.save_pretrained(small)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        del model
        print(f"{'':<28} {'nabi':>14} {'transformers':>14}   ratio   largest difference")
        for name, place in (("the model inside nabi", small), ("BERT-base, random", folder)):
            pipes = (
                nabi.pipeline("text-classification", model=place),
                transformers.pipeline("text-classification", model=place),
            )
            times: tuple[list[float], list[float]] = ([], [])
            for pipe in pipes:
                pipe(texts[:64])  # the first is not counted
            for _ in range(options.rounds):
                answers = []
                for kept, pipe in zip(times, pipes, strict=True):
                    began = time.perf_counter()
                    answers.append(pipe(texts))
                    kept.append(time.perf_counter() - began)
            mine, other = (len(texts) / statistics.median(kept) for kept in times)
            print(
                f"{name:<28} {mine:>10.1f} t/s {other:>10.1f} t/s  {mine / other:5.2f} x   "
                f"{largest_difference(*answers):.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
