"""Vocabulary files are read as they are, and what does not fit is refused with file, line and remedy."""

from __future__ import annotations

import base64
import json
import random
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from small_tokenizers import CORPUS
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from nabi.tokenization import AutoTokenizer, BertTokenizer, GPT2Tokenizer, TiktokenTokenizer
from nabi.tokenization.families.tiktoken import PATTERNS, build_tiktoken
from nabi.tokenization.vocabulary_files import is_tiktoken, read_merges, read_tiktoken, read_vocabulary

# What a vocab.json holds -> words of the error, which also names the file.
BAD_JSON: dict[str, tuple[bytes, list[str]]] = {
    "a gap": (b'{"a": 0, "b": 2}', ["id 1", "up to 2", "Download"]),
    "a duplicate id": (b'{"a": 0, "b": 1, "c": 1}', ["'b'", "'c'", "the id 1", "Remove"]),
    "a duplicate piece": ('{"가": 0, "나": 1, "가": 2}'.encode(), ["'가'", "twice", "Remove"]),
    "an id in quotes": (b'{"a": "0"}', ["'a'", "'0'", "whole number"]),
    "an id that is a fraction": (b'{"a": 0.5}', ["0.5", "whole number"]),
    "an id that is a truth value": (b'{"a": true}', ["True", "whole number"]),
    "a negative id": (b'{"a": -1}', ["-1", "whole number"]),
    "an id for each language": (b'{"kor": {"a": 0}}', ["'kor'", "whole number"]),
    "a list": (b'["a", "b"]', ["list", "an object"]),
    "nothing": (b"{}", ["empty", "Download"]),
    "half of it": (b'{"a": 0, "b', ["not valid JSON", "cut off"]),
    "cp949": ('{"나비": 0}'.encode("cp949"), ["not UTF-8", "cp949", "save it again as UTF-8"]),
}
BAD_MERGES: dict[str, tuple[bytes, list[str]]] = {
    "one piece": (b"#version: 0.2\na b\nab\n", ["line 3", "['ab']", "two pieces"]),
    "three pieces": (b"#version: 0.2\na b c\n", ["line 2", "['a', 'b', 'c']", "two pieces"]),
    "two spaces": (b"a  b\n", ["line 1", "['a', '', 'b']"]),
    "an unknown piece": (b"#version: 0.2\na b\na z\n", ["line 3", "'z'", "one training"]),
    "an unknown result": (b"b a\n", ["line 1", "'ba'", "4 pieces"]),
    "cp949": ("나 비\n".encode("cp949"), ["not UTF-8", "cp949"]),
}
BAD_RANKS: dict[str, tuple[bytes, list[str]]] = {
    "bad base64": (b"IQ== 0\nI!== 1\n", ["line 2", "'I!=='", "base64"]),
    "no rank": (b"IQ==\n", ["line 1", "rank", "SentencePiece"]),
    "a rank in letters": (b"IQ== x\n", ["line 1", "'x'"]),
    "a duplicate rank": (b"IQ== 0\nIg== 0\n", ["line 2", "rank 0", "line 1"]),
    "a duplicate token": (b"IQ== 0\nIQ== 1\n", ["line 2", "b'!'", "rank 0"]),
    "nothing": (b"\n", ["no ranks"]),
    "SentencePiece": (b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02\n\x0c\n\x03\xff", ["not UTF-8"]),
}
VOCAB = {"a": 0, "b": 1, "c": 2, "ab": 3}


def said(path: Path, words: list[str], read: Any, *more: Any) -> None:
    with pytest.raises(ValueError) as caught:
        read(path, *more)
    for word in [*words, str(path)]:
        assert word in str(caught.value)


@pytest.mark.parametrize("case", BAD_JSON)
def test_a_vocab_json_is_refused_for(case: str, tmp_path: Path) -> None:
    content, words = BAD_JSON[case]
    path = tmp_path / "vocab.json"
    path.write_bytes(content)
    said(path, words, read_vocabulary)


@pytest.mark.parametrize("case", BAD_MERGES)
def test_a_merges_txt_is_refused_for(case: str, tmp_path: Path) -> None:
    content, words = BAD_MERGES[case]
    path = tmp_path / "merges.txt"
    path.write_bytes(content)
    said(path, words, read_merges, VOCAB)


@pytest.mark.parametrize("case", BAD_RANKS)
def test_tiktoken_ranks_are_refused_for(case: str, tmp_path: Path) -> None:
    content, words = BAD_RANKS[case]
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    said(path, words, read_tiktoken)


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_vocabulary(tmp_path: Path) -> None:
    mark, vocab, merges = b"\xef\xbb\xbf", tmp_path / "vocab.json", tmp_path / "merges.txt"
    vocab.write_bytes(mark + json.dumps(VOCAB, indent=1).replace("\n", "\r\n").encode())
    merges.write_bytes(mark + b"#version: 0.2\r\na b\r\n\r\n")
    assert read_vocabulary(vocab) == VOCAB
    assert read_merges(merges, VOCAB) == [("a", "b")]
    lines = tmp_path / "vocab.txt"
    lines.write_bytes(mark + "[UNK]\r\n나\u2028비\r\n \r\n".encode())
    assert read_vocabulary(lines) == {"[UNK]": 0, "나\u2028비": 1, " ": 2}


def test_a_merge_may_begin_with_a_hash_sign(tmp_path: Path) -> None:
    path = tmp_path / "merges.txt"
    path.write_bytes(b"#version: 0.2\n# #\n")
    assert read_merges(path, {"#": 0, "##": 1}) == [("#", "#")]


def test_bare_vocabularies_are_checked_too() -> None:
    with pytest.raises(ValueError, match=r"vocab: no piece has the id 1"):
        GPT2Tokenizer(vocab={"a": 0, "b": 2}, merges=[])
    with pytest.raises(ValueError, match=r"merges, entry 1: the merge 'a' \+ 'c' does not fit"):
        GPT2Tokenizer(vocab=VOCAB, merges=[("a", "b"), ("a", "c")])
    with pytest.raises(ValueError, match=r"merges, entry 0: \('a',\) is no merge"):
        GPT2Tokenizer(vocab=VOCAB, merges=[("a",)])
    with pytest.raises(ValueError, match=r"'a' stands on entries 0 and 2"):
        BertTokenizer(vocab=["a", "[UNK]", "a"])


@pytest.mark.parametrize("vocab", [{"[UNK]": 0, "가": 2}, {"[UNK]": 0, "가": 0}, {"[UNK]": 0, "가": "1"}])
def test_wordpiece_refuses_a_dict_with_gaps_or_duplicates(vocab: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"vocab: .*(id 1|id 0|id of '가')"):
        BertTokenizer(vocab=vocab)


def test_a_bpe_vocabulary_needs_both_files(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text(json.dumps(VOCAB))
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ValueError, match=r"merges_file is missing beside .*vocab\.json.*merges\.txt"):
        AutoTokenizer.from_pretrained(tmp_path)
    with pytest.raises(OSError, match=r"merges\.txt"):
        GPT2Tokenizer(tmp_path / "vocab.json", tmp_path / "merges.txt")


# --- tiktoken


def ranks_of(texts: list[str], pattern: str, size: int) -> dict[bytes, int]:
    """Ranks learned from texts: byte pairs are merged by frequency, and a token's rank is its id."""
    tokenizer = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, letters])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)  # type: ignore[arg-type]
    return {b"".join(bytes([BYTES[letter]]) for letter in piece): rank for rank, piece in enumerate(pieces)}


