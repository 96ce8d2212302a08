"""SentencePiece models are read without sentencepiece, and give the very ids and texts that sentencepiece gives."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from awkward import LINES, LONG
from sentencepiece_models import AS_IT_IS, PLAIN, TEXTS, TRAINED, Models, Row, with_pieces
from tokenizers import Tokenizer

from nabi.tokenization import LlamaTokenizer, T5Tokenizer
from nabi.tokenization.formats import SentencePieceModel, engine_of, read_sentencepiece

FAMILIES = ("albert", "t5", "deberta", "xlnet", "bigbird", "llama", "llama unigram", "gemma", "kobert")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("models"))


def processor(path: Path) -> Any:
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def engine(path: Path) -> Tokenizer:
    """The engine, taking control symbols in a text for text, as sentencepiece does."""
    made = engine_of(read_sentencepiece(path))
    made.encode_special_tokens = True
    return made


# --- reading


@pytest.mark.parametrize("name", TRAINED)
def test_the_file_says_what_sentencepiece_says_of_it(models: Models, name: str) -> None:
    model, theirs = read_sentencepiece(models[name]), processor(models[name])
    ids = range(theirs.get_piece_size())
    assert model.pieces == [theirs.id_to_piece(number) for number in ids]
    assert model.scores == [theirs.get_score(number) for number in ids]
    for kind, check in ((UNKNOWN, "is_unknown"), (CONTROL, "is_control"), (UNUSED, "is_unused"), (BYTE, "is_byte")):
        assert [own == kind for own in model.types] == [getattr(theirs, check)(number) for number in ids]
    named = [model.pieces[number] for number in ids if model.types[number] == USER_DEFINED]
    assert set(named) == set(TRAINED[name].get("user_defined_symbols", []))
    assert model.unk_id == theirs.unk_id()
    for option in ("bos_id", "eos_id", "pad_id"):
        number = getattr(theirs, option)()
        assert getattr(model, option) == (None if number == -1 else number)
    asked = TRAINED[name]
    for option in ("byte_fallback", "treat_whitespace_as_suffix"):
        assert getattr(model, option) == asked.get(option, False)
    for option in ("add_dummy_prefix", "remove_extra_whitespaces", "split_by_whitespace"):
        assert getattr(model, option) == asked.get(option, True)
    assert model.algorithm == asked["model_type"]
    assert bool(model.precompiled_charsmap) == (asked.get("normalization_rule_name") != "identity")
    assert (model.unk_piece, model.pad_piece) == (asked.get("unk_piece", "<unk>"), asked.get("pad_piece", "<pad>"))


def test_pieces_of_any_length_and_many_of_them_are_read(models: Models, tmp_path: Path) -> None:
    rows: list[Row] = [
        ("<unk>", 0.0, UNKNOWN),
        ("▁", -1.5, NORMAL),
        ("가" * 60, -2.5, NORMAL),
        ("나" * 300, -3, NORMAL),
    ]
    rows += [(f"piece{number}", -4 - number / 8, NORMAL) for number in range(20_000)]
    path = with_pieces(models["unigram"], tmp_path / "long.model", rows)
    model, theirs = read_sentencepiece(path), processor(path)
    assert [*zip(model.pieces, model.scores, model.types, strict=True)] == rows
    assert len(model.pieces) == theirs.get_piece_size()
    assert engine(path).encode("가" * 60 + " piece7").ids == theirs.encode("가" * 60 + " piece7")


def test_a_file_that_breaks_off_is_named_wherever_it_breaks_off(models: Models, tmp_path: Path) -> None:
    whole = models["bpe, spaces as symbols"].read_bytes()
    path = tmp_path / "broken.model"
    for end in [*range(0, 400), *range(400, len(whole) - 2, 97), len(whole) - 20]:
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"broken\.model"):
            read_sentencepiece(path)


def test_a_damaged_file_is_an_error_that_names_it_or_a_model(models: Models, tmp_path: Path) -> None:
    whole = models["unigram, all spaces"].read_bytes()
    path, rng, refused = tmp_path / "damaged.model", random.Random(5), 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(3):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            assert isinstance(read_sentencepiece(path), SentencePieceModel)
        except ValueError as error:
            assert "damaged.model" in str(error)
            refused += 1
    assert refused > 100


REFUSED = {
    "empty": (b"", "0 bytes"),
    "a pointer of Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "download it again",
    ),
    "a page": (b"<!DOCTYPE html><html><body>Not found</body></html>", "download it again"),
    "text": ("한글 vocabulary\n".encode(), "download it again"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_model_is_refused_by_name(tmp_path: Path, case: str) -> None:
    data, said = REFUSED[case]
    path = tmp_path / "other.model"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"other\.model.*{said}"):
        read_sentencepiece(path)


@pytest.mark.parametrize("kind", ["word", "char"])
def test_a_model_of_words_or_characters_is_refused_by_its_kind(tmp_path: Path, kind: str) -> None:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(tmp_path / kind),
        model_type=kind,
        vocab_size=300,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    with pytest.raises(ValueError, match=rf"{kind}\.model.*{kind!r}.*unigram"):
        read_sentencepiece(tmp_path / f"{kind}.model")


def test_other_unfit_models_are_refused_by_name(models: Models, tmp_path: Path) -> None:
    none, twice = [("a", -1.0, NORMAL)], [("<unk>", 0.0, UNKNOWN), ("a", -1.0, NORMAL), ("a", -2.0, NORMAL)]
    with pytest.raises(ValueError, match=r"none\.model.*one unknown piece"):
        read_sentencepiece(with_pieces(models["unigram"], tmp_path / "none.model", none))
    with pytest.raises(ValueError, match=r"twice\.model.*'a' has the ids 1 and 2"):
        read_sentencepiece(with_pieces(models["unigram"], tmp_path / "twice.model", twice))
    with pytest.raises(FileNotFoundError, match=r"absent\.model"):
        read_sentencepiece(tmp_path / "absent.model")
    with pytest.raises(TypeError, match=r"\.model file, not from list"):
        T5Tokenizer(vocab=[("<pad>", 0.0)])
    model = read_sentencepiece(models["unigram"])
    with pytest.raises(ValueError, match=r"unigram\.model.*unk_token='<unk>'"):
        engine_of(model, unk_token="[UNK]")
    with pytest.raises(ValueError, match=r"unigram\.model.*'<s>' would have two ids"):
        engine_of(model, [*model.pieces, "<s>"])
    model.precompiled_charsmap = b"no table"
    with pytest.raises(ValueError, match=r"unigram\.model.*precompiled_charsmap"):
        engine_of(model)


# --- ids and texts


def explained(model: SentencePieceModel, theirs: Any, line: str, ids: list[int]) -> bool:
    """Whether a line belongs to what the engine cannot do (see sentencepiece_engine.py)."""
    normalized = theirs.normalize(line)
    if model.precompiled_charsmap and unicodedata.normalize("NFC", normalized) != normalized:
        return True  # marks that sentencepiece does not compose
    if "I\u0307" in line and "i" in model.pieces:
        return True  # case folding knows this pair of signs as one
    if normalized == "▁":
        return ids == []  # nothing but deleted characters
    expected = theirs.encode(line)
    unknown = min(model.normal.values()) - 10  # as sentencepiece scores an unknown character
    scores = [unknown if number == model.unk_id else model.scores[number] for number in [*expected, *ids]]
    return abs(sum(scores[: len(expected)]) - sum(scores[len(expected) :])) < 1e-4  # a tie


@pytest.mark.parametrize("name", TRAINED)
def test_ids_and_texts_are_those_of_sentencepiece(models: Models, name: str) -> None:
    model, theirs, ours = read_sentencepiece(models[name]), processor(models[name]), engine(models[name])
    lines = LINES if name in FAMILIES else [*LINES, LONG]
    unequal = 0
    for line, encoding in zip(lines, ours.encode_batch(lines), strict=True):
        expected = theirs.encode(line)
        if encoding.ids != expected:
            assert explained(model, theirs, line, encoding.ids), (line, encoding.tokens, theirs.encode_as_pieces(line))
            unequal += 1
        decoded = ours.decode(expected, skip_special_tokens=False)
        if theirs.normalize(line) != "▁":
            assert decoded == theirs.decode(expected).replace(" ⁇ ", model.unk_piece)
    assert unequal <= 8, "nearly all lines must be equal, not explained"


@pytest.mark.parametrize("name", ["unigram, symbols", "bpe, spaces as symbols", "gemma", "unigram, suffix"])
def test_the_engine_is_the_same_when_it_is_read_from_json(models: Models, name: str) -> None:
    made = engine(models[name])
    again = Tokenizer.from_str(made.to_str())
    again.encode_special_tokens = True
    assert [encoding.ids for encoding in again.encode_batch(LINES)] == [row.ids for row in made.encode_batch(LINES)]


@pytest.mark.parametrize("name", ["unigram", "bpe, bytes", "llama"])
def test_offsets_slice_the_text_that_a_piece_stands_for(models: Models, name: str) -> None:
    ours = engine(models[name])
    for line in ("이 영화는 최고예요!", "㈜나비 ①번", "  film  was "):
        encoding = ours.encode(line)
        covered = "".join(line[start:end] for start, end in dict.fromkeys(encoding.offsets))
        assert "".join(covered.split()) == "".join(line.split()), encoding.tokens


def test_offsets_of_composed_letters_begin_with_them(models: Models) -> None:
    encoding = engine(models["unigram"]).encode(unicodedata.normalize("NFD", "영화"))
    assert encoding.tokens == ["▁", "영", "화"]
    assert [start for start, _ in encoding.offsets[1:]] == [0, 3]


def test_hangul_is_composed_from_whatever_it_is_written_in(models: Models) -> None:
    ours = engine(models["unigram"])
    whole = ours.encode("한글을 섞어 쓴").ids
    assert ours.encode(unicodedata.normalize("NFD", "한글을 섞어 쓴")).ids == whole
    assert ours.encode("ㅎㅏㄴ글").tokens == ["▁", "하", "ᄂ", "글"]  # so does sentencepiece: it sees no final here


def test_symbols_that_the_charsmap_would_change_are_kept_as_they_are_written(tmp_path: Path) -> None:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(tmp_path / "circled"),
        minloglevel=2,
        hard_vocab_limit=False,
        **{**PLAIN, "user_defined_symbols": ["①"]},
    )
    path = tmp_path / "circled.model"
    assert processor(path).encode_as_pieces("영화 ①번")[-3:] == ["▁", "①", "번"]
    assert engine(path).encode("영화 ①번").tokens[-3:] == ["①", "▁", "번"], "each part is a text of its own here"


def test_merges_follow_the_scores_and_not_the_order_of_ids(models: Models, tmp_path: Path) -> None:
    """Vocabularies that were extended by hand have their new pieces at the end, with scores of their own."""
    letters = [(letter, -50.0, NORMAL) for letter in "▁abc"]
    pieces = [("ab", -3.0, NORMAL), ("▁a", -2.0, NORMAL), ("bc", -1.0, NORMAL), ("abc", -4.0, NORMAL)]
    rows: list[Row] = [("<unk>", 0.0, UNKNOWN), *pieces, *letters]
    for number, order in enumerate((rows, [rows[0], *reversed(rows[1:])])):
        path = with_pieces(models["bpe"], tmp_path / f"{number}.model", order)
        for text in ("abc", "aabcab", "bcabc", "cab abc"):
            assert engine(path).encode(text).tokens == processor(path).encode_as_pieces(text)
        assert engine(path).encode("abc").tokens == ["▁a", "bc"]


def test_unused_pieces_and_names_of_bytes_are_never_found_in_a_text(models: Models, tmp_path: Path) -> None:
    model = read_sentencepiece(models["unigram, bytes"])
    rows = [*zip(model.pieces, model.scores, model.types, strict=True)]
    rows[model.pieces.index("<0x00>") - 1] = ("영화", -1.0, UNUSED)
    path = with_pieces(models["unigram, bytes"], tmp_path / "unused.model", rows)
    for text in ("영화", "<0x41> <0xEC>", "a<0x41>b"):
        assert engine(path).encode(text).tokens == processor(path).encode_as_pieces(text)
    assert "영화" not in engine(path).encode("영화").tokens and "<0x41>" not in engine(path).encode("<0x41>").tokens


def test_control_symbols_are_special_tokens_and_split_special_tokens_spells_them(models: Models) -> None:
    tokenizer = LlamaTokenizer(models["llama unigram"], add_bos_token=False)
    assert tokenizer.tokenize("a</s>") == ["▁a", "</s>"]
    spelled = tokenizer("a</s>", split_special_tokens=True)["input_ids"]
    assert spelled == processor(models["llama unigram"]).encode("a</s>")


def test_a_pieces_layout_of_its_own_has_its_ids(models: Models) -> None:
    model = read_sentencepiece(models["unigram"])
    moved = engine_of(model, ["<pad>", "<mask>", *model.pieces])
    assert moved.encode("이 영화").ids == [number + 2 for number in processor(models["unigram"]).encode("이 영화")]
    fewer = engine_of(model, [piece for piece in model.pieces if piece != "영"])
    assert fewer.encode("영").tokens == ["▁", "영"] and fewer.encode("영").ids[1] == fewer.token_to_id("<unk>")


def test_spaces_are_kept_or_dropped_as_the_model_says(models: Models) -> None:
    assert TRAINED["unigram, all spaces"]["remove_extra_whitespaces"] is AS_IT_IS["remove_extra_whitespaces"] is False
    assert engine(models["unigram, all spaces"]).encode("  이  ").tokens == ["▁", "▁", "▁", "이", "▁", "▁"]
    assert engine(models["unigram"]).encode("  이  ").tokens == ["▁", "이"]
    assert engine(models["unigram, suffix"]).encode("  이  ").tokens[-1].endswith("▁")
    assert engine(models["gemma"]).encode("이").tokens == ["이"]
