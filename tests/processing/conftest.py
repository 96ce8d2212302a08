"""What the tests of images and sound share."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from small_inputs import write_letters, write_whisper, write_words

from nabi.processing.sources import say_once


@pytest.fixture(scope="session")
def incumbent() -> ModuleType:
    """The library whose numbers nabi must give; it takes seconds to import, so once."""
    import transformers

    return transformers


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tokenizer of a model of texts and images."""
    return write_words(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="session")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tokenizer of a model of speech that writes letters."""
    return write_letters(tmp_path_factory.mktemp("letters"))


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tokenizer of a model of speech that is steered by tokens."""
    return write_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(autouse=True)
def _nothing_was_said() -> None:
    say_once.cache_clear()
