"""Packed rows change nothing but the time: loss and gradients are those of padded ones. Where one could tell, rows
stay padded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from nabi.nn.losses import IGNORED
from nabi.nn.packing import Packing, reading, real_tokens

from ..parity.cases import IDS, PAIRS, Case
from .tiny import make

OWN_WAY = ("longformer", "xlm", "xlnet", "big_bird", "encoder_decoder", "llava", "trocr")  # attention, or the order


def packs(case: Case, head: str) -> bool:
    """Whether a text's padding is read by nobody in this head."""
    if case.kind not in ("encoder", "decoder", "seq2seq") or case.keys.get("add_cross_attention"):
        return False
    if case.family in OWN_WAY or case.name == "deberta-v2":
        return False
    if head in ("Model", "EncoderModel", "ForQuestionAnswering"):
        return case.kind == "seq2seq" and head != "EncoderModel"  # by the decoder, behind the encoder's mask
    return (case.family, head) != ("electra", "ForMultipleChoice") and head != "DoubleHeadsModel"


PACKED = [(pair, name) for pair, name in zip(PAIRS, IDS, strict=True) if packs(*pair)]


class Used(list[bool]):
    """Whether each pass that asked got a packing."""


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Used:
    """Tiny batches are packed too."""
    monkeypatch.setattr("nabi.nn.packing._FEWEST", 1)
    seen, of = Used(), Packing.of

    def watched(*given: Any) -> Packing | None:
        found = of(*given)
        seen.append(found is not None)
        return found

    monkeypatch.setattr(Packing, "of", watched)
    return seen


def batch(case: Case, head: str, model: Any) -> dict[str, Tensor]:
    """Inputs and labels, of which none counts at padding."""
    inputs = {**case.inputs(head), **case.labels(head, model.config)}
    if "labels" in inputs:
        inputs.pop("decoder_input_ids", None)
        if inputs["labels"].shape == inputs["attention_mask"].shape:
            inputs["labels"] = inputs["labels"].masked_fill(inputs["attention_mask"] == 0, IGNORED)
    return inputs


def step(model: Any, inputs: dict[str, Tensor], **more: Any) -> tuple[float, dict[str, Tensor]]:
    model.zero_grad()
    torch.manual_seed(0)
    out = model(**inputs, **more)
    loss = out[0] if out[0].dim() == 0 else out[0].square().mean()
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_same_step(one: tuple[float, dict[str, Tensor]], other: tuple[float, dict[str, Tensor]]) -> None:
    assert one[0] == pytest.approx(other[0], rel=1e-5)
    assert set(one[1]) == set(other[1])
    scale = max(gradient.abs().max().item() for gradient in other[1].values())
    for name, gradient in other[1].items():
        most = max(gradient.abs().max().item(), 1e-2 * scale)
        difference = (one[1][name] - gradient).abs().max().item()
        assert difference <= 1e-5 * most + 1e-8, name  # the last for what nearly cancels; False of nan, too


