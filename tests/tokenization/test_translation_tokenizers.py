"""The tokenizers of translators: languages around the text (mBART, NLLB, M2M100), and a model per language (Marian)."""

from __future__ import annotations

import copy
import json
import pickle
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sentencepiece
from awkward import LINES
from sentencepiece_models import Models, as_repository, lend_protobuf
from small_tokenizers import CORPUS, write_json

from nabi.tokenization import AutoTokenizer, M2M100Tokenizer, MarianTokenizer, PreTrainedTokenizerFast

# Where the incumbent 5.23 differs from the original (sentencepiece; for NLLB fairseq's layout), and nabi follows the
# original. Class -> what the incumbent does; `FOUND` holds the lines that show it, and a test sees that they still do.
DIFFERENCES = {
    "MBartTokenizer": "drops the model's table of characters: full-width letters and jamo become unknown",
    "MBart50Tokenizer": "keeps spaces at a text's ends, and does not compose jamo",
    "NllbTokenizer": "keeps spaces at a text's ends; from a .model it has no languages, so their token is <unk>",
    "M2M100Tokenizer": "has no language among the special tokens unless the files name them",
    "MarianTokenizer": "decodes target pieces behind a special token with the source's model: two spaces, not one",
}
# The engine composes a mark behind a ligature (see formats/sentencepiece_engine.py), which sentencepiece does not.
SAME = [line for line in LINES if "\ufb01\u0301" not in line]

