"""BERT's tokenizers and the plain kinds on the awkward lines: ids, types, masks, offsets, words and text as the
incumbent gives them. (SentencePiece, byte-level BPE and the translators have the same in files of their own.)"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awkward import LINES, LONG
from small_tokenizers import KINDS, write_json, write_wordpiece

from nabi.tokenization import AutoTokenizer

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "padded and cut": {"padding": "max_length", "truncation": True, "max_length": 12, "return_token_type_ids": True},
    "everything": {"return_offsets_mapping": True, "return_special_tokens_mask": True, "return_length": True},
    "without frame": {"add_special_tokens": False, "return_offsets_mapping": True},
    "special tokens taken as text": {"split_special_tokens": True},
}
BERTS = {
    "cased": {"tokenizer_class": "BertTokenizer", "do_lower_case": False},
    "lowered, accents kept": {"tokenizer_class": "ElectraTokenizer", "do_lower_case": True, "strip_accents": False},
    "Chinese apart": {
        "tokenizer_class": "DistilBertTokenizer",
        "do_lower_case": False,
        "tokenize_chinese_chars": False,
    },
}


@pytest.fixture(scope="module")
def both(
    folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, incumbent: ModuleType
) -> dict[str, tuple[Any, Any]]:
    """Name -> nabi's tokenizer and the incumbent's, of the same folder."""
    places = dict(folders)
    for name, config in BERTS.items():
        places[name] = tmp_path_factory.mktemp("bert")
        write_wordpiece(places[name])
        write_json(places[name] / "tokenizer_config.json", {**config, "model_max_length": 64})
    return {
        name: (AutoTokenizer.from_pretrained(folder), incumbent.AutoTokenizer.from_pretrained(str(folder)))
        for name, folder in places.items()
    }


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", [*KINDS, *BERTS])
def test_awkward_lines_become_what_the_incumbent_makes_of_them(
    both: dict[str, tuple[Any, Any]], name: str, options: str
) -> None:
    ours, theirs = both[name]
    mine, other = ours([*LINES, LONG], **OPTIONS[options]), theirs([*LINES, LONG], **OPTIONS[options])
    assert mine.keys() == other.keys()
    for key in mine:
        assert mine[key] == other[key], key
    for row in range(0, len(LINES), 7):
        assert mine.word_ids(row) == other.word_ids(row)
        assert mine.tokens(row) == other.tokens(row)


@pytest.mark.parametrize("name", [*KINDS, *BERTS])
def test_awkward_lines_are_decoded_as_by_the_incumbent(both: dict[str, tuple[Any, Any]], name: str) -> None:
    ours, theirs = both[name]
    ids = ours(LINES)["input_ids"]
    for options in ({}, {"skip_special_tokens": True}):
        assert ours.batch_decode(ids, **options) == theirs.batch_decode(ids, **options)
