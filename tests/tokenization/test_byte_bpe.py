"""Byte-level BPE from vocab.json and merges.txt: GPT-2, RoBERTa, BART, Blenderbot, DeBERTa, GPT-NeoX, Qwen2, CLIP."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awkward import LINES
from small_tokenizers import CORPUS, write_json
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from nabi.tokenization import AddedToken, AutoTokenizer, GPT2Tokenizer, PreTrainedTokenizerFast, RobertaTokenizer

END = "<|endoftext|>"
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
DEBERTA = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
MASK = {"__type": "AddedToken", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}
ROBERTA_MASK = {"mask_token": {**MASK, "content": "<mask>"}}
# Class -> the special tokens in its vocabulary, and what its tokenizer_config.json says.
CLASSES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "GPT2Tokenizer": ([END], {}),
    "RobertaTokenizer": (ROBERTA, ROBERTA_MASK),
    "BlenderbotTokenizer": (ROBERTA, {}),
    "DebertaTokenizer": (DEBERTA, {"mask_token": {**MASK, "content": "[MASK]"}}),
    "GPTNeoXTokenizer": ([END, "<|padding|>"], {"trim_offsets": False}),
    "Qwen2Tokenizer": ([END], {}),
    "CLIPTokenizer": (["<|startoftext|>", END], {}),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "add_prefix_space": {"add_prefix_space": True},
    "offsets with spaces": {"trim_offsets": False},
    "bos and eos": {"add_bos_token": True, "add_eos_token": True},
    "left": {"padding_side": "left", "truncation_side": "left", "model_max_length": 12},
}
# Frames and the words of CLIP are fixed, so these say nothing of the class.
WITHOUT = {"bos and eos": set(CLASSES) - {"GPT2Tokenizer", "GPTNeoXTokenizer"}, "add_prefix_space": {"CLIPTokenizer"}}
CASES = [(name, key) for name in CLASSES for key in OPTIONS if name not in WITHOUT.get(key, ())]

FRAMING = {"</s>", "[CLS]", "[SEP]"}
_FULL = {"return_offsets_mapping": True, "return_special_tokens_mask": True, "return_token_type_ids": True}
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "all lines": ((LINES,), _FULL),
    "some lines": ((LINES[::4],), {**_FULL, "padding": True, "truncation": True}),
    "pairs": ((LINES[:150], LINES[150:300]), _FULL),
    "cut and padded": ((LINES[::2],), {"truncation": True, "max_length": 9, "padding": "max_length"}),
    "overflow": (
        (LINES[:100],),
        {"truncation": True, "max_length": 10, "stride": 3, "return_overflowing_tokens": True, **_FULL},
    ),
    "words": (([line.split() or [""] for line in LINES[::4]],), {"is_split_into_words": True, **_FULL}),
    "one pair": ((LINES[0], LINES[9]), {"padding": "max_length", "max_length": 80, "truncation": "only_second"}),
    "bare": ((LINES[:50],), {"add_special_tokens": False, "split_special_tokens": True}),
}


def train(special: list[str], kind: str = "GPT2Tokenizer") -> Tokenizer:
    """A few hundred merges of the small corpus, with CLIP's marks of words' ends for CLIP."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ends: dict[str, Any] = {}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = letters
    if kind == "CLIPTokenizer":
        ends = {"end_of_word_suffix": "</w>"}
        special = special + [letter + "</w>" for letter in sorted(alphabet)]
        words = pre_tokenizers.Split(Regex(r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), behavior="removed", invert=True)
        tokenizer = Tokenizer(models.BPE(**ends))
        tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, letters])
    trainer = trainers.BpeTrainer(
        vocab_size=1100, special_tokens=special, initial_alphabet=alphabet, show_progress=False, **ends
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


@pytest.fixture(scope="module")
def vocabularies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Class -> a folder with vocab.json and merges.txt."""
    made = {}
    for name, (special, _) in CLASSES.items():
        made[name] = tmp_path_factory.mktemp(name)
        train(special, name).model.save(str(made[name]))
    return made


@pytest.fixture
def folder(vocabularies: dict[str, Path], tmp_path: Path) -> Callable[..., Path]:
    """A folder of a class's vocabulary, with a tokenizer_config.json of its own."""

    def make(name: str, /, **config: Any) -> Path:
        for file in ("vocab.json", "merges.txt"):
            (tmp_path / file).write_bytes((vocabularies[name] / file).read_bytes())
        write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": name, **config})
        return tmp_path

    return make


def theirs_of(incumbent: ModuleType, folder: Path) -> Any:
    """The incumbent's tokenizer, with the original's frame where its version 5 has another (see DIFFERENCES)."""
    tokenizer = incumbent.AutoTokenizer.from_pretrained(str(folder))
    name = type(tokenizer).__name__
    frames = {
        "BlenderbotTokenizer": ("$A </s>", "$A $B:1"),
        "DebertaTokenizer": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
    }
    if name in frames:
        single, pair = frames[name]
        ids = [(token, tokenizer.convert_tokens_to_ids(token)) for token in {*single.split(), *pair.split()} & FRAMING]
        frame = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)
        trim = tokenizer.init_kwargs.get("trim_offsets", False)
        spaces = processors.ByteLevel(trim_offsets=trim, add_prefix_space=tokenizer.add_prefix_space)
        tokenizer.backend_tokenizer.post_processor = processors.Sequence([spaces, frame])
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def ours_of(folder: Path, **options: Any) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def assert_same(ours: Any, theirs: Any) -> None:
    assert dict(ours) == dict(theirs)
    assert [encoding.tokens for encoding in ours.encodings] == [encoding.tokens for encoding in theirs.encodings]
    assert [encoding.word_ids for encoding in ours.encodings] == [encoding.word_ids for encoding in theirs.encodings]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_class_reads_texts_as_the_incumbent(
    folder: Callable[..., Path], incumbent: ModuleType, name: str, options: str
) -> None:
    path = folder(name, **{**CLASSES[name][1], **OPTIONS[options]})
    ours, theirs = ours_of(path), theirs_of(incumbent, path)
    for call in CALLS if options == "plain" else ("some lines", "words"):
        texts, wanted = CALLS[call]
        assert_same(ours(*texts, **wanted), theirs(*texts, **wanted))
    for attribute in (
        "vocab_size",
        "vocab",
        "special_tokens_map",
        "model_input_names",
        "padding_side",
        "model_max_length",
    ):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    assert ours.num_special_tokens_to_add(True) == theirs.num_special_tokens_to_add(True)


