"""HfArgumentParser: a command line, dict, JSON or YAML file into dataclasses, such as TrainingArguments."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import types
from argparse import SUPPRESS, Action, ArgumentDefaultsHelpFormatter, ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .checks import dict_of, of_text
from .old_names import OLD_NAMES, TakesOldNames


def HfArg(
    *,
    aliases: str | list[str] | None = None,
    help: str | None = None,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    metadata: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """A dataclass field with its line of help and other names: `HfArg(default=8, aliases="-b", help="…")`."""
    metadata = dict(metadata or {})
    if aliases is not None:
        metadata["aliases"] = aliases
    if help is not None:
        metadata["help"] = help
    return dataclasses.field(default=default, default_factory=default_factory, metadata=metadata, **settings)


class HfArgumentParser(ArgumentParser):
    """An argparse parser with an option for each field of one or several dataclasses.

        parser = HfArgumentParser((ModelArguments, TrainingArguments))
        model_args, training_args = parser.parse_args_into_dataclasses()

    Each field is --its_name and --its-name; a flag that is True by default is also --no_its_name. A field's metadata
    goes to add_argument: help, choices, aliases, … Fields may be plain types, Literals, enums (their values are
    given), lists, dicts as JSON, and any of these or None. Names that TrainingArguments had in v4 are taken too.
    """

    def __init__(self, dataclass_types: Any = None, **settings: Any) -> None:
        super().__init__(**{"formatter_class": ArgumentDefaultsHelpFormatter, **settings})
        one = dataclasses.is_dataclass(dataclass_types)
        self.dataclass_types: list[type] = [dataclass_types] if one else list(dataclass_types or [])
        for kind in self.dataclass_types:
            self._add_dataclass(kind)
        taken = {name for kind in self.dataclass_types for name in fields_of(kind)}
        old = {name: one for name, one in OLD_NAMES.items() if name not in taken}
        # What each dataclass may be given, by every name that it takes.
        self._names = {
            kind: [*fields_of(kind), *(old if isinstance(kind, TakesOldNames) else ())] for kind in self.dataclass_types
        }
        for name in dict.fromkeys(self._known()).keys() & old.keys():
            self.add_argument(*options(name), default=SUPPRESS, help=SUPPRESS, **settings_of_type(old[name].kind))

    def _known(self) -> list[str]:
        return [name for names in self._names.values() for name in names]

    def _add_dataclass(self, kind: type) -> None:
        group: Any = self
        if hasattr(kind, "_argument_group_name"):
            group = self.add_argument_group(kind._argument_group_name)
        hints = get_type_hints(kind)
        for field in fields_of(kind).values():
            settings = dict(field.metadata)
            aliases = settings.pop("aliases", [])
            settings = {**settings_of_type(hints[field.name]), **settings}
            is_flag = settings.get("type") is flag
            if field.default is not dataclasses.MISSING:
                settings["default"] = field.default
            elif field.default_factory is not dataclasses.MISSING:
                settings["default"] = field.default_factory()
            elif is_flag:
                settings["default"] = False
            else:
                settings["required"] = True
            names = [*options(field.name), *([aliases] if isinstance(aliases, str) else aliases)]
            group.add_argument(*names, **settings)
            if is_flag and field.default is True:
                no = options(f"no_{field.name}")
                group.add_argument(
                    *no, action="store_false", dest=field.name, default=True, help=f"the opposite of --{field.name}"
                )

    def parse_args_into_dataclasses(
        self,
        args: list[str] | None = None,
        return_remaining_strings: bool = False,
        look_for_args_file: bool = True,
        args_filename: str | None = None,
        args_file_flag: str | None = None,
    ) -> tuple[Any, ...]:
        """The command line (or `args`) as one object per dataclass, and a namespace if more was added by hand.

        A single .json, .yaml or .yml file is read instead. Options also come from a file: args_filename; those that
        the option args_file_flag names; or <script>.args beside the script, unless look_for_args_file is False. What
        the command line says goes first. Options that no dataclass has are a ValueError, or, with
        return_remaining_strings, the last item of the result.
        """
        words = sys.argv[1:] if args is None else list(args)
        if len(words) == 1 and words[0].endswith((".json", ".yaml", ".yml")):
            return self.parse_json_file(words[0]) if words[0].endswith(".json") else self.parse_yaml_file(words[0])
        files = []
        if args_filename:
            files.append(Path(args_filename))
        elif look_for_args_file:
            files.append(Path(sys.argv[0]).with_suffix(".args"))
        if args_file_flag:
            pre = ArgumentParser(add_help=False, allow_abbrev=False)
            pre.add_argument(args_file_flag, dest="files", action="append", default=[])
            found, words = pre.parse_known_args(words)
            files += [Path(file) for file in found.files]
        from_files = [word for file in files if file.is_file() for word in file.read_text(encoding="utf-8").split()]
        namespace, rest = self.parse_known_args([*from_files, *words])
        if rest and not return_remaining_strings:
            raise ValueError(unknown_names([word for word in rest if word.startswith("-")] or rest, self._known()))
        given = vars(namespace)
        made = []
        for kind, names in self._names.items():
            made.append(kind(**{name: given.pop(name) for name in names if name in given}))
        if given:
            made.append(namespace)
        return (*made, rest) if return_remaining_strings else tuple(made)

    def parse_dict(self, args: Mapping[str, Any], allow_extra_keys: bool = False) -> tuple[Any, ...]:
        """A dict as one object per dataclass. A key that none has is a ValueError, unless extras are allowed."""
        extra = [name for name in args if name not in self._known()]
        if extra and not allow_extra_keys:
            raise ValueError(unknown_names(extra, self._known()))
        mine = [{name: args[name] for name in names if name in args} for names in self._names.values()]
        return tuple(kind(**values) for kind, values in zip(self._names, mine, strict=True))

    def parse_json_file(self, json_file: str | os.PathLike[str], allow_extra_keys: bool = False) -> tuple[Any, ...]:
        """As parse_dict, for the object in a JSON file."""
        return self.parse_dict(json.loads(Path(json_file).read_text(encoding="utf-8")), allow_extra_keys)

    def parse_yaml_file(self, yaml_file: str | os.PathLike[str], allow_extra_keys: bool = False) -> tuple[Any, ...]:
        """As parse_dict, for the mapping in a YAML file."""
        try:
            import yaml
        except ImportError:
            raise ImportError('to read YAML, install PyYAML: pip install "nabi[train]"') from None
        return self.parse_dict(yaml.safe_load(Path(yaml_file).read_text(encoding="utf-8")) or {}, allow_extra_keys)


def fields_of(kind: Any) -> dict[str, dataclasses.Field[Any]]:
    return {field.name: field for field in dataclasses.fields(kind) if field.init}


def options(name: str) -> list[str]:
    return list(dict.fromkeys([f"--{name}", f"--{name.replace('_', '-')}"]))


def unknown_names(unknown: list[str], known: Iterable[str]) -> str:
    hints = []
    for name in unknown:
        near = get_close_matches(name.lstrip("-").split("=")[0].replace("-", "_"), list(known), n=1)
        hints.append(f"{name} (did you mean {near[0]}?)" if near else name)
    return f"none of the dataclasses has {', '.join(hints)}"


def settings_of_type(hint: Any) -> dict[str, Any]:
    """How argparse reads a value of a type: its type, choices and nargs."""
    if get_origin(hint) in (Union, types.UnionType):
        members = [one for one in get_args(hint) if one is not type(None)]
        enums = [one for one in members if isinstance(one, type) and issubclass(one, Enum)]
        if len(members) == 1 or (len(members) == 2 and enums and str in members):
            return settings_of_type(enums[0] if enums else members[0])
        if str in members and any(get_origin(one) is list for one in members):
            return {"type": str, "nargs": "+", "action": OneOrMany}
        if str in members:
            return {"type": str}  # JSON, a path or a word: the dataclass itself reads it
        raise TypeError(f"a command line cannot tell the types of {hint} apart; add str to them, or choose one")
    if get_origin(hint) is Literal:
        return choice(list(get_args(hint)))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return choice([member.value for member in hint])
    if hint is bool:
        return {"type": flag, "nargs": "?", "const": True}
    if get_origin(hint) is list or hint is list:
        item = (get_args(hint) or (str,))[0]
        return {**settings_of_type(item), "nargs": "+"}
    if is_dict(hint):
        return {"type": json_object}
    return {"type": str if hint is Any else hint}


def is_dict(hint: Any) -> bool:
    return hint is dict or get_origin(hint) is dict


def choice(values: list[Any]) -> dict[str, Any]:
    by_text = {str(value): value for value in values}
    read: Callable[[str], Any] = lambda text: by_text.get(text, text)  # noqa: E731 - argparse then lists the choices
    return {"type": read, "choices": values}


def flag(text: str) -> bool:
    try:
        return of_text("the flag", {"y": "yes", "t": "true", "n": "no", "f": "false"}.get(text.lower(), text), bool)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def json_object(text: str) -> Any:
    try:
        return dict_of("the option", text)
    except (ValueError, TypeError, OSError) as error:
        raise ArgumentTypeError(str(error)) from None


class OneOrMany(Action):
    """A single value as it is, several as a list."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        setattr(namespace, self.dest, values[0] if len(values) == 1 else values)
