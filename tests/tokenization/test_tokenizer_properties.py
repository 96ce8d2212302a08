"""What must hold for any text: alignment, independence of neighbours, round trips; and for any broken file."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_tokenizers import KINDS

from nabi.tokenization import AutoTokenizer, BertTokenizer

HANGUL = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
KNOWN = st.sampled_from("이영화는정말최고예요나비가꽃밭를 .,!abcdefgTheA?0123 漢字éㅋㅠ👩\u200d")
TEXT = st.text(st.one_of(KNOWN, HANGUL, st.characters(exclude_categories=["Cs"])), max_size=60)
# function-scoped fixtures (tmp_path) are only overwritten; the deadline does not suit a shared machine
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tokenizers(folders: dict[str, Path]) -> dict[str, Any]:
    made = {kind: AutoTokenizer.from_pretrained(folder) for kind, folder in folders.items()}
    made["composing"] = BertTokenizer.from_pretrained(folders["wordpiece"], do_lower_case=True, strip_accents=True)
    return made


@QUICK
@given(text=TEXT)
@pytest.mark.parametrize("kind", [*KINDS, "composing"])
def test_offsets_lie_in_the_text_and_go_forward(tokenizers: dict[str, Any], kind: str, text: str) -> None:
    batch = tokenizers[kind](text, return_offsets_mapping=True, add_special_tokens=False, truncation=False)
    ends = 0
    for start, end in batch["offset_mapping"]:
        assert 0 <= start <= end <= len(text)
        assert end >= ends
        ends = end


def visible(text: str) -> str:
    """A text without what BERT's cleaning drops: control and format characters, and spaces."""
    return "".join(c for c in text if unicodedata.category(c)[0] != "C" and not c.isspace() and c != "\ufffd")


@QUICK
@given(text=TEXT)
def test_offsets_slice_back_to_the_piece(tokenizers: dict[str, Any], text: str) -> None:
    batch = tokenizers["wordpiece"](text, return_offsets_mapping=True, add_special_tokens=False)
    for token, (start, end) in zip(batch.tokens(), batch["offset_mapping"], strict=True):
        if token not in ("[UNK]", "[SEP]"):
            assert visible(text[start:end]) == token.removeprefix("##")


@QUICK
@given(text=st.text(st.one_of(st.sampled_from("이영화는정말최고예요 나비가꽃밭를"), HANGUL), max_size=40))
def test_composed_hangul_slices_back_to_the_piece(tokenizers: dict[str, Any], text: str) -> None:
    batch = tokenizers["composing"](text, return_offsets_mapping=True, add_special_tokens=False)
    for token, (start, end) in zip(batch.tokens(), batch["offset_mapping"], strict=True):
        if token != "[UNK]":
            assert text[start:end] == token.removeprefix("##")


@QUICK
@given(
    texts=st.lists(TEXT, min_size=1, max_size=6), options=st.sampled_from([{}, {"truncation": True, "max_length": 9}])
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_has_the_same_ids_whoever_its_neighbours_are(
    tokenizers: dict[str, Any], kind: str, texts: list[str], options: dict[str, Any]
) -> None:
    tokenizer = tokenizers[kind]
    batch = tokenizer(texts, padding=True, **options)
    length = len(batch["input_ids"][0])
    for text, ids, mask in zip(texts, batch["input_ids"], batch["attention_mask"], strict=True):
        assert len(ids) == len(mask) == length
        alone = tokenizer(text, verbose=False, **options)["input_ids"]
        assert [token for token, real in zip(ids, mask, strict=True) if real] == alone
        assert {token for token, real in zip(ids, mask, strict=True) if not real} <= {tokenizer.pad_token_id}


@QUICK
@given(
    texts=st.lists(TEXT, min_size=1, max_size=5),
    multiple=st.sampled_from([None, 1, 8]),
    side=st.sampled_from(["left", "right"]),
)
@pytest.mark.parametrize("kind", KINDS)
def test_padding_in_the_call_and_afterwards_are_the_same(
    tokenizers: dict[str, Any], kind: str, texts: list[str], multiple: int | None, side: str
) -> None:
    tokenizer = tokenizers[kind]
    options = {"padding_side": side, "pad_to_multiple_of": multiple}
    at_once = tokenizer(texts, padding=True, return_special_tokens_mask=True, verbose=False, **options).data
    rows = [tokenizer(text, return_special_tokens_mask=True, verbose=False) for text in texts]
    assert tokenizer.pad(rows, **options).data == at_once


@QUICK
@given(text=st.text(st.one_of(HANGUL, st.sampled_from(" abcABC.,!?가나다")), max_size=40))
def test_byte_level_bpe_gives_every_text_back_exactly(tokenizers: dict[str, Any], text: str) -> None:
    tokenizer = tokenizers["bpe"]
    assert tokenizer.decode(tokenizer(text, verbose=False)["input_ids"]) == text


@QUICK
@given(text=TEXT)
@pytest.mark.parametrize("kind", [*KINDS, "composing"])
def test_decoded_hangul_is_composed_and_decoding_is_stable(tokenizers: dict[str, Any], kind: str, text: str) -> None:
    tokenizer = tokenizers[kind]
    text = unicodedata.normalize("NFC", text)
    once = tokenizer.decode(tokenizer(text, verbose=False)["input_ids"], skip_special_tokens=True)
    had = {c for c in text if "\u1100" <= c <= "\u11ff"}
    assert {c for c in once if "\u1100" <= c <= "\u11ff"} <= had, "no jamo that the text did not have"
    twice = tokenizer.decode(tokenizer(once, verbose=False)["input_ids"], skip_special_tokens=True)
    if kind == "bpe":
        assert twice == once


@QUICK
@given(
    texts=st.lists(TEXT, min_size=1, max_size=4),
    added=st.lists(st.text(HANGUL, min_size=1, max_size=3), max_size=3, unique=True),
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_loads_equal(
    folders: dict[str, Path], tmp_path: Path, kind: str, texts: list[str], added: list[str]
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    tokenizer.add_tokens(added)
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert type(again) is type(tokenizer)
    assert again(texts, verbose=False).data == tokenizer(texts, verbose=False).data
    assert again.get_vocab() == tokenizer.get_vocab()
    assert again.special_tokens_map == tokenizer.special_tokens_map
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again.save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first


@QUICK
@given(data=st.data())
@pytest.mark.parametrize(("kind", "name"), [("bpe", "tokenizer.json"), ("wordpiece", "vocab.txt")])
def test_a_broken_file_loads_or_is_named(
    folders: dict[str, Path], tmp_path: Path, kind: str, name: str, data: st.DataObject
) -> None:
    for path in folders[kind].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    content = bytearray((tmp_path / name).read_bytes())
    if data.draw(st.booleans(), label="cut"):
        content = content[: data.draw(st.integers(0, len(content)), label="at")]
    else:
        for _ in range(data.draw(st.integers(1, 4), label="changes")):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(bytes(content))
    try:
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    except (OSError, ValueError) as error:
        assert name in str(error) or "tokenizer_config.json" in str(error)
    else:  # the change did no harm to the format: the tokenizer works
        assert isinstance(tokenizer("이 영화", verbose=False)["input_ids"], list)