@pytest.mark.parametrize("name", CLASSES)
def test_decoding_gives_the_incumbents_text_and_marks_what_is_no_character(
    folder: Callable[..., Path], incumbent: ModuleType, name: str
) -> None:
    path = folder(name, **CLASSES[name][1])
    ours, theirs = ours_of(path), theirs_of(incumbent, path)
    rows = ours(LINES)["input_ids"]
    choose = random.Random(7)
    rows += [row[choose.randrange(len(row)) :] for row in rows if row]  # begun within a syllable
    rows += [[choose.randrange(len(ours)) for _ in range(choose.randrange(9))] for _ in range(200)]
    for skip in (False, True):
        assert ours.batch_decode(rows, skip_special_tokens=skip) == theirs.batch_decode(rows, skip_special_tokens=skip)
    assert ours.decode(rows[0][1]) == theirs.decode(rows[0][1])
    half = ours("꿹", add_special_tokens=False)["input_ids"][:-1]
    assert ours.decode(half).strip() == theirs.decode(half).strip() == "\ufffd"


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_incumbent_loads_what_nabi_saves(
    folder: Callable[..., Path], incumbent: ModuleType, tmp_path: Path, name: str, options: str
) -> None:
    ours = AutoTokenizer.from_pretrained(folder(name, **OPTIONS[options]))
    ours.add_tokens(["신조어", AddedToken("<e>", rstrip=True)])
    ours.add_special_tokens({"additional_special_tokens": ["<a>"]})
    ours.save_pretrained(tmp_path / "saved")
    theirs = incumbent.AutoTokenizer.from_pretrained(str(tmp_path / "saved"))
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    texts = [*LINES[::4], "Paris is the <mask> of <e> [MASK] 신조어<a>."]
    for other in (theirs, again):
        assert other(texts)["input_ids"] == ours(texts)["input_ids"]
        assert other(texts[:20], texts[20:40])["input_ids"] == ours(texts[:20], texts[20:40])["input_ids"]
        assert other.all_special_tokens == ours.all_special_tokens
        assert (other.padding_side, other.model_max_length) == (ours.padding_side, ours.model_max_length)
    written = json.loads((tmp_path / "saved" / "tokenizer_config.json").read_text(encoding="utf-8"))
    general = name == "DebertaTokenizer" or (name == "GPTNeoXTokenizer" and options != "offsets with spaces")
    assert written["tokenizer_class"] == ("PreTrainedTokenizerFast" if general else name)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_options_change_what_a_tokenizer_json_says_only_where_they_are_given(
    folder: Callable[..., Path], tmp_path: Path, name: str, options: str
) -> None:
    built = ours_of(folder(name, **OPTIONS[options]))
    plain = ours_of(folder(name))
    plain.save_pretrained(tmp_path / "saved")
    as_it_is = ours_of(tmp_path / "saved")
    changed = ours_of(tmp_path / "saved", **OPTIONS[options])
    for one, other in ((plain, as_it_is), (built, changed)):
        assert_same(one(LINES[::4], **_FULL), other(LINES[::4], **_FULL))


