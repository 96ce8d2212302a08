"""`import transformers` answered by nabi: a finder in front of all others, and modules whose names are looked up."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import nabi

from . import VERSION, left_out
from .families import FAMILY_MODULES
from .submodules import SUBMODULES

LENT = "transformers"
MODULES: dict[str, tuple[str, ...]] = {**SUBMODULES, **FAMILY_MODULES}


def lend() -> None:
    """From now on `import transformers` gives nabi; an installed transformers is neither used nor changed.

    Raises ImportError if the real one has been imported already, whose classes would mix with nabi's.
    """
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    if LENT in sys.modules:
        raise ImportError(
            "transformers has been imported already, so nabi cannot stand in for it: put `import nabi.drop_in` above "
            "every import that needs transformers (in a notebook: restart the kernel), or run the script by "
            "`python -m nabi.drop_in script.py`"
        )
    sys.meta_path.insert(0, Finder())


class LentModule(ModuleType):
    """A module of `transformers`. Its names are nabi's, found when they are first asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"nabi, under the name {name}")
        self.__path__: list[str] = []  # there is nothing to look through: the finder knows all submodules
        self._path = name.removeprefix(LENT).lstrip(".")
        if not self._path:
            self.__version__ = VERSION
            self.__file__ = nabi.__file__

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return self.__dir__()
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        inside = f"{self._path}.{name}".lstrip(".")
        if inside in MODULES and not (inside == name and nabi.offers(name)):  # the function convert_slow_tokenizer
            return importlib.import_module(f"{LENT}.{inside}")
        value = self._look_up(name)
        setattr(self, name, value)
        return value

    def _look_up(self, name: str) -> Any:
        for home in MODULES[self._path]:
            try:
                return getattr(importlib.import_module(f"nabi.{home}"), name)
            except AttributeError:
                continue
        if nabi.offers(name):
            return getattr(nabi, name)
        raise AttributeError(nothing_for(f"{self._path}.{name}".lstrip(".")))

    def __dir__(self) -> list[str]:
        names = {name for name in MODULES if name.rpartition(".")[0] == self._path}
        names = {name.rpartition(".")[2] for name in names if name}
        if not self._path:
            return sorted({*names, *nabi.__all__})
        return sorted(names.union(*(public_names(home) for home in MODULES[self._path])))


def public_names(home: str) -> list[str]:
    """What a module of nabi offers: its own list, or else what it defines."""
    module = importlib.import_module(f"nabi.{home}")
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = {
        name for name, value in vars(module).items() if getattr(value, "__module__", module.__name__) == module.__name__
    }
    return [name for name in own if not name.startswith("_") and not isinstance(vars(module)[name], ModuleType)]


class Finder(MetaPathFinder, Loader):
    """Finds `transformers` and everything below it, and says the version when `importlib.metadata` is asked for it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != LENT:
            return None
        inside = fullname.removeprefix(LENT).lstrip(".")
        if inside not in MODULES:  # asked for after `from transformers import …` has not found a name, too
            raise ModuleNotFoundError(nothing_for(inside), name=LENT)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return LentModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: names are looked up when they are asked for."""

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        """For `importlib.metadata.version("transformers")`."""
        return [LentDistribution()] if getattr(context, "name", None) == LENT else []


class LentDistribution(importlib.metadata.Distribution):
    """What an installed transformers would say of itself: its name and version."""

    def read_text(self, filename: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: {LENT}\nVersion: {VERSION}\n" if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(f"nabi stands in for {LENT}, which has no file {path}")


def nothing_for(inside: str) -> str:
    """Why there is no such submodule or name below `transformers`, and what may have been meant."""
    room, _, last = inside.rpartition(".")
    if reason := left_out.why_module(inside) or left_out.why(last):
        return reason
    meant = _near(inside, room, last)
    hint = f"did you mean {LENT}.{meant}?" if meant else f"dir({LENT}) lists what it has"
    return f"nabi has nothing for {LENT}.{inside}: {hint}"


def _near(inside: str, room: str, last: str) -> str | None:
    """The nearest name in the module that was asked, or else the nearest module."""
    if room in MODULES and last[:1].isupper():
        names = difflib.get_close_matches(last, nabi.__all__, 1)
        return names[0] if names else None
    if near := difflib.get_close_matches(inside, MODULES, 1, 0.8):
        return near[0]
    by_last = {name.rpartition(".")[2]: name for name in sorted(MODULES, reverse=True)}
    return next((by_last[name] for name in difflib.get_close_matches(last, by_last, 1, 0.7)), None)
