"""Run by hand with transformers 4.57.1, where DataCollatorForWholeWordMask still is: writes recorded_whole_words.json.

    python tests/training/collators/record_whole_words.py FOLDER_OF_A_WORDPIECE_TOKENIZER

The folder is one that write_wordpiece of tests/tokenization/small_tokenizers.py made; its vocabulary is recorded too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import transformers

TEXTS = [
    "이 영화는 정말 최고예요! 배우들의 연기가 훌륭했습니다.",
    "This film was far too long, and I didn't like its ending at all.",
    "나비",
]
SETTINGS = [
    {"seed": 7},
    {"seed": 8, "mlm_probability": 0.4},
    {"seed": 9, "mask_replace_prob": 0.5, "random_replace_prob": 0.5},
]


def main(folder: str) -> None:
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    rows = [dict(tokenizer(text)) for text in TEXTS]
    recorded = []
    for settings in SETTINGS:
        collate = transformers.DataCollatorForWholeWordMask(tokenizer, **settings)
        batches = [{key: value.tolist() for key, value in collate(rows).items()} for _ in range(2)]
        recorded.append({"settings": settings, "batches": batches})
    vocabulary = sorted(tokenizer.vocab, key=tokenizer.vocab.get)
    content = {"vocabulary": vocabulary, "texts": TEXTS, "recorded": recorded}
    target = Path(__file__).parent / "recorded_whole_words.json"
    target.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