def _bytes_of_letters() -> dict[str, int]:
    """What GPT-2's published encoder does: visible bytes are themselves, others the letters from U+0100 on."""
    visible = [byte for byte in range(256) if 33 <= byte <= 126 or 161 <= byte <= 172 or byte >= 174]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


BYTES = _bytes_of_letters()


def merged(word: bytes, ranks: dict[bytes, int]) -> list[int]:
    """The algorithm in plain words: a known word is one token; else the two neighbours of lowest rank are joined."""
    if word in ranks:
        return [ranks[word]]
    parts = [bytes([byte]) for byte in word]
    while True:
        pairs = [(ranks[a + b], place) for place, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not pairs:
            return [ranks[part] for part in parts]
        _, place = min(pairs)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]


def write_ranks(path: Path, ranks: dict[bytes, int]) -> Path:
    lines = (base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items())
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture(scope="module")
def ranks() -> dict[bytes, int]:
    return ranks_of(CORPUS, PATTERNS["cl100k_base"], 900)


SPLITS = {  # a text, and the words that OpenAI's pattern of this name makes of it
    "gpt2": ("I'll 한글123 go!!\n\n x", ["I", "'ll", " 한글", "123", " go", "!!", "\n\n", " x"]),
    "cl100k_base": ("I'LL 한글1234 go!!\n\n x", ["I", "'LL", " 한글", "123", "4", " go", "!!\n\n", " x"]),
    "o200k_base": ("I'll 한글1234 goNow/\n\n x", ["I'll", " 한글", "123", "4", " go", "Now", "/\n\n", " x"]),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_known_pattern_splits_as_tiktoken_does(name: str, ranks: dict[bytes, int]) -> None:
    text, words = SPLITS[name]
    engine = build_tiktoken(ranks, name, {})
    assert [text[slice(*span)] for _, span in engine.pre_tokenizer.pre_tokenize_str(text)] == words
    assert engine.encode(text).ids == [token_id for word in words for token_id in merged(word.encode(), ranks)]


def test_ranks_that_no_training_would_give_are_merged_by_the_rule() -> None:
    wrong = []
    for seed in range(60):
        choose = random.Random(seed)
        more = {bytes(choose.choices(b"abc", k=choose.randint(2, 5))) for _ in range(choose.randint(3, 40))}
        order = [*(bytes([byte]) for byte in range(256)), *sorted(more)]
        choose.shuffle(order)
        odd = {token: rank for rank, token in enumerate(order)}
        engine = build_tiktoken(odd, r"[abc]+", {})
        for _ in range(30):
            word = "".join(choose.choices("abc", k=choose.randint(1, 14)))
            if engine.encode(word).ids != merged(word.encode(), odd):
                wrong.append((seed, word))
    assert wrong == []


def test_a_tiktoken_file_is_read_by_its_content_whatever_its_name(ranks: dict[bytes, int], tmp_path: Path) -> None:
    path = write_ranks(tmp_path / "tokenizer.model", ranks)
    assert is_tiktoken(path)
    special = {"<|begin_of_text|>": len(ranks) + 3, "<|endoftext|>": len(ranks) + 9}
    ours = AutoTokenizer.from_pretrained(tmp_path, special_tokens=special, bos_token="<|begin_of_text|>")
    assert type(ours) is TiktokenTokenizer
    line = "나비<|endoftext|>The butterfly\n\n  rests 12345"
    words = re.split(r"(<\|endoftext\|>)", line)
    assert ours.convert_tokens_to_ids(list(special)) == list(special.values())
    expected = [
        *ours(words[0])["input_ids"],
        special["<|endoftext|>"],
        *ours(words[2])["input_ids"],
    ]
    assert ours(line)["input_ids"] == expected
    assert ours.decode(expected) == line
    for other in (
        AutoTokenizer.from_pretrained(path, special_tokens=special),
        TiktokenTokenizer(path, special_tokens=special),
        TiktokenTokenizer(vocab=ranks, special_tokens=special),
    ):
        assert other(line)["input_ids"] == expected
    added = TiktokenTokenizer(path, extra_special_tokens=["<|endoftext|>"])
    assert added.convert_tokens_to_ids("<|endoftext|>") == len(ranks)
    framed = TiktokenTokenizer(path, special_tokens=special, bos_token="<|begin_of_text|>", add_bos_token=True)
    assert framed("나비")["input_ids"] == [special["<|begin_of_text|>"], *ours("나비")["input_ids"]]


def test_the_incumbent_loads_ranks_that_nabi_saved(ranks: dict[bytes, int], tmp_path: Path, incumbent: Any) -> None:
    ours = TiktokenTokenizer(vocab=ranks, pattern="o200k_base", special_tokens={"<|endoftext|>": len(ranks)})
    ours.save_pretrained(tmp_path)
    theirs, again = incumbent.AutoTokenizer.from_pretrained(str(tmp_path)), AutoTokenizer.from_pretrained(tmp_path)
    for line in [*CORPUS[:14], "끝<|endoftext|>", "뷁쀍 👩‍👩‍👧"]:
        assert theirs(line)["input_ids"] == again(line)["input_ids"] == ours(line)["input_ids"]
        assert theirs.decode(ours(line)["input_ids"]) == ours.decode(ours(line)["input_ids"]) == line


def test_whispers_ranks_may_hold_an_empty_token(ranks: dict[bytes, int], tmp_path: Path) -> None:
    path = write_ranks(tmp_path / "multilingual.tiktoken", ranks)
    with path.open("ab") as file:
        file.write(b"= %d\n" % len(ranks))
    assert read_tiktoken(path)[b""] == len(ranks)
    assert TiktokenTokenizer(path, pattern="gpt2")("나비")["input_ids"] != []


def test_what_ranks_and_patterns_cannot_be(ranks: dict[bytes, int]) -> None:
    with pytest.raises(ValueError, match="leave out 1 of the 256 bytes, the first 0x61"):
        build_tiktoken({token: rank for token, rank in ranks.items() if token != b"a"}, "gpt2", {})
    with pytest.raises(ValueError, match=r"'<s>' has the id 0, which the ranks give to"):
        build_tiktoken(ranks, "gpt2", {"<s>": 0})
    with pytest.raises(ValueError, match=r"'\{1,3\}\+'"):
        build_tiktoken(ranks, r"\p{N}{1,3}+|.", {})
    with pytest.raises(ValueError, match="pattern='o300k' is unknown: use one of gpt2"):
        build_tiktoken(ranks, "o300k", {})
