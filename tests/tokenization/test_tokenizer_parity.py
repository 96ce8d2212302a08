"""Every call gives what the incumbent gives: keys, values, tokens, words, sequences, characters."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from small_tokenizers import KINDS, SPECIAL

from nabi.tokenization import AddedToken, AutoTokenizer, BertTokenizer, PreTrainedTokenizerFast

LINES = [
    "이 영화는 정말 최고예요!",
    "I didn't like it, 하지만 배우들의 연기가 훌륭했습니다. 다시 보고 싶어요, really.",
    "",
    "   앞뒤에 빈칸   ",
    "낱자 ㅋㅋㅋ ㅠㅠ 漢字 👩‍👩‍👧 café naïve é",
    "특별한 [MASK] 와 <pad> 와 [SEP] 사이\t탭\n줄",
    "שלום مرحبا \u200b\u0007 끝",
    "뷁 " * 30,
]
WORDS = [["이", "영화는", "최고예요", "!"], ["one", "", "훌륭했습니다", "café."], ["짧다"]]

INPUTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "one": ((LINES[1],), {}),
    "empty": (("",), {}),
    "many": ((LINES,), {}),
    "pair": ((LINES[0], LINES[1]), {}),
    "pair with an empty text": ((LINES[0], ""), {}),
    "many pairs": ((LINES, LINES[::-1]), {}),
    "list of pairs": (([(LINES[0], LINES[1]), (LINES[4], LINES[5])],), {}),
    "words": ((WORDS[0],), {"is_split_into_words": True}),
    "many words": ((WORDS,), {"is_split_into_words": True}),
    "pair of words": ((WORDS[0], WORDS[1]), {"is_split_into_words": True}),
    "many pairs of words": ((WORDS, WORDS[::-1]), {"is_split_into_words": True}),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "longest": {"padding": True},
    "longest by name, in eights, left": {"padding": "longest", "pad_to_multiple_of": 8, "padding_side": "left"},
    "max_length of the model": {"padding": "max_length", "truncation": True},
    "max_length without truncation": {"padding": "max_length", "max_length": 12},
    "max_length alone": {"max_length": 9},
    "cut": {"truncation": True, "max_length": 9},
    "cut and padded": {"truncation": "longest_first", "max_length": 10, "padding": "max_length"},
    "cut in eights": {"truncation": True, "max_length": 16, "padding": True, "pad_to_multiple_of": 8},
    "everything": {
        "return_offsets_mapping": True,
        "return_special_tokens_mask": True,
        "return_length": True,
        "return_token_type_ids": True,
        "return_attention_mask": True,
    },
    "ids only": {"return_attention_mask": False, "return_token_type_ids": False},
    "no special tokens": {"add_special_tokens": False, "truncation": True, "max_length": 5, "padding": True},
    "overflow": {
        "truncation": True,
        "max_length": 9,
        "stride": 2,
        "return_overflowing_tokens": True,
        "return_offsets_mapping": True,
        "padding": True,
    },
    "split special tokens": {"split_special_tokens": True},
    "numpy": {"padding": True, "return_tensors": "np"},
    "torch": {"padding": True, "truncation": True, "max_length": 24, "return_tensors": "pt"},
}


@pytest.fixture(scope="module")
def both(folders: dict[str, Path], incumbent: ModuleType) -> dict[str, tuple[Any, Any]]:
    """Kind -> nabi's tokenizer and the incumbent's, of the same folder."""
    return {
        kind: (AutoTokenizer.from_pretrained(folder), incumbent.AutoTokenizer.from_pretrained(str(folder)))
        for kind, folder in folders.items()
    }


def as_lists(batch: Any) -> dict[str, Any]:
    return {key: value.tolist() if hasattr(value, "tolist") else value for key, value in batch.items()}


def assert_same(ours: Any, theirs: Any) -> None:
    assert list(ours.keys()) == list(theirs.keys())
    assert as_lists(ours) == as_lists(theirs)
    assert [type(value).__name__ for value in ours.values()] == [type(value).__name__ for value in theirs.values()]
    assert len(ours.encodings) == len(theirs.encodings)
    for row in range(len(ours.encodings)):
        assert ours.tokens(row) == theirs.tokens(row)
        assert ours.word_ids(row) == theirs.word_ids(row)
        assert ours.sequence_ids(row) == theirs.sequence_ids(row)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_call_gives_what_the_incumbent_gives(
    both: dict[str, tuple[Any, Any]], kind: str, given: str, options: str
) -> None:
    ours, theirs = both[kind]
    args, words = INPUTS[given]
    assert_same(ours(*args, **words, **OPTIONS[options]), theirs(*args, **words, **OPTIONS[options]))


@pytest.mark.parametrize("strategy", ["only_first", "only_second", "longest_first"])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", KINDS)
def test_pairs_are_cut_and_overflow_as_the_incumbents(
    both: dict[str, tuple[Any, Any]], kind: str, side: str, strategy: str
) -> None:
    ours, theirs = both[kind]
    long, short = LINES[1] * 2, "짧은 글"
    pair = (short, long) if strategy == "only_second" else (long, short)
    options = dict(truncation=strategy, max_length=20, stride=3, return_overflowing_tokens=True, padding=True)
    ours.truncation_side, before_ours = side, ours.truncation_side
    theirs.truncation_side, before_theirs = side, theirs.truncation_side
    try:
        assert_same(ours(*pair, **options), theirs(*pair, **options))
        assert_same(ours([pair], **options), theirs([pair], **options))
    finally:
        ours.truncation_side, theirs.truncation_side = before_ours, before_theirs


@pytest.mark.parametrize("kind", KINDS)
def test_targets_become_labels(both: dict[str, tuple[Any, Any]], kind: str) -> None:
    ours, theirs = both[kind]
    for call in (
        dict(text=LINES[:2], text_target=LINES[3:5], padding=True),
        dict(text_target=LINES[0]),
        dict(text=LINES[0], text_target=LINES[1], max_length=12, truncation=True, max_target_length=6),
    ):
        assert as_lists(ours(**call)) == as_lists(theirs(**call))


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_words_and_characters_map_as_the_incumbents(both: dict[str, tuple[Any, Any]], kind: str) -> None:
    ours, theirs = (tokenizer([LINES[0], LINES[4]], [LINES[1], LINES[5]], padding=True) for tokenizer in both[kind])
    for row in (0, 1):
        for token in range(len(ours["input_ids"][row])):
            assert ours.token_to_sequence(row, token) == theirs.token_to_sequence(row, token)
            assert ours.token_to_word(row, token) == theirs.token_to_word(row, token)
            assert ours.token_to_chars(row, token) == theirs.token_to_chars(row, token)
        for sequence, line in enumerate([(LINES[0], LINES[1]), (LINES[4], LINES[5])][row]):
            for char in range(len(line)):
                assert ours.char_to_token(row, char, sequence) == theirs.char_to_token(row, char, sequence)
                assert ours.char_to_word(row, char, sequence) == theirs.char_to_word(row, char, sequence)
            for word in {word for word in ours.word_ids(row) if word is not None}:
                span = theirs.encodings[row].word_to_tokens(word, sequence)
                assert ours.word_to_tokens(row, word, sequence) == span
                if span is not None:
                    assert ours.word_to_chars(row, word, sequence) == theirs.word_to_chars(row, word, sequence)
    assert ours.word_to_tokens(0) == theirs.word_to_tokens(0)
    assert ours.char_to_token(2) == theirs.char_to_token(2)


@pytest.mark.parametrize("kind", KINDS)
def test_decoding_gives_the_incumbents_text(both: dict[str, tuple[Any, Any]], kind: str) -> None:
    ours, theirs = both[kind]
    ids = theirs(LINES, padding=True)["input_ids"]
    for skip in (True, False):
        assert ours.batch_decode(ids, skip_special_tokens=skip) == theirs.batch_decode(ids, skip_special_tokens=skip)
        assert ours.decode(np.array(ids), skip_special_tokens=skip) == theirs.decode(ids, skip_special_tokens=skip)
        assert ours.decode(ids[0], skip) == theirs.decode(ids[0], skip_special_tokens=skip)
        assert ours.convert_ids_to_tokens(ids[1], skip) == theirs.convert_ids_to_tokens(ids[1], skip)
    assert ours.decode(ids[0][1]) == theirs.decode(ids[0][1])
    tokens = theirs.convert_ids_to_tokens(ids[1])
    assert ours.convert_tokens_to_string(tokens) == theirs.convert_tokens_to_string(tokens)
    assert ours.convert_tokens_to_ids([*tokens, "없는조각"]) == theirs.convert_tokens_to_ids([*tokens, "없는조각"])
    if kind != "bpe":
        assert ours.decode(ids[1], clean_up_tokenization_spaces=True) == theirs.decode(
            ids[1], clean_up_tokenization_spaces=True
        )


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_tokenizer_says_of_itself_is_what_the_incumbent_says(
    both: dict[str, tuple[Any, Any]], kind: str
) -> None:
    ours, theirs = both[kind]
    for name in (
        "vocab_size",
        "vocab",
        "model_max_length",
        "padding_side",
        "truncation_side",
        "model_input_names",
        "all_special_tokens",
        "all_special_ids",
        "special_tokens_map",
        "is_fast",
        "pad_token",
        "pad_token_id",
        "unk_token_id",
        "eos_token",
        "eos_token_id",
        "mask_token",
        "cls_token_id",
        "sep_token_id",
        "bos_token",
        "pad_token_type_id",
        "max_len_single_sentence",
        "max_len_sentences_pair",
        "clean_up_tokenization_spaces",
        "name_or_path",
        "chat_template",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert len(ours) == len(theirs)
    assert ours.get_vocab() == theirs.get_vocab()
    assert ours.get_added_vocab() == theirs.get_added_vocab()
    assert repr(ours.added_tokens_decoder) == repr(theirs.added_tokens_decoder)
    assert ours.num_special_tokens_to_add(True) == theirs.num_special_tokens_to_add(True)
    assert ours.encode(LINES[0], LINES[1], max_length=8) == theirs.encode(LINES[0], LINES[1], max_length=8)
    assert ours.tokenize(LINES[1]) == theirs.tokenize(LINES[1])
    assert ours.tokenize(LINES[1], LINES[0], True) == theirs.tokenize(LINES[1], LINES[0], True)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_framed_as_the_call_frames_them(both: dict[str, tuple[Any, Any]], kind: str) -> None:
    ours, _ = both[kind]
    first, second = (ours(line, add_special_tokens=False)["input_ids"] for line in LINES[:2])
    for texts, bare in (((LINES[0],), (first,)), ((LINES[0], LINES[1]), (first, second))):
        whole = ours(*texts, return_special_tokens_mask=True, return_token_type_ids=True)
        assert ours.build_inputs_with_special_tokens(*bare) == whole["input_ids"]
        assert ours.create_token_type_ids_from_sequences(*bare) == whole["token_type_ids"]
        assert ours.get_special_tokens_mask(*bare) == whole["special_tokens_mask"]
    assert ours.get_special_tokens_mask(whole["input_ids"], already_has_special_tokens=True).count(1) >= (
        ours.num_special_tokens_to_add(True)
    )


PADDED: dict[str, tuple[Any, dict[str, Any]]] = {
    "examples": ([{"input_ids": [5, 6, 7], "label": 1}, {"input_ids": [8], "label": 0}], {}),
    "examples with all keys": (
        [
            {"input_ids": [5, 6], "attention_mask": [1, 1], "token_type_ids": [0, 1], "special_tokens_mask": [1, 0]},
            {"input_ids": [5], "attention_mask": [1], "token_type_ids": [1], "special_tokens_mask": [1]},
        ],
        {"return_tensors": "pt", "pad_to_multiple_of": 4},
    ),
    "columns": ({"input_ids": [[5, 6, 7], [8]], "labels": [0.5, 1.5]}, {"return_tensors": "pt"}),
    "columns, numpy, left": ({"input_ids": [[5, 6, 7], []]}, {"return_tensors": "np", "padding_side": "left"}),
    "one example": ({"input_ids": [5, 6, 7]}, {"padding": "max_length", "max_length": 6}),
    "arrays": ([{"input_ids": np.array([5, 6])}, {"input_ids": np.array([7])}], {}),
    "to the model's length": ({"input_ids": [[5, 6], [7]]}, {"padding": "max_length"}),
    "not padded": ({"input_ids": [[5, 6], [7]]}, {"padding": False}),
    "no mask": ({"input_ids": [[5, 6], [7]]}, {"return_attention_mask": False}),
    "nothing": ({"input_ids": []}, {"return_attention_mask": True}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", PADDED)
def test_pad_gives_what_the_incumbent_gives(both: dict[str, tuple[Any, Any]], kind: str, case: str) -> None:
    import copy

    ours, theirs = both[kind]
    encoded, options = PADDED[case]
    result, expected = ours.pad(copy.deepcopy(encoded), **options), theirs.pad(copy.deepcopy(encoded), **options)
    assert as_lists(result) == as_lists(expected)
    assert {key: type(value).__name__ for key, value in result.items()} == {
        key: type(value).__name__ for key, value in expected.items()
    }
    for key, value in result.items():
        assert getattr(value, "dtype", None) == getattr(expected[key], "dtype", None), key


def test_pad_returns_torch_tensors_for_torch_tensors(both: dict[str, tuple[Any, Any]]) -> None:
    import torch

    ours, theirs = both["wordpiece"]
    examples = [{"input_ids": torch.tensor([5, 6])}, {"input_ids": torch.tensor([7])}]
    result, expected = ours.pad(examples), theirs.pad([dict(example) for example in examples])
    assert torch.equal(result["input_ids"], expected["input_ids"])
    assert torch.equal(result["attention_mask"], expected["attention_mask"])


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_added_with_the_incumbents_ids(folders: dict[str, Path], incumbent: ModuleType, kind: str) -> None:
    ours = AutoTokenizer.from_pretrained(folders[kind])
    theirs = incumbent.AutoTokenizer.from_pretrained(str(folders[kind]))
    for tokenizer in (ours, theirs):
        assert tokenizer.add_tokens(["신조어", AddedToken("[E1]", lstrip=True), "신조어"]) == 2
        assert tokenizer.add_special_tokens({"bos_token": "<s>", "additional_special_tokens": ["<a>", "<b>"]}) == 3
    line = "오늘 신조어 를 [E1]<s> 배웠다 <a>신조어로 <b>"
    assert ours(line)["input_ids"] == theirs(line)["input_ids"]
    assert len(ours) == len(theirs)
    assert ours.get_added_vocab() == theirs.get_added_vocab()
    assert ours.all_special_tokens == theirs.all_special_tokens
    assert ours.additional_special_tokens == theirs.extra_special_tokens == ours.extra_special_tokens
    assert ours.additional_special_tokens_ids == theirs.extra_special_tokens_ids
    ids = ours(line)["input_ids"]
    assert ours.decode(ids, skip_special_tokens=True) == theirs.decode(ids, skip_special_tokens=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("changed", [False, True])
def test_the_incumbent_loads_what_nabi_saves(
    folders: dict[str, Path], incumbent: ModuleType, tmp_path: Path, kind: str, changed: bool
) -> None:
    ours = AutoTokenizer.from_pretrained(folders[kind])
    if changed:
        ours.add_tokens(["신조어", AddedToken("<e>", rstrip=True)])
        ours.add_special_tokens({"cls_token": "<c>", "additional_special_tokens": ["<a>"]})
        ours.model_max_length, ours.padding_side, ours.chat_template = 20, "left", "{{ messages }}"
    ours.save_pretrained(tmp_path)
    for name in ("AutoTokenizer", "PreTrainedTokenizerFast"):
        theirs = getattr(incumbent, name).from_pretrained(str(tmp_path))
        for line in [*LINES, "신조어 <e> <a> 신조어<c>"]:
            assert ours(line)["input_ids"] == theirs(line)["input_ids"]
        assert ours.special_tokens_map.get("cls_token") == theirs.cls_token
        assert ours.all_special_tokens == theirs.all_special_tokens
        assert (ours.model_max_length, ours.padding_side) == (theirs.model_max_length, theirs.padding_side)
        assert ours.model_input_names == theirs.model_input_names
        assert ours.chat_template == theirs.chat_template
        assert repr(ours.added_tokens_decoder) == repr(theirs.added_tokens_decoder)


@pytest.mark.parametrize("kind", KINDS)
def test_nabi_loads_what_the_incumbent_saves(
    folders: dict[str, Path], incumbent: ModuleType, tmp_path: Path, kind: str
) -> None:
    theirs = incumbent.AutoTokenizer.from_pretrained(str(folders[kind]))
    theirs.add_tokens(["신조어", AddedToken("<e>", rstrip=True)])
    theirs.add_special_tokens({"bos_token": "<s>", "additional_special_tokens": ["<a>"]})
    theirs.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    theirs(LINES, padding=True, truncation=True, max_length=8)  # its engine keeps this, and saves it
    theirs.save_pretrained(str(tmp_path))
    ours = AutoTokenizer.from_pretrained(tmp_path)
    for line in [*LINES, "신조어 <e> <a> 신조어<s>"]:
        assert ours(line)["input_ids"] == theirs(line)["input_ids"]
    assert ours.all_special_tokens == theirs.all_special_tokens
    assert ours.model_max_length == theirs.model_max_length
    assert ours.chat_template == theirs.chat_template
    assert repr(ours.added_tokens_decoder) == repr(theirs.added_tokens_decoder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_trained_anew_is_the_incumbents(folders: dict[str, Path], incumbent: ModuleType, kind: str) -> None:
    texts = [line for line in LINES if line.strip()] * 4
    ours = AutoTokenizer.from_pretrained(folders[kind])
    theirs = incumbent.AutoTokenizer.from_pretrained(str(folders[kind]))
    trained = [
        tokenizer.train_new_from_iterator(
            [texts], 300, new_special_tokens=["<new>"], show_progress=False, special_tokens_map={"[MASK]": "<m>"}
        )
        for tokenizer in (ours, theirs)
    ]
    if kind == "bpe":  # the engine's other trainers break ties differently from run to run
        assert trained[0].get_vocab() == trained[1].get_vocab()
        assert [trained[0](line)["input_ids"] for line in LINES] == [trained[1](line)["input_ids"] for line in LINES]
    assert 100 < len(trained[0]) <= 300
    assert trained[0].all_special_ids == trained[1].all_special_ids
    assert set(trained[0].get_added_vocab()) == set(trained[1].get_added_vocab()) - {"[MASK]"}  # they keep the old name
    assert trained[0].mask_token == trained[1].mask_token
    assert trained[0].tokenize("<new> 영화") == trained[1].tokenize("<new> 영화")


@pytest.mark.parametrize(
    "options", [{}, {"do_lower_case": False}, {"tokenize_chinese_chars": False}, {"strip_accents": True}]
)
def test_a_bert_vocabulary_reads_english_as_the_incumbent(
    incumbent: ModuleType, tmp_path: Path, options: dict[str, Any]
) -> None:
    pieces = [
        *SPECIAL,
        *"abcdefghijklmnopqrstuvwxyzABC漢字é,.!",
        *("##" + c for c in "abcdefghijklmnopqrstuvwxyz漢字é"),
    ]
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(pieces), encoding="utf-8")
    ours = BertTokenizer(vocab_file=path, **options)
    theirs = incumbent.BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, **options)
    for line in ("Hello, World! Café 漢字 ABC", "naïve\u0301 Ünï [MASK] x[SEP]y"):
        assert ours(line)["input_ids"] == theirs(line)["input_ids"]
        assert ours.decode(ours(line)["input_ids"]) == theirs.decode(ours(line)["input_ids"])


def test_a_tokenizer_object_is_read_as_the_incumbent_reads_it(folders: dict[str, Path], incumbent: ModuleType) -> None:
    from tokenizers import Tokenizer

    engine = Tokenizer.from_file(str(folders["bpe"] / "tokenizer.json"))
    engine.enable_padding(pad_id=1, pad_token="<pad>", direction="left")
    engine.enable_truncation(5, direction="left")
    ours = PreTrainedTokenizerFast(tokenizer_object=engine, eos_token="<|endoftext|>")
    theirs = incumbent.PreTrainedTokenizerFast(tokenizer_object=engine, eos_token="<|endoftext|>")
    assert (ours.pad_token, ours.padding_side, ours.truncation_side) == ("<pad>", "left", "left")
    assert (ours.pad_token, ours.padding_side, ours.truncation_side) == (
        theirs.pad_token,
        theirs.padding_side,
        theirs.truncation_side,
    )
    assert ours(LINES[0])["input_ids"] == theirs(LINES[0])["input_ids"]
    assert engine.truncation is not None, "the caller's object stays as it was"
