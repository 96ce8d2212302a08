"""`XModel(XConfig())`: the family's own random weights, as the incumbent makes them; and as many numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers

import nabi

from ..parity.cases import CASES, Case
from ..parity.pairs import on_disk

# Wide enough to measure a spread, with the proportions of the tiny cases.
WIDENED = {
    **dict.fromkeys(["hidden_size", "d_model", "n_embd", "dim", "vocab_size", "embedding_size", "codevector_dim"], 4),
    **dict.fromkeys(["intermediate_size", "d_ff", "hidden_dim", "encoder_ffn_dim", "decoder_ffn_dim", "n_inner"], 4),
    **dict.fromkeys(["proj_codevector_dim", "classifier_proj_size", "d_kv", "num_codevectors_per_group"], 4),
}
# Where the incumbent differs for a reason that is not the family's: end of the weight's name -> nabi's spread.
#   lm_head of an untied T5: the incumbent 5 ties it to the words until a file is loaded, with their spread, 1.
#   Wav2Vec2's and HuBERT's positions: the paper's spread; the incumbent sets its own on a weight that is computed from
#   two others, which keep the spread that torch gives any convolution.
OWN = {
    "lm_head.weight": lambda config: 1.0,
    "weight.original1": lambda config: 2 * (config.num_conv_pos_embeddings * config.hidden_size) ** -0.5,
}
WIDE = [case for case in CASES if case.only != ("Model",) and "rope_scaling" not in case.keys]
PAIRS = [(case, head) for case in WIDE for head in case.heads]


def make_both(case: Case, head: str) -> tuple[Any, Any]:
    keys = {key: value * WIDENED.get(key, 1) if key in WIDENED else value for key, value in case.keys.items()}
    made = []
    for library in (transformers, nabi):
        torch.manual_seed(11)
        made.append(getattr(library, case.prefix + head)(replace(case, keys=keys).config(library)))
    return made[0], made[1]


def moments(tensor: torch.Tensor) -> tuple[float, float, float]:
    """Mean, standard deviation, and the shape of the distribution: 3 for a normal one, 1.8 for a uniform one."""
    centred = tensor - tensor.mean()
    spread = centred.square().mean().sqrt()
    shape = (centred**4).mean() / spread**4 if spread > 0 else torch.tensor(0.0)
    return tensor.mean().item(), spread.item(), shape.item()


@pytest.mark.parametrize(("case", "head"), PAIRS, ids=[f"{case.name}-{head}" for case, head in PAIRS])
def test_every_weight_is_drawn_as_the_incumbent_draws_it(case: Case, head: str) -> None:
    """Two samples of n numbers: means within 6 s/sqrt(n), spreads within 6/sqrt(n) of each other, the same shape."""
    oracle, model = make_both(case, head)
    wanted, found = ({name: weight.double() for name, weight in on_disk(each).items()} for each in (oracle, model))
    own = {name for name in found if "parametrizations.weight.original" in name}
    own |= {"lm_head.weight"} & set(found) if case.name == "t5-v1.1" else set()
    for name in own - {name for name in own if name.endswith("original0")}:
        end = next(end for end in OWN if name.endswith(end))
        assert moments(found[name])[1] == pytest.approx(OWN[end](model.config), rel=0.05), name
    own |= model.unstored_weights()
    assert set(found) - own == set(wanted) - own
    wanted = {name: tensor for name, tensor in wanted.items() if name not in own}
    for name, tensor in wanted.items():
        n = tensor.numel()
        (mean, spread, shape), (our_mean, our_spread, our_shape) = moments(tensor), moments(found[name])
        what = f"{name}: mean {our_mean:.4g} ({mean:.4g}), std {our_spread:.4g} ({spread:.4g})"
        if spread < 1e-9:
            assert our_spread < 1e-9 and our_mean == pytest.approx(mean, abs=1e-9), what
            continue
        slack = 6 / math.sqrt(n)
        assert abs(our_spread / spread - 1) < slack, what
        assert abs(our_mean - mean) < slack * spread, what
        if n >= 2000:
            assert abs(our_shape - shape) < 12 * math.sqrt(24 / n), f"{name}: shape {our_shape:.2f} ({shape:.2f})"
    for name, tensor in wanted.items():  # the rows of padding
        if tensor.dim() == 2:
            zero = (tensor == 0).all(1).nonzero().flatten().tolist()
            assert (found[name] == 0).all(1).nonzero().flatten().tolist() == zero, name


@pytest.mark.parametrize(("case", "head"), PAIRS, ids=[f"{case.name}-{head}" for case, head in PAIRS])
def test_a_model_holds_as_many_numbers_as_the_incumbents(case: Case, head: str) -> None:
    oracle, model = make_both(case, head)
    untied = model.lm_head.weight.numel() if (case.name, head) == ("t5-v1.1", "ForConditionalGeneration") else 0
    assert model.num_parameters() == oracle.num_parameters() + untied
    for each in (oracle, model):
        next(each.parameters()).requires_grad_(False)
    assert model.num_parameters(only_trainable=True) < model.num_parameters()
    assert model.num_parameters(only_trainable=True) == sum(p.numel() for p in model.parameters() if p.requires_grad)
    words = sum(
        m.weight.numel()
        for m in {id(m.weight): m for m in model.modules() if isinstance(m, torch.nn.Embedding)}.values()
    )
    assert model.num_parameters(exclude_embeddings=True) == model.num_parameters() - words


def test_gpt2s_layers_that_add_to_the_stream_start_smaller() -> None:
    torch.manual_seed(0)
    model = nabi.GPT2Model(nabi.GPT2Config(n_embd=64, n_layer=8, n_head=4, vocab_size=100))
    assert model.h[3].mlp.c_proj.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)
    assert model.h[3].mlp.c_fc.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_barts_spread_is_its_own_key() -> None:
    torch.manual_seed(0)
    keys = {"d_model": 64, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 100}
    model = nabi.BartModel(nabi.BartConfig(init_std=0.1, encoder_attention_heads=4, decoder_attention_heads=4, **keys))
    assert model.encoder.layers[0].fc1.weight.std().item() == pytest.approx(0.1, rel=0.05)
    assert model.shared.weight[1].abs().sum() == 0
    assert model.shared.weight is model.encoder.embed_tokens.weight is model.decoder.embed_tokens.weight


def test_a_seed_gives_the_same_weights_again() -> None:
    def make() -> torch.Tensor:
        torch.manual_seed(4)
        return nabi.BertModel(
            nabi.BertConfig(hidden_size=16, num_attention_heads=2, num_hidden_layers=1)
        ).pooler.dense.weight

    assert torch.equal(make(), make())


def test_a_config_may_ask_for_a_dtype() -> None:
    model = nabi.BertModel.from_config(nabi.BertConfig(hidden_size=16, num_attention_heads=2), dtype="bfloat16")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