LANGUAGES = {
    "MBartTokenizer": ("unigram", "en_XX", "ko_KR", 25, "last"),
    "MBart50Tokenizer": ("unigram", "en_XX", "ko_KR", 52, "first"),
    "NllbTokenizer": ("bpe", "eng_Latn", "kor_Hang", 202, "first"),
    "M2M100Tokenizer": ("unigram", "en", "ko", 100, "first"),
}
FAIRSEQ = [name for name in LANGUAGES if name != "M2M100Tokenizer"]
CODED = [
    ">>kor<< The film was long",
    ">>kor<<The film >>kor<< was",
    ">>zzz<< The film",
    ">>cmn_Hans<< The film",
    " >>kor<< film",
    ">>kor<<",
    ">><<",
    ">> film",
    "a</s>>>kor<<b",
    "caf\u00e9 \u00e9\u00e9 \u00e9! \u00e9",
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def theirs(incumbent: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The incumbent's AutoTokenizer.from_pretrained."""
    with pytest.MonkeyPatch.context() as patch:
        lend_protobuf(tmp_path_factory.mktemp("lent"), patch)
        yield lambda folder, **options: incumbent.AutoTokenizer.from_pretrained(str(folder), **options)


def pieces_of(model: Path) -> list[str]:
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    return [processor.id_to_piece(number) for number in range(3, len(processor))]


@pytest.fixture(scope="module")
def repositories(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A class's name -> a folder as its checkpoints are."""
    folder = tmp_path_factory.mktemp("languages")

    def repository(name: str) -> Path:
        place = folder / name
        if place.exists():
            return place
        model = models[LANGUAGES[name][0]]
        as_repository(place, model, "sentencepiece.bpe.model", tokenizer_class=name)
        if name == "M2M100Tokenizer":  # a seventh of the pieces has no id
            kept = [piece for number, piece in enumerate(pieces_of(model)) if number % 7]
            vocab = ["<s>", "<pad>", "</s>", "<unk>", *kept]
            write_json(place / "vocab.json", {piece: number for number, piece in enumerate(vocab)})
            tokens = [f"__{code}__" for code in AutoTokenizer.from_pretrained(place).lang_code_to_id]
            config = {"tokenizer_class": name, "additional_special_tokens": tokens}
            write_json(place / "tokenizer_config.json", config)
        return place

    return repository


def train(folder: Path, name: str, lines: list[str], size: int) -> Path:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_prefix=str(folder / name),
        vocab_size=size,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    return folder / f"{name}.model"


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models; a vocabulary with a part of the pieces of either, and with pieces that neither has."""
    folder = tmp_path_factory.mktemp("marian")
    source = train(folder, "source", [line for line in CORPUS if line.isascii()], 300)
    target = train(folder, "target", [line for line in CORPUS if not line.isascii()], 400)
    (folder / "source.spm").write_bytes(source.read_bytes())
    (folder / "target.spm").write_bytes(target.read_bytes())
    codes = [">>kor<<", ">>cmn_Hans<<"]
    kept = [*pieces_of(source)[::2], *pieces_of(target)[::3], *pieces_of(target)[1::3]]
    pieces = list(dict.fromkeys(["</s>", "<unk>", *kept, "\u00e9", "\u00e9!", *codes, "<pad>"]))
    write_json(folder / "vocab.json", {piece: number for number, piece in enumerate(pieces)})
    others = ["<unk>", *reversed(pieces_of(target)), "</s>", "<pad>"]
    write_json(folder / "target_vocab.json", {piece: number for number, piece in enumerate(dict.fromkeys(others))})
    config = {"tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "ko"}
    write_json(folder / "tokenizer_config.json", config)
    return folder


# --- languages around the text


def original(model: Path, special: dict[str, int], mask: str) -> Callable[[str], list[int]]:
    """Text -> ids as fairseq has them: cut at special tokens, each part by sentencepiece, its ids moved by one."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    cut = re.compile(rf"(\s*{re.escape(mask)}|{'|'.join(map(re.escape, sorted(special, key=len, reverse=True)))})")

    def ids(text: str) -> list[int]:
        found: list[int] = []
        for part in cut.split(text):
            token = part.lstrip() if part.lstrip() == mask else part
            if token in special:
                found.append(special[token])
            else:
                found += [3 if number == 0 else number + 1 for number in processor.encode(part)]
        return found

    return ids


@pytest.mark.parametrize("name", FAIRSEQ)
def test_ids_are_those_of_sentencepiece_in_fairseqs_layout(
    name: str, models: Models, repositories: Callable[[str], Path]
) -> None:
    model, source, target, count, place = LANGUAGES[name]
    tokenizer = AutoTokenizer.from_pretrained(repositories(name), tgt_lang=target)
    pieces = len(pieces_of(models[model]))
    assert list(tokenizer.lang_code_to_id.values()) == list(range(4 + pieces, 4 + pieces + count))
    assert tokenizer.mask_token_id == len(tokenizer) - 1 == 4 + pieces + count
    special = {token: tokenizer.convert_tokens_to_ids(token) for token in tokenizer.all_special_tokens}
    encode = original(models[model], special, "<mask>")
    for language, ids in ((source, tokenizer(SAME)), (target, tokenizer(text_target=SAME))):
        code = special[language]
        for line, row in zip(SAME, ids["input_ids"], strict=True):
            inner = encode(line)
            assert row == ([*inner, 2, code] if place == "last" else [code, *inner, 2]), line


@pytest.mark.parametrize("name", FAIRSEQ)
def test_on_plain_texts_the_incumbent_agrees(name: str, repositories: Callable[[str], Path], theirs: Any) -> None:
    _, source, target, *_ = LANGUAGES[name]
    folder = repositories(name)
    ours = AutoTokenizer.from_pretrained(folder, tgt_lang=target)
    saved = folder.parent / f"{name} saved"
    ours.save_pretrained(saved)
    their = theirs(saved)
    assert (their.src_lang, their.tgt_lang) == (source, target)
    plain = CORPUS[:14]
    calls: list[dict[str, Any]] = [
        {"text": plain},
        {"text": plain, "text_target": plain[::-1], "padding": True},
        {"text": plain[0], "text_pair": plain[1]},
        {"text": plain, "truncation": True, "max_length": 9, "padding": "max_length", "return_tensors": "np"},
        {"text_target": plain, "truncation": True, "max_length": 7},
    ]
    for language in (source, target):
        ours.src_lang = their.src_lang = language
        for call in calls:
            a, b = ours(**call), their(**call)
            assert {key: _plain(value) for key, value in a.items()} == {key: _plain(value) for key, value in b.items()}
        rows = ours(plain)["input_ids"]
        for skip in (False, True):
            assert ours.batch_decode(rows, skip_special_tokens=skip) == their.batch_decode(
                rows, skip_special_tokens=skip
            )
        assert (ours.prefix_tokens, ours.suffix_tokens) == (their.prefix_tokens, their.suffix_tokens)
    a, b = (
        tokenizer._build_translation_inputs(plain, return_tensors=None, src_lang=target, tgt_lang=source)
        for tokenizer in (ours, their)
    )
    assert dict(a) == dict(b) and a["forced_bos_token_id"] == ours.lang_code_to_id[source]


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


@pytest.mark.parametrize("name", FAIRSEQ)
def test_the_incumbent_reads_what_is_saved(
    name: str, repositories: Callable[[str], Path], theirs: Any, incumbent: ModuleType, tmp_path: Path
) -> None:
    ours = AutoTokenizer.from_pretrained(repositories(name), src_lang=LANGUAGES[name][2])
    ours.save_pretrained(tmp_path)
    ids = ours(LINES)["input_ids"]
    whole = incumbent.PreTrainedTokenizerFast.from_pretrained(tmp_path)  # takes tokenizer.json as it is, as 4.57 does
    assert whole(LINES)["input_ids"] == ids
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again(LINES)["input_ids"] == ids and again.src_lang == LANGUAGES[name][2]
    own = theirs(tmp_path)
    assert type(own).__name__ == name and len(own) == len(ours)
    if name != "NllbTokenizer":  # which cannot be made from the .model there
        first = theirs(repositories(name), src_lang=LANGUAGES[name][2])
        assert own(LINES)["input_ids"] == first(LINES)["input_ids"]
    own.save_pretrained(tmp_path / "back")
    back = AutoTokenizer.from_pretrained(tmp_path / "back")
    assert back(CORPUS)["input_ids"] == ours(CORPUS)["input_ids"] and back.lang_code_to_id == ours.lang_code_to_id


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_differences_are_still_there(name: str, repositories: Callable[[str], Path], theirs: Any) -> None:
    assert DIFFERENCES[name]
    folder = repositories(name)
    if name == "M2M100Tokenizer":
        bare = theirs(folder, additional_special_tokens=[])
        assert "__ko__" not in bare.all_special_tokens
        assert "__ko__" in AutoTokenizer.from_pretrained(folder, additional_special_tokens=[]).all_special_tokens
    else:
        assert theirs(folder)(SAME)["input_ids"] != AutoTokenizer.from_pretrained(folder)(SAME)["input_ids"]


@pytest.mark.parametrize("key", ["text", "text_target"])
def test_m2m100_is_the_incumbents(key: str, repositories: Callable[[str], Path], theirs: Any) -> None:
    folder = repositories("M2M100Tokenizer")
    ours, their = AutoTokenizer.from_pretrained(folder, tgt_lang="ko"), theirs(folder, tgt_lang="ko")
    assert len(ours) == len(their) and ours.vocab_size == their.vocab_size
    assert ours.lang_code_to_id == their.lang_code_to_id and ours.get_lang_id("ko") == their.get_lang_id("ko")
    lines = [*SAME, "a __ko__ b", "__ko__", "__xx__ a"]
    rows = their(**{key: lines})["input_ids"]
    assert ours(**{key: lines})["input_ids"] == rows
    for skip in (False, True):
        for row in [*rows, list(range(len(ours) + 8))]:  # all ids, and those of the made-up words
            assert ours.decode(row, skip_special_tokens=skip) == their.decode(row, skip_special_tokens=skip)


def test_m2m100_is_saved_as_the_incumbent_has_it(
    repositories: Callable[[str], Path], theirs: Any, tmp_path: Path
) -> None:
    folder = repositories("M2M100Tokenizer")
    ours = AutoTokenizer.from_pretrained(folder, src_lang="ko", tgt_lang="ja")
    ours.add_tokens(["<new>"])
    ours.save_pretrained(tmp_path)
    their, again = theirs(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    lines = [*SAME, "a <new> b"]
    ids = ours(lines)["input_ids"]
    assert len(ours) == len(their) == len(again) and (their.src_lang, their.tgt_lang) == ("ko", "ja")
    assert their(lines)["input_ids"] == again(lines)["input_ids"] == ids
    their.save_pretrained(tmp_path / "back")
    assert AutoTokenizer.from_pretrained(tmp_path / "back")(lines)["input_ids"] == ids


def test_the_languages_of_wmt21(repositories: Callable[[str], Path]) -> None:
    folder = repositories("M2M100Tokenizer")
    tokenizer = M2M100Tokenizer(
        folder / "vocab.json", folder / "sentencepiece.bpe.model", language_codes="wmt21", tgt_lang="de"
    )
    assert list(tokenizer.lang_code_to_id) == ["en", "ha", "is", "ja", "cs", "ru", "zh", "de"]
    assert tokenizer.convert_ids_to_tokens(tokenizer(text_target="ok")["input_ids"][0]) == "__de__"
    with pytest.raises(ValueError, match="language_codes='all' is unknown"):
        M2M100Tokenizer(folder / "vocab.json", folder / "sentencepiece.bpe.model", language_codes="all")


def test_nllbs_legacy_frame_has_the_language_last(repositories: Callable[[str], Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(repositories("NllbTokenizer"), legacy_behaviour=True, tgt_lang="kor_Hang")
    eos, kor, eng = 2, tokenizer.lang_code_to_id["kor_Hang"], tokenizer.lang_code_to_id["eng_Latn"]
    assert tokenizer("film")["input_ids"][-2:] == [eos, eng]
    assert tokenizer(text_target="film")["input_ids"][-2:] == [eos, kor]
    assert tokenizer("film", "long")["input_ids"].count(eos) == 1


def test_nllb_takes_its_languages_from_the_files(repositories: Callable[[str], Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(
        repositories("NllbTokenizer"), additional_special_tokens=["kor_Hang", "eng_Latn"]
    )
    assert list(tokenizer.lang_code_to_id) == ["kor_Hang", "eng_Latn"]
    tokenizer.add_tokens(["xyz_Latn"], special_tokens=True)
    tokenizer.src_lang = "xyz_Latn"
    assert tokenizer("film")["input_ids"][0] == len(tokenizer) - 1


@pytest.mark.parametrize("name", LANGUAGES)
def test_setting_a_language_counts_at_once(name: str, repositories: Callable[[str], Path]) -> None:
    _, source, target, _, place = LANGUAGES[name]
    tokenizer = AutoTokenizer.from_pretrained(repositories(name))
    at = -1 if place == "last" else 0
    ids = tokenizer.lang_code_to_id
    assert tokenizer.src_lang == source and tokenizer("a")["input_ids"][at] == ids[source] == tokenizer.cur_lang_code
    tokenizer.src_lang = target
    assert tokenizer("a")["input_ids"][at] == ids[target] == tokenizer.cur_lang_code
    tokenizer.set_tgt_lang_special_tokens(source)
    assert tokenizer("a")["input_ids"][at] == ids[source] and tokenizer.src_lang == target
    tokenizer.set_src_lang_special_tokens(target)
    tokenizer.tgt_lang = source
    both = tokenizer("a", text_target="a")
    assert (both["input_ids"][at], both["labels"][at]) == (ids[target], ids[source])
    with tokenizer.as_target_tokenizer():
        assert tokenizer("a")["input_ids"][at] == ids[source]
    old = tokenizer.prepare_seq2seq_batch(["a"], src_lang=source, tgt_texts=["a"], tgt_lang=target)
    assert (old["input_ids"][0][at], old["labels"][0][at]) == (ids[source], ids[target])
    for twin in (copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert twin("a", text_target="b").data == tokenizer("a", text_target="b").data


@pytest.mark.parametrize("name", LANGUAGES)
def test_an_unknown_language_is_named_with_those_near_it(name: str, repositories: Callable[[str], Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(repositories(name))
    _, source, target, count, _ = LANGUAGES[name]
    before = tokenizer("a")["input_ids"]
    for wrong in ("ko_KO", "<mask>", ""):
        with pytest.raises(ValueError, match=rf"'{wrong}' is no language of this tokenizer, which has {count}"):
            tokenizer.src_lang = wrong
    with pytest.raises(ValueError, match=f"near ones: .*{target}"):
        tokenizer.tgt_lang = "ko_KO"
    assert (tokenizer.src_lang, tokenizer.tgt_lang, tokenizer("a")["input_ids"]) == (source, None, before)
    with pytest.raises(ValueError, match="tgt_lang is missing"):
        tokenizer._build_translation_inputs("a", src_lang=source)
    with pytest.raises(ValueError, match="no language"):
        AutoTokenizer.from_pretrained(repositories(name), src_lang="xx_XX")


@pytest.mark.parametrize("name", LANGUAGES)
def test_targets_without_a_language_are_told_of_once(
    name: str, repositories: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(repositories(name))
    assert tokenizer(text_target="film")["input_ids"] == tokenizer("film")["input_ids"]
    tokenizer(text_target="film")
    assert sum("tgt_lang is not set" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize("name", FAIRSEQ)
def test_a_tokenizer_json_gets_the_frame_of_the_options(
    name: str, repositories: Callable[[str], Path], tmp_path: Path
) -> None:
    AutoTokenizer.from_pretrained(repositories(name)).save_pretrained(tmp_path)
    target = LANGUAGES[name][2]
    read = AutoTokenizer.from_pretrained(tmp_path, src_lang=target)
    built = AutoTokenizer.from_pretrained(repositories(name), src_lang=target)
    assert read(SAME)["input_ids"] == built(SAME)["input_ids"]
    assert read.additional_special_tokens == built.additional_special_tokens


# --- a model per language


@pytest.mark.parametrize("separate", [False, True])
def test_marian_is_the_incumbents(separate: bool, marian: Path, theirs: Any) -> None:
    ours, their = (load(marian, separate_vocabs=separate) for load in (AutoTokenizer.from_pretrained, theirs))
    assert ours.supported_language_codes == their.supported_language_codes
    assert (len(ours), ours.vocab_size, ours.get_vocab()) == (len(their), their.vocab_size, their.get_vocab())
    lines = [*SAME, *CODED]
    for key in ("text", "text_target"):
        rows = their(**{key: lines})["input_ids"]
        assert ours(**{key: lines})["input_ids"] == rows
        tokens = [ours.tokenize(line) for line in lines[:200] + CODED]
        assert tokens == [their.tokenize(line) for line in lines[:200] + CODED]
    rows = ours(text_target=lines)["input_ids"]
    assert ours.batch_decode(rows, skip_special_tokens=True) == their.batch_decode(rows, skip_special_tokens=True)
    if not separate:
        rows = ours(lines)["input_ids"]
        for skip in (False, True):
            decoded = their.batch_decode(rows, skip_special_tokens=skip)
            assert ours.batch_decode(rows, skip_special_tokens=skip) == decoded
        for token_id in range(len(ours)):
            assert ours.decode([token_id]) == their.decode([token_id]), ours.convert_ids_to_tokens(token_id)


@pytest.mark.parametrize(
    "call",
    [
        {"text": CORPUS[:8], "text_target": CORPUS[8:14] + CORPUS[:2], "padding": True},
        {"text": CORPUS[:8], "text_pair": CORPUS[:8]},
        {"text": CORPUS, "truncation": True, "max_length": 9, "padding": "max_length", "return_tensors": "np"},
        {"text": CORPUS[:5], "padding": True, "pad_to_multiple_of": 8, "return_special_tokens_mask": True},
        {"text": CORPUS[0], "add_special_tokens": False},
        {"text": "<s> <pad> </s> x", "split_special_tokens": True},
    ],
)
def test_marians_calls_are_the_incumbents(call: dict[str, Any], marian: Path, theirs: Any) -> None:
    ours, their = AutoTokenizer.from_pretrained(marian)(**call), theirs(marian)(**call)
    assert {key: _plain(value) for key, value in ours.items()} == {key: _plain(value) for key, value in their.items()}


def test_pieces_that_the_vocabulary_lacks_are_unknown_one_by_one(marian: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(marian)
    vocab = json.loads((marian / "vocab.json").read_text(encoding="utf-8"))
    processor = sentencepiece.SentencePieceProcessor(model_file=str(marian / "source.spm"))
    missing = 0
    for line in CORPUS[:14]:
        pieces = processor.encode(line, out_type=str)
        missing += sum(piece not in vocab for piece in pieces)
        assert tokenizer(line)["input_ids"] == [*(vocab.get(piece, vocab["<unk>"]) for piece in pieces), vocab["</s>"]]
    assert missing > 20


@pytest.mark.parametrize("separate", [False, True])
def test_marian_is_saved_as_the_incumbent_has_it(separate: bool, marian: Path, theirs: Any, tmp_path: Path) -> None:
    ours = AutoTokenizer.from_pretrained(marian, separate_vocabs=separate)
    ours.add_tokens(["<new>"])
    assert ours.convert_tokens_to_ids("<new>") == len(ours) - 1 and ours("a<new>")["input_ids"][-2] == len(ours) - 1
    ours.save_pretrained(tmp_path)
    expected = ["source.spm", "target.spm", *["target_vocab.json"] * separate, "vocab.json"]
    assert {path.name for path in tmp_path.iterdir()} == {*expected, "tokenizer_config.json", "special_tokens_map.json"}
    their, again = theirs(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    lines = [*SAME, *CODED, "a <new> b"]
    for key in ("text", "text_target"):
        ids = ours(**{key: lines})["input_ids"]
        assert their(**{key: lines})["input_ids"] == again(**{key: lines})["input_ids"] == ids
        for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
            assert twin(**{key: CODED})["input_ids"] == ours(**{key: CODED})["input_ids"]
    their.save_pretrained(tmp_path / "back")
    assert AutoTokenizer.from_pretrained(tmp_path / "back")(lines)["input_ids"] == ours(lines)["input_ids"]


def test_marians_difference_in_decoding(marian: Path, theirs: Any) -> None:
    ours, their = AutoTokenizer.from_pretrained(marian), theirs(marian)
    known = json.loads((marian / "vocab.json").read_text(encoding="utf-8"))
    source = set(pieces_of(marian / "source.spm"))
    piece = next(piece for piece in known if len(piece) > 1 and piece[0] == "\u2581" and piece not in source)
    ids = [known["<unk>"], known[piece]]
    assert ours.decode(ids) == f"<unk> {piece[1:]}" and their.decode(ids) == f"<unk>  {piece[1:]}"


def test_separate_vocabularies_decode_as_the_target_or_as_asked(marian: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(marian, separate_vocabs=True)
    english, korean = "The film was long", "\uc11c\uc6b8\uc5d0\uc11c \ubd80\uc0b0\uae4c\uc9c0"
    ids = tokenizer(text_target=korean)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == korean
    ids = tokenizer(english)["input_ids"]
    whole = AutoTokenizer.from_pretrained(marian).decode(ids)
    assert tokenizer.decode(ids, use_source_tokenizer=True) == whole != tokenizer.decode(ids)


def test_a_codes_offsets_are_its_place_in_the_text(marian: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(marian)
    encoded = tokenizer(">>kor<< film", return_offsets_mapping=True)
    assert (
        encoded["offset_mapping"][0] == (0, 7) and tokenizer.convert_ids_to_tokens(encoded["input_ids"][0]) == ">>kor<<"
    )


def test_marian_with_only_a_tokenizer_json_reads_it(marian: Path, models: Models, tmp_path: Path) -> None:
    as_repository(tmp_path / "t5", models["t5"], "spiece.model", tokenizer_class="T5Tokenizer", extra_ids=0)
    other = AutoTokenizer.from_pretrained(tmp_path / "t5")
    (tmp_path / "tokenizer.json").write_text(other._engine.to_json(), encoding="utf-8")
    tokenizer = MarianTokenizer.from_pretrained(tmp_path)
    assert tokenizer(CORPUS)["input_ids"] == other(CORPUS)["input_ids"] == tokenizer(text_target=CORPUS)["input_ids"]
    tokenizer.save_pretrained(tmp_path / "saved")
    assert isinstance(AutoTokenizer.from_pretrained(tmp_path / "saved"), PreTrainedTokenizerFast)
    for file in marian.glob("*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    both = AutoTokenizer.from_pretrained(tmp_path)
    assert both(CORPUS)["input_ids"] == AutoTokenizer.from_pretrained(marian)(CORPUS)["input_ids"]


@pytest.mark.parametrize(
    ("missing", "named"),
    [("target.spm", "no target.spm"), ("vocab.json", "no vocab.json"), ("target_vocab.json", "no target_vocab.json")],
)
def test_a_missing_file_is_named(missing: str, named: str, marian: Path, tmp_path: Path) -> None:
    for file in marian.glob("*"):
        if file.name != missing:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(FileNotFoundError, match=named):
        AutoTokenizer.from_pretrained(tmp_path, separate_vocabs=missing == "target_vocab.json")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda vocab: {**vocab, "x!": 10_000}, "no piece has the id"),
        (lambda vocab: {**vocab, "x!": 3}, "both have the id 3"),
        (lambda vocab: {piece.replace("<unk>", "UNK"): number for piece, number in vocab.items()}, "no unknown token"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused(
    spoil: Callable[[dict[str, int]], dict[str, int]], message: str, marian: Path
) -> None:
    vocab = json.loads((marian / "vocab.json").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match=message):
        MarianTokenizer(marian / "source.spm", marian / "target.spm", spoil(vocab))


def test_training_anew_is_refused_with_a_remedy(marian: Path) -> None:
    with pytest.raises(NotImplementedError, match="sentencepiece"):
        AutoTokenizer.from_pretrained(marian).train_new_from_iterator(CORPUS, 300)


# --- both


@pytest.mark.parametrize("name", ["MBartTokenizer", "M2M100Tokenizer", "MarianTokenizer"])
def test_texts_and_targets_in_many_threads_do_not_mix(
    name: str, marian: Path, repositories: Callable[[str], Path]
) -> None:
    folder = marian if name == "MarianTokenizer" else repositories(name)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if name != "MarianTokenizer":
        tokenizer.tgt_lang = LANGUAGES[name][2]
    lines = CORPUS[:6]
    wanted = {key: tokenizer(**{key: lines})["input_ids"] for key in ("text", "text_target")}
    wrong: list[str] = []

    def work(key: str) -> None:
        for _ in range(40):
            if tokenizer(**{key: lines})["input_ids"] != wanted[key]:
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(key,)) for key in (*wanted, *wanted)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and wanted["text"] != wanted["text_target"]
