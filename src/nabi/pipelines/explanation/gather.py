"""From what was seen of a pipeline's call to what an explanation says: a part for each pass of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .attribution import attribute
from .beams import beam_tree
from .contents import Attention, Part, Sequence
from .lens import logit_lens
from .outputs import Target, read_outputs
from .pieces import sequence_of, token_names
from .seen import Pass, Seen
from .writing import shows_the_steps

MOST_PIECES = 128  # of which attention is kept,
MOST_PLACES = 64  # and for which each layer is read through the head


def parts_of(pipe: Any, seen: Seen, settings: dict[str, Any]) -> list[Part]:
    """The passes in the order of the item's windows or hypotheses, each as a part."""
    passes = sorted(seen.passes, key=lambda each: number_of_part(seen, each))
    parts = [part_of(pipe, seen, each, settings) for each in passes]
    second = [part.sequences[0].texts[1:] if part.sequences else [] for part in parts]
    for number, (part, texts) in enumerate(zip(parts, second, strict=True), 1):
        part.title = f"{number} of {len(parts)}"
        if texts and second.count(texts) == 1:  # a hypothesis, not one window of many
            part.title += f": {texts[0]}"
    if not parts:
        missing = [*seen.missing, "scores: the pipeline does not call the model as a whole"]
        parts = [Part("", {}, [], list(seen.stages.values()), missing=missing)]
    return parts


def number_of_part(seen: Seen, one: Pass) -> int:
    """Which of the prepared parts this pass ran."""
    ids = one.inputs.get("input_ids")
    for number, part in enumerate(seen.prepared):
        known = part.get("input_ids") if isinstance(part, Mapping) else None
        if isinstance(known, Tensor) and isinstance(ids, Tensor) and torch.equal(known.cpu(), ids.cpu()):
            return number
    return len(seen.prepared)


def part_of(pipe: Any, seen: Seen, one: Pass, settings: dict[str, Any]) -> Part:
    inputs = {name: list(value.shape) for name, value in one.inputs.items() if isinstance(value, Tensor)}
    part = Part("", inputs, sequences_of(pipe, seen, one), one.stages, missing=list(seen.missing))
    if not shows_the_steps(one):
        part.missing.append("scores, attention, attribution: one pass over this model's text is not what each step saw")
        return part
    read = part.sequences[-1] if part.sequences else None  # what the head's scores are about
    if one.writing is None and read is not None and read.name == "decoder":
        read = part.sequences[0]
    reading = read_outputs(
        pipe,
        one,
        read,
        seen.result,
        count=settings["count"],
        target=settings["target"],
        position=settings["position"],
    )
    part.outputs = reading.outputs
    if reading.missing:
        part.missing.append(reading.missing)
    if not part.sequences:
        part.missing.append("tokens, attention, attribution: this model does not read text")
        return part
    part.attentions, lacking = attentions_of(part, one)
    part.missing += lacking
    add_attribution(pipe, part, reading.target, settings)
    if one.writing is not None or hasattr(pipe.model, "score_tokens"):
        groups = reading.outputs.groups if reading.outputs else []
        places = [group.place for group in groups if group.place is not None]
        if one.writing is not None:
            places = list(range(len(part.sequences[-1].pieces)))[-MOST_PLACES:]
        lens = logit_lens(pipe, one, part.sequences[-1], places, settings["count"])
        if isinstance(lens, str):
            part.missing.append(lens)
        else:
            part.lens = lens
    if one.writing is not None and one.writing.settings.num_beams > 1:
        part.beams = beam_tree(one.writing.beams, one.writing.ids, lambda ids: token_names(pipe.tokenizer, ids))
        if part.beams is None:
            part.missing.append("beam tree: kept for plain beam search only, not for groups, constraints and speech")
    return part


def sequences_of(pipe: Any, seen: Seen, one: Pass) -> list[Sequence]:
    """The text; or the source and what the decoder read."""
    if pipe.tokenizer is None:
        return []
    found = []
    ids, mask = one.inputs.get("input_ids"), one.inputs.get("attention_mask")
    start = one.writing.start if one.writing is not None else 0
    if isinstance(ids, Tensor):
        decodes = one.target_ids is not None
        name = "source" if decodes else "text"
        row = None if mask is None or mask.dim() != 2 else mask[0]
        found.append(sequence_of(name, pipe.tokenizer, ids[0].cpu(), row, seen.encoded, 0 if decodes else start))
    if one.target_ids is not None:
        name = "decoder" if one.writing is None else "written"
        found.append(sequence_of(name, pipe.tokenizer, one.target_ids[0].cpu(), None, [], start))
    return found


# ---------------------------------------------------------------- attention


def attentions_of(part: Part, one: Pass) -> tuple[list[Attention], list[str]]:
    """The weights that the model returned, for as many pieces as are kept; and what it did not."""
    first, last = part.sequences[0].name, part.sequences[-1].name
    reads_text = "input_ids" in one.inputs
    kinds = (
        ("attention", "attentions", first, first),
        ("the source's attention", "encoder_attentions", first, first),
        ("the target's attention", "decoder_attentions", last, last),
        ("attention to the source", "cross_attentions", last, first),
    )
    found, lacking = [], []
    for name, key, rows, columns in kinds:
        given = one.outputs.get(key)
        if not given or (not reads_text and key in ("encoder_attentions", "cross_attentions")):
            continue
        shapes = [len(part.sequence(each).pieces) for each in (rows, columns)]
        if any(not isinstance(layer, Tensor) or list(layer.shape[2:]) != shapes for layer in given):
            lacking.append(f"{name}: the model's weights are not those of each piece for each piece")
            continue
        weights = torch.stack([layer[0, :, :MOST_PIECES, :MOST_PIECES].float().cpu() for layer in given])
        note = f"the first {MOST_PIECES} of {max(shapes)} pieces" if max(shapes) > MOST_PIECES else ""
        found.append(Attention(name, rows, columns, weights, note))
    if not reads_text:
        lacking.append("attention to what the encoder reads: it has no pieces")
    if not found and not lacking:
        lacking.append("attention: the model does not return its weights")
    return found, lacking


# ---------------------------------------------------------------- attribution


def add_attribution(pipe: Any, part: Part, target: Target | None, settings: dict[str, Any]) -> None:
    if settings["method"] is None:
        return
    if target is None:
        part.missing.append("attribution: there is no single score that it could explain")
        return
    names = [sequence.name for sequence in part.sequences]
    try:
        found = attribute(pipe, target, names, method=settings["method"], steps=settings["steps"])
    except (RuntimeError, NotImplementedError) as error:  # torch's, as of quantised layers
        found = f"no gradient comes through the word embeddings ({str(error).splitlines()[0]})"
    if isinstance(found, str):
        part.missing.append(f"attribution: {found}")
    else:
        part.attribution = found
