"""Examples, features, metrics and trainer parts of 2019 to 2023, as numbers: recorded once with transformers 4.57.1.

    python record_data.py old_data.json

The test runs this file on nabi, by the drop-in, and compares.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    BertTokenizer,
    InputExample,
    SquadV2Processor,
    glue_convert_examples_to_features,
    squad_convert_examples_to_features,
)
from transformers.data.metrics.squad_metrics import squad_evaluate
from transformers.modeling_attn_mask_utils import _prepare_4d_causal_attention_mask
from transformers.models.bert.tokenization_bert import BasicTokenizer, WordpieceTokenizer
from transformers.trainer_pt_utils import IterableDatasetShard, get_parameter_names, nested_concat

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] the cat sat on mat where did it ? . a dog ran away from house big red fast"
CONTEXT = "The cat sat on the mat . A big red dog ran away from the house ."
ANSWERED = {"id": "1", "question": "where did the cat sat ?", "is_impossible": False}
QUESTIONS = [
    {**ANSWERED, "answers": [{"text": "the mat", "answer_start": 15}]},
    {"id": "2", "question": "did it ran ?", "answers": [], "is_impossible": True},
]


class Eleven(torch.utils.data.IterableDataset):
    def __iter__(self) -> Any:
        return iter(range(11))


def made(folder: Path) -> dict[str, Any]:
    (folder / "vocab.txt").write_text("\n".join(WORDS.split()), encoding="utf-8")
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))
    content = {"data": [{"title": "t", "paragraphs": [{"context": CONTEXT, "qas": QUESTIONS}]}]}
    for name in ("train-v2.0.json", "dev-v2.0.json"):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    learned, asked = (
        SquadV2Processor().get_train_examples(str(folder)),
        SquadV2Processor().get_dev_examples(str(folder)),
    )
    found: dict[str, Any] = {}
    for name, examples in (("train", learned), ("dev", asked)):
        features = squad_convert_examples_to_features(
            examples, tokenizer, 16, 4, 8, name == "train", tqdm_enabled=False
        )
        found[f"features of {name}"] = [
            {key: value for key, value in vars(each).items() if key not in ("encoding", "qas_id")} for each in features
        ]
    found["examples"] = [[e.start_position, e.end_position, e.doc_tokens, e.char_to_word_offset] for e in learned]
    found["squad_evaluate"] = dict(squad_evaluate(asked, {"1": "a mat", "2": "house"}, {"1": 0.2, "2": 0.7}))
    pairs = [InputExample("1", "the cat", "sat .", "0"), InputExample("2", "dog", "ran", "1")]
    found["glue"] = [vars(each) for each in glue_convert_examples_to_features(pairs, tokenizer, 12, "mrpc")]
    found["words"] = [
        BasicTokenizer().tokenize("Hellö, 나비 wörld! 漢字 a\u0301"),
        BasicTokenizer(do_lower_case=False).tokenize("Hellö, W"),
        WordpieceTokenizer({"a", "##b", "##c"}, "[UNK]").tokenize("abc d a"),
    ]
    mask = _prepare_4d_causal_attention_mask(torch.tensor([[1, 1, 0]]), (1, 3), torch.zeros(1, 3, 4), 0)
    found["mask"] = (mask < -1).tolist()
    found["nested_concat"] = nested_concat(np.zeros((2, 2)), np.ones((1, 3))).tolist()
    found["shards"] = [list(IterableDatasetShard(Eleven(), 2, drop, 2, i)) for drop in (True, False) for i in (0, 1)]
    layers = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.LayerNorm(2))
    found["get_parameter_names"] = get_parameter_names(layers, [torch.nn.LayerNorm])
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(made(Path(folder)), sort_keys=True, ensure_ascii=False, default=int)
    Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")
