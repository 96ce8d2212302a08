"""What the head said, as scores with names; and the one number of it that an attribution explains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .contents import Group, Outputs, Score, Sequence
from .pieces import token_names
from .seen import Pass
from .writing import inputs_up_to

MOST_GROUPS = 512  # tokens whose scores are listed


@dataclass
class Target:
    """A number to explain: `read` takes it from the model's output, (rows,), when the model gets `inputs`."""

    name: str
    read: Callable[[Any], Tensor]
    inputs: dict[str, Any]


@dataclass
class Reading:
    outputs: Outputs | None
    target: Target | None
    missing: str = ""


def read_outputs(
    pipe: Any,
    seen: Pass,
    sequence: Sequence | None,
    result: Any,
    *,
    count: int,
    target: Any = None,
    position: int | None = None,
) -> Reading:
    """The scores of one pass; `count` of each group where there are many. result: the pipeline's.

    target: a label (its name or number) or a token; position: of a piece, or of a written token. Left out, what
    the model itself found likeliest.
    """
    out = seen.outputs
    if seen.writing is not None:
        return of_next_tokens(pipe, seen, count, target, position)
    if out.get("start_logits") is not None and sequence is not None:
        return of_span(pipe, seen, sequence, count, position, result)
    if out.get("logits_per_image") is not None:
        logits = out["logits_per_image"][0].float().cpu()
        names = {number: f"text {number + 1}" for number in range(len(logits))}
        return Reading(Outputs("softmax", [Group("texts", best_of(logits, names, "softmax", count))]), None)
    logits = out.get("logits")
    if logits is None:
        return Reading(None, None, "scores: this model has no head, its output is the hidden states")
    if logits.dim() == 2:
        return of_labels(pipe, seen, target)
    words = getattr(pipe.model, "score_tokens", None) is not None
    if words and sequence is not None and logits.shape[1] == len(sequence.pieces):
        return of_masks(pipe, seen, sequence, count, target, position)
    return of_tokens(pipe, seen, sequence, count, target, position)


# ---------------------------------------------------------------- kinds of heads


def of_labels(pipe: Any, seen: Pass, target: Any) -> Reading:
    """One row of logits for the text."""
    logits = seen.outputs["logits"][0].float().cpu()
    config = pipe.model.config
    names = {number: str(config.id2label.get(number, f"LABEL_{number}")) for number in range(len(logits))}
    several = config.problem_type == "multi_label_classification" or len(logits) == 1
    function = "none" if config.problem_type == "regression" else "sigmoid" if several else "softmax"
    entailment = getattr(pipe, "entailment_id", None)  # what the labels of zero-shot classification are weighed by
    best = int(logits.argmax()) if entailment is None else entailment % len(logits)
    chosen = best if target is None else number_of(target, names)
    scores = best_of(logits, names, function, len(names), chosen)
    name = f"logit of {names[chosen]!r}"
    return Reading(
        Outputs(function, [Group("labels", scores)]), Target(name, lambda out: out["logits"][:, chosen], seen.inputs)
    )


def of_tokens(
    pipe: Any, seen: Pass, sequence: Sequence | None, count: int, target: Any, position: int | None
) -> Reading:
    """A row of logits for each token, for each frame of a sound, for each thing that might be in a picture."""
    logits = seen.outputs["logits"][0].float().cpu()
    labels = pipe.model.config.id2label
    if sequence is None and pipe.tokenizer is not None and len(pipe.tokenizer) >= logits.shape[-1]:  # of speech
        labels = dict(enumerate(pipe.tokenizer.convert_ids_to_tokens(list(range(logits.shape[-1])))))
    names = {each: str(labels.get(each, f"LABEL_{each}")) for each in range(logits.shape[-1])}
    fits = sequence is not None and len(sequence.pieces) == len(logits)
    groups = []
    for place, row in enumerate(logits[:MOST_GROUPS]):
        if sequence is None or not fits:
            groups.append(Group(f"place {place}", best_of(row, names, "softmax", count)))
        elif not sequence.pieces[place].special:
            groups.append(Group(sequence.pieces[place].text, best_of(row, names, "softmax", count), place))
    if sequence is None or not fits or not groups:
        return Reading(Outputs("softmax", groups), None)
    if position is None:  # the surest one that is something
        sure = max(groups, key=lambda group: group.scores[0].probability + (group.scores[0].label != "O"))
        place = sure.place or 0
    else:
        place = checked_place(position, len(logits))
    best = int(logits[place].argmax()) if target is None else number_of(target, names)
    name = f"logit of {names[best]!r} at {sequence.pieces[place].text!r}"
    return Reading(Outputs("softmax", groups), Target(name, lambda out: out["logits"][:, place, best], seen.inputs))


