"""What the models of a case read, by kind, and the labels that train them. The same numbers every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

import nabi

if TYPE_CHECKING:
    from .case import Case

ROWS, LENGTH = 3, 9
SAMPLES, FRAMES = 400, 19  # of sound, and what the tiny stems make of it
PIXELS = (3, 8, 8)


def text(case: Case, head: str, side: str) -> dict[str, Tensor]:
    """Three texts: full, padded by two and by four; choices in pairs; an encoder's output where the config crosses."""
    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(5, case.keys["vocab_size"], (ROWS, LENGTH), generator=generator)
    mask = torch.ones(ROWS, LENGTH, dtype=torch.long)
    config = case.config(nabi)
    for row, padding in enumerate((0, 2, 4)):
        place = slice(LENGTH - padding, LENGTH) if side == "right" else slice(0, padding)
        mask[row, place] = 0
        ids[row, place] = config.pad_token_id or 0
        if case.kind == "seq2seq":  # every text has one end token
            ids[row, LENGTH - 1 - (padding if side == "right" else 0)] = config.eos_token_id
    inputs = {"input_ids": ids, "attention_mask": mask}
    if head.endswith("MultipleChoice") or head == "DoubleHeadsModel":
        inputs = {name: torch.stack((value, value.flip(0)), 1) for name, value in inputs.items()}
    if case.keys.get("add_cross_attention"):
        inputs["encoder_hidden_states"] = torch.randn(ROWS, 5, 16, generator=generator)
        inputs["encoder_attention_mask"] = torch.tensor([[1] * 5, [1, 1, 1, 0, 0], [1] * 5])
    if case.kind == "seq2seq" and head in case.targets:
        inputs["decoder_input_ids"] = torch.randint(5, case.keys["vocab_size"], (ROWS, 4), generator=generator)
    return inputs


def sound(case: Case, head: str, side: str) -> dict[str, Tensor]:
    values = torch.randn(ROWS, SAMPLES, generator=torch.Generator().manual_seed(7))
    mask = torch.ones(ROWS, SAMPLES, dtype=torch.long)
    for row, padding in enumerate((0, 60, 150)):
        mask[row, SAMPLES - padding :] = 0
    return {"input_values": values * mask, "attention_mask": mask}


def image(case: Case, head: str, side: str) -> dict[str, Tensor]:
    return {"pixel_values": torch.randn(ROWS, *PIXELS, generator=torch.Generator().manual_seed(7))}


def classes(count: int, *shape: int, seed: int = 8) -> Tensor:
    return torch.randint(0, count, shape, generator=torch.Generator().manual_seed(seed))


def text_labels(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    tokens = classes(case.keys["vocab_size"], ROWS, LENGTH)
    tokens[:, 2] = -100
    if head in ("Model", "EncoderModel"):
        return {}
    if head.startswith("ForQuestionAnswering"):
        return {"start_positions": classes(LENGTH, ROWS), "end_positions": classes(LENGTH, ROWS, seed=9)}
    if head in ("ForConditionalGeneration", "MTModel"):
        return {"labels": tokens[:, :4].contiguous()}
    if head == "DoubleHeadsModel":
        return {"labels": torch.stack((tokens, tokens), 1), "mc_labels": classes(2, ROWS)}
    if head in ("ForMaskedLM", "ForCausalLM", "LMHeadModel", "WithLMHeadModel"):
        return {"labels": tokens}
    if head == "ForTokenClassification":
        return {"labels": classes(config.num_labels, ROWS, LENGTH)}
    return {"labels": classes(2, ROWS)}


def sound_labels(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    if head == "ForCTC":
        return {"labels": classes(10, ROWS, 5) + 5}
    if head == "ForPreTraining":
        hidden = torch.rand(ROWS, FRAMES, generator=torch.Generator().manual_seed(8)) < 0.4
        return {"mask_time_indices": hidden, "sampled_negative_indices": classes(ROWS * FRAMES, ROWS, FRAMES, 4)}
    if head == "ForAudioFrameClassification":
        return {"labels": torch.nn.functional.one_hot(classes(2, ROWS, FRAMES), 2)}
    return {} if head == "Model" else {"labels": classes(2, ROWS)}


def image_labels(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    return {"labels": classes(2, ROWS)} if head == "ForImageClassification" else {}


Inputs = Callable[["Case", str, str], dict[str, Tensor]]
Labels = Callable[["Case", str, Any], dict[str, Tensor]]
INPUTS: dict[str, Inputs] = {"encoder": text, "decoder": text, "seq2seq": text, "speech": sound, "image": image}
LABELS: dict[str, Labels] = {
    **dict.fromkeys(("encoder", "decoder", "seq2seq"), text_labels),
    "speech": sound_labels,
    "image": image_labels,
}