def test_bare_vocabularies_are_taken_as_the_incumbent_takes_them(
    vocabularies: dict[str, Path], incumbent: ModuleType
) -> None:
    folder = vocabularies["RobertaTokenizer"]
    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    merges = [tuple(line.split(" ")) for line in (folder / "merges.txt").read_text(encoding="utf-8").split("\n")[1:-1]]
    mask = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
    theirs = incumbent.RobertaTokenizer(vocab=vocab, merges=merges, mask_token=mask)
    for ours in (
        RobertaTokenizer(vocab=vocab, merges=merges),
        RobertaTokenizer(vocab=vocab, merges=[" ".join(merge) for merge in merges]),
        RobertaTokenizer(folder / "vocab.json", folder / "merges.txt"),
        RobertaTokenizer(vocab_file=str(folder / "vocab.json"), merges_file=str(folder / "merges.txt")),
        RobertaTokenizer.from_pretrained(folder),
    ):
        assert ours(LINES)["input_ids"] == theirs(LINES)["input_ids"]


def test_names_that_share_a_class(folder: Callable[..., Path], vocabularies: dict[str, Path]) -> None:
    for name in ("BartTokenizer", "BartTokenizerFast", "LongformerTokenizer", "LEDTokenizer", "MvpTokenizerFast"):
        path = folder("RobertaTokenizer")
        write_json(path / "tokenizer_config.json", {"tokenizer_class": name})
        assert type(AutoTokenizer.from_pretrained(path)) is RobertaTokenizer
    for model_type, shared in (("bart", "RobertaTokenizer"), ("opt", "GPT2Tokenizer"), ("clip", "CLIPTokenizer")):
        path = folder(shared)
        (path / "tokenizer_config.json").unlink()
        write_json(path / "config.json", {"model_type": model_type})
        assert type(AutoTokenizer.from_pretrained(path)).__name__ == shared + "Fast"


