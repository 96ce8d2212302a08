"""Hooks that people put on the inside of a model: what they see, and where nothing would ever call them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn

logger = logging.getLogger(__name__)


def in_a_tuple(hook: Callable[..., Any]) -> Callable[..., Any]:
    """A forward hook that sees a layer's vectors as version 4 gave them, first in a tuple; it may answer with one."""

    def seen(*given: Any) -> Any:
        *rest, output = given
        answer = hook(*rest, output if isinstance(output, tuple) else (output,))
        return answer[0] if isinstance(answer, tuple) and not isinstance(output, tuple) else answer

    return seen


def watched(modules: Iterable[Any]) -> bool:
    """Whether a hook stands anywhere in them, and sees what goes through."""
    parts = (part for module in modules if isinstance(module, nn.Module) for part in module.modules())
    return any(part._forward_hooks or part._forward_pre_hooks or part._backward_hooks for part in parts)


# The modules of a layer in the order in which they run, by their roles; and what follows a room that ends with one: the
# module whose output, or where it says so whose input, is what the room gives.
_ORDER = ("q", "k", "v", "qkv", "o", "norm_attn", "up", "gate", "down", "norm_mlp")
_GIVES = {
    **dict.fromkeys(("q", "k", "v", "qkv"), ("o", "input")),
    **dict.fromkeys(("up", "gate"), ("down", "input")),
    **{role: (role, "output") for role in ("o", "norm_attn", "down", "norm_mlp")},
}


def roles_within(block: Any, path: str) -> list[str]:
    """The roles that stand below a path in a layer, in their order; [] where one is none of the usual."""
    inside = [role for role, place in block.roles().items() if place.startswith(f"{path}.")]
    there = [role for role in inside if getattr(block, role) is not None]
    normed_after = block.wiring is not None and block.wiring.__name__ == "post_norm"
    known = [role for role in _ORDER if role in there and (normed_after or not role.startswith("norm"))]
    return known if len(known) == len(there) else []


@contextmanager
def heard(block: Any) -> Iterator[None]:
    """While a layer runs, the hooks on its rooms (`attn`, `mlp`, `attention.self`, …) are called as if the room did it.

    They see (what goes in first,), and what comes out: of attention (vectors, None), as version 4 gave it. What they
    answer takes its place.
    """
    with ExitStack() as stack:
        for path, room in block.named_modules():
            if getattr(room, "in_layer", False) and room._forward_hooks:
                _lend(block, path, room, stack)
        yield


def _lend(block: Any, path: str, room: nn.Module, stack: ExitStack) -> None:
    roles = roles_within(block, path)
    if not roles:
        return
    came_in: list[Any] = []
    in_tuple = roles[0] in ("q", "qkv")

    def note(module: nn.Module, args: tuple[Any, ...]) -> None:
        came_in[:] = args[:1]

    def tell(output: Any) -> Any:
        for number, hook in list(room._forward_hooks.items()):
            named: tuple[Any, ...] = ({},) if number in room._forward_hooks_with_kwargs else ()
            answer = hook(room, tuple(came_in), *named, (output, None) if in_tuple else output)
            if answer is not None:
                output = answer[0] if isinstance(answer, tuple) else answer
        return output

    role, side = _GIVES[roles[-1]]
    first, last = getattr(block, roles[0]), getattr(block, role)
    stack.enter_context(first.register_forward_pre_hook(note))
    if side == "output":
        stack.enter_context(last.register_forward_hook(lambda module, args, output: tell(output)))
    else:
        stack.enter_context(last.register_forward_pre_hook(lambda module, args: (tell(args[0]), *args[1:])))


def warn_unheard(room: nn.Module) -> None:
    """Say that a hook on a module that only holds others stays silent when the model runs."""
    logger.warning(
        "a hook was put on a module that only holds others (%s): a run of the model does not call it. Put it on the "
        "layer around it, or on a module inside",
        ", ".join(room._modules) or "nothing",
    )
