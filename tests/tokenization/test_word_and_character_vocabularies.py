"""Vocabularies of words, of characters, and of Wav2Vec2's letters."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from awkward import LINES
from small_tokenizers import CORPUS, write_json

from nabi.tokenization import AutoTokenizer, CharacterTokenizer, Wav2Vec2CTCTokenizer, WordLevelTokenizer

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
WORDS = [*SPECIAL, *dict.fromkeys(" ".join(CORPUS).split())]
CHARACTERS = [*SPECIAL, *dict.fromkeys("".join(CORPUS))]
ENGLISH = [*SPECIAL, "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
KOREAN = [*SPECIAL, "|", *dict.fromkeys(letter for letter in "".join(CORPUS) if "가" <= letter <= "힣")]
FRENCH = [*SPECIAL, "|", *"abcdefghijklmnopqrstuvwxyzàâçéèêëîïôûùÉ", "ch", "ou"]


def numbered(pieces: list[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(pieces)}


def write_lines(path: Path, pieces: list[str]) -> Path:
    path.write_text("".join(piece + "\n" for piece in pieces), encoding="utf-8")
    return path


# --- words and characters


@pytest.mark.parametrize(("kind", "pieces"), [(WordLevelTokenizer, WORDS), (CharacterTokenizer, CHARACTERS)])
def test_the_same_vocabulary_may_be_lines_json_a_dict_or_a_list(kind: Any, pieces: list[str], tmp_path: Path) -> None:
    lines, as_json = write_lines(tmp_path / "vocab.txt", pieces), write_json(tmp_path / "vocab.json", numbered(pieces))
    first = kind(lines)
    ids = first(LINES)["input_ids"]
    for other in (
        kind(vocab_file=as_json),
        kind(vocab=numbered(pieces)),
        kind(vocab=pieces),
        kind.from_pretrained(tmp_path),
    ):
        assert other(LINES)["input_ids"] == ids
    lines.unlink()
    assert kind.from_pretrained(tmp_path)(LINES)["input_ids"] == ids
    assert (first.vocab_size, first.pad_token_id, first.unk_token_id) == (len(pieces), 0, 3)


def test_words_are_what_stands_between_white_space() -> None:
    tokenizer = WordLevelTokenizer(vocab=WORDS, add_bos_token=True, add_eos_token=True)
    vocab = numbered(WORDS)
    for line in LINES:
        words = [vocab.get(word, vocab["<unk>"]) for word in line.split()]
        if not set(SPECIAL) & set(line.replace("<", " <").replace(">", "> ").split()) and "\x1c" not in line:
            assert tokenizer(line)["input_ids"] == [1, *words, 2], line
    text = CORPUS[0]
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text
    batch = tokenizer(CORPUS[:3], padding=True, return_tensors="np")
    assert batch["input_ids"].shape == batch["attention_mask"].shape
    assert (batch["input_ids"] == 0).sum() == (batch["attention_mask"] == 0).sum() > 0


def test_characters_are_read_one_by_one_with_their_offsets() -> None:
    tokenizer = CharacterTokenizer(vocab=CHARACTERS, add_eos_token=True)
    vocab = numbered(CHARACTERS)
    for line in LINES:
        if not any(token in line for token in SPECIAL):
            batch = tokenizer(line, return_offsets_mapping=True)
            assert batch["input_ids"] == [*(vocab.get(letter, 3) for letter in line), 2]
            assert batch["offset_mapping"][:-1] == [(place, place + 1) for place in range(len(line))]
    for text in CORPUS[:14]:
        assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text


@pytest.mark.parametrize("kind", [WordLevelTokenizer, CharacterTokenizer])
def test_no_special_token_is_made_up(kind: Any) -> None:
    bare = kind(vocab=["<unk>", "가", "나"])
    assert bare.special_tokens_map == {"unk_token": "<unk>"} and len(bare) == 3
    named = kind(vocab=["<unk>", "가", "나"], pad_token="[PAD]")
    assert named.pad_token_id == 3
    with pytest.raises(ValueError, match=r"vocab: no unknown token '<unk>' among its 2 pieces.*unk_token="):
        kind(vocab=["가", "나"])
    other_name = kind(vocab=["[UNK]", "가"], unk_token="[UNK]")
    assert other_name("다")["input_ids"] == [0]
    with pytest.raises(ValueError, match="no piece has the id 1"):
        kind(vocab={"<unk>": 0, "가": 2})


@pytest.mark.parametrize(("kind", "pieces"), [(WordLevelTokenizer, WORDS), (CharacterTokenizer, CHARACTERS)])
def test_the_incumbent_loads_what_they_save(
    kind: Any, pieces: list[str], incumbent: ModuleType, tmp_path: Path
) -> None:
    ours = kind(vocab=pieces, add_eos_token=True, model_max_length=30)
    ours.save_pretrained(tmp_path)
    theirs, again = incumbent.AutoTokenizer.from_pretrained(str(tmp_path)), AutoTokenizer.from_pretrained(tmp_path)
    for other in (theirs, again):
        assert other(LINES)["input_ids"] == ours(LINES)["input_ids"]
        assert other.special_tokens_map == ours.special_tokens_map
        ids = ours(CORPUS[5])["input_ids"]
        assert other.decode(ids, skip_special_tokens=True) == ours.decode(ids, skip_special_tokens=True) == CORPUS[5]


# --- Wav2Vec2

SPOKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # vocabulary, and what tokenizer_config.json says
    "English": (numbered(ENGLISH), {}),
    "English in lower case": (numbered(ENGLISH), {"do_lower_case": True}),
    "Korean": (numbered(KOREAN), {}),
    "French with two-letter tokens": (numbered(FRENCH), {"do_lower_case": False}),
    "tokens added behind": (numbered(["[PAD]", "[UNK]", "|", *"가나다"]), {"pad_token": "[PAD]", "unk_token": "[UNK]"}),
    "another sign for spaces": (numbered(ENGLISH), {"replace_word_delimiter_char": "_"}),
    "one of two languages": ({"kor": numbered(KOREAN), "fra": numbered(FRENCH)}, {"target_lang": "fra"}),
}


@pytest.fixture
def spoken(tmp_path: Path, incumbent: ModuleType) -> Any:
    def load(case: str) -> tuple[Any, Any]:
        vocab, config = SPOKEN[case]
        write_json(tmp_path / "vocab.json", vocab)
        write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "Wav2Vec2CTCTokenizer", **config})
        theirs = incumbent.AutoTokenizer.from_pretrained(str(tmp_path))
        return AutoTokenizer.from_pretrained(tmp_path), theirs

    return load


@pytest.mark.parametrize("case", SPOKEN)
def test_letters_are_read_as_the_incumbent_reads_them(spoken: Any, case: str) -> None:
    ours, theirs = spoken(case)
    assert type(ours) is Wav2Vec2CTCTokenizer
    assert ours.get_vocab() == theirs.get_vocab() and len(ours) == len(theirs)
    lines = [*LINES, "hello world", "HELLO", "it's straße ﬁ é ŉ ǰ", "a <pad> b<s>c </s> d", "chou ch ou", "가나 다|라"]
    for line in filter(None, lines):
        assert ours(line)["input_ids"] == theirs(line)["input_ids"], line
    padded, expected = (
        tokenizer(["HELLO", "A B C D"], padding=True, return_tensors="np") for tokenizer in (ours, theirs)
    )
    assert {key: value.tolist() for key, value in padded.items()} == {
        key: value.tolist() for key, value in expected.items()
    }


@pytest.mark.parametrize("case", SPOKEN)
def test_what_a_model_spells_is_read_as_the_incumbent_reads_it(spoken: Any, case: str) -> None:
    ours, theirs = spoken(case)
    choose = np.random.default_rng(3)
    letters = choose.integers(0, len(ours), (60, 12)).tolist()
    rows = [np.repeat(row, choose.integers(1, 4, len(row))).tolist() for row in letters]
    rows += [[5, 5, 0, 5, 4, 4, 0, 4, 5], [4, 5, 4], [0, 0], [9999, 5], []]
    options: list[dict[str, Any]] = [
        {},
        {"skip_special_tokens": True},
        {"group_tokens": False},
        {"spaces_between_special_tokens": True},
        {"output_char_offsets": True},
        {"output_word_offsets": True, "output_char_offsets": True},
        {"output_word_offsets": True, "group_tokens": False, "skip_special_tokens": True},
    ]
    for wanted in options:
        asked = [key.removeprefix("output_") for key in wanted if key.startswith("output_")]
        for row in rows:
            result, expected = ours.decode(row, **wanted), theirs.decode(row, **wanted)
            if not asked:
                assert result == expected
            for key in ["text", *asked] if asked else []:  # without tokens the incumbent also gives what none asked for
                assert getattr(result, key) == getattr(expected, key)
        results, expected = ours.batch_decode(rows[:60], **wanted), theirs.batch_decode(rows[:60], **wanted)
        assert type(results).__name__ == type(expected).__name__
        assert results == expected if not asked else dict(results) == dict(expected)
    assert ours.decode(5) == theirs.decode([5])
    assert ours.decode(np.array([5, 5])) == theirs.decode(np.array([5, 5]))
    assert ours.convert_tokens_to_string(["A", "A", "|", "B"]) == theirs.convert_tokens_to_string(["A", "A", "|", "B"])


def test_offsets_of_a_text_without_tokens_are_empty(spoken: Any) -> None:
    ours, _ = spoken("Korean")
    result = ours.decode([], output_char_offsets=True, output_word_offsets=True)
    assert (result.text, result.char_offsets, result.word_offsets) == ("", [], [])


@pytest.mark.parametrize("case", SPOKEN)
def test_the_incumbent_loads_the_letters_that_nabi_saves(
    spoken: Any, case: str, incumbent: ModuleType, tmp_path: Path
) -> None:
    ours, _ = spoken(case)
    files = ours.save_pretrained(tmp_path / "saved")
    assert {Path(file).name for file in files} == {"vocab.json", "tokenizer_config.json", "special_tokens_map.json"}
    theirs = incumbent.AutoTokenizer.from_pretrained(str(tmp_path / "saved"))
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert type(theirs).__name__ == "Wav2Vec2CTCTokenizer" and type(again) is Wav2Vec2CTCTokenizer
    for other in (theirs, again):
        for line in filter(None, LINES[::5]):
            assert other(line)["input_ids"] == ours(line)["input_ids"]
        assert other.decode([5, 5, 4, 6]) == ours.decode([5, 5, 4, 6])
        assert other.target_lang == ours.target_lang


def test_a_vocabulary_of_languages_changes_between_them(spoken: Any, incumbent: ModuleType, tmp_path: Path) -> None:
    ours, theirs = spoken("one of two languages")
    for tokenizer in (ours, theirs):
        tokenizer.set_target_lang("kor")
    for line in ("이 영화는 정말", "서울에서 부산까지", "abc"):
        assert ours(line)["input_ids"] == theirs(line)["input_ids"]
    assert ours.decode([5, 4, 6, 6]) == theirs.decode([5, 4, 6, 6])
    ours.save_pretrained(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "vocab.json").read_text(encoding="utf-8"))
    assert saved == SPOKEN["one of two languages"][0], "no language is lost"
    assert (
        incumbent.AutoTokenizer.from_pretrained(str(tmp_path / "saved"))("이 영화")["input_ids"]
        == (ours("이 영화")["input_ids"])
    )
    with pytest.raises(ValueError, match="'eng': the vocabulary has letters for each of kor, fra"):
        ours.set_target_lang("eng")
    with pytest.raises(ValueError, match="None: the vocabulary has letters for each of kor, fra"):
        Wav2Vec2CTCTokenizer(vocab=SPOKEN["one of two languages"][0])
    with pytest.raises(ValueError, match="one language"):
        Wav2Vec2CTCTokenizer(vocab=numbered(KOREAN)).set_target_lang("kor")
    with pytest.raises(ValueError, match=r"target_lang='kor'.*one vocabulary"):
        Wav2Vec2CTCTokenizer(vocab=numbered(KOREAN), target_lang="kor")
    with pytest.raises(ValueError, match="vocab, fra: no piece has the id 1"):
        Wav2Vec2CTCTokenizer(vocab={"fra": {"a": 0, "b": 2}}, target_lang="fra")


# --- where nabi follows version 4.57, or the vocabulary, and the incumbent's version 5 does not


def test_a_delimiter_that_the_config_names_is_used(incumbent: ModuleType, tmp_path: Path) -> None:
    """The incumbent's version 5 takes it for a special token of another kind, and goes on with "|"."""
    write_json(tmp_path / "vocab.json", numbered([*SPECIAL, "/", *"가나"]))
    write_json(
        tmp_path / "tokenizer_config.json", {"tokenizer_class": "Wav2Vec2CTCTokenizer", "word_delimiter_token": "/"}
    )
    ours, theirs = AutoTokenizer.from_pretrained(tmp_path), incumbent.AutoTokenizer.from_pretrained(str(tmp_path))
    assert (ours.word_delimiter_token, ours.word_delimiter_token_id) == ("/", 4)
    assert ours("가 나")["input_ids"] == [5, 4, 6]
    assert ours.decode([5, 4, 6]) == "가 나"
    assert theirs.word_delimiter_token == "|" and theirs("가 나")["input_ids"] == [5, 3, 6]
    ours.save_pretrained(tmp_path / "saved")
    assert AutoTokenizer.from_pretrained(tmp_path / "saved")("가 나")["input_ids"] == [5, 4, 6]


def test_letters_of_the_language_before_are_gone(incumbent: ModuleType, tmp_path: Path) -> None:
    """The incumbent keeps "ch" of the French letters among the Korean ones, with an id that no model has a row for."""
    vocab = {"fra": numbered(FRENCH), "kor": numbered([*SPECIAL, "|", *"가나"])}
    path = write_json(tmp_path / "vocab.json", vocab)
    ours, theirs = (kind(path, target_lang="fra") for kind in (Wav2Vec2CTCTokenizer, incumbent.Wav2Vec2CTCTokenizer))
    for tokenizer in (ours, theirs):
        tokenizer.set_target_lang("kor")
    assert ours("ch")["input_ids"] == [3, 3] and len(ours) == 7
    assert theirs("ch")["input_ids"] == [FRENCH.index("ch")] and len(theirs) > 7


def test_words_are_refused_for_letters(spoken: Any) -> None:
    """4.57 put a delimiter before each word, version 5 glues them: neither says so."""
    ours, theirs = spoken("English")
    assert theirs(["A", "B"], is_split_into_words=True)["input_ids"] == [7, 24]
    with pytest.raises(ValueError, match=r"' '\.join"):
        ours(["A", "B"], is_split_into_words=True)
