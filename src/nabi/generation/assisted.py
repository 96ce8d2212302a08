"""Speculative decoding (arXiv:2211.17192): a draft of several tokens, which the model reads in one pass and checks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..nn.cache import SlidingWindowCache
from ..nn.text_encoder import TextEncoder
from .drafts import Draft, drafter_for, refuse_without_cache, rewind
from .run import Run
from .stepper import Stepper, new_cache


def assisted(run: Run) -> Any:
    """The text that the model would write alone, in fewer of its passes.

    Without sampling a drafted token stays if it is the one that the model would have chosen. With sampling it stays by
    chance, so that texts have the model's own distribution. The first that does not stay is replaced by the model's,
    and behind a draft that stays as a whole the model writes one more.
    """
    if len(run.ids) > 1:
        raise ValueError(
            f"assisted decoding writes one text at a time, but the batch holds {len(run.ids)}: pass one row, or leave "
            "assistant_model and prompt_lookup_num_tokens out"
        )
    if not run.settings.use_cache:
        raise ValueError("assisted decoding needs the cache: leave use_cache=False out")
    refuse_without_cache(run.model)
    _refuse_both_ways(run.model)
    drafter = drafter_for(run)
    stepper, ids = whole_stepper(run), run.ids
    while True:
        draft = drafter.draft(ids)
        logits = stepper(torch.cat((ids, draft.tokens[None]), dim=1), keep=len(draft.tokens) + 1)[0]
        refuse_without_cache(run.model, stepper)
        start = ids.shape[1]
        ids, kept, finished = read_draft(run, ids, draft, logits, stepper.last)
        drafter.learn(kept)
        if run.streamer is not None:
            run.streamer.put(ids[:, start:].cpu())
        rewind(stepper, ids.shape[1] - 1)
        if finished:
            break
    if run.streamer is not None:
        run.streamer.end()
    return run.record.output(ids, stepper)


def read_draft(run: Run, ids: Tensor, draft: Draft, logits: Tensor, step: Any) -> tuple[Tensor, int, bool]:
    """Go through a draft as if the model wrote token by token: (ids, how many drafted ones stayed, is it finished?).

    logits (drafted + 1, vocabulary) are those before each drafted token and behind the last. Everything that counts
    or changes scores sees what it would see without a draft.
    """
    drafted = len(draft.tokens)
    for place in range(drafted + 1):
        before = logits[place][None]
        scores = run.processors(ids, before)
        run.record.see(before, scores, _position(step, place, drafted) if run.record.wanted else step)
        token = draft.tokens[place] if place < drafted else None
        likely = draft.probabilities[place] if draft.probabilities is not None and place < drafted else None
        chosen = choose(scores[0], token, likely, sampling=run.settings.do_sample)
        ids = torch.cat((ids, chosen.view(1, 1)), dim=1)
        stays = token is not None and bool(chosen == token)
        finished = bool(run.stopping(ids, run.record.scores).all())
        if finished or not stays:
            return ids, place + stays, finished
    raise AssertionError("behind a draft comes a token of the model's own")


def choose(scores: Tensor, token: Tensor | None, likely: Tensor | None, *, sampling: bool) -> Tensor:
    """The next token by the model's scores (vocabulary,), where `token` was drafted, or None.

    likely (vocabulary,): the probabilities that it was drawn by. Without them it counts as a guess: it stays where the
    model draws the same.
    """
    if not sampling:
        return scores.argmax()
    own = torch.softmax(scores, dim=-1)
    if token is None or likely is None:
        return torch.multinomial(own, 1)[0]
    if torch.rand((), device=own.device) * likely[token] < own[token]:
        return token
    lacking = (own - likely).clamp(min=0)  # what the draft's distribution gave too little
    return torch.multinomial(lacking if lacking.sum() > 0 else own, 1)[0]


def whole_stepper(run: Run) -> Stepper:
    """The model's passes, with a cache that keeps what a window cannot see any more: it must be able to go back."""
    stepper = run.stepper()
    if isinstance(stepper.cache, SlidingWindowCache) and not stepper.cache.layers:
        room, shared = stepper.cache.reserve, stepper.cache.shared
        stepper.cache = new_cache(run.model, room, "dynamic_full")
        stepper.cache.shared = shared
    return stepper


def _refuse_both_ways(model: Any) -> None:
    """ValueError for a model that reads a drafted token before it writes what stands in front of it."""
    half = model.get_decoder() if model.config.is_encoder_decoder else model
    if any(isinstance(body, TextEncoder) and not body.config.is_decoder for body in half.modules()):
        raise ValueError(
            f"{type(model).__name__} reads in both directions, so that a draft would change what it writes: set "
            "is_decoder=True in its config, or leave assistant_model and prompt_lookup_num_tokens out"
        )


def _position(step: Any, place: int, drafted: int) -> dict[str, Any]:
    """What a pass over a draft showed before this token of it, as a pass without a draft would show it."""

    def cut(name: str, layer: Tensor) -> Tensor:
        queries = 1 if name.endswith("hidden_states") else 2
        end = layer.shape[queries] - drafted + place
        part = layer.narrow(queries, end - 1 if place else 0, 1 if place else end)
        own = name in ("attentions", "decoder_attentions")
        return part[..., : layer.shape[-1] - drafted + place] if own else part

    names = ("attentions", "hidden_states", "decoder_attentions", "decoder_hidden_states", "cross_attentions")
    return {name: tuple(cut(name, layer) for layer in step[name]) for name in names if step.get(name) is not None}
