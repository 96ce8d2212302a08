"""Training from nothing, watching BPE learn, and training a known tokenizer's kind anew."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import CORPUS
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from nabi.tokenization import AutoTokenizer
from nabi.tokenization.bpe_steps import BpeSteps, Merge, as_text, byte_of_letter, learn
from nabi.tokenization.fast import PreTrainedTokenizerFast
from nabi.tokenization.training import RECIPES, TRAINERS, retrain, train

KINDS = tuple(RECIPES)
SIZES = {"wordpiece": 420, "bpe": 500, "unigram": 220, "wordlevel": 130}
SENTENCE = "이 영화는 정말 최고예요! A quick train."


@pytest.fixture(scope="module")
def trained() -> dict[str, PreTrainedTokenizerFast]:
    return {kind: train(kind, CORPUS, SIZES[kind], special_tokens=["<new>"]) for kind in KINDS}


# --- from nothing


@pytest.mark.parametrize("kind", KINDS)
def test_the_vocabulary_starts_with_the_special_tokens_and_has_the_size(trained: Any, kind: str) -> None:
    tokenizer = trained[kind]
    special = [*RECIPES[kind].special.values(), "<new>"]
    assert tokenizer.convert_tokens_to_ids(special) == list(range(len(special)))
    assert set(tokenizer.all_special_tokens) == set(special)
    assert tokenizer.tokenize("영화<new>")[-1] == "<new>"
    assert len(tokenizer) == SIZES[kind]
    for name, token in RECIPES[kind].special.items():
        assert getattr(tokenizer, name) == token


@pytest.mark.parametrize(
    ("kind", "single", "pair", "types"),
    [
        ("wordpiece", "[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]", True),
        ("bpe", "A", "A B", False),
        ("unigram", "A </s>", "A </s> B </s>", False),
        ("wordlevel", "A", "A B", False),
    ],
)
def test_each_kind_has_its_customary_frame(trained: Any, kind: str, single: str, pair: str, types: bool) -> None:
    tokenizer = trained[kind]
    texts = {"A": tokenizer.tokenize("영화"), "B": tokenizer.tokenize("기차 train")}

    def filled(frame: str) -> list[str]:
        return [token for part in frame.split() for token in texts.get(part, [part])]

    assert tokenizer("영화").tokens() == filled(single)
    both = tokenizer("영화", "기차 train")
    assert both.tokens() == filled(pair)
    assert ("token_type_ids" in both) == types
    if types:
        second = len(texts["B"]) + 1
        assert both["token_type_ids"] == [0] * (len(both["input_ids"]) - second) + [1] * second


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_ready_to_use_to_save_and_to_load_in_both_libraries(
    trained: Any, kind: str, tmp_path: Path, incumbent: ModuleType
) -> None:
    tokenizer = trained[kind]
    tokenizer.save_pretrained(tmp_path)
    batch = tokenizer([SENTENCE, "나비"], padding=True, truncation=True, max_length=64, return_tensors="np")
    assert batch["input_ids"].shape == batch["attention_mask"].shape
    for loaded in (AutoTokenizer.from_pretrained(tmp_path), incumbent.AutoTokenizer.from_pretrained(str(tmp_path))):
        assert loaded(SENTENCE)["input_ids"] == tokenizer(SENTENCE)["input_ids"]
        assert loaded(SENTENCE).keys() == tokenizer(SENTENCE).keys()


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
def test_decoding_gives_the_text_back(trained: Any, kind: str) -> None:
    tokenizer = trained[kind]
    for text in CORPUS[:14]:
        decoded = tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True)
        if kind == "wordpiece":  # BERT's splitting forgets where spaces were
            assert decoded.replace(" ", "") == text.replace(" ", "")
        else:
            assert decoded == text


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_hangul_stays_whole_and_taken_apart_comes_together(kind: str, lowercase: bool) -> None:
    tokenizer = train(kind, CORPUS, 600, lowercase=lowercase)
    text = "이 영화는 정말 최고예요"
    apart = unicodedata.normalize("NFD", text)
    assert tokenizer(apart)["input_ids"] == tokenizer(text)["input_ids"]
    assert tokenizer.unk_token_id is None or tokenizer.unk_token_id not in tokenizer(text)["input_ids"]
    normalized = tokenizer.backend_tokenizer.normalizer.normalize_str(apart + " CAFÉ")
    assert normalized == text + (" café" if lowercase else " CAFÉ")
    jamo = [piece for piece in tokenizer.get_vocab() if any("\u1100" <= letter <= "\u11ff" for letter in piece)]
    assert jamo == []


def test_bpe_learns_what_the_engine_learns_with_gpt2s_parts() -> None:
    engine = Tokenizer(models.BPE())
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=500,
            min_frequency=2,
            special_tokens=["<|endoftext|>", "<pad>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    assert train("bpe", CORPUS, 500, min_frequency=2).get_vocab() == engine.get_vocab()


def test_texts_may_come_in_batches_and_from_a_generator() -> None:
    expected = train("bpe", CORPUS, 400).get_vocab()
    assert train("bpe", [CORPUS[:5], tuple(CORPUS[5:])], 400).get_vocab() == expected
    assert train("bpe", (line for line in CORPUS), 400, length=len(CORPUS)).get_vocab() == expected


def test_progress_is_shown_in_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    trainer = trainers.WordLevelTrainer

    def spy(**options: Any) -> Any:
        shown.append(options.pop("show_progress"))
        return trainer(show_progress=False, **options)

    monkeypatch.setitem(TRAINERS, "WordLevel", spy)
    for terminal, asked in ((True, None), (False, None), (True, False), (False, True)):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal, raising=False)
        train("wordlevel", CORPUS, 50, show_progress=asked)
    assert shown == [True, False, False, True]


# --- watching BPE learn


def test_the_steps_are_shown_as_text() -> None:
    corpus = ["안녕 안녕 안녕하세요"] * 2
    steps = train("bpe", corpus, 264, explain=True)
    assert isinstance(steps, BpeSteps)
    merges = list(steps)
    # 안 is the bytes EC 95 88, 녕 is EB 85 95. What is no whole letter yet looks as Python writes bytes.
    assert merges == [
        Merge(pair=("\\xeb", "\\x85"), count=6, piece="\\xeb\\x85"),
        Merge(pair=("\\xec", "\\x95"), count=6, piece="\\xec\\x95"),
        Merge(pair=("\\x88", "\\xeb\\x85"), count=6, piece="\\x88\\xeb\\x85"),
        Merge(pair=("\\xec\\x95", "\\x88\\xeb\\x85"), count=6, piece="안\\xeb\\x85"),
        Merge(pair=("안\\xeb\\x85", "\\x95"), count=6, piece="안녕"),
        Merge(pair=(" ", "안녕"), count=4, piece=" 안녕"),
    ]
    pair, count, piece = merges[-1]
    assert "".join(pair) == piece and count == 4


def test_after_the_loop_the_tokenizer_is_the_one_that_the_engine_trains() -> None:
    options: dict[str, Any] = {"special_tokens": ["<new>", AddedToken("<x>", lstrip=True)], "min_frequency": 2}
    steps = train("bpe", CORPUS, 600, explain=True, lowercase=True, **options)
    count = sum(1 for _ in steps)
    expected = train("bpe", CORPUS, 600, lowercase=True, **options)
    assert count == len(expected) - 256 - 4 > 100
    assert json.loads(steps.tokenizer.backend_tokenizer.to_str()) == json.loads(expected.backend_tokenizer.to_str())
    assert steps.tokenizer.special_tokens_map == expected.special_tokens_map


def test_before_the_end_the_tokenizer_knows_the_merges_so_far() -> None:
    steps = train("bpe", CORPUS, 600, explain=True)
    assert len(steps.tokenizer.tokenize("영화")) == 6  # bytes
    lengths = []
    for _ in steps:
        lengths.append(len(steps.tokenizer) - 256 - 2)
        if len(lengths) == 20:
            break
    assert lengths == list(range(1, 21))
    ids = steps.tokenizer(SENTENCE)["input_ids"]
    assert steps.tokenizer.decode(ids) == SENTENCE
    assert len(ids) > len(train("bpe", CORPUS, 600)(SENTENCE)["input_ids"])


def engine_learns(texts: list[str], vocab_size: int, special: list[str], min_frequency: int) -> dict[str, Any]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocab_size, special_tokens=special, min_frequency=min_frequency, show_progress=False
        ),
    )
    return json.loads(tokenizer.to_str())["model"]


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(st.text("ab가 ", min_size=1, max_size=30), min_size=1, max_size=5),
    vocab_size=st.integers(4, 40),
    special=st.sampled_from([["<s>"], ["<s>", "ab", "가a"]]),
    min_frequency=st.integers(0, 3),
)
def test_plain_python_learns_the_engines_merges_ties_included(
    texts: list[str], vocab_size: int, special: list[str], min_frequency: int
) -> None:
    expected = engine_learns(texts, vocab_size, special, min_frequency)
    words = Counter(word for text in texts for word in text.split())
    pieces = special + sorted(set("".join(words)))
    merges = [[left, right] for left, right, _ in learn(words, pieces, vocab_size, min_frequency)]
    assert merges == expected["merges"]
    assert {piece: index for index, piece in enumerate(pieces)} == expected["vocab"]


def test_among_equals_the_pair_of_lower_ids_is_merged_first() -> None:
    pieces = ["b", "a", "c", "d"]  # ids 0 1 2 3
    merges = [(left, right) for left, right, _ in learn({"ac": 2, "bd": 2, "ba": 2}, pieces, 7, 0)]
    assert merges == [("b", "a"), ("b", "d"), ("a", "c")]


def test_the_bytes_have_gpt2s_letters() -> None:
    letters = {letter: byte for letter, byte in byte_of_letter().items()}
    assert sorted(letters.values()) == list(range(256)) and sorted(letters) == sorted(
        pre_tokenizers.ByteLevel.alphabet()
    )
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for text in (" \t\n\x00\x7f", "나비 🦋", "\xa0\xad\xff!~", "ԀဂἿ"):
        [(mapped, _)] = splitter.pre_tokenize_str(text)
        assert as_text(mapped) == text
        assert bytes(letters[letter] for letter in mapped) == text.encode()


# --- a known kind anew

# Every pair of letters stands in it at another count, so the trainers, which break ties at random, agree.
UNTIED = ["가나다라 " * 40, "마바 " * 31, "사아자 " * 23, "차카 " * 17, "가나 " * 11, "타 " * 7, "마 " * 5, "사아 " * 3]


def wordlevel() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[EOS]": 1, "나": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["[UNK]", "[EOS]"])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A [EOS]", special_tokens=[("[EOS]", 1)])
    return tokenizer


def suffixed_bpe() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.BPEDecoder()
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False),
    )
    return tokenizer


@pytest.fixture(scope="module")
def pairs(folders: dict[str, Path], incumbent: ModuleType) -> dict[str, tuple[Any, Any]]:
    """Kind -> the same tokenizer in nabi and in the incumbent."""
    made = {
        kind: (AutoTokenizer.from_pretrained(folder), incumbent.AutoTokenizer.from_pretrained(str(folder)))
        for kind, folder in folders.items()
    }
    for kind, engine, options in (
        ("wordlevel", wordlevel(), {"unk_token": "[UNK]", "eos_token": "[EOS]"}),
        ("suffixed bpe", suffixed_bpe(), {"unk_token": "<unk>"}),
    ):
        made[kind] = (
            PreTrainedTokenizerFast(tokenizer_object=engine, **options),
            incumbent.PreTrainedTokenizerFast(tokenizer_object=engine, **options),
        )
    return made


def anew(tokenizer: Any, texts: Any, vocab_size: int, renamed: dict[str, str] | None = None, **options: Any) -> Any:
    return retrain(tokenizer, texts, vocab_size, None, ["<new>"], renamed or {}, {"show_progress": False, **options})


@pytest.mark.parametrize("renamed", [{}, {"[CLS]": "<s>", "[UNK]": "<unk>", "[EOS]": "</s>", "<|endoftext|>": "<e>"}])
@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram", "wordlevel", "suffixed bpe"])
def test_training_anew_learns_what_the_incumbent_learns(pairs: Any, kind: str, renamed: dict[str, str]) -> None:
    size = {"wordpiece": 40, "bpe": 290, "unigram": 32, "wordlevel": 8, "suffixed bpe": 30}[kind]
    ours, theirs = pairs[kind]
    mine = anew(ours, UNTIED, size, renamed)
    expected = theirs.train_new_from_iterator(
        UNTIED, size, new_special_tokens=["<new>"], special_tokens_map=renamed or None, show_progress=False
    )
    assert set(mine.get_vocab()) == set(expected.get_vocab()) - ({*renamed} if renamed else set())
    for text in ("가나다라 마바", "사아자차카타 <new>", "라", "모름"):
        assert mine.tokenize(text) == expected.tokenize(text)
        assert mine(text).tokens() == expected(text).tokens()
    for name in ("unk_token", "cls_token", "eos_token", "pad_token"):
        assert getattr(mine, name) == getattr(expected, name)


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram", "wordlevel"])
def test_training_anew_keeps_the_kind_and_leaves_the_old_one_alone(pairs: Any, kind: str) -> None:
    old = pairs[kind][0]
    before = old.backend_tokenizer.to_str()
    new = anew(old, CORPUS, 400)
    assert type(new) is type(old)
    assert old.backend_tokenizer.to_str() == before
    states = [json.loads(tokenizer.backend_tokenizer.to_str()) for tokenizer in (old, new)]
    for part in ("normalizer", "pre_tokenizer", "decoder"):
        assert states[0][part] == states[1][part]
    assert new.model_input_names == old.model_input_names and new.padding_side == old.padding_side


def test_a_trained_tokenizer_can_be_trained_anew(trained: Any) -> None:
    for kind in KINDS:
        tokenizer = anew(trained[kind], CORPUS, SIZES[kind])
        assert tokenizer("나비").tokens() and len(tokenizer) == SIZES[kind]
        assert tokenizer.additional_special_tokens == ["<new>"]


# --- bad input


def broken() -> Iterator[str]:
    yield "한 줄"
    raise OSError("the disk is gone")


BAD: list[tuple[Any, type[Exception], str]] = [
    ([], ValueError, "The corpus holds no text"),
    (["", " \n", "　"], ValueError, "The corpus holds no text"),
    ([[]], ValueError, "The corpus holds no text"),
    ("나비가 난다", TypeError, r"not one str: write \[text\]"),
    (None, TypeError, "not one NoneType"),
    (3, TypeError, "not one int"),
    (["나비", 3], TypeError, r"Item 1 of the corpus is 3 \(int\)"),
    (["나비", None], TypeError, r"Item 1 of the corpus is None \(NoneType\)"),
    ([["나비", b"x"]], TypeError, r"Item 0 of the corpus is b'x' \(bytes\)"),
    ([["나비", ["꽃"]]], TypeError, r"Item 0 of the corpus is \['꽃'\] \(list\)"),
    (["나비 \ud800 꽃"], ValueError, r"half a character .*\\ud800.* in the text '나비"),
    (broken(), OSError, "the disk is gone"),
]


@pytest.mark.parametrize(("texts", "error", "message"), BAD, ids=[message for _, _, message in BAD])
@pytest.mark.parametrize("kind", KINDS)
def test_a_corpus_that_is_none_is_named(
    trained: Any, kind: str, texts: Any, error: type[Exception], message: str
) -> None:
    if isinstance(texts, Iterator):
        texts = broken()
    with pytest.raises(error, match=message):
        train(kind, texts, 400)
    if isinstance(texts, Iterator):
        texts = broken()
    with pytest.raises(error, match=message):
        anew(trained[kind], texts, 400)


@pytest.mark.parametrize(("texts", "error", "message"), BAD[:-2], ids=[message for _, _, message in BAD[:-2]])
def test_watching_names_a_corpus_that_is_none(texts: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        train("bpe", texts, 400, explain=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_smaller_than_the_letters_is_refused(trained: Any, kind: str) -> None:
    size = 1 if kind == "wordlevel" else 40
    message = f"vocab_size={size} is too small: the special tokens and the single letters"
    with pytest.raises(ValueError, match=message):
        train(kind, CORPUS, size)
    with pytest.raises(ValueError, match=message):
        anew(trained[kind], CORPUS, size)


def test_a_vocabulary_of_the_bytes_alone_is_just_enough() -> None:
    assert len(train("bpe", CORPUS, 258)) == 258
    assert list(train("bpe", CORPUS, 258, explain=True)) == []
    for explain in (True, False):
        with pytest.raises(ValueError, match=r"vocab_size=257 is too small.*need 258 already"):
            train("bpe", CORPUS, 257, explain=explain)  # type: ignore[call-overload]


@pytest.mark.parametrize("size", [0, -1, 2.5, "500", None, True])
def test_a_size_that_is_no_number_of_pieces_is_refused(trained: Any, size: Any) -> None:
    with pytest.raises(ValueError, match="it must be a whole number of at least 1"):
        train("bpe", CORPUS, size)
    with pytest.raises(ValueError, match="it must be a whole number of at least 1"):
        anew(trained["bpe"], CORPUS, size)


def test_an_unknown_kind_and_explaining_another_are_refused() -> None:
    with pytest.raises(ValueError, match="kind='sentencepiece' is unknown: use 'wordpiece', 'bpe'"):
        train("sentencepiece", CORPUS)
    with pytest.raises(ValueError, match="explain=True shows how BPE learns"):
        train("unigram", CORPUS, explain=True)
    with pytest.raises(TypeError, match=r"takes of the trainer's options min_frequency only, not \['limit_alphabet'\]"):
        train("bpe", CORPUS, explain=True, limit_alphabet=5)
    with pytest.raises(TypeError, match="special_tokens must be a list"):
        train("bpe", CORPUS, special_tokens="<new>")
