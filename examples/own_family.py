"""A family of your own, in one file: FNet's idea (arXiv:2105.03824), tokens mixed by a Fourier transform.

    python examples/own_family.py FOLDER     # train a little, save, load again through the Auto classes

What a family says: the keys of its config.json, where its weights stand on disk, how a block is wired, its body, its
heads. The rest - loading, saving, losses, embeddings, checks - is the engine's. `register` makes the Auto classes and
`pipeline` know it; it must run before a checkpoint is loaded.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import torch
from torch import Tensor

from nabi import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification
from nabi.config import Config
from nabi.nn import heads
from nabi.nn.context import Context
from nabi.nn.pretrained import PreTrainedModel
from nabi.nn.roles import At
from nabi.nn.text_encoder import EncoderBlock, TextEncoder


class FourierConfig(Config):
    """One annotated field for each key of config.json; a key that is no field is an error."""

    model_type = "fourier"

    vocab_size: int = 1000
    hidden_size: int = 64
    num_hidden_layers: int = 2
    num_attention_heads: int = 1
    intermediate_size: int = 128
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.0
    max_position_embeddings: int = 128
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    classifier_dropout: float | None = None
    pad_token_id: int | None = 0


def fourier(block: Any, x: Tensor, context: Context) -> Tensor:
    """A wiring: mix along tokens and features, then the MLP, each followed by a norm. No weights in the mixing."""
    mixed = torch.fft.fft2(x.float(), dim=(-2, -1)).real.to(x.dtype)
    x = block.norm_attn(x + mixed)
    return block.norm_mlp(x + block.dropout(block.feed(x, context)))


class FourierBlock(EncoderBlock):
    wiring = fourier
    norm_attn = At("fourier.output.LayerNorm")  # the role, and its place on disk
    up, down = At("intermediate.dense"), At("output.dense")
    norm_mlp = At("output.LayerNorm")


class FourierPreTrainedModel(PreTrainedModel):
    config_class = FourierConfig
    base_model_prefix = "fourier"


class FourierModel(TextEncoder, FourierPreTrainedModel):
    block_class = FourierBlock
    word_embeddings = At("embeddings.word_embeddings")
    blocks = At("encoder.layer")


class FourierHead(FourierPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = FourierModel


class FourierForSequenceClassification(FourierHead, heads.SequenceClassification):
    pass


class FourierForMaskedLM(FourierHead, heads.MaskedLM):
    ties: ClassVar[dict[str, str]] = {
        "cls.predictions.decoder.weight": "fourier.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }
    dense = At("cls.predictions.transform.dense")
    norm = At("cls.predictions.transform.LayerNorm")
    output_embeddings = At("cls.predictions.decoder")
    lm_bias = At("cls.predictions.bias")


def register() -> None:
    """Make the family known by its model_type."""
    AutoConfig.register(FourierConfig.model_type, FourierConfig)
    AutoModel.register(FourierConfig, FourierModel)
    AutoModelForSequenceClassification.register(FourierConfig, FourierForSequenceClassification)
    AutoModelForMaskedLM.register(FourierConfig, FourierForMaskedLM)


def train(folder: str, steps: int = 60) -> float:
    """Teach it whether token 7 stands in a text, save it, load it again: the share of new texts that it gets right."""
    torch.manual_seed(0)
    model = FourierForSequenceClassification(FourierConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)

    def texts(count: int) -> tuple[Tensor, Tensor]:
        ids, labels = torch.randint(8, 50, (count, 12)), torch.randint(0, 2, (count,))
        place = torch.randint(0, 12, (count,))
        ids[torch.arange(count), place] = torch.where(labels == 1, 7, ids[torch.arange(count), place])
        return ids, labels

    for _ in range(steps):
        ids, labels = texts(64)
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)

    again = AutoModelForSequenceClassification.from_pretrained(folder)
    ids, labels = texts(500)
    with torch.inference_mode():
        return (again(input_ids=ids).logits.argmax(-1) == labels).float().mean().item()


if __name__ == "__main__":
    register()
    print(f"{train(sys.argv[1] if len(sys.argv) > 1 else 'my-fourier'):.2f} of 500 new texts are right")
