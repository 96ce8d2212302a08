"""Roles: what a module is for (`q`, `norm_mlp`, …), bound to the name under which it stands on disk.

`q = At("attention.self.query")` says: my query projection is the child of that dotted name. The tree of modules
is then exactly the tree of names in the file, while the engine speaks of roles only. Reading a role walks the
tree every time (0.8 µs), so that a module swapped in place, by LoRA or a quantiser, is the one that is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from torch import nn

from .hooks import warn_unheard


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
    """A module that only holds others: one level of the names on disk.

    After `open_rooms` it may be called by itself, and computes with what it holds, so that a copy of it does so too.
    """

    does: Callable[..., Any] | None = None
    within: Mapping[str, At] = {}  # the owner's roles that stand in here
    in_layer = False  # whether a layer around it calls the hooks on it
    hooked: ClassVar[bool] = False  # whether there has been a hook on any

    def __getattr__(self, name: str) -> Any:
        role = self.__dict__.get("within", {}).get(name)
        return super().__getattr__(name) if role is None else role.__get__(self)

    def register_forward_hook(self, hook: Callable[..., Any], **options: Any) -> Any:  # type: ignore[override]
        Room.hooked = True
        if not self.in_layer:
            warn_unheard(self)
        return super().register_forward_hook(hook, **options)

    def forward(self, *args: Any, **inputs: Any) -> Any:
        if self.does is None:
            held = ", ".join(self._modules) or "nothing"
            raise TypeError(f"this module only holds others ({held}) and computes nothing: call the model instead")
        return self.does(self, *args, **inputs)


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


def open_rooms(owner: RoleModule, role: str, does: Callable[..., Any]) -> None:
    """Let the rooms on the way to a role be called, as code for version 4 calls them: does(room, …), where the room
    reads as the owner's roles that stand in it."""
    paths = owner.roles()
    room: Any = owner
    names = paths[role].split(".")[:-1]
    for depth, name in enumerate(names, start=1):
        room = room._modules[name]
        here = ".".join(names[:depth]) + "."
        room.within = {role: At(path.removeprefix(here)) for role, path in paths.items() if path.startswith(here)}
        room.does = does
