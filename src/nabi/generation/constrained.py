"""Constrained beam search: texts that must hold given phrases (after arXiv:1804.06609, with banks by progress)."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from .constraints import Constraint, ConstraintListState, DisjunctiveConstraint, constraints_of
from .hypotheses import OUT, Continuations, Hypotheses, likeliest, returned, waiting
from .run import Run, vocabulary_of

_BANK = 100  # a step of progress outweighs any difference in score


def constrained_beam_search(run: Run) -> Any:
    """Beam search for texts in which all settings.force_words_ids and settings.constraints are met.

    Beside each beam's likeliest continuations stand those that a constraint asks for. Beams go on from each degree of
    progress in turn, the likeliest of each. A text that ends counts only if it meets all. Where none does in the
    room there is, the likeliest texts are returned as they are. What a prompt holds is met already.
    """
    settings = run.settings
    constraints = checked(run)
    stepper, ids, beams = run.stepper(), run.ids, settings.num_beams
    texts, start = len(ids) // beams, ids.shape[1]
    rows = torch.arange(len(ids), device=ids.device).view(texts, beams)
    kept = [Hypotheses(beams, run) for _ in range(texts)]
    totals = torch.full((texts, beams), OUT, device=ids.device)
    totals[:, 0] = 0.0  # the beams begin alike: only the first one goes on
    written = ids.new_empty(len(ids), 0)
    while True:
        logits = stepper(ids)[:, -1]
        changed = run.processors(ids, torch.log_softmax(logits, dim=-1))
        sums = changed[rows] + totals[..., None]
        run.record.see(logits, sums.flatten(0, 1), stepper.last)
        tokens, parents = torch.zeros_like(rows), rows.clone()
        for text, found in enumerate(likeliest(sums, rows, len(settings.eos))):
            if kept[text].done:
                onward = waiting(settings.pad, rows[text])
            else:
                onward = kept[text].divide(found, ids, written, counts=partial(is_met, constraints))
                onward = with_progress(constraints, onward, sums[text], ids, rows[text])
                kept[text].look_for_end(float(found.scores[0]), ids.shape[1] + 1 - start)
            totals[text], tokens[text], parents[text] = onward
        ids = torch.cat((ids[parents.flatten()], tokens.view(-1, 1)), dim=1)
        written = torch.cat((written[parents.flatten()], parents.view(-1, 1)), dim=1)
        if all(each.done for each in kept) or bool(run.stopping(ids, run.record.scores).all()):
            break
        stepper.reorder(parents.flatten())
    for text, hypotheses in enumerate(kept):
        if not hypotheses.done:
            open_texts = [
                (total, ids[row], written[row])
                for total, row in zip(totals[text].tolist(), rows[text].tolist(), strict=True)
            ]
            met = [each for each in open_texts if is_met(constraints, each[1])]
            unmet = [each for each in open_texts if not is_met(constraints, each[1])]
            for each in met + (unmet if len(met) < settings.num_return_sequences else []):
                hypotheses.add(*each, ids.shape[1] - start)
    return returned(run, stepper, [each.texts for each in kept])


def with_progress(
    constraints: list[Constraint], onward: Continuations, sums: Tensor, ids: Tensor, rows: Tensor
) -> Continuations:
    """The beams to go on with, of `onward` and of what a constraint asks for behind the texts in these rows.

    sums (beams, vocabulary): the scores of all continuations of these rows.
    """
    texts = torch.cat((ids[onward.rows], onward.tokens[:, None]), dim=1).tolist()
    states = [state_of(constraints, text) for text in texts]
    asked: list[tuple[int, int]] = []  # (which of the rows, token)
    for place, before in enumerate(ids[rows].tolist()):
        state = state_of(constraints, before)
        for token in [] if state.completed else state.advance() or []:
            further = state.copy(stateful=True)
            further.add(token)
            if [*before, token] not in texts:
                texts.append([*before, token])
                states.append(further)
                asked.append((place, token))
    if not asked:
        return onward
    places, tokens = torch.tensor(asked, device=ids.device).T
    scores = torch.cat((onward.scores, sums[places, tokens]))
    banks = torch.tensor([state.get_bank() for state in states], device=ids.device)
    order = (banks * _BANK + scores).sort(descending=True).indices
    # First the best of each bank, then the second best of each, and so on.
    turns = [turn for _, bank in groupby(banks[order].tolist()) for turn, _ in enumerate(bank)]
    chosen = order[sorted(range(len(turns)), key=turns.__getitem__)][: len(rows)]
    return Continuations(
        scores[chosen],
        torch.cat((onward.tokens, tokens))[chosen],
        torch.cat((onward.rows, rows[places]))[chosen],
    )


def state_of(constraints: list[Constraint], text: list[int]) -> ConstraintListState:
    state = ConstraintListState(constraints)
    state.reset(text)
    return state


def is_met(constraints: list[Constraint], ids: Tensor) -> bool:
    return state_of(constraints, ids.tolist()).completed


def checked(run: Run) -> list[Constraint]:
    """The constraints, or a ValueError for those that the model or the room cannot meet."""
    settings = run.settings
    constraints = constraints_of(settings, vocabulary_of(run.model))
    room = settings.max_length - run.ids.shape[1]
    for row in run.ids[:: settings.num_beams]:
        state = state_of(constraints, row.tolist())
        begun = [state.inprogress_constraint] if state.inprogress_constraint is not None else []
        needed = 0 if state.completed else sum(map(fewest, state.pending_constraints + begun))
        if needed > room:
            raise ValueError(
                f"the phrases that are forced into the text come to {needed} tokens, but max_new_tokens is {room}: "
                f"pass max_new_tokens={needed} or more, or fewer phrases"
            )
    return constraints


def fewest(constraint: Constraint) -> int:
    """How many tokens it takes at least."""
    if isinstance(constraint, DisjunctiveConstraint):
        there = constraint.current_seq
        return min(len(each) - len(there) for each in constraint.token_ids if each[: len(there)] == there)
    return constraint.remaining()
