"""Small models with weights that are not their first ones."""

from __future__ import annotations

from typing import Any

import torch

import nabi

BERT = dict(
    vocab_size=60,
    hidden_size=16,
    num_hidden_layers=4,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
GPT2 = dict(vocab_size=60, n_positions=32, n_embd=16, n_layer=4, n_head=2, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)


def moved(model: Any, seed: int = 0) -> Any:
    """The model with every parameter moved, in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model.eval()


def make(name: str, seed: int = 0, **keys: Any) -> Any:
    """A model by its class's name, with keys of the config changed."""
    torch.manual_seed(seed)
    if name.startswith("GPT2"):
        config: Any = nabi.GPT2Config(**{**GPT2, **keys})
    elif name.startswith("Electra"):
        config = nabi.ElectraConfig(**{**BERT, "embedding_size": 8, **keys})
    else:
        config = nabi.BertConfig(**{**BERT, **keys})
    return moved(getattr(nabi, name)(config), seed)
