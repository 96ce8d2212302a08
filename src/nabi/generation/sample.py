"""Token by token: the likeliest one, or one drawn by its probability."""

from __future__ import annotations

from typing import Any

import torch

from .run import Run


def sample(run: Run) -> Any:
    """Every row by itself until all are at their end. Finished rows are filled with padding."""
    settings, ids, stepper = run.settings, run.ids, run.stepper()
    going = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
    while True:
        logits = stepper(ids)[:, -1]
        scores = run.processors(ids, logits)
        run.record.see(logits, scores, stepper.last)
        if settings.do_sample:
            chosen = torch.multinomial(torch.softmax(scores, dim=-1), num_samples=1).squeeze(1)
        else:
            chosen = scores.argmax(dim=-1)
        if settings.eos and settings.pad is not None:
            chosen = torch.where(going, chosen, settings.pad)
        ids = torch.cat((ids, chosen[:, None]), dim=1)
        if run.streamer is not None:
            run.streamer.put(chosen.cpu())
        going &= ~run.stopping(ids, run.record.scores)
        if not going.any():
            break
    if run.streamer is not None:
        run.streamer.end()
    return run.record.output(ids, stepper)
