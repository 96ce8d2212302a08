"""Roles: what a module is for (`q`, `norm_mlp`, …), bound to the name under which it stands on disk.

`q = At("attention.self.query")` says: my query projection is the child of that dotted name. The tree of modules
is then exactly the tree of names in the file, while the engine speaks of roles only. Reading a role walks the
tree every time (0.8 µs), so that a module swapped in place, by LoRA or a quantiser, is the one that is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn


class At:
    """A class-level role: the dotted path of a child module or parameter. Reads as None where it is absent."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.names = path.split(".")

    def __get__(self, module: nn.Module | None, owner: type | None = None) -> Any:
        if module is None:
            return self
        *rooms, last = self.names
        for name in rooms:
            module = module._modules.get(name)
            if module is None:
                return None
        child = module._modules.get(last)
        return module._parameters.get(last) if child is None else child

    def place(self, module: nn.Module, child: nn.Module | nn.Parameter) -> None:
        """Hang a child (or a parameter) at this path, making the rooms on the way."""
        *rooms, name = self.names
        for here, inside in zip(rooms, self.names[1:], strict=True):
            if here not in module._modules:
                module.add_module(here, nn.ModuleList() if inside.isdigit() else Room())
            module = module._modules[here]  # type: ignore[assignment]
        if isinstance(child, nn.Parameter):
            module.register_parameter(name, child)
        else:
            module._modules[name] = child  # not add_module: a role may be called as its place on disk


class Room(nn.Module):
    """A module that only holds others: one level of the names on disk."""


class RoleModule(nn.Module):
    """A module with roles: assigning to a role hangs the child at the role's path."""

    if TYPE_CHECKING:  # a child module is what its family made it

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None:
        role = getattr(type(self), name, None)
        if isinstance(role, At):
            role.place(self, value)
        else:
            super().__setattr__(name, value)

    @classmethod
    def roles(cls) -> dict[str, str]:
        """Role -> path on disk, of all roles that this class declares."""
        found: dict[str, str] = {}
        for owner in reversed(cls.__mro__):
            for name in vars(owner):
                if isinstance(role := getattr(cls, name, None), At):
                    found[name] = role.path
        return found
