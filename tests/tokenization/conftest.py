"""What the tests of the tokenizers share."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from small_tokenizers import write_bpe, write_unigram, write_wordpiece


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind of tokenizer -> a folder with its files."""
    made = {}
    for kind, write in (("wordpiece", write_wordpiece), ("bpe", write_bpe), ("unigram", write_unigram)):
        made[kind] = tmp_path_factory.mktemp(kind)
        write(made[kind])
    return made


@pytest.fixture(scope="session")
def incumbent() -> ModuleType:
    """The library whose numbers nabi must give; it takes seconds to import, so once."""
    import transformers

    return transformers
