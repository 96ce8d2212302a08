"""oneDNN's products and their gradients equal torch's own, and leave the way free for whoever does something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from nabi.nn import linear as module
from nabi.nn.linear import linear, multiply

pytestmark = pytest.mark.skipif(module._onednn is None, reason="this torch is built without oneDNN")


@pytest.fixture(autouse=True)
def products(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Small products take oneDNN's way too; the shapes of those that did."""
    shapes: list[tuple[int, ...]] = []
    kernel = module._onednn

    def watched(x: Tensor, *rest: Any) -> Tensor:
        shapes.append(tuple(x.shape))
        return kernel(x, *rest)

    monkeypatch.setattr(module, "_WORTH_IT", 1)
    monkeypatch.setattr(module, "_onednn", watched)
    return shapes


def close(found: Any, wanted: Any) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert one.shape == other.shape
            assert (one - other).abs().max() <= 1e-5 * other.abs().max()


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


INPUTS: dict[str, Callable[[], Tensor]] = {
    "rows": lambda: numbers(7, 12),
    "one row": lambda: numbers(12),
    "batch": lambda: numbers(3, 5, 12),
    "two leading dimensions": lambda: numbers(2, 3, 4, 12),
    "transposed": lambda: numbers(12, 5, 3).permute(2, 1, 0),
    "every second": lambda: numbers(3, 10, 24)[:, ::2, ::2],
    "expanded": lambda: numbers(1, 5, 12).expand(3, 5, 12),
}
WEIGHTS: dict[str, Callable[[], Tensor]] = {
    "contiguous": lambda: numbers(9, 12, seed=1),
    "transposed": lambda: numbers(12, 9, seed=1).t(),
    "part": lambda: numbers(2, 9, 12, seed=1)[1],
}


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("x", INPUTS)
def test_product_and_gradients_equal_torchs(x: str, weight: str, bias: bool, products: list[Any]) -> None:
    given = [INPUTS[x]().requires_grad_(), WEIGHTS[weight]().requires_grad_()]
    given += [numbers(9, seed=2).requires_grad_()] if bias else []
    ours, theirs = multiply(*given), F.linear(*given)
    close([ours], [theirs])
    for out in (numbers(*ours.shape, seed=3), torch.ones(()).expand(ours.shape)):  # the second is that of a sum
        close(torch.autograd.grad(ours, given, out, True), torch.autograd.grad(theirs, given, out, True))
    assert len(products) >= 3, "forwards, and twice backwards"


@pytest.mark.parametrize("trained", range(1, 8))
def test_only_the_gradients_that_are_wanted_are_made_and_only_their_tensors_kept(
    trained: int, products: list[Any]
) -> None:
    wanted = [bool(trained >> i & 1) for i in range(3)]
    given = [numbers(6, 12), numbers(9, 12, seed=1), numbers(9, seed=2)]
    for tensor, wants in zip(given, wanted, strict=True):
        tensor.requires_grad_(wants)
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        out = multiply(*given)
    products.clear()
    out.square().sum().backward()
    expected = torch.autograd.grad(F.linear(*given).square().sum(), [t for t in given if t.requires_grad])
    close([t.grad for t in given if t.requires_grad], expected)
    assert len(kept) == len(products) == wanted[0] + wanted[1]


def test_second_derivatives_equal_torchs() -> None:
    found = []
    for product in (multiply, F.linear):
        given = [numbers(2, 6, 12).requires_grad_(), numbers(9, 12, seed=1).requires_grad_()]
        first = torch.autograd.grad(product(*given, None).pow(3).sum(), given, create_graph=True)
        found.append(torch.autograd.grad(sum(g.square().sum() for g in first), given))
    close(*found)


def test_recomputing_saving_elsewhere_and_changed_weights_are_as_with_torch() -> None:
    x, weight = numbers(6, 12).requires_grad_(), numbers(9, 12, seed=1).requires_grad_()
    (plain,) = torch.autograd.grad(F.linear(x, weight).square().sum(), weight)
    again: Any = checkpoint(multiply, x, weight, use_reentrant=False)
    close(torch.autograd.grad(again.square().sum(), weight), [plain])
    with torch.autograd.graph.save_on_cpu():
        close(torch.autograd.grad(multiply(x, weight).square().sum(), weight), [plain])
    out = multiply(x, weight)
    with torch.no_grad():
        weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


class OwnTensor(Tensor):
    """As a quantised or sharded weight: a class of its own."""


OTHERS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "float64": lambda x, w: multiply(x.double(), w.double()),
    "bfloat16": lambda x, w: multiply(x.bfloat16(), w.bfloat16()),
    "a tensor of another class": lambda x, w: multiply(x, w.as_subclass(OwnTensor)),
    "torch.func": lambda x, w: torch.func.grad(lambda w: multiply(x, w).sum())(w),
    "vmap": lambda x, w: torch.func.vmap(multiply, in_dims=(0, None))(x, w),
    "compiled": lambda x, w: torch.compile(multiply, backend="eager", fullgraph=True)(x, w),
    "traced": lambda x, w: torch.jit.trace(multiply, (x, w), check_trace=False),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_oneDNNs_product_cannot_do_goes_torchs_way(other: str, products: list[Any]) -> None:
    OTHERS[other](numbers(4, 6, 12).requires_grad_(), numbers(9, 12, seed=1).requires_grad_())
    assert not products


def test_autocast_and_forward_derivatives_go_torchs_way(products: list[Any]) -> None:
    x, weight = numbers(6, 12), numbers(9, 12, seed=1)
    with torch.autocast("cpu", torch.bfloat16):
        assert multiply(x, weight).dtype is torch.bfloat16
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        tangent = torch.autograd.forward_ad.unpack_dual(multiply(dual, weight)).tangent
    assert tangent is not None
    assert not products


def test_a_layer_that_somebody_has_hooked_into_or_replaced_runs_itself(products: list[Any]) -> None:
    layer, x, seen = nn.Linear(12, 9), numbers(6, 12).requires_grad_(), []
    linear(layer, x).sum().backward()
    assert len(products) == 3
    products.clear()
    handles = [
        layer.register_forward_pre_hook(lambda *_: seen.append("before")),
        layer.register_forward_hook(lambda *_: seen.append("after")),
        layer.register_full_backward_pre_hook(lambda *_: seen.append("back")),
        layer.register_full_backward_hook(lambda *_: seen.append("through")),
    ]
    for handle in handles:
        linear(layer, x).sum().backward()
        handle.remove()
    assert not products
    assert set(seen) == {"before", "after", "back", "through"}
    layer.forward = lambda x: x  # type: ignore[method-assign, assignment]
    assert linear(layer, x) is x
