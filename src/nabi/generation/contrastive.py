"""Contrastive search (arXiv:2202.06417): a likely next token, but one that does not say what was said before."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..nn.cache import Cache
from .run import Run
from .stepper import Stepper


def contrastive_search(run: Run) -> Any:
    """Of the top_k likeliest tokens the best by (1 - penalty_alpha) * probability - penalty_alpha * likeness.

    Likeness is the greatest cosine between the token's last hidden state and those of all tokens before it, so each
    step reads all candidates. Finished rows are filled with padding.
    """
    settings, ids = run.settings, run.ids
    if hasattr(run.model, "_reorder_cache"):
        raise ValueError(f"penalty_alpha: {_cannot(run.model)}")
    stepper = run.stepper()
    stepper.inputs["output_hidden_states"] = True
    texts, device = len(ids), ids.device
    logits = stepper(ids)[:, -1]
    if not isinstance(stepper.cache, Cache):
        raise ValueError(f"penalty_alpha: {_cannot(run.model)}")
    width = min(settings.top_k, logits.shape[-1])
    said = _last_hidden(stepper)  # (texts, length, hidden)
    real = stepper.mask[:, -said.shape[1] :].bool() if stepper.mask is not None else None
    step = stepper.last
    _widen(run, stepper, width)
    firsts = torch.arange(texts, device=device) * width
    going = torch.ones(texts, dtype=torch.bool, device=device)
    while True:
        scores = run.processors(ids, logits)
        run.record.see(logits, scores, step)
        likely, candidates = torch.topk(torch.softmax(scores, dim=-1), width, dim=-1)
        tried = torch.cat((ids.repeat_interleave(width, dim=0), candidates.view(-1, 1)), dim=1)
        next_logits = stepper(tried)[:, -1]
        new = _last_hidden(stepper).view(texts, width, -1)
        alpha = settings.penalty_alpha
        best = ((1 - alpha) * likely - alpha * _likeness(new, said, real)).argmax(dim=-1)
        rows = firsts + best

        chosen = candidates.gather(1, best[:, None]).squeeze(1)
        if settings.eos and settings.pad is not None:
            chosen = torch.where(going, chosen, settings.pad)
        ids = torch.cat((ids, chosen[:, None]), dim=1)
        logits, step = next_logits[rows], _of_rows(stepper.last, rows)
        said = torch.cat((said, new.flatten(0, 1)[rows][:, None]), dim=1)
        if real is not None:
            real = torch.cat((real, real.new_ones(texts, 1)), dim=1)
        if run.streamer is not None:
            run.streamer.put(chosen.cpu())
        going &= ~run.stopping(ids, run.record.scores)
        if not going.any():
            break
        stepper.reorder(rows.repeat_interleave(width))
    if run.streamer is not None:
        run.streamer.end()
    if run.record.wanted:  # as after other searches: one row a text, and the last token not read yet
        stepper.reorder(rows)
        stepper.cache.shared = 1
        stepper.rewind(ids.shape[1] - 1)
    return run.record.output(ids, stepper)


def _likeness(new: Tensor, said: Tensor, real: Tensor | None) -> Tensor:
    """(texts, candidates): the greatest cosine with a real earlier token."""
    new, said = (each / each.norm(dim=-1, keepdim=True) for each in (new, said))
    cosines = new @ said.transpose(1, 2)
    if real is not None:
        cosines = cosines.masked_fill(~real[:, None], -torch.inf)
    return cosines.amax(dim=-1)


def _last_hidden(stepper: Stepper) -> Tensor:
    layers = stepper.last.get("decoder_hidden_states")
    layers = stepper.last.get("hidden_states") if layers is None else layers
    return layers[-1].float()


def _widen(run: Run, stepper: Stepper, width: int) -> None:
    """From now on so many rows for each text; what an encoder said is read by all of them and not copied."""
    rows = torch.arange(len(run.ids), device=run.ids.device).repeat_interleave(width)
    if stepper.decodes:
        stepper.cache.shared = width
    else:
        stepper.inputs = {
            name: run.model.repeat_input(name, value, width, run.ids) for name, value in stepper.inputs.items()
        }
    stepper.reorder(rows)


def _of_rows(step: Any, rows: Tensor) -> dict[str, Any]:
    """Of what a pass showed, layer by layer, these rows."""
    names = ("attentions", "hidden_states", "decoder_attentions", "decoder_hidden_states", "cross_attentions")
    return {name: tuple(layer[rows] for layer in step[name]) for name in names if step.get(name) is not None}


def _cannot(model: Any) -> str:
    return (
        f"contrastive search tries several next tokens from one state, but {type(model).__name__} keeps no keys and "
        "values by position: leave penalty_alpha out"
    )