def of_span(pipe: Any, seen: Pass, sequence: Sequence, count: int, position: int | None, result: Any) -> Reading:
    """Where an answer begins and where it ends: the pipeline's, if it is in this window, else the likeliest here."""
    starts, ends = (seen.outputs[name][0].float().cpu() for name in ("start_logits", "end_logits"))
    names = {place: piece.text for place, piece in enumerate(sequence.pieces)}
    number = 1 if any(piece.number == 1 for piece in sequence.pieces) else None
    if number is not None and pipe.tokenizer.padding_side == "left":
        number = 0  # the question stands behind the context
    context = [place for place, piece in enumerate(sequence.pieces) if not piece.special and piece.number == number]
    start, end = found_in(sequence, context, result) or best_span(starts, ends, context)
    if position is not None:
        start = end = checked_place(position, len(starts))
    groups = [
        Group("the answer begins at", best_of(starts, names, "softmax", count, start)),
        Group("the answer ends at", best_of(ends, names, "softmax", count, end)),
    ]
    words = " … ".join(dict.fromkeys((names[start], names[end])))
    return Reading(
        Outputs("softmax", groups),
        Target(
            f"start logit + end logit of the answer {words!r}",
            lambda out: out["start_logits"][:, start] + out["end_logits"][:, end],
            seen.inputs,
        ),
    )


def found_in(sequence: Sequence, context: list[int], result: Any) -> tuple[int, int] | None:
    """The first and the last piece of the answer that the pipeline gave, if both are here."""
    answer = result[0] if isinstance(result, list) and result else result
    if not isinstance(answer, dict) or not answer.get("answer"):
        return None
    pieces = [(place, sequence.pieces[place].start, sequence.pieces[place].end) for place in context]
    known = [(place, begin, end) for place, begin, end in pieces if begin is not None and end is not None]
    if not known or known[0][1] > answer["start"] or known[-1][2] < answer["end"]:
        return None
    inside = [place for place, begin, end in known if end > answer["start"] and begin < answer["end"]]
    return (inside[0], inside[-1]) if inside else None


def best_span(starts: Tensor, ends: Tensor, context: list[int]) -> tuple[int, int]:
    """The likeliest first and last piece, in their order."""
    if not context:
        return int(starts.argmax()), int(ends.argmax())
    here = torch.tensor(context)
    total = (starts[here, None] + ends[None, here]).masked_fill(here[:, None] > here[None], float("-inf"))
    start, end = divmod(int(total.argmax()), len(context))
    return context[start], context[end]


def of_masks(pipe: Any, seen: Pass, sequence: Sequence, count: int, target: Any, position: int | None) -> Reading:
    """The likeliest tokens for each mask."""
    logits = seen.outputs["logits"][0].float().cpu()
    masks = [place for place, piece in enumerate(sequence.pieces) if piece.id == pipe.tokenizer.mask_token_id]
    if not masks:
        return Reading(None, None, "scores: the text has no mask, so there is no token to fill in")
    groups = [
        Group(f"mask {number}", best_tokens(pipe, logits[place], count), place) for number, place in enumerate(masks, 1)
    ]
    place = masks[0] if position is None else checked_place(position, len(logits))
    token = int(logits[place].argmax()) if target is None else token_of(pipe, target)
    return Reading(
        Outputs("softmax", groups),
        Target(
            f"logit of {token_names(pipe.tokenizer, [token])[0]!r} at place {place}",
            lambda out: out["logits"][:, place, token],
            seen.inputs,
        ),
    )


