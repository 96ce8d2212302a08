"""The families with a SentencePiece model: ids as their original tokenizers give them, files as the incumbent's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awkward import LINES
from sentencepiece_models import Models, as_repository, lend_protobuf, with_pieces
from sentencepiece_originals import FAMILIES, Family, Options, original, processor_of
from small_tokenizers import CORPUS

from nabi.tokenization import (
    AlbertTokenizer,
    AutoTokenizer,
    DebertaV2Tokenizer,
    LlamaTokenizer,
    PegasusTokenizer,
    PreTrainedTokenizerFast,
    T5Tokenizer,
    XLMRobertaTokenizer,
)
from nabi.tokenization.formats import read_sentencepiece

CASES = [(kind, number) for kind, family in FAMILIES.items() for number in range(len(family.options))]
IDS = [f"{kind}-{FAMILIES[kind].options[number]}" for kind, number in CASES]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def repositories(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """(kind, options) -> a folder with the model and tokenizer_config.json."""
    folder = tmp_path_factory.mktemp("repositories")

    def repository(kind: str, options: Options) -> Path:
        family = FAMILIES[kind]
        place = folder / re.sub(r"\W+", "-", f"{kind} {options}")
        return as_repository(place, models[family.model], family.file, tokenizer_class=family.name, **options)

    return repository


@pytest.fixture(scope="module")
def theirs(incumbent: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The incumbent's AutoTokenizer.from_pretrained."""
    with pytest.MonkeyPatch.context() as patch:
        lend_protobuf(tmp_path_factory.mktemp("lent"), patch)
        yield lambda folder, **options: incumbent.AutoTokenizer.from_pretrained(str(folder), **options)


# --- the original algorithm


@pytest.mark.parametrize(("kind", "number"), CASES, ids=IDS)
def test_ids_are_those_of_the_original_algorithm(
    models: Models, repositories: Callable[..., Path], kind: str, number: int
) -> None:
    family, options = FAMILIES[kind], FAMILIES[kind].options[number]
    ours = AutoTokenizer.from_pretrained(repositories(kind, options))
    added = {token.content: token_id for token_id, token in ours.added_tokens_decoder.items()}
    expected = original(family, models[family.model], options, added)
    model = read_sentencepiece(models[family.model])
    unequal = 0
    for line, ids in zip(LINES, ours(LINES, add_special_tokens=False)["input_ids"], strict=True):
        wanted = expected(line)
        if ids != wanted and not (family.lowers and "Σ" in line):  # Python writes the last sigma of a word otherwise
            assert model.precompiled_charsmap, (line, ours.convert_ids_to_tokens(ids))
            unequal += 1
            known = re.search("\u0301|\u0308|\u0300", line) or tied(model, ids, wanted, family)
            assert known, (line, ours.convert_ids_to_tokens(ids), ours.convert_ids_to_tokens(wanted))
    assert unequal <= 8


def tied(model: Any, ids: list[int], wanted: list[int], family: Family) -> bool:
    """Whether two segmentations are of equal score."""
    difference = [0.0, 0.0]
    for side, row in enumerate((ids, wanted)):
        known = [number - family.moved for number in row if family.moved <= number < len(model.pieces) + family.moved]
        difference[side] = sum(model.scores[number] for number in known)
    return abs(difference[0] - difference[1]) < 1e-4


# --- beside the incumbent

BOS = {"add_bos_token": True}  # what real checkpoints say; see DIFFERENCES
CALLS: dict[str, Options] = {
    "plain": {},
    "padded": {"padding": True},
    "to a length, cut": {"padding": "max_length", "truncation": True, "max_length": 12},
    "with windows": {"truncation": True, "max_length": 9, "stride": 2, "return_overflowing_tokens": True},
    "without special tokens": {"add_special_tokens": False},
}
EQUAL = ["albert", "xlnet", "t5", "xlm-roberta", "camembert", "pegasus", "deberta", "big_bird", "llama", "gemma"]


def plain_lines(kind: str) -> list[str]:
    """What both read alike: the incumbent takes Hangul apart where it strips accents."""
    lines = CORPUS[:14]
    return [line for line in lines if line.isascii()] if FAMILIES[kind].cleans else lines


