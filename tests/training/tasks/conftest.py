"""The tokenizer of the embedded Korean and English checkpoint."""

from __future__ import annotations

from typing import Any

import pytest

from nabi import AutoTokenizer
from nabi.embedded import SENTIMENT


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(SENTIMENT, bos_token="[CLS]", eos_token="[SEP]")
