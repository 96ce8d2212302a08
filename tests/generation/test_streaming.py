"""Text comes out while it is generated, in whole letters, and what came out is what decode() gives."""

from __future__ import annotations

import asyncio
import queue
import subprocess
import sys
import unicodedata
from threading import Thread
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

from nabi.generation.streaming import (
    AsyncTextIteratorStreamer,
    BaseStreamer,
    IncrementalDecoder,
    TextIteratorStreamer,
    TextStreamer,
)
from nabi.tokenization import PreTrainedTokenizerFast, train

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
KOREAN = "이 영화는 정말 최고예요! 나비가 꽃밭 위를 날아다닙니다. 값이 싸고 맛도 좋다."
# Letters as people see them, each of one or more characters, each of one or more bytes.
LETTERS = [
    *"한글값뷁 a.",
    *(unicodedata.normalize("NFD", syllable) for syllable in "한글값가"),
    *("😀", FAMILY, "👩🏽\u200d🚀", "❤\ufe0f", "🇰🇷", "🇺🇸", "👍🏿", "🏴\U000e0067\U000e0062\U000e007f"),
]
CORPUS = [
    KOREAN,
    "It's 'quoted', isn't it? . , ! we 're here; a ' b ' c 've",
    "é漢字 😀" + FAMILY,
    "".join(LETTERS),
] * 3
KINDS = ("bpe", "wordpiece", "unigram", "byte fallback", "byte fallback, all spaces")
QUICK = settings(deadline=None, max_examples=150)