def of_next_tokens(pipe: Any, seen: Pass, count: int, target: Any, position: int | None) -> Reading:
    """Before each written token, the likeliest ones; position counts the written tokens."""
    writing = seen.writing
    assert writing is not None
    logits = seen.outputs["logits"][0].float().cpu()
    groups = []
    for step, token in enumerate(writing.ids[writing.start :].tolist()):
        row = logits[writing.start + step - 1]
        scores = best_tokens(pipe, row, count, chosen=token)
        if step < len(writing.scores):
            after = writing.scores[step].float().softmax(-1).cpu()
            for score in scores:
                score.drawn_from = float(after[score.id])
        groups.append(Group(f"token {step + 1}", scores, writing.start + step))
    if not groups:
        return Reading(None, None, "scores: no token was written")
    step = 0 if position is None else checked_place(position, len(groups))
    end = writing.start + step
    token = int(writing.ids[end]) if target is None else token_of(pipe, target)
    name = f"logit of {token_names(pipe.tokenizer, [token])[0]!r} as token {step + 1}"
    return Reading(
        Outputs("softmax", groups),
        Target(name, lambda out: out["logits"][:, end - 1, token], inputs_up_to(pipe.model, writing, end)),
    )


# ---------------------------------------------------------------- scores


def best_of(logits: Tensor, names: dict[int, str], function: str, count: int, chosen: int | None = None) -> list[Score]:
    """The best of a row of logits; the chosen one (left out, the best) is among them."""
    chances = {"softmax": logits.softmax(-1), "sigmoid": logits.sigmoid(), "none": logits}[function]
    order = logits.argsort(descending=True)[:count].tolist()
    chosen = order[0] if chosen is None else chosen
    order += [] if chosen in order else [chosen]
    return [
        Score(names[each], float(logits[each]), float(chances[each]), each, chosen=each == chosen) for each in order
    ]


def best_tokens(pipe: Any, logits: Tensor, count: int, chosen: int | None = None) -> list[Score]:
    """The likeliest tokens of a row of logits; the chosen one is among them, behind the others if it was unlikely."""
    chances = logits.softmax(-1)
    order = logits.topk(min(count, len(logits))).indices.tolist()
    chosen = order[0] if chosen is None else chosen
    order += [] if chosen in order else [chosen]
    names = token_names(pipe.tokenizer, order)
    return [
        Score(name, float(logits[each]), float(chances[each]), each, chosen=each == chosen)
        for name, each in zip(names, order, strict=True)
    ]


def number_of(target: Any, names: dict[int, str]) -> int:
    """The number of a label that is given by its name or its number."""
    if isinstance(target, int) and target in names:
        return target
    found = [number for number, name in names.items() if name == target]
    if not found:
        raise ValueError(
            f"target is {target!r}; the model's labels are {', '.join(map(repr, list(names.values())[:20]))}"
        )
    return found[0]


def token_of(pipe: Any, target: Any) -> int:
    """The id of a token that is given by its id, its name, or as a text of one token."""
    if isinstance(target, int):
        return target
    found = pipe.tokenizer.convert_tokens_to_ids(target)
    if found is not None and found != pipe.tokenizer.unk_token_id:
        return int(found)
    ids = pipe.tokenizer(target, add_special_tokens=False)["input_ids"]
    if len(ids) != 1:
        raise ValueError(f"target is {target!r}, which is {len(ids)} tokens for this model; expected one")
    return int(ids[0])


def checked_place(position: Any, count: int) -> int:
    if isinstance(position, bool) or not isinstance(position, int) or not -count <= position < count:
        raise ValueError(f"position is {position!r}; expected a whole number from 0 to {count - 1}")
    return position % count
