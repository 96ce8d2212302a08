"""One clear error for each kind of wrong input: it names the item, the value, and the remedy."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from small_tokenizers import KINDS, SPECIAL, write_json

from nabi.tokenization import AutoTokenizer, BatchEncoding, BertTokenizerFast, PreTrainedTokenizerFast


@pytest.fixture(scope="module")
def tokenizer(folders: dict[str, Path]) -> Any:
    return AutoTokenizer.from_pretrained(folders["wordpiece"])


@pytest.mark.parametrize(
    ("text", "options", "error", "words"),
    [
        (None, {}, ValueError, ["text", "None"]),
        (3, {}, TypeError, ["text is 3", "int"]),
        (b"bytes", {}, TypeError, ["bytes"]),
        (["a", None], {}, TypeError, ["text 1", "None"]),
        (["a", 2.5], {}, TypeError, ["text 1", "2.5", "float"]),
        ([("a", "b"), ("a", None)], {}, TypeError, ["text 1, part 1", "None"]),
        ([["a", "b", "c"]], {}, TypeError, ["3 items", "is_split_into_words"]),
        (["fine", "half \ud800 here"], {}, ValueError, ["text 1", "position 5", "surrogate"]),
        ([], {}, ValueError, ["empty"]),
        ("a b", {"is_split_into_words": True}, TypeError, ["list of words"]),
        ([["a", 1]], {"is_split_into_words": True}, TypeError, ["word 1", "int"]),
        ([["a"], "b"], {"is_split_into_words": True}, TypeError, ["text 1", "'b'"]),
        (["a", "b"], {"text_pair": ["c"]}, ValueError, ["2", "1"]),
        (["a", "b"], {"text_pair": "c"}, TypeError, ["text_pair"]),
        ("a", {"padding": "longer"}, ValueError, ["'longer'", "'longest'"]),
        ("a", {"truncation": "second_only"}, ValueError, ["'second_only'", "'only_second'"]),
        ("a", {"max_length": 0}, ValueError, ["max_length=0"]),
        ("a", {"max_length": 1.5}, ValueError, ["max_length=1.5"]),
        ("a", {"max_length": 1}, ValueError, ["max_length=1", "2 special tokens"]),
        ("a", {"text_pair": "b", "max_length": 2}, ValueError, ["max_length=2", "3 special tokens"]),
        ("a", {"max_length": 4, "stride": 2}, ValueError, ["stride=2"]),
        ("a", {"max_length": 4, "stride": -1}, ValueError, ["stride=-1"]),
        (
            "a",
            {"text_pair": "b " * 9, "max_length": 6, "truncation": "only_first"},
            ValueError,
            ["only_first", "longest"],
        ),
        (
            "a " * 9,
            {"text_pair": "b b", "max_length": 8, "stride": 3, "truncation": "only_first"},
            ValueError,
            ["stride=3"],
        ),
        ("a " * 9, {"max_length": 6, "truncation": "only_second"}, ValueError, ["only_second"]),
        (
            "a",
            {"padding": True, "truncation": True, "max_length": 9, "pad_to_multiple_of": 4},
            ValueError,
            ["9", "4", "8"],
        ),
        ("a", {"return_tensors": "tensor"}, ValueError, ["'tensor'", "'pt'", "'np'"]),
        ("a", {"return_tensors": "tf"}, ImportError, ["'tf'", "pip install tensorflow", "'np'"]),
        ("a", {"return_tensors": "jax"}, ImportError, ["'jax'", "pip install jax", "'np'"]),
        (["a", "a b c"], {"return_tensors": "pt"}, ValueError, ["input_ids", "3 to 5", "padding=True"]),
        (["a", "a b c"], {"return_tensors": "np"}, ValueError, ["input_ids", "3 to 5", "padding=True"]),
        ("a", {"padding": True, "padding_side": "top"}, ValueError, ["'top'", "'left'"]),
    ],
)
def test_a_wrong_call_is_explained(
    tokenizer: Any, text: Any, options: dict[str, Any], error: type[Exception], words: list[str]
) -> None:
    with pytest.raises(error) as caught:
        tokenizer(text, **options)
    for word in words:
        assert word in str(caught.value)
    assert tokenizer("이 영화")["input_ids"][0] == tokenizer.cls_token_id, "the next call is not disturbed"


def test_an_unknown_option_is_a_type_error(tokenizer: Any) -> None:
    with pytest.raises(TypeError, match="return_tensor"):
        tokenizer("a", return_tensor="pt")


def test_padding_without_a_padding_token_says_how_to_get_one(folders: dict[str, Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["bpe"], pad_token=None)
    for call in (lambda: tokenizer(["a", "b c"], padding=True), lambda: tokenizer.pad([{"input_ids": [1]}])):
        with pytest.raises(ValueError, match=r"tokenizer\.pad_token = tokenizer\.eos_token"):
            call()
    tokenizer.pad_token = tokenizer.eos_token
    assert tokenizer(["a", "b c"], padding=True)["input_ids"][0][-1] == tokenizer.eos_token_id


def test_a_padding_token_outside_the_vocabulary_is_refused(folders: dict[str, Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"])
    tokenizer.pad_token = "<없음>"
    with pytest.raises(ValueError, match="'<없음>' is not in the vocabulary"):
        tokenizer(["a", "b c"], padding=True)


@pytest.mark.parametrize(
    ("encoded", "error", "words"),
    [
        ({"ids": [1]}, ValueError, ["input_ids", "ids"]),
        (3, TypeError, ["int"]),
        ([{"input_ids": [1], "label": 0}, {"input_ids": [1]}], ValueError, ["Example 1", "label"]),
        ({"input_ids": [[1], [2]], "label": [0]}, ValueError, ["label", "1 rows", "2 rows"]),
        ({"input_ids": ["a"]}, TypeError, ["'a'"]),
    ],
)
def test_pad_explains_what_it_cannot_pad(
    tokenizer: Any, encoded: Any, error: type[Exception], words: list[str]
) -> None:
    with pytest.raises(error) as caught:
        tokenizer.pad(encoded)
    for word in words:
        assert word in str(caught.value)


def test_ragged_labels_are_named(tokenizer: Any) -> None:
    examples = [{"input_ids": [5, 6], "labels": [1, 2]}, {"input_ids": [5], "labels": [1]}]
    for kind in ("pt", "np"):
        with pytest.raises(ValueError, match=r"'labels' has rows of 1 to 2 values.*collator"):
            tokenizer.pad(examples, return_tensors=kind)


def test_decoding_the_mark_of_ignored_labels_is_explained(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="-100 is no token's id"):
        tokenizer.decode([5, -100])
    with pytest.raises(TypeError, match=r"'a' \(str\)"):
        tokenizer.batch_decode([["a"]])


def test_an_encoding_without_its_texts_says_so(tokenizer: Any) -> None:
    padded = tokenizer.pad([{"input_ids": [1]}])
    with pytest.raises(ValueError, match="holds no encodings"):
        padded.word_ids()
    with pytest.raises(AttributeError, match="no key 'input_id'"):
        _ = padded.input_id
    with pytest.raises(KeyError, match="key"):
        _ = BatchEncoding({"a": [1]})[0]


def test_an_unknown_special_token_name_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match=r"'start_token'.*'cls_token'"):
        tokenizer.add_special_tokens({"start_token": "<s>"})
    with pytest.raises(TypeError, match="pad_token must be a str"):
        tokenizer.pad_token = 3
    with pytest.raises(TypeError, match="3"):
        tokenizer.add_tokens([3])
    with pytest.raises(AttributeError, match="image_token"):
        _ = tokenizer.image_token


def test_a_wrong_side_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="truncation_side='middle'"):
        AutoTokenizer.from_pretrained(folders["bpe"], truncation_side="middle")


# --- files


def test_a_folder_without_tokenizer_files_names_what_it_needs(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {"model_type": "bert"})
    with pytest.raises(OSError, match=r"no tokenizer\.json or vocab\.txt") as caught:
        AutoTokenizer.from_pretrained(tmp_path)
    assert str(tmp_path) in str(caught.value)
    (tmp_path / "spiece.model").write_bytes(b"x")
    with pytest.raises(OSError, match=r"spiece\.model, which many families use: .*tokenizer_type='t5'"):
        PreTrainedTokenizerFast.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"spiece\.model: its name does not tell the family.*tokenizer_type='t5'"):
        AutoTokenizer.from_pretrained(tmp_path / "spiece.model")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        AutoTokenizer.from_pretrained(tmp_path / "nowhere")


def test_an_unknown_class_without_tokenizer_json_says_what_is_supported(tmp_path: Path) -> None:
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "BertJapaneseTokenizer"})
    (tmp_path / "vocab.txt").write_text("\n".join(SPECIAL), encoding="utf-8")
    with pytest.raises(ValueError, match=r"'BertJapaneseTokenizer'.*BertTokenizer.*tokenizer_type='bert'"):
        AutoTokenizer.from_pretrained(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path, tokenizer_type="bert").tokenize("x") == ["[UNK]"]
    with pytest.raises(ValueError, match="tokenizer_type='kobert'"):
        AutoTokenizer.from_pretrained(tmp_path, tokenizer_type="kobert")


def test_an_unknown_class_with_tokenizer_json_is_read_with_a_warning(
    folders: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "tokenizer.json").write_bytes((folders["bpe"] / "tokenizer.json").read_bytes())
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "KoGPT2Tokenizer", "pad_token": "<pad>"})
    with caplog.at_level(logging.WARNING):
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert "KoGPT2Tokenizer" in caplog.text
    assert tokenizer("나비")["input_ids"] == AutoTokenizer.from_pretrained(folders["bpe"])("나비")["input_ids"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"])
@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b""])
def test_a_damaged_json_file_is_named(
    folders: dict[str, Path], tmp_path: Path, kind: str, name: str, content: bytes
) -> None:
    for path in folders[kind].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError) as caught:
        AutoTokenizer.from_pretrained(tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def test_a_vocabulary_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    cases = {
        "repeated": ("\n".join([*SPECIAL, "가", "나", "가"]).encode(), ["'가'", "lines 6 and 8"]),
        "without unknown": ("\n".join(["[PAD]", "[CLS]", "[SEP]", "가"]).encode(), ["'[UNK]'", "4 pieces"]),
        "without frame": ("\n".join(["[UNK]", "[CLS]", "가"]).encode(), ["'[SEP]'"]),
        "cp949": ("\n".join([*SPECIAL, "가나다"]).encode("cp949"), ["UTF-8", "cp949"]),
        "empty": (b"", ["'[UNK]'", "0 pieces"]),
    }
    for content, words in cases.values():
        path.write_bytes(content)
        with pytest.raises(ValueError) as caught:
            BertTokenizerFast(vocab_file=path)
        for word in [*words, str(path)]:
            assert word in str(caught.value)
    with pytest.raises(OSError, match=r"missing\.txt"):
        BertTokenizerFast(vocab_file=tmp_path / "missing.txt")
    with pytest.raises(ValueError, match=r"There is no vocabulary\. .*vocab_file="):
        BertTokenizerFast()
    with pytest.raises(ValueError, match="tokenizer_file"):
        PreTrainedTokenizerFast()


def test_added_tokens_that_do_not_fit_the_vocabulary_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    for path in folders["wordpiece"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    size = len(AutoTokenizer.from_pretrained(tmp_path))
    write_json(tmp_path / "added_tokens.json", {"<a>": size, "<b>": size + 1})
    assert AutoTokenizer.from_pretrained(tmp_path).convert_tokens_to_ids(["<a>", "<b>"]) == [size, size + 1]
    write_json(tmp_path / "added_tokens.json", {"<a>": size, "<b>": size + 7})
    with pytest.raises(ValueError, match=f"'<b>' should have the id {size + 7}"):
        AutoTokenizer.from_pretrained(tmp_path)


def test_a_save_folder_that_is_a_file_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(OSError, match="is a file"):
        tokenizer.save_pretrained(path)


def test_a_tokenizer_json_of_another_shape_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    for data in (
        {},
        [],
        {"model": {"type": "Unheard"}},
        {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": -1}}},
    ):
        path.write_text(json.dumps(data), encoding="utf-8")
        with pytest.raises(ValueError) as caught:
            AutoTokenizer.from_pretrained(tmp_path)
        assert str(path) in str(caught.value)


OPTIONS = [
    "added_tokens_decoder",
    "additional_special_tokens",
    "chat_template",
    "do_lower_case",
    "extra_special_tokens",
    "mask_token",
    "model_input_names",
    "model_max_length",
    "pad_token",
    "padding_side",
    "strip_accents",
    "tokenizer_class",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("value", [3, -1.5, True, None, "x", [], [3], ["x"], {}, {"a": 1}, {"5": {"content": 3}}])
def test_a_config_value_is_used_or_named(
    folders: dict[str, Path], tmp_path: Path, kind: str, option: str, value: Any
) -> None:
    for path in folders[kind].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / "tokenizer_config.json"
    write_json(path, {**json.loads(path.read_text()), option: value})
    try:
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    except ValueError as error:
        assert (str(path) in str(error) and option in str(error)) or option == "tokenizer_class"
    else:
        assert tokenizer("이 영화", verbose=False)["input_ids"]