def with_byte_fallback(stripped: int) -> PreTrainedTokenizerFast:
    """As Llama's: a few pieces, every other letter as its bytes."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"이영화는최고의나비abcit'n.,"]
    vocab = {piece: token_id for token_id, piece in enumerate(pieces)}
    engine = Tokenizer(models.BPE(vocab, [], unk_token="<unk>", byte_fallback=True))
    engine.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    spelling = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", stripped, 0)]
    engine.decoder = decoders.Sequence(spelling)
    return PreTrainedTokenizerFast(tokenizer_object=engine, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, PreTrainedTokenizerFast]:
    made = {
        "bpe": train("bpe", CORPUS, 500),
        "wordpiece": train("wordpiece", CORPUS, 300, special_tokens=["'", "n't"]),
        "unigram": train("unigram", CORPUS, 200),
        "byte fallback": with_byte_fallback(1),
        "byte fallback, all spaces": with_byte_fallback(1 << 16),
    }
    made["bpe"].backend_tokenizer.normalizer = None  # which composes jamo; a model may write them
    for tokenizer in made.values():
        tokenizer.add_tokens(["<think>", "가 나", AddedToken("쒧", normalized=False)])
    return made


def ids_of(tokenizer: PreTrainedTokenizerFast) -> st.SearchStrategy[list[int]]:
    """Anything that a model may write: whole texts, single tokens, bytes, special tokens, ids without a token."""
    bytes_ = [number for token, number in tokenizer.get_vocab().items() if token.startswith("<0x") or len(token) == 1]
    texts = st.one_of(st.lists(st.sampled_from(LETTERS)).map("".join), st.text(" '.nt가", max_size=8))
    parts = st.one_of(
        st.integers(0, len(tokenizer) + 2).map(lambda number: [number]),
        st.sampled_from([*bytes_, *tokenizer.all_special_ids]).map(lambda number: [number]),
        st.lists(st.sampled_from(bytes_), min_size=1, max_size=5),
        texts.map(lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]),
    )
    return st.lists(parts, max_size=12).map(lambda lists: [number for part in lists for number in part])


def pieces_of(tokenizer: PreTrainedTokenizerFast, ids: list[int], **options: Any) -> list[str]:
    decoder = IncrementalDecoder(tokenizer, **options)
    return [*(decoder.push([token_id]) for token_id in ids), decoder.finish()]


# ---------------------------------------------------------------- the decoder


@QUICK
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_the_pieces_joined_are_what_decode_gives(
    tokenizers: dict[str, PreTrainedTokenizerFast], kind: str, data: st.DataObject
) -> None:
    tokenizer = tokenizers[kind]
    ids = data.draw(ids_of(tokenizer), label="ids")
    options: dict[str, Any] = {"skip_special_tokens": data.draw(st.booleans(), label="skip")}
    clean = data.draw(st.sampled_from([None, True, False]), label="clean up")
    if clean is not None:
        options["clean_up_tokenization_spaces"] = clean
    whole = tokenizer.decode(ids, **options)
    assert "".join(pieces_of(tokenizer, ids, **options)) == whole
    decoder = IncrementalDecoder(tokenizer, **options)
    cut = data.draw(st.integers(0, len(ids)), label="cut")
    for _ in range(2):  # in chunks, and again, for finish() makes it as new
        assert decoder.push(ids[:cut]) + decoder.push(ids[cut:]) + decoder.finish() == whole


@QUICK
@given(letters=st.lists(st.sampled_from(LETTERS), max_size=20))
@pytest.mark.parametrize("kind", ["bpe", "byte fallback"])
def test_a_piece_never_ends_within_a_letter(
    tokenizers: dict[str, PreTrainedTokenizerFast], kind: str, letters: list[str]
) -> None:
    tokenizer = tokenizers[kind]
    ids = tokenizer("".join(letters), add_special_tokens=False)["input_ids"]
    whole = tokenizer.decode(ids)
    ends, so_far = {0}, 0
    for letter in letters:
        so_far += len(letter)
        ends.add(so_far)
    shown = 0
    for piece in pieces_of(tokenizer, ids):
        shown += len(piece)
        assert shown in ends, (letters, whole[:shown])
    assert whole == "".join(letters)


def test_hangul_comes_out_at_once_and_not_only_at_spaces(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    tokenizer = tokenizers["bpe"]
    ids = tokenizer("뷁쀍꿹쒧 " + KOREAN)["input_ids"]
    decoder = IncrementalDecoder(tokenizer)
    shown = ""
    for count, token_id in enumerate(ids, 1):
        shown += decoder.push([token_id])
        assert shown == tokenizer.decode(ids[:count]).rstrip("\ufffd")
    assert decoder.finish() == ""


def test_bytes_of_the_fallback_come_out_when_their_run_ends(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    tokenizer = tokenizers["byte fallback"]
    ids = [tokenizer.convert_tokens_to_ids(f"<0x{byte:02X}>") for byte in "값".encode()]
    end = tokenizer.convert_tokens_to_ids("이")
    assert pieces_of(tokenizer, [end, *ids, end]) == ["이", "", "", "", "값이", ""]
    spoiled = [end, *ids, ids[0], end]  # one byte too many, and the engine gives none of them as a letter
    assert "".join(pieces_of(tokenizer, spoiled)) == tokenizer.decode(spoiled) == "이\ufffd\ufffd\ufffd\ufffd이"


def test_text_that_a_later_word_may_tidy_waits(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    tokenizer = tokenizers["wordpiece"]
    ends = (token for token in sorted(tokenizer.get_vocab()) if token.startswith("##") and token.isascii())
    end = next(token for token in ends if token[-1] not in "'nvr")
    ids = tokenizer.convert_tokens_to_ids(["a", "'", "b", end])
    assert pieces_of(tokenizer, ids, clean_up_tokenization_spaces=True) == ["a", "", "'b", end[2:], ""]
    assert pieces_of(tokenizer, ids, clean_up_tokenization_spaces=False) == ["a", " '", " b", end[2:], ""]


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_costs_the_same_however_long_the_text(
    tokenizers: dict[str, PreTrainedTokenizerFast], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = tokenizers[kind]
    random = torch.Generator().manual_seed(3)
    ids = torch.randint(0, len(tokenizer), (3000,), generator=random).tolist()
    decode, costs = tokenizer.decode, []

    def watched(some: list[int], *args: Any, **options: Any) -> Any:
        costs.append(len(some))
        return decode(some, *args, **options)

    monkeypatch.setattr(tokenizer, "decode", watched)
    pieces_of(tokenizer, ids)
    assert max(costs) < 100
    assert sum(costs) < 12 * len(ids)


def test_nonsense_is_not_held_for_ever(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    tokenizer = tokenizers["bpe"]
    for letter in ("\u11ab", "\u1112", "🏿", "👩\u200d"):
        ids = tokenizer(letter * 200, add_special_tokens=False)["input_ids"]
        pieces = pieces_of(tokenizer, ids)
        assert len(pieces[-1]) < 100


# ---------------------------------------------------------------- printing


def test_a_text_streamer_prints_what_decode_gives_and_a_newline(
    tokenizers: dict[str, PreTrainedTokenizerFast], capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = tokenizers["bpe"]
    streamer = TextStreamer(tokenizer, skip_special_tokens=True)
    ids = torch.tensor([*tokenizer(KOREAN)["input_ids"], tokenizer.eos_token_id])
    for _ in range(2):  # a streamer serves again
        streamer.put(ids[None, :7])
        assert capsys.readouterr().out == tokenizer.decode(ids[:7]).rstrip("\ufffd")
        for token_id in ids[7:]:
            streamer.put(token_id[None])
        streamer.end()
        assert capsys.readouterr().out == tokenizer.decode(ids[7:], skip_special_tokens=True) + "\n"


def test_skip_prompt_leaves_out_the_first_ids_of_each_text(
    tokenizers: dict[str, PreTrainedTokenizerFast], capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = tokenizers["bpe"]
    streamer = TextStreamer(tokenizer, skip_prompt=True)
    for text in ("나비", "영화"):
        streamer.put(torch.tensor(tokenizer(["질문"])["input_ids"]))
        streamer.put(torch.tensor(tokenizer(text)["input_ids"]))
        streamer.end()
        assert capsys.readouterr().out == text + "\n"


def test_more_than_one_row_is_an_error_that_says_what_to_do(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    with pytest.raises(ValueError, match="ids of 2 rows: generate for one text at a time"):
        TextStreamer(tokenizers["bpe"]).put(torch.zeros(2, 3, dtype=torch.long))


def test_a_streamer_of_ones_own_needs_put_and_end() -> None:
    class Half(BaseStreamer):
        pass

    with pytest.raises(NotImplementedError, match=r"Half has no put\(\)"):
        Half().put(torch.zeros(1))
    with pytest.raises(NotImplementedError, match=r"Half has no end\(\)"):
        Half().end()


# ---------------------------------------------------------------- iterators


def write(streamer: TextStreamer, ids: list[int], error: Exception | None = None) -> Thread:
    """What generate() does in another thread; it fails at the end, if there is an error."""

    def work() -> None:
        streamer.put(torch.tensor([ids[:1]]))
        for token_id in ids[1:]:
            streamer.put(torch.tensor([token_id]))
        if error is None:
            streamer.end()
        else:
            streamer.error(error)  # type: ignore[attr-defined]

    thread = Thread(target=work)
    thread.start()
    return thread


def test_an_iterator_gives_the_pieces_of_another_thread(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    tokenizer = tokenizers["bpe"]
    ids = tokenizer(KOREAN)["input_ids"]
    streamer = TextIteratorStreamer(tokenizer, timeout=30)
    for _ in range(2):
        thread = write(streamer, ids)
        pieces = list(streamer)
        thread.join()
        assert "".join(pieces) == KOREAN
        assert all(pieces) and len(pieces) > len(KOREAN.split())


def test_an_iterator_raises_the_error_of_the_other_thread_behind_its_text(
    tokenizers: dict[str, PreTrainedTokenizerFast],
) -> None:
    tokenizer = tokenizers["bpe"]
    streamer = TextIteratorStreamer(tokenizer, timeout=30)
    write(streamer, tokenizer("나비")["input_ids"], RuntimeError("out of memory"))
    shown = ""
    with pytest.raises(RuntimeError, match="out of memory"):
        for piece in streamer:
            shown += piece
    assert shown == "나비"


def test_an_iterator_that_waits_too_long_raises_empty(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    with pytest.raises(queue.Empty):
        next(TextIteratorStreamer(tokenizers["bpe"], timeout=0.01))


def test_an_async_iterator_gives_the_pieces_and_the_error(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    tokenizer = tokenizers["bpe"]
    ids = tokenizer(KOREAN)["input_ids"]

    async def read(error: Exception | None) -> list[str]:
        streamer = AsyncTextIteratorStreamer(tokenizer, skip_prompt=False, timeout=30)
        write(streamer, ids, error)
        return [piece async for piece in streamer]

    pieces = asyncio.run(read(None))
    assert "".join(pieces) == KOREAN and all(pieces)
    with pytest.raises(RuntimeError, match="lost"):
        asyncio.run(read(RuntimeError("lost")))


def test_an_async_iterator_that_waits_too_long_raises_a_timeout(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    async def read() -> None:
        await anext(AsyncTextIteratorStreamer(tokenizers["bpe"], timeout=0.01))

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(read())


def test_streaming_loads_no_torch() -> None:
    code = "import sys, nabi.generation.streaming; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
