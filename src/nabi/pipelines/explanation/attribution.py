"""How much each token added to one number of the output, by gradients at the word embeddings.

Integrated gradients (arXiv:1703.01365): the gradient along the straight way from a baseline to the text, times the
distance gone; the scores' sum is the difference that the text makes to the target. Input x gradient takes the gradient
at the text alone: one pass, and no such promise.

The embeddings are changed where they are looked up, so every model that looks its tokens up can be asked, and it gets
the same inputs as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .contents import Attribution
from .outputs import Target
from .pieces import special_ids

METHODS = ("integrated_gradients", "input_x_gradient")
FIRST_STEPS, MOST_STEPS = 32, 128
NEAR = 0.02  # of the difference that is to be explained
TOKENS_AT_ONCE = 1024


def attribute(pipe: Any, target: Target, names: list[str], *, method: str, steps: int | None) -> Attribution | str:
    """Scores for each sequence of `names`, in the order in which the model looks them up: text, or source and target.

    steps None: FIRST_STEPS, and twice as many up to MOST_STEPS while the sum is off by more than NEAR.
    A sentence where there is nothing to ask; RuntimeError where no gradient comes through.
    """
    model = pipe.model
    found = looked_up(model, target)
    if not found:
        return "the model does not look its tokens up in an embedding"
    specials = torch.tensor(sorted(special_ids(pipe.tokenizer)), device=found[0][0].device)
    if all(bool(torch.isin(ids, specials).all()) for ids, _ in found):
        return "up to here the model has read nothing but special tokens"
    texts = [vectors for _, vectors in found]
    if method == "input_x_gradient":
        (value,), grads = gradients(model, target, texts, texts, [1.0])
        scores = [(grad[0] * text).sum(-1) for grad, text in zip(grads, texts, strict=True)]
        return Attribution(method, target.name, "", named(names, scores), float(value))
    baselines = [baseline_of(pipe, ids, vectors, specials) for ids, vectors in found]
    (low, high), _ = gradients(model, target, baselines, texts, [0.0, 1.0])
    difference = float(high - low)
    taken = steps or FIRST_STEPS
    while True:
        scores = integrated(model, target, baselines, texts, taken)
        error = abs(float(sum(each.sum() for each in scores)) - difference)
        if steps is not None or taken >= MOST_STEPS or error <= NEAR * abs(difference) + 1e-4:
            break
        taken *= 2
    return Attribution(
        method=method,
        target=target.name,
        baseline=f"every token of the text as {pipe.tokenizer.pad_token or 'zeros'}",
        scores=named(names, scores),
        value=float(high),
        baseline_value=float(low),
        error=error,
        steps=taken,
    )


def named(names: list[str], scores: list[Tensor]) -> dict[str, list[float]]:
    return {name: [float(each) for each in row] for name, row in zip(names, scores, strict=False)}


def integrated(model: Any, target: Target, baselines: list[Tensor], texts: list[Tensor], steps: int) -> list[Tensor]:
    """(length,) for each look-up: the mean gradient on the way, by Gauss and Legendre's points, times the way."""
    points, weights = np.polynomial.legendre.leggauss(steps)
    at_once = max(1, TOKENS_AT_ONCE // max(text.shape[0] for text in texts))
    means = [torch.zeros_like(text, dtype=torch.float64) for text in texts]
    for begin in range(0, steps, at_once):
        alphas = [(float(point) + 1) / 2 for point in points[begin : begin + at_once]]
        _, grads = gradients(model, target, baselines, texts, alphas)
        for mean, grad in zip(means, grads, strict=True):
            shares = torch.tensor(weights[begin : begin + at_once] / 2, device=grad.device)
            mean += (grad.double() * shares[:, None, None]).sum(0)
    ways = [(text - base).double() for text, base in zip(texts, baselines, strict=True)]
    return [(mean * way).sum(-1) for mean, way in zip(means, ways, strict=True)]


def baseline_of(pipe: Any, ids: Tensor, vectors: Tensor, specials: Tensor) -> Tensor:
    """The text without its words: special tokens as they are, all others as padding, or zeros where there is none."""
    padding = pipe.tokenizer.pad_token_id
    empty = vectors.new_zeros(1)
    if padding is not None:
        with torch.no_grad():
            empty = tables(pipe.model)[0](torch.tensor([padding], device=ids.device))[0]
    return torch.where(torch.isin(ids, specials)[:, None], vectors, empty)


def tables(model: Any) -> list[nn.Module]:
    """The modules that look tokens up: one, or several that share its weight."""
    words = model.get_input_embeddings()
    same = (each for each in model.modules() if type(each) is type(words) and each.weight is words.weight)
    return [words, *(each for each in same if each is not words)]


def looked_up(model: Any, target: Target) -> list[tuple[Tensor, Tensor]]:
    """ids (length,) and vectors (length, size) of each look-up of one pass, in order."""
    found: list[tuple[Tensor, Tensor]] = []

    def see(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        if args and args[0].dim() == 2:
            found.append((args[0][0], output[0].detach()))

    with torch.no_grad(), hooked(tables(model), see):
        run(model, target, 1)
    return found


def gradients(
    model: Any, target: Target, froms: list[Tensor], texts: list[Tensor], alphas: list[float]
) -> tuple[Tensor, list[Tensor]]:
    """At each point from + alpha * (text - from): the target (points,), its gradients (points, length, size)."""
    placed: list[Tensor] = []

    def put(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor | None:
        if not args or args[0].dim() != 2:
            return None
        base, text = froms[len(placed)], texts[len(placed)]
        share = torch.tensor(alphas, device=text.device, dtype=text.dtype)[:, None, None]
        placed.append((base + share * (text - base)).requires_grad_(True))
        return placed[-1]

    with torch.enable_grad(), hooked(tables(model), put):
        values = target.read(run(model, target, len(alphas)))
        grads = torch.autograd.grad(values.sum(), placed)
    return values.detach().float(), list(grads)


def run(model: Any, target: Target, rows: int) -> Any:
    """The model on its inputs, repeated."""
    inputs = {
        name: value.expand(rows, *value.shape[1:]) if isinstance(value, Tensor) and value.dim() else value
        for name, value in target.inputs.items()
    }
    takes = model._arguments()
    return model(**inputs, **({"use_cache": False} if "use_cache" in takes and "use_cache" not in inputs else {}))


@contextmanager
def hooked(modules: list[nn.Module], hook: Any) -> Iterator[None]:
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
