"""Writes answers.json: what transformers 4.57.1's SQuAD 2.0 metric and KorQuAD 1.0's own script say of made-up answers.

Run by hand, in an environment with transformers 4.57.1, with KorQuAD's evaluate-v1.0.py at hand (korquad.github.io):

    python tests/training/metrics/record_answers.py evaluate-v1.0.py
"""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path

from transformers.data.metrics.squad_metrics import squad_evaluate

WORDS = [
    "the",
    "a",
    "An",
    "서울",
    "서울의",
    "《서울》",
    "(1988년)",
    "'Seoul'",
    "Seoul,",
    "New-York",
    "1,988",
    "...",
    "",
    "  ",
]


class Example:
    def __init__(self, qas_id: str, texts: list[str]) -> None:
        self.qas_id, self.answers = qas_id, [{"text": text} for text in texts]


def main(korquad_script: str) -> None:
    spec = importlib.util.spec_from_file_location("korquad_script", korquad_script)
    korquad = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(korquad)
    chance = random.Random(5)

    def text() -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(0, 3)))

    cases = []
    for _ in range(30):
        ids = [str(number) for number in range(chance.randint(1, 12))]
        golds = {name: [text() for _ in range(chance.randint(0, 3))] for name in ids}
        golds["0"] = golds["0"] or ["서울"]
        told = {name: chance.choice([text(), *golds[name]]) for name in ids}
        probabilities = {name: round(chance.random(), 3) for name in ids}
        threshold = chance.choice([1.0, 0.5])
        squad_v2 = squad_evaluate([Example(name, golds[name]) for name in ids], told, probabilities, threshold)
        answered = [name for name in ids if golds[name]]
        qas = [{"id": name, "answers": [{"text": gold} for gold in golds[name]]} for name in answered]
        cases.append(
            {
                "golds": golds,
                "told": told,
                "probabilities": probabilities,
                "threshold": threshold,
                "squad_v2": {key: value for key, value in squad_v2.items() if not key.startswith("has_ans")},
                "korquad": list(korquad.evaluate([{"paragraphs": [{"qas": qas}]}], told).values()),
            }
        )
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    Path(__file__).with_name("answers.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