@pytest.mark.parametrize("kind", EQUAL)
def test_plain_text_is_encoded_as_the_incumbent_encodes_it(
    repositories: Callable[..., Path], theirs: Any, kind: str
) -> None:
    folder = repositories(kind, BOS if kind in ("llama", "gemma") else {})
    added = {"pad_token": "</s>"} if kind == "llama" else {}
    mine, other = AutoTokenizer.from_pretrained(folder, **added), theirs(folder, **added)
    if kind == "xlnet":
        assert other.pad_token_type_id == 0, "the class says 3, but its base forgets it"
        other._pad_token_type_id = 3
    lines = plain_lines(kind)
    for call, options in CALLS.items():
        asked = {**options, "return_token_type_ids": True, "return_special_tokens_mask": True}
        texts = [(lines, None), ([lines[0], lines[2]], [lines[1], lines[3]])]
        for text, pair in texts[: 1 if call == "with windows" else 2]:
            result = mine(text, pair, return_offsets_mapping=True, **asked)
            expected = other(text, pair, return_offsets_mapping=True, **asked)
            assert result.data == expected.data, call
            # The incumbent says that all is one word, or that each user-defined symbol is one.
            if kind not in ("llama", "gemma", "albert", "xlnet"):
                assert [result.word_ids(row) for row in range(len(text))] == [
                    expected.word_ids(row) for row in range(len(text))
                ]
    ids = [row for row in mine(lines)["input_ids"]]
    for skip in (False, True):
        assert mine.batch_decode(ids, skip_special_tokens=skip) == other.batch_decode(ids, skip_special_tokens=skip)
    assert len(mine) == len(other) and mine.get_vocab() == other.get_vocab()
    assert mine.padding_side == other.padding_side
    for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask"):
        assert getattr(mine, f"{name}_token_id") == getattr(other, f"{name}_token_id"), name


@pytest.mark.parametrize(("kind", "number"), CASES, ids=IDS)
def test_what_nabi_saves_is_loaded_to_equal_ids(
    repositories: Callable[..., Path], theirs: Any, tmp_path: Path, kind: str, number: int
) -> None:
    ours = AutoTokenizer.from_pretrained(repositories(kind, FAMILIES[kind].options[number]))
    expected = ours(LINES)["input_ids"]
    ours.save_pretrained(tmp_path)
    for again in (AutoTokenizer.from_pretrained(tmp_path), theirs(tmp_path), type(ours).from_pretrained(tmp_path)):
        assert again(LINES)["input_ids"] == expected
        assert again(LINES[0], LINES[1])["input_ids"] == ours(LINES[0], LINES[1])["input_ids"]
        assert again.all_special_tokens == ours.all_special_tokens
        assert (again.padding_side, again.model_input_names) == (ours.padding_side, ours.model_input_names)
        assert again.pad_token_type_id == ours.pad_token_type_id or not isinstance(again, PreTrainedTokenizerFast)


@pytest.mark.parametrize("kind", [kind for kind in EQUAL if kind not in ("llama", "gemma")])
def test_what_the_incumbent_saves_is_read_as_it_reads_it(
    repositories: Callable[..., Path], incumbent: ModuleType, theirs: Any, tmp_path: Path, kind: str
) -> None:
    """tokenizer.json wins: it holds the incumbent's own reading, which PreTrainedTokenizerFast shows."""
    theirs(repositories(kind, {})).save_pretrained(str(tmp_path))
    other = incumbent.PreTrainedTokenizerFast.from_pretrained(str(tmp_path))
    ours = AutoTokenizer.from_pretrained(tmp_path)
    assert type(ours).__name__ == FAMILIES[kind].name + "Fast"
    assert ours(LINES)["input_ids"] == other(LINES)["input_ids"]
    assert len(ours) == len(other)


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


NO_COMPOSING = "the engine's charsmap sees one character at a time, so letters of several signs stay apart"
LOSES_MARKS = "the engine's charsmap maps a letter and its mark together, and drops the mark"
NO_CHARSMAP = "the class leaves out the model's table of characters and puts rules of its own"
STRIPPED = "accents are stripped by taking all letters apart (NFKD), Hangul too, and nothing composes it again"
ADDED = "user-defined symbols are made added tokens, and what follows one begins with a prefix"
NO_BOS = "since version 5 the class frames a .model's texts only where add_bos_token is named; LLaMA's own code does"
METASPACE = "its pre-tokenizer puts no prefix before a text that begins with a space or a ▁"