@pytest.mark.parametrize(("case", "head"), [pair for pair, _ in PACKED], ids=[name for _, name in PACKED])
def test_a_packed_step_has_the_loss_and_the_gradients_of_a_padded_one(
    case: Case, head: str, used: Used, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make(case, head, **dict.fromkeys(case.random_keys, 0.0)).train()
    inputs = batch(case, head, model)
    packed = step(model, inputs)
    assert any(used)
    monkeypatch.setattr(Packing, "of", lambda *_: None)
    assert_same_step(packed, step(model, inputs))


@pytest.mark.parametrize("name", ["bert-ForMaskedLM", "modernbert-ForMaskedLM", "t5-ForConditionalGeneration"])
def test_recomputing_blocks_goes_with_packed_rows(name: str, used: Used) -> None:
    case, head = PAIRS[IDS.index(name)]
    model = make(case, head, **dict.fromkeys(case.random_keys, 0.0)).train()
    inputs = batch(case, head, model)
    plain = step(model, inputs)
    model.gradient_checkpointing_enable()
    assert_same_step(step(model, inputs), plain)
    assert len(used) >= 2 and any(used[: len(used) // 2]) and any(used[len(used) // 2 :])


def test_what_is_not_read_is_zero_and_what_is_read_is_as_it_was(used: Used) -> None:
    model = make("bert").train()
    inputs = PAIRS[0][0].inputs("Model")
    padded = model(**inputs).last_hidden_state
    with reading(real_tokens):
        packed = model(**inputs).last_hidden_state
    real = inputs["attention_mask"].bool()
    assert used == [False, True]
    assert torch.allclose(packed[real], padded[real], atol=1e-6)
    assert not packed[~real].any() and padded[~real].all()


def test_a_mask_of_one_row_holds_for_all_texts(used: Used) -> None:
    model = make("bert", "ForSequenceClassification").train()
    inputs = batch(PAIRS[0][0], "ForSequenceClassification", model)
    one = inputs["attention_mask"][1:2]
    with_one = step(model, {**inputs, "attention_mask": one})
    assert_same_step(with_one, step(model, {**inputs, "attention_mask": one.repeat(3, 1)}))
    assert used == [True, True]


def labelled_padding(model: Any, inputs: dict[str, Tensor]) -> Any:
    return model(**{**inputs, "labels": torch.ones_like(inputs["attention_mask"])})


def left_padding(model: Any, inputs: dict[str, Tensor]) -> Any:
    return model(**{**inputs, "attention_mask": inputs["attention_mask"].flip(1)})


def hidden_end(model: Any, inputs: dict[str, Tensor]) -> Any:
    """The ids say that the text goes on where the mask says that it has ended."""
    mask = inputs["attention_mask"].clone()
    mask[1, 4:] = 0
    return model(**{**inputs, "attention_mask": mask})


def a_text_of_padding_only(model: Any, inputs: dict[str, Tensor]) -> Any:
    mask = inputs["attention_mask"].clone()
    mask[1, 1:] = 0
    mask[2] = 0
    return model(**{**inputs, "attention_mask": mask})


def square_mask(model: Any, inputs: dict[str, Tensor]) -> Any:
    mask = inputs["attention_mask"][:, None, None].expand(-1, 1, 9, 9)
    return model(**{**inputs, "attention_mask": mask})


def without_gradients(model: Any, inputs: dict[str, Tensor]) -> Any:
    with torch.no_grad():
        return model(**inputs)


REFUSED: dict[str, tuple[str, str, Callable[[Any, dict[str, Tensor]], Any]]] = {
    "labels that count at padding": ("bert", "ForTokenClassification", labelled_padding),
    "a first token that is padding": ("bert", "ForSequenceClassification", left_padding),
    "a last token that is hidden": ("gpt2", "ForSequenceClassification", hidden_end),
    "next tokens guessed at padding": ("gpt2", "LMHeadModel", left_padding),
    "a text of padding only": ("electra", "ForPreTraining", a_text_of_padding_only),
    "a mask of pairs": ("bert", "ForSequenceClassification", square_mask),
    "no gradients": ("bert", "ForSequenceClassification", without_gradients),
    "evaluation": ("bert", "ForSequenceClassification", lambda model, inputs: model.eval()(**inputs)),
    "hidden states": ("bert", "ForSequenceClassification", lambda m, inputs: m(**inputs, output_hidden_states=True)),
    "attentions": ("bert", "ForSequenceClassification", lambda m, inputs: m(**inputs, output_attentions=True)),
    "no labels": ("bert", "ForMaskedLM", lambda m, inputs: m(**{k: v for k, v in inputs.items() if k != "labels"})),
    "answers, sought in padding too": ("bert", "ForQuestionAnswering", lambda model, inputs: model(**inputs)),
    "a body by itself": (
        "bert",
        "ForMaskedLM",
        lambda m, inputs: m.bert(inputs["input_ids"], inputs["attention_mask"]),
    ),
    "no padding": ("bert", "ForMaskedLM", lambda m, i: m(**{**i, "attention_mask": torch.ones_like(i["input_ids"])})),
}


@pytest.mark.parametrize("why", REFUSED)
def test_rows_stay_padded_where_padding_is_read_or_rows_are_shown(why: str, used: Used) -> None:
    name, head, run = REFUSED[why]
    case = next(case for case, _ in PAIRS if case.name == name)
    model = make(case, head).train()
    run(model, batch(case, head, model))
    assert not any(used)


def test_few_padding_tokens_are_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = torch.ones(32, 40, dtype=torch.long)
    mask[0, 1:] = 0  # 39 of 1280
    with reading(real_tokens):
        assert Packing.of(mask, 32) is None
        mask[1:3, 1:] = 0  # 117
        assert Packing.of(mask, 32) is not None
    assert Packing.of(mask, 32) is None, "nobody has said what is read"