@pytest.mark.parametrize(
    "name", ["BloomTokenizerFast", "CohereTokenizerFast", "FalconTokenizer", "NougatTokenizerFast"]
)
def test_names_that_need_only_a_tokenizer_json(
    tmp_path: Path, incumbent: ModuleType, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    engine = train(["<s>", "</s>"])
    engine.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    engine.decoder = decoders.ByteLevel()
    engine.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": name, "eos_token": "</s>"})
    with caplog.at_level(logging.WARNING, "nabi"):
        ours = AutoTokenizer.from_pretrained(tmp_path)
    assert not caplog.records
    theirs = incumbent.PreTrainedTokenizerFast.from_pretrained(str(tmp_path))
    assert type(ours) is PreTrainedTokenizerFast
    assert ours(LINES)["input_ids"] == theirs(LINES)["input_ids"]


def test_a_repository_of_tokenizer_json_alone_is_read_as_it_is(incumbent: ModuleType, tmp_path: Path) -> None:
    """KoGPT2: config.json says gpt2, but the splitting is not GPT-2's, and the tokens have other names."""
    engine = Tokenizer(models.BPE(unk_token="<unk>"))
    engine.normalizer = normalizers.NFKC()
    engine.pre_tokenizer, engine.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    special = ["</s>", "<unk>", "<pad>", "<mask>"]
    engine.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=500, special_tokens=special, show_progress=False))
    engine.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "config.json", {"model_type": "gpt2"})
    ours = AutoTokenizer.from_pretrained(tmp_path)
    assert type(ours) is GPT2Tokenizer
    assert [ours(line)["input_ids"] for line in LINES] == [engine.encode(line).ids for line in LINES]
    assert ours("이 영화는")["input_ids"] != []
    assert len(ours) == engine.get_vocab_size(), "no token is made up that the model has no row for"
    assert ours.special_tokens_map == {}
    named = AutoTokenizer.from_pretrained(tmp_path, eos_token="</s>", unk_token="<unk>", pad_token="<pad>")
    assert (named.eos_token_id, named.pad_token_id, len(named)) == (0, 2, len(ours))
    named.save_pretrained(tmp_path / "saved")
    theirs = incumbent.AutoTokenizer.from_pretrained(str(tmp_path / "saved"))
    assert theirs(LINES)["input_ids"] == ours(LINES)["input_ids"]


def test_a_class_name_does_not_have_a_tokenizer_json_rebuilt(incumbent: ModuleType, tmp_path: Path) -> None:
    """HyperCLOVA X, EXAONE and others say GPT2Tokenizer, and split otherwise: the incumbent gives wrong ids."""
    engine = train([END])
    engine.normalizer = normalizers.NFKC()
    engine.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"[가-힣]|\d"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    engine.decoder = decoders.ByteLevel()
    engine.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer", "eos_token": END})
    right = [encoding.ids for encoding in engine.encode_batch(LINES)]
    ours = AutoTokenizer.from_pretrained(tmp_path)
    assert ours(LINES)["input_ids"] == right
    assert incumbent.AutoTokenizer.from_pretrained(str(tmp_path))(LINES)["input_ids"] != right
    ours.save_pretrained(tmp_path / "saved")
    assert incumbent.AutoTokenizer.from_pretrained(str(tmp_path / "saved"))(LINES)["input_ids"] == right


