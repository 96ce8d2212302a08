"""Diverse beam search (arXiv:1610.02424): beams in groups, each of which avoids what the groups before it chose."""

from __future__ import annotations

from typing import Any

import torch

from .hypotheses import OUT, Hypotheses, likeliest, returned, waiting
from .run import Run


def group_beam_search(run: Run) -> Any:
    """The num_return_sequences best texts of all groups, for each prompt.

    Each group is a beam search of its own. A token that earlier groups chose at the same step costs diversity_penalty
    for each of their beams that took it.
    """
    settings, stepper, ids = run.settings, run.stepper(), run.ids
    groups = settings.num_beam_groups
    size = settings.num_beams // groups
    texts, start = len(ids) // settings.num_beams, ids.shape[1]
    rows = torch.arange(len(ids), device=ids.device).view(texts, groups, size)
    kept = [[Hypotheses(size, run) for _ in range(groups)] for _ in range(texts)]
    totals = torch.full((texts, groups, size), OUT, device=ids.device)
    totals[:, :, 0] = 0.0  # the beams of a group begin alike: only the first one goes on
    written = ids.new_empty(len(ids), 0)
    while True:
        logits = stepper(ids)[:, -1]
        plain = torch.log_softmax(logits, dim=-1)
        scores, tokens, parents = torch.empty_like(plain), torch.zeros_like(ids[:, 0]), rows.flatten().clone()
        for group in range(groups):
            mine = rows[:, group]
            changed = run.processors(ids, plain.clone(), current_tokens=tokens, beam_group_idx=group)
            scores[mine.flatten()] = changed[mine.flatten()]
            sums = changed[mine] + totals[:, group, :, None]
            for text, found in enumerate(likeliest(sums, mine, len(settings.eos))):
                hypotheses = kept[text][group]
                if hypotheses.done:
                    onward = waiting(settings.pad, mine[text])
                else:
                    onward = hypotheses.divide(found, ids, written)
                    hypotheses.look_for_end(float(found.scores[0]), ids.shape[1] + 1 - start)
                totals[text, group], tokens[mine[text]], parents[mine[text]] = onward
        run.record.see(logits, scores, stepper.last)
        ids = torch.cat((ids[parents], tokens[:, None]), dim=1)
        written = torch.cat((written[parents], parents[:, None]), dim=1)
        all_done = all(hypotheses.done for each in kept for hypotheses in each)
        if all_done or bool(run.stopping(ids, run.record.scores).all()):
            break
        stepper.reorder(parents)
    for text, group in ((text, group) for text in range(texts) for group in range(groups)):
        if not kept[text][group].done:  # what still runs counts too
            for row, total in zip(rows[text, group].tolist(), totals[text, group].tolist(), strict=True):
                kept[text][group].add(total, ids[row], written[row], ids.shape[1] - start)
    return returned(run, stepper, [[text for group in each for text in group.texts] for each in kept])