# kind, options, text, the incumbent's tokens (or its error), nabi's tokens, why
DIFFERENCES: list[tuple[str, Options, str, str | type[Exception], str, str]] = [
    ("t5", {}, nfd("영화"), "▁ <unk> </s>", "▁ 영 화 </s>", NO_COMPOSING),
    ("xlm-roberta", {}, "ㄱㅏ", "<s> ▁ <unk> </s>", "<s> ▁ 가 </s>", NO_COMPOSING),
    ("t5", {}, "①\u0301", "▁1 </s>", "▁1 <unk> </s>", LOSES_MARKS),
    ("t5", {}, "a\x85b", "▁a ▁b </s>", "▁a <unk> b </s>", "it cuts at white space that sentencepiece does not know"),
    ("t5", {"legacy": False}, "a</s>b", "▁a </s> ▁b </s>", "▁a </s> b </s>", "legacy is not heeded"),
    ("albert", {}, "영화", "[CLS] ▁ <unk> [SEP]", "[CLS] ▁ 영 화 [SEP]", STRIPPED),
    ("albert", {}, "U.S.", "[CLS] ▁ u . ▁ s . [SEP]", "[CLS] ▁ u . s . [SEP]", ADDED),
    ("xlnet", {"keep_accents": True}, "영화", "▁ <unk> <sep> <cls>", "▁ 영 화 <sep> <cls>", STRIPPED),
    ("xlnet", {"keep_accents": True}, "é", "▁ e <sep> <cls>", "▁ é <sep> <cls>", "keep_accents is not heeded"),
    ("xlnet", {}, "U.S.", "▁ U . ▁S . <sep> <cls>", "▁ U . S . <sep> <cls>", ADDED),
    ("camembert of bpe", {}, "its", TypeError, "<s> ▁its </s>", "the class takes every model for a unigram one"),
    ("xlm-roberta of bpe", {}, "its", "<s> ▁i ts </s>", "<s> ▁its </s>", "so does this, and BPE's scores mislead it"),
    ("llama of unigram", BOS, "def", "<s> ▁d e f", "<s> ▁ de f", "the class takes every model for a BPE one"),
    ("pegasus", {}, "a ", "▁a ▁ </s>", "▁a </s>", "spaces at the end are kept"),
    ("deberta", {}, "①", "[CLS] ▁ [UNK] [SEP]", "[CLS] ▁1 [SEP]", NO_CHARSMAP),
    ("big_bird", {}, "①", "[CLS] ▁ <unk> [SEP]", "[CLS] ▁1 [SEP]", NO_CHARSMAP),
    ("big_bird", {}, "a ", "[CLS] ▁a ▁ [SEP]", "[CLS] ▁a [SEP]", NO_CHARSMAP),
    ("llama", {}, "a", "▁a", "<s> ▁a", NO_BOS),
    ("gemma", {}, "a", "a", "<bos> a", NO_BOS),
    ("llama", BOS, " a", "<s> ▁a", "<s> ▁ ▁a", METASPACE),
    ("llama", BOS, "▁a", "<s> ▁a", "<s> ▁ ▁a", METASPACE),
    ("gemma", BOS, "\n▁▁ .", "<bos> \n ▁▁ ▁.", "<bos> \n ▁▁▁ .", "symbols are looked for before spaces become ▁"),
]


def shown(tokenizer: Any, text: str) -> list[str]:
    return tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])


@pytest.mark.parametrize(("kind", "options", "text", "other", "mine", "why"), DIFFERENCES)
def test_where_the_incumbent_departs_from_the_original_nabi_does_not(
    models: Models,
    repositories: Callable[..., Path],
    theirs: Any,
    kind: str,
    options: Options,
    text: str,
    other: str | type[Exception],
    mine: str,
    why: str,
) -> None:
    folder, family = repositories(kind, options), FAMILIES[kind]
    ours = AutoTokenizer.from_pretrained(folder)
    assert shown(ours, text) == mine.split(" ")
    added = {token.content: token_id for token_id, token in ours.added_tokens_decoder.items()}
    expected = original(family, models[family.model], options, added)(text)
    assert ours(text, add_special_tokens=False)["input_ids"] == expected, "nabi's is the original's"
    if isinstance(other, str):
        assert shown(theirs(folder), text) == other.split(" "), why
    else:
        with pytest.raises(other):
            theirs(folder)


