"""The house stays as it was planned: who may know whom, no family in the engine, nothing heavy at the door."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nabi
from nabi.models import FAMILIES

SOURCE = Path(nabi.__file__).parent

# Room -> the rooms that it may import. What stands on the ground knows only its neighbours there.
MAY_KNOW: dict[str, set[str]] = {
    "hub": set(),
    "outputs": set(),
    "config": {"hub"},
    "embedded": set(),
    "checkpoint": {"config", "hub"},
    "tokenization": {"config", "hub", "outputs"},
    "processing": {"config", "hub", "outputs", "tokenization"},
    "nn": {"config", "outputs", "checkpoint", "hub"},
    "models": {"nn", "config", "outputs"},
    "generation": {"nn", "config", "outputs", "hub", "tokenization"},
    "auto": {"models", "config"},
    "auto_mappings": {"auto", "models", "config"},
    "pipelines": {"generation", "processing", "auto", "tokenization", "embedded", "hub", "config", "models", "nn"},
    "data": set(),
    "training": {
        *("data", "generation", "processing", "auto", "tokenization", "checkpoint", "hub", "config", "outputs"),
        *("models", "nn"),
    },
    "conversion": {"auto", "models", "nn", "checkpoint", "config", "hub"},
    "batch": {"pipelines", "data"},
    "cli": {
        *("batch", "pipelines", "generation", "conversion", "auto", "models", "nn", "tokenization", "checkpoint"),
        *("embedded", "hub", "__init__", "data", "training"),
    },
    "compat": {
        *("__init__", "auto", "auto_mappings", "checkpoint", "config", "generation", "hub", "models", "nn", "outputs"),
        *("pipelines", "processing", "tokenization", "training"),
    },
    "drop_in": {"compat"},
    "__init__": {"compat", "pipelines", "models", "processing", "tokenization", "training"},
}
# The methods of a model that end in a room above it: they enter it when they are called.
UP_THE_STAIRS = {"nn/generating.py": {"generation"}}
FILES = sorted(SOURCE.rglob("*.py"))
NAMES = [str(file.relative_to(SOURCE)) for file in FILES]


def room_of(file: Path) -> str:
    relative = file.relative_to(SOURCE)
    return relative.parts[0].removesuffix(".py")


def imported_rooms(file: Path) -> set[str]:
    """The rooms of nabi that a file imports, inside functions too."""
    package = ["nabi", *file.relative_to(SOURCE).parent.parts]
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = [*base, *(node.module.split(".") if node.module else [])]
            names = [[*whole, alias.name] for alias in node.names] if len(whole) == 1 else [whole]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == "nabi":
                known = len(name) > 1 and name[1] in MAY_KNOW
                rooms.add(name[1] if known else "__init__")
    return rooms


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_a_room_knows_only_the_rooms_below_it(file: Path) -> None:
    room = room_of(file)
    assert room in MAY_KNOW, f"{file.name} stands in a room that the plan does not have"
    above = imported_rooms(file) - MAY_KNOW[room] - {room} - UP_THE_STAIRS.get(str(file.relative_to(SOURCE)), set())
    assert not above, f"{file.relative_to(SOURCE)} imports {', '.join(sorted(above))}"


def test_what_lies_on_the_ground_loads_no_torch() -> None:
    code = "import sys, nabi.outputs, nabi.config, nabi.hub, nabi.auto; print('torch' in sys.modules)"
    assert run(code) == "False"


@pytest.mark.parametrize("file", sorted((SOURCE / "nn").glob("*.py")), ids=lambda file: file.name)
def test_the_engine_names_no_family(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("is_encoder_decoder", "")  # a key of every config
    prefixes = [names[0].removesuffix("Config") for names in FAMILIES.values()]
    words = {*FAMILIES, *(name.replace("_", "-") for name in FAMILIES), *prefixes, "model_type"}
    found = [word for word in words if re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text, re.IGNORECASE)]
    assert not found, f"{file.name} speaks of {', '.join(found)}"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_of_families_lists_exactly_what_a_family_offers(family: str) -> None:
    module = importlib.import_module(f"nabi.models.{family}")
    prefix = FAMILIES[family][1].removesuffix("PreTrainedModel").removesuffix("Model")  # some have one class only
    helpers = (
        *("Block", "Head", "Output", "Stack", "Bodied", "Generator", "Embeddings", "Group", "Wrapper", "Norm"),
        *("Decoder", "Experts"),
    )
    offered = {
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and name.startswith(prefix)
        if not name.endswith(helpers)
    }
    assert offered == set(FAMILIES[family])


def test_the_package_imports_nothing_of_the_incumbent() -> None:
    for file in FILES:
        assert not re.search(r"^\s*(from|import) transformers", file.read_text(encoding="utf-8"), re.MULTILINE), file


def test_importing_nabi_and_its_front_doors_loads_no_torch() -> None:
    assert run("import sys, nabi; print('torch' in sys.modules)") == "False"
    doors = "import sys; from nabi import pipeline, AutoModel, AutoTokenizer, AutoConfig"
    assert run(f"{doors}; print('torch' in sys.modules)") == "False"


def test_every_public_name_can_be_had_and_an_unknown_one_is_an_attribute_error() -> None:
    for name in nabi.__all__:
        assert getattr(nabi, name) is not None
    with pytest.raises(AttributeError, match="NoSuchName"):
        nabi.NoSuchName  # noqa: B018


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
