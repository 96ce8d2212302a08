"""A model of models, whose parts are of any family."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from torch import nn

from ...config import Config
from ...nn.pretrained import PreTrainedModel
from .. import family_of, find_class


class JoinedModel(PreTrainedModel):
    """A model of models: each part keeps its own rules for old names, made weights and initial values."""

    def parts(self) -> dict[str, PreTrainedModel]:
        """The models inside by their places, but not those inside of them."""
        found: dict[str, PreTrainedModel] = {}
        for name, module in self.named_modules():
            inner = any(name.startswith(f"{part}.") for part in found)
            if name and not inner and isinstance(module, PreTrainedModel):
                found[name] = module
        return found

    @cached_property
    def renames(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override]
        """The parts' legacy names; those that begin a name now stand behind the part's. A body's prefix falls away."""
        found: list[tuple[str, str]] = []
        for place, part in self.parts().items():
            at = rf"^{re.escape(place)}\."
            for pattern, renewed in part.renames:
                anchored = pattern.startswith("^")
                found.append((at + pattern[1:], f"{place}.{renewed}") if anchored else (pattern, renewed))
            if part.base_model is part and part.base_model_prefix:
                found.append((rf"{at}{part.base_model_prefix}\.", f"{place}."))
        return tuple(found)

    @cached_property
    def ignored_on_disk(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(pattern for part in self.parts().values() for pattern in part.ignored_on_disk)

    def unstored_weights(self) -> set[str]:
        return {f"{place}.{name}" for place, part in self.parts().items() for name in part.unstored_weights()}

    def init_module(self, module: nn.Module) -> None:
        for part in self.parts().values():
            if any(module is inner for inner in part.modules()):
                return part.init_module(module)
        return super().init_module(module)

    def wanted(self, **given: bool | None) -> dict[str, bool | None]:
        """What the caller asks of the parts, or else this config; None leaves it to the parts' own."""
        return {name: getattr(self.config, name) or None if value is None else value for name, value in given.items()}


def part_class(config_class: type[Config], *endings: str) -> Any:
    """The class of a family with one of these endings; a family without is a ValueError."""
    found = find_class(family_of(config_class.model_type), *endings)
    if found is None:
        raise ValueError(f"the family {config_class.model_type!r} has no {' or '.join(endings)}: take another")
    return found


def make_part(config: Config, *endings: str) -> PreTrainedModel:
    return part_class(type(config), *endings)(config)