def test_words_without_spaces_are_warned_of_once(
    vocabularies: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = vocabularies["GPT2Tokenizer"]
    with caplog.at_level(logging.WARNING):
        tokenizer = GPT2Tokenizer.from_pretrained(path)
        for _ in range(2):
            tokenizer(["두", "말"], is_split_into_words=True)
        assert [record.message.count("add_prefix_space=True") for record in caplog.records] == [1]
        GPT2Tokenizer.from_pretrained(path, add_prefix_space=True)(["두", "말"], is_split_into_words=True)
    assert len(caplog.records) == 1


def test_only_replacing_is_offered_for_bytes_that_are_no_text(vocabularies: dict[str, Path]) -> None:
    assert GPT2Tokenizer.from_pretrained(vocabularies["GPT2Tokenizer"], errors="replace").decode([]) == ""
    with pytest.raises(ValueError, match=r"errors='strict'.*U\+FFFD"):
        GPT2Tokenizer.from_pretrained(vocabularies["GPT2Tokenizer"], errors="strict")


# --- where nabi follows the original and the incumbent's version 5 does not


def tokens(*texts: str, **options: Any) -> Callable[[Any], Any]:
    return lambda tokenizer: tokenizer.convert_ids_to_tokens(tokenizer(*texts, **options)["input_ids"])


def round_trip(added: str, text: str) -> Callable[[Any], Any]:
    def read(tokenizer: Any) -> Any:
        tokenizer.add_tokens([added])
        return tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"])

    return read


# class, its config, what is done, the incumbent's result, ours, why
DIFFERENCES: list[tuple[str, dict[str, Any], Callable[[Any], Any], Any, Any, str]] = [
    (
        "RobertaTokenizer",
        {},
        tokens("a <mask>"),
        ["<s>", "a", "Ġ", "<mask>", "</s>"],
        ["<s>", "a", "<mask>", "</s>"],
        "fairseq's and 4.57's mask takes the space before it: a model that sees 'Ġ' there predicts another word",
    ),
    (
        "RobertaTokenizer",
        {"mask_token": "<mask>"},
        tokens("a <mask>"),
        ["<s>", "a", "Ġ", "<mask>", "</s>"],
        ["<s>", "a", "<mask>", "</s>"],
        "the same where the config names the mask as a plain string",
    ),
    (
        "DebertaTokenizer",
        {},
        tokens("a [MASK]"),
        ["[CLS]", "a", "Ġ", "[MASK]", "[SEP]"],
        ["[CLS]", "a", "[MASK]", "[SEP]"],
        "4.57's mask takes the space before it",
    ),
    (
        "DebertaTokenizer",
        {},
        tokens("a", "b"),
        ["[CLS]", "a", "[SEP]", "[SEP]", "b", "[SEP]"],
        ["[CLS]", "a", "[SEP]", "b", "[SEP]"],
        "DeBERTa was trained with one separator between a pair, as 4.57 has it",
    ),
    (
        "DebertaTokenizer",
        {},
        lambda tokenizer: tokenizer("a", "b")["token_type_ids"],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1],
        "the second text of a pair has type 1, in the original and in 4.57",
    ),
    (
        "BlenderbotTokenizer",
        {},
        tokens("a"),
        ["Ġa"],
        ["Ġa", "</s>"],
        "Blenderbot's texts end with </s>, in ParlAI and in 4.57",
    ),
    (
        "GPTNeoXTokenizer",
        {},
        lambda tokenizer: tokenizer("a b", return_offsets_mapping=True)["offset_mapping"],
        [(0, 1), (1, 3)],
        [(0, 1), (2, 3)],
        "trim_offsets is True by default there too, but the frame that follows throws it away",
    ),
    (
        "GPT2Tokenizer",
        {},
        round_trip("é", "café!"),
        "caf\ufffd!",
        "café!",
        "an added token is no letters of bytes: 4.57's slow class decodes it whole",
    ),
]


@pytest.mark.parametrize(("name", "config", "done", "incumbents", "nabis", "why"), DIFFERENCES)
def test_nabi_follows_the_original_where_the_incumbent_does_not(
    folder: Callable[..., Path],
    incumbent: ModuleType,
    name: str,
    config: dict[str, Any],
    done: Callable[[Any], Any],
    incumbents: Any,
    nabis: Any,
    why: str,
) -> None:
    path = folder(name, **config)
    assert done(AutoTokenizer.from_pretrained(path)) == nabis, why
    assert done(incumbent.AutoTokenizer.from_pretrained(str(path))) == incumbents, "the table is out of date"