def test_numbers_before_a_comma_stand_alone_as_the_original_has_it(models: Models, theirs: Any, tmp_path: Path) -> None:
    model = read_sentencepiece(models["xlnet"])
    rows = [*zip(model.pieces, model.scores, model.types, strict=True)]
    rows = [row for row in rows if row[0] != ","] + [("90,", -1.0, 1), (",", -4.0, 1)]
    path = with_pieces(models["xlnet"], tmp_path / "numbers.model", rows)
    folder = as_repository(tmp_path / "numbers", path, "spiece.model", tokenizer_class="XLNetTokenizer")
    assert AutoTokenizer.from_pretrained(folder).tokenize("1990,") == ["▁1", "9", "9", "0", ","]
    assert theirs(folder).tokenize("1990,") == ["▁1", "9", "90,"]


def test_the_incumbent_moves_the_masks_of_pegasus_when_a_config_names_them(
    repositories: Callable[..., Path], theirs: Any
) -> None:
    named = {"mask_token": "<mask_2>", "mask_token_sent": "<mask_1>"}  # as google's checkpoints do
    for options in ({}, named):
        ours = AutoTokenizer.from_pretrained(repositories("pegasus", options))
        assert ours.convert_tokens_to_ids(["<mask_1>", "<mask_2>", "<unk_2>", "<unk_102>", "<unk>"]) == [
            2,
            3,
            4,
            104,
            105,
        ]
    assert theirs(repositories("pegasus", {})).convert_tokens_to_ids(["<mask_1>", "<mask_2>"]) == [2, 3]
    assert theirs(repositories("pegasus", named)).convert_tokens_to_ids(["<mask_1>", "<mask_2>"]) == [3, 2]


@pytest.mark.parametrize(("kind", "types"), [("albert", [0, 0, 0, 0, 1, 1, 1]), ("xlnet", [0, 0, 0, 1, 1, 1, 2])])
def test_models_with_token_types_get_them(
    repositories: Callable[..., Path], theirs: Any, kind: str, types: list[int]
) -> None:
    """The incumbent dropped them in version 5, so that a pair looks like one text to the model."""
    folder = repositories(kind, {})
    assert AutoTokenizer.from_pretrained(folder)("영", "화")["token_type_ids"] == types
    assert "token_type_ids" not in theirs(folder)("a", "b")
    assert theirs(folder)("film a", "film a", return_token_type_ids=True)["token_type_ids"][-1] == types[-1]


# --- what a family has for itself


def test_xlnet_is_padded_on_the_left_with_its_own_token_type(repositories: Callable[..., Path]) -> None:
    rows = AutoTokenizer.from_pretrained(repositories("xlnet", {}))(["영화는", "영"], padding=True)
    assert rows["token_type_ids"][1] == [3, 3, 0, 0, 0, 2]
    assert rows["attention_mask"][1] == [0, 0, 1, 1, 1, 1]


def test_t5_has_its_sentinels_behind_the_vocabulary(models: Models, repositories: Callable[..., Path]) -> None:
    size = len(read_sentencepiece(models["t5"]).pieces)
    ours = AutoTokenizer.from_pretrained(repositories("t5", {}))
    assert ours.convert_tokens_to_ids(["<extra_id_0>", "<extra_id_99>"]) == [size + 99, size]
    assert ours.get_sentinel_tokens()[:2] == ["<extra_id_0>", "<extra_id_1>"] and len(ours.get_sentinel_tokens()) == 100
    assert ours.get_sentinel_token_ids()[0] == size + 99
    assert ours.tokenize("영 <extra_id_0> a") == ["▁", "영", "<extra_id_0>", "▁a"]
    assert ours.decode(ours("영<extra_id_0>")["input_ids"], skip_special_tokens=True) == "영"
    named = T5Tokenizer(models["t5"], extra_ids=2, additional_special_tokens=["<extra_id_0>", "<extra_id_1>", "<x>"])
    assert named.additional_special_tokens == ["<extra_id_0>", "<extra_id_1>", "<x>"]
    assert named.convert_tokens_to_ids("<x>") == size + 2
    own = T5Tokenizer(models["t5"], additional_special_tokens=["<x>"])
    assert own.additional_special_tokens[:2] == ["<x>", "<extra_id_0>"] and len(own) == size + 101


def test_fairseqs_layouts(models: Models, repositories: Callable[..., Path]) -> None:
    size = len(read_sentencepiece(models["unigram"]).pieces)
    ours = AutoTokenizer.from_pretrained(repositories("xlm-roberta", {}))
    assert ours.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]) == [0, 1, 2, 3, size + 1]
    assert shown(ours, "a <mask> b") == ["<s>", "▁a", "<mask>", "▁b", "</s>"]
    assert ours("a <mask>", return_offsets_mapping=True)["offset_mapping"][2] == (1, 8), "with its space"
    ours = AutoTokenizer.from_pretrained(repositories("camembert", {}))
    names = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>", "<mask>"]
    assert ours.convert_tokens_to_ids(names) == [0, 1, 2, 3, 4, 5, 6, size + 4]


