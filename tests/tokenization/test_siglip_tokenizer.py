"""SigLIP's tokenizer beside the incumbent's, on every awkward line, from its spiece.model alone."""

from __future__ import annotations

import copy
import importlib
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awkward import LINES
from sentencepiece_models import as_repository, train
from small_tokenizers import write_bpe, write_json

from nabi.tokenization import AutoTokenizer, SiglipTokenizer

# The engine composes a mark behind a ligature (see formats/sentencepiece_engine.py), which sentencepiece does not.
SAME = [line for line in LINES if "\ufb01\u0301" not in line]
MORE = ["(Hello) WORLD!", "a </s>", "</s></s>", "a<unk>, b", "... a", " </s> ! a </s> ", "!!!", "한글, </s>"]
CALLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "to the model's length": {"padding": "max_length", "truncation": True},
    "without special tokens": {"add_special_tokens": False},
    "everything": {"padding": True, "return_special_tokens_mask": True, "return_token_type_ids": False},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = train(tmp_path_factory.mktemp("model"), "t5")
    return as_repository(tmp_path_factory.mktemp("siglip"), model, "spiece.model", tokenizer_class="SiglipTokenizer")


@pytest.fixture(scope="module")
def theirs(incumbent: ModuleType) -> Any:
    """The incumbent's class, which asks for protobuf and reads these models without it."""
    with pytest.MonkeyPatch.context() as patch:
        module = importlib.import_module("transformers.models.siglip.tokenization_siglip")
        patch.setattr(module, "requires_backends", lambda *_: None)
        yield lambda folder, **options: incumbent.AutoTokenizer.from_pretrained(str(folder), **options)


@pytest.mark.parametrize("lowers", [True, False])
@pytest.mark.parametrize("call", CALLS)
def test_awkward_lines_become_what_the_incumbent_makes_of_them(
    folder: Path, theirs: Any, call: str, lowers: bool
) -> None:
    lines = [line for line in [*SAME, *MORE] if not (lowers and "Σ" in line)]  # Python writes a last sigma otherwise
    if "return_special_tokens_mask" in CALLS[call]:  # whose length the incumbent mistakes behind a </s> in the text
        lines = [line for line in lines if "</s>" not in line]
    ours, other = (load(folder, do_lower_case=lowers) for load in (AutoTokenizer.from_pretrained, theirs))
    assert ours(lines, **CALLS[call]).data == other(lines, **CALLS[call]).data
    if "truncation" not in CALLS[call]:  # of pairs cut to an odd length the engine leaves the odd token to the second
        assert ours(lines, lines[::-1], **CALLS[call]).data == other(lines, lines[::-1], **CALLS[call]).data
    for line in lines[::9]:
        assert ours.tokenize(line) == other.tokenize(line)


def test_ids_become_the_incumbents_text_and_the_vocabulary_is_its(folder: Path, theirs: Any) -> None:
    ours, other = AutoTokenizer.from_pretrained(folder), theirs(folder)
    rows = [*other(SAME)["input_ids"], [1, 0, 5, 2, 2, 7, 1, 1, 9]]
    for options in ({}, {"skip_special_tokens": True}, {"clean_up_tokenization_spaces": True}):
        assert ours.batch_decode(rows, **options) == other.batch_decode(rows, **options)
    assert ours.get_vocab() == other.get_vocab() and len(ours) == len(other)
    assert repr(ours.added_tokens_decoder) == repr(other.added_tokens_decoder)
    for name in ("model_max_length", "pad_token_id", "unk_token_id", "eos_token_id", "bos_token", "model_input_names"):
        assert getattr(ours, name) == getattr(other, name), name


def test_offsets_point_into_the_text_as_it_was_written(folder: Path) -> None:
    ours, text = AutoTokenizer.from_pretrained(folder), '  "The Film", 영화!'
    encoding = ours(text, return_offsets_mapping=True)
    cut = [text[start:end] for start, end in encoding["offset_mapping"]]
    assert "".join(cut).replace('"', "").replace(",", "").replace(" ", "") == "TheFilm영화"


def test_only_what_is_written_as_the_token_is_one(folder: Path, theirs: Any) -> None:
    """4.57 lowers a text before it looks for tokens, so that </S> ends one; 5.23 does not."""
    ours = AutoTokenizer.from_pretrained(folder)
    assert ours("a </S> b")["input_ids"] == theirs(folder)("a </S> b")["input_ids"] == ours("a s b")["input_ids"]


def test_what_nabi_saves_is_read_by_both_and_the_other_way(folder: Path, theirs: Any, tmp_path: Path) -> None:
    ours = AutoTokenizer.from_pretrained(folder, do_lower_case=False)
    ours.add_tokens(["<new>"])
    lines = [*SAME, "a <new> b </s>"]
    expected = ours(lines)["input_ids"]
    ours.save_pretrained(tmp_path / "ours")
    assert not (tmp_path / "ours" / "tokenizer.json").exists()
    other, again = theirs(tmp_path / "ours"), AutoTokenizer.from_pretrained(tmp_path / "ours")
    assert type(again) is SiglipTokenizer and type(other).__name__ == "SiglipTokenizer"
    assert again(lines)["input_ids"] == other(lines)["input_ids"] == expected
    other.save_pretrained(str(tmp_path / "theirs"))
    back = SiglipTokenizer.from_pretrained(tmp_path / "theirs")
    assert back(lines)["input_ids"] == expected and back.init_kwargs["do_lower_case"] is False
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert twin(lines)["input_ids"] == expected
    assert Path(*ours.save_vocabulary(tmp_path / "model")).read_bytes() == (folder / "spiece.model").read_bytes()


@pytest.mark.parametrize("config", [{"tokenizer_class": "SiglipTokenizer"}, {}])
def test_the_model_wins_over_a_tokenizer_json_which_serves_where_there_is_none(
    folder: Path, tmp_path: Path, config: dict[str, str]
) -> None:
    write_bpe(tmp_path)
    write_json(tmp_path / "tokenizer_config.json", config)
    write_json(tmp_path / "config.json", {"model_type": "siglip"})
    alone = AutoTokenizer.from_pretrained(tmp_path, eos_token="<|endoftext|>", pad_token="<pad>", unk_token=None)
    assert alone.tokenize("Hello!") != AutoTokenizer.from_pretrained(folder).tokenize("Hello!")
    (tmp_path / "spiece.model").write_bytes((folder / "spiece.model").read_bytes())
    both = AutoTokenizer.from_pretrained(tmp_path)
    assert type(both) is SiglipTokenizer
    assert both(SAME)["input_ids"] == AutoTokenizer.from_pretrained(folder)(SAME)["input_ids"]
