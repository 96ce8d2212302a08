"""The logit lens: hidden states of each layer through the last norm and the head, as if no layers stood above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .contents import Lens, Score, Sequence
from .pieces import token_names
from .seen import Pass, decoder_of

TOLERANCE = 1e-3


def logit_lens(pipe: Any, seen: Pass, sequence: Sequence, places: list[int], count: int) -> Lens | str:
    """The likeliest tokens after each layer at these places; a sentence where the model cannot give them.

    The last layer's are the model's own, which is checked.
    """
    out = seen.outputs
    hidden = out.get("decoder_hidden_states") or out.get("hidden_states")
    model = next((each for each in pipe.model.modules() if hasattr(each, "score_tokens")), None)  # perhaps a part
    if model is None:
        return "logit lens: the head does not score tokens"
    if not hidden:
        return "logit lens: the model does not show its hidden states"
    finish = last_norm(decoder_of(model) or model.base_model)
    chosen = torch.tensor(places)
    rows: list[list[list[Score]]] = []
    try:
        with torch.no_grad():
            for number, states in enumerate(hidden):
                x = states[:, chosen.to(states.device)]
                said = model.score_tokens(x if number == len(hidden) - 1 else finish(x))[0].float().cpu()
                rows.append(best_rows(pipe.tokenizer, said, count))
    except RuntimeError:  # something stands between the last layer and the head
        return "logit lens: the head does not take the hidden states as they are"
    own = out["logits"][0, chosen.to(out["logits"].device)].float().cpu()
    if not torch.allclose(said, own, atol=TOLERANCE, rtol=TOLERANCE):
        return "logit lens: what the head makes of the last hidden state is not what the model says"
    layers = ["embeddings", *(f"layer {number}" for number in range(1, len(hidden)))]
    return Lens(sequence.name, places, layers, rows)


def last_norm(body: Any) -> Callable[[Tensor], Tensor]:
    """What a body does with its last layer's output; in post-norm models each layer has done it itself."""
    for part in body.modules():
        if hasattr(part, "finish"):
            return part.finish
    norm = getattr(body, "final_norm", None)
    return (lambda x: x) if norm is None else norm


def best_rows(tokenizer: Any, logits: Tensor, count: int) -> list[list[Score]]:
    chances = logits.softmax(-1)
    best = logits.topk(min(count, logits.shape[-1]), dim=-1).indices
    names = iter(token_names(tokenizer, best.flatten().tolist()))
    return [
        [
            Score(next(names), float(logits[row, each]), float(chances[row, each]), each, chosen=number == 0)
            for number, each in enumerate(ids)
        ]
        for row, ids in enumerate(best.tolist())
    ]
