"""Makes a tiny model with the incumbent, moves every parameter, saves it, and loads it in nabi."""

from __future__ import annotations

import tempfile
from functools import cache
from typing import Any

import torch
import transformers
from torch import Tensor

import nabi

from .families import DECODERS, Case

torch.set_num_threads(1)  # tiny models lose more to waiting than two threads can gain
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

ROWS, LENGTH = 3, 9
SAMPLES = 400
_FOLDERS: list[Any] = []  # temporary folders, removed when the process ends


def class_name(case: Case, head: str) -> str:
    return case.prefix + head


def make_oracle(case: Case, head: str) -> Any:
    """The incumbent's model with every parameter and saved buffer moved off its initial value."""
    keys = dict(case.keys)
    config = getattr(transformers, f"{case.prefix}Config")(**keys)
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = getattr(transformers, class_name(case, head))(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        for name, buffer in model.named_buffers():
            if name in model.state_dict() and buffer.is_floating_point():
                buffer.add_(torch.randn_like(buffer) * 0.1)
    return model


def new_folder() -> str:
    folder = tempfile.TemporaryDirectory()
    _FOLDERS.append(folder)
    return folder.name


@cache
def pair(case: Case, head: str) -> tuple[Any, Any, str]:
    """(the incumbent's model, nabi's, the folder that the first was saved to)."""
    oracle = make_oracle(case, head)
    folder = new_folder()
    oracle.save_pretrained(folder)
    model, info = getattr(nabi, class_name(case, head)).from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    return oracle, model, folder


def is_speech(case: Case) -> bool:
    return case.family == "wav2vec2"


def is_seq2seq(case: Case) -> bool:
    return case.family in ("t5", "bart")


def decodes(case: Case, head: str) -> bool:
    """Whether this head keeps a cache for next tokens."""
    if case.family in DECODERS:
        return "QuestionAnswering" not in head and "TokenClassification" not in head
    if is_seq2seq(case):
        return head in ("Model", "ForConditionalGeneration", "ForCausalLM")
    return bool(case.keys.get("is_decoder"))


def inputs_for(case: Case, head: str, side: str = "right") -> dict[str, Tensor]:
    """A batch of three: full, padded by two and by four, on the right or the left."""
    generator = torch.Generator().manual_seed(7)
    if is_speech(case):
        values = torch.randn(ROWS, SAMPLES, generator=generator)
        mask = torch.ones(ROWS, SAMPLES, dtype=torch.long)
        for row, padding in enumerate((0, 60, 150)):
            mask[row, SAMPLES - padding :] = 0
        return {"input_values": values * mask, "attention_mask": mask}
    ids = torch.randint(5, case.keys["vocab_size"], (ROWS, LENGTH), generator=generator)
    mask = torch.ones(ROWS, LENGTH, dtype=torch.long)
    pad = getattr(nabi, f"{case.prefix}Config")(**case.keys).pad_token_id or 0
    for row, padding in enumerate((0, 2, 4)):
        place = slice(LENGTH - padding, LENGTH) if side == "right" else slice(0, padding)
        mask[row, place] = 0
        ids[row, place] = pad
        if is_seq2seq(case):  # every text has one end token
            ids[row, LENGTH - 1 - (padding if side == "right" else 0)] = {"t5": 1, "bart": 2}[case.family]
    inputs = {"input_ids": ids, "attention_mask": mask}
    if head.endswith("MultipleChoice") or head == "DoubleHeadsModel":
        inputs = {name: torch.stack((value, value.flip(0)), 1) for name, value in inputs.items()}
    if case.keys.get("add_cross_attention"):
        inputs["encoder_hidden_states"] = torch.randn(ROWS, 5, 16, generator=generator)
        inputs["encoder_attention_mask"] = torch.tensor([[1] * 5, [1, 1, 1, 0, 0], [1] * 5])
    needs_target = case.family == "t5" and head in ("Model", "ForConditionalGeneration")
    if needs_target or (case.family == "bart" and head == "ForConditionalGeneration"):
        inputs["decoder_input_ids"] = torch.randint(5, 60, (ROWS, 4), generator=generator)
    return inputs


def labels_for(case: Case, head: str, config: Any) -> dict[str, Tensor]:
    """Labels that make this head return a loss, or nothing for a body."""
    generator = torch.Generator().manual_seed(8)

    def classes(count: int, *shape: int) -> Tensor:
        return torch.randint(0, count, shape, generator=generator)

    frames = 19  # of SAMPLES samples through the tiny stem
    if is_speech(case):
        if head == "ForCTC":
            return {"labels": classes(10, ROWS, 5) + 5}
        if head == "ForPreTraining":
            hidden = torch.rand(ROWS, frames, generator=generator) < 0.4
            return {"mask_time_indices": hidden, "sampled_negative_indices": classes(ROWS * frames, ROWS, frames, 4)}
        if head == "ForAudioFrameClassification":
            return {"labels": torch.nn.functional.one_hot(classes(2, ROWS, frames), 2)}
        return {} if head == "Model" else {"labels": classes(2, ROWS)}
    tokens = classes(case.keys["vocab_size"], ROWS, LENGTH)
    tokens[:, 2] = -100
    if head in ("Model", "EncoderModel"):
        return {}
    if head == "ForQuestionAnswering":
        return {"start_positions": classes(LENGTH, ROWS), "end_positions": classes(LENGTH, ROWS)}
    if head == "ForConditionalGeneration":
        return {"labels": tokens[:, :4].contiguous()}
    if head == "ForPreTraining":
        second = {"bert": "next_sentence_label", "albert": "sentence_order_label"}.get(case.family)
        if second is None:
            return {"labels": classes(2, ROWS, LENGTH)}
        return {"labels": tokens, second: classes(2, ROWS)}
    if head == "DoubleHeadsModel":
        return {"labels": torch.stack((tokens, tokens), 1), "mc_labels": classes(2, ROWS)}
    if head in ("ForMaskedLM", "ForCausalLM", "LMHeadModel"):
        return {"labels": tokens}
    if head == "ForTokenClassification":
        return {"labels": classes(config.num_labels, ROWS, LENGTH)}
    return {"labels": classes(2, ROWS)}


def real_positions(case: Case, inputs: dict[str, Tensor], value: Tensor) -> Tensor:
    """The part of an output that belongs to real tokens; what stands at padding means nothing."""
    mask = inputs["attention_mask"]
    if is_speech(case) or value.dim() < 2:
        return value
    if mask.dim() == 3 and value.numel() % mask.numel() == 0:  # choices count as texts
        value, mask = value.reshape(mask.shape[0] * mask.shape[1], -1, value.shape[-1]), mask.flatten(0, 1)
        return value[mask.bool()] if value.shape[:2] == mask.shape else value
    if value.dim() >= 4 and value.shape[-2] == mask.shape[1]:  # attentions: rows of real queries
        return torch.cat([row[:, keep.bool()].flatten() for row, keep in zip(value, mask, strict=True)])
    if value.shape[0] == mask.numel() and value.dim() == 2:  # a router's
        return value[mask.flatten().bool()]
    if value.shape[:2] == mask.shape:
        return value[mask.bool()]
    return value


def assert_same(case: Case, inputs: dict[str, Tensor], ours: Any, theirs: Any, where: str, atol: float = 1e-4) -> None:
    """Compare two outputs, nested as they are."""
    if theirs is None:
        assert ours is None, where
    elif isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs), f"{where}: {len(ours)} entries, {len(theirs)} expected"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(case, inputs, a, b, f"{where}[{i}]", atol)
    elif isinstance(theirs, Tensor):
        same_shape = ours.shape == theirs.shape or inputs["attention_mask"].dim() == 3  # the incumbent shapes one back
        assert same_shape, f"{where}: {tuple(ours.shape)}, {tuple(theirs.shape)} expected"
        a, b = real_positions(case, inputs, ours), real_positions(case, inputs, theirs)
        difference = (a.float() - b.float()).abs().max().item() if a.numel() else 0.0
        assert difference <= atol, f"{where}: differs by {difference:.2e}"