def test_llama_frames_as_it_is_told_and_decodes_what_it_read(repositories: Callable[..., Path], models: Models) -> None:
    ours = AutoTokenizer.from_pretrained(repositories("llama", {}), add_eos_token=True)
    assert ours("영화", "a").tokens() == ["<s>", "▁영", "화", "</s>", "<s>", "▁a", "</s>"]
    assert (ours.add_bos_token, ours.add_eos_token, ours.padding_side) == (True, True, "left")
    for text in ("  영화는 뷁\n\t최고! ", "훍 𐍈", "a  b"):
        assert ours.decode(ours(text)["input_ids"], skip_special_tokens=True) == text
    assert LlamaTokenizer(models["llama"], add_bos_token=False).tokenize("a") == ["▁a"]
    bare = LlamaTokenizer(models["llama"], add_prefix_space=False)
    assert bare.decode(bare(" a")["input_ids"], skip_special_tokens=True) == " a"


def test_legacy_decides_on_the_prefix_behind_special_tokens(models: Models) -> None:
    assert LlamaTokenizer(models["llama"]).tokenize("a</s>b </s> c") == ["▁a", "</s>", "b", "▁", "</s>", "▁c"]
    legacy = LlamaTokenizer(models["llama"], legacy=True).tokenize("a</s>b </s> c")
    assert legacy == ["▁a", "</s>", "▁b", "▁", "</s>", "▁", "▁c"]


def test_deberta_splits_at_punctuation_when_it_is_told(models: Models) -> None:
    ours = DebertaV2Tokenizer(models["deberta"], split_by_punct=True)
    model = processor_of(models["deberta"], has_prefix=True)
    parts = ["a", ",", "(", "b", "c", ")", "!"]
    text = "a , (b c)!"
    assert ours.tokenize(text) == [piece for part in parts for piece in model.encode_as_pieces(part)]


def test_sampling_is_said_to_be_missing(models: Models, caplog: pytest.LogCaptureFixture) -> None:
    sampled = T5Tokenizer(models["t5"], sp_model_kwargs={"enable_sampling": True, "nbest_size": -1, "alpha": 0.1})
    assert "enable_sampling" in caplog.text
    assert sampled("영화")["input_ids"] == T5Tokenizer(models["t5"])("영화")["input_ids"]


def test_words_given_one_by_one_are_each_a_text(repositories: Callable[..., Path]) -> None:
    for kind in ("t5", "deberta"):
        rows = AutoTokenizer.from_pretrained(repositories(kind, {}))(["영화는", "a"], is_split_into_words=True)
        assert [word for word in rows.word_ids() if word is not None] == [0, 0, 0, 0, 1]


def test_added_words_stand_between_pieces_without_spare_spaces(repositories: Callable[..., Path]) -> None:
    ours = AutoTokenizer.from_pretrained(repositories("xlm-roberta", {}))
    ours.add_tokens(["신조어"])
    assert ours.tokenize("a 신조어 b") == ["▁a", "신조어", "▁b"]


def test_a_model_of_another_family_is_an_error_that_names_it(models: Models, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unigram\.model.*\[CLS\].*cls_token=…"):
        AlbertTokenizer(models["unigram"])
    with pytest.raises(ValueError, match=r"deberta\.model.*two ids"):
        XLMRobertaTokenizer(models["deberta"], cls_token="[CLS]", unk_token="[UNK]")
    folder = as_repository(tmp_path, models["llama"], "tokenizer.model", tokenizer_class="BertTokenizer")
    with pytest.raises(OSError, match=r"tokenizer\.model"):
        AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("name", ["MT5Tokenizer", "UMT5Tokenizer", "T5TokenizerFast", "BigBirdPegasusTokenizer"])
def test_other_names_lead_to_the_same_class(models: Models, tmp_path: Path, name: str) -> None:
    ours = AutoTokenizer.from_pretrained(as_repository(tmp_path, models["t5"], "spiece.model", tokenizer_class=name))
    assert type(ours) in (T5Tokenizer, PegasusTokenizer) and ours.is_fast
