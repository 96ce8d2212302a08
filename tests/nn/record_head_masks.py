"""What head_mask does in the families with attention of their own: recorded once with transformers 4.57.1.

    python record_head_masks.py head_masks.json

Weights follow from their names by `settled`, so that the file holds inputs and outputs only.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import torch

SIZES = {"vocab_size": 20, "num_hidden_layers": 2, "num_attention_heads": 2}
BERT = {**SIZES, "hidden_size": 8, "intermediate_size": 12, "max_position_embeddings": 24}
XLNET = {"vocab_size": 20, "d_model": 8, "n_layer": 2, "n_head": 2, "d_inner": 12}
IDS = [[3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14]]
PADDED = {"input_ids": IDS, "attention_mask": [[1] * 6, [1, 1, 1, 1, 0, 0]]}
FOR_EACH_LAYER = [[1.0, 0.0], [0.3, 1.0]]
ORDER = [[[0.0, 0, 0, 0, 0, 1]] * 6] * 2
TARGET = [[[0.0, 0, 0, 0, 0, 1]]] * 2

CASES: dict[str, dict[str, Any]] = {
    "xlnet": {
        "family": "xlnet",
        "config": XLNET,
        "inputs": {"input_ids": IDS, "attention_mask": PADDED["attention_mask"]},
    },
    "xlnet, one mask for all layers": {
        "family": "xlnet",
        "config": XLNET,
        "inputs": {"input_ids": IDS},
        "mask": [0.5, 0.0],
    },
    "xlnet, two streams": {
        "family": "xlnet",
        "config": XLNET,
        "inputs": {
            "input_ids": IDS,
            "perm_mask": ORDER,
            "target_mapping": TARGET,
            "token_type_ids": [[0, 0, 0, 1, 1, 1]] * 2,
        },
    },
    "longformer": {"family": "longformer", "config": {**BERT, "attention_window": 4}, "inputs": PADDED},
    "longformer, some see all": {
        "family": "longformer",
        "config": {**BERT, "attention_window": [4, 8]},
        "inputs": {**PADDED, "global_attention_mask": [[1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0]]},
    },
    "big_bird, in full": {
        "family": "big_bird",
        "config": {**BERT, "attention_type": "original_full"},
        "inputs": PADDED,
        "mask": FOR_EACH_LAYER,
    },
    "big_bird, too short for blocks": {
        "family": "big_bird",
        "config": {**BERT, "block_size": 2, "num_random_blocks": 1},
        "inputs": PADDED,
        "mask": [0.0, 1.0],
    },
}


def settled(model: Any) -> Any:
    """Every weight a wave that begins where the letters of its name say: the same in all versions of torch."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            start = sum(map(ord, name)) % 89
            values = [0.6 * math.sin(start + 1.3 * i) for i in range(weight.numel())]
            weight.copy_(torch.tensor(values).view(weight.shape))
    return model.eval()


def outputs(models: Any, case: dict[str, Any]) -> dict[str, Any]:
    """The last hidden state and the attentions, as lists."""
    model = settled(models.AutoModel.from_config(models.AutoConfig.for_model(case["family"], **case["config"])))
    inputs = {name: torch.tensor(values) for name, values in case["inputs"].items()}
    mask = torch.tensor(case.get("mask", FOR_EACH_LAYER))
    with torch.no_grad():
        out = model(**inputs, head_mask=mask, output_attentions=True)
    names = ("last_hidden_state", "attentions", "global_attentions")
    return {name: numbers(out[name]) for name in names if out.get(name) is not None}


def numbers(found: Any) -> Any:
    if isinstance(found, torch.Tensor):
        return numbers(found.tolist())
    return round(found, 6) if isinstance(found, float) else [numbers(each) for each in found]


if __name__ == "__main__":
    import transformers

    recorded = {name: outputs(transformers, case) for name, case in CASES.items()}
    Path(sys.argv[1]).write_text(json.dumps(recorded, separators=(",", ":")) + "\n", encoding="utf-8")
