"""XLM's tokenizer beside the incumbent's, on every awkward line; the words are sacremoses' in both."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from awkward import LINES
from small_tokenizers import CORPUS, write_json
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from nabi.tokenization import AutoTokenizer, XLMTokenizer

pytest.importorskip("sacremoses")

MORE = [
    "Mr. Smith's U.S. <special1> dog",
    "„Hello“ he said—don't!",
    "１２３ 〈s〉 a</s>b",
    "</S> a",
    "İstanbul, Ştefan, ţară",
]
TEXTS = [*LINES, *MORE]
SPECIAL = ["<s>", "</s>", "<pad>", "<unk>", *(f"<special{number}>" for number in range(10))]
LANGUAGES = ["en", "fr", "ro", "zh", "th", "ja"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a checkpoint: merges with how often they were met, and a vocabulary without the rarer pieces."""
    folder = tmp_path_factory.mktemp("xlm")
    engine = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(vocab_size=600, end_of_word_suffix="</w>", show_progress=False)
    engine.train_from_iterator([line.lower() for line in CORPUS], trainer)
    engine.model.save(str(folder))
    merges = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    counted = [f"{merge} {1000 - number}\n" for number, merge in enumerate(merges)]
    (folder / "merges.txt").write_text("".join(counted), encoding="utf-8")
    pieces = sorted(engine.get_vocab(), key=engine.get_vocab().__getitem__)
    kept = [*SPECIAL, *(piece for number, piece in enumerate(pieces) if number % 9)]
    write_json(folder / "vocab.json", {piece: number for number, piece in enumerate(kept)})
    tables = {
        "lang2id": {name: number for number, name in enumerate(LANGUAGES)},
        "id2lang": {str(number): name for number, name in enumerate(LANGUAGES)},
    }
    write_json(folder / "tokenizer_config.json", {"do_lowercase_and_remove_accent": True, **tables})
    write_json(folder / "config.json", {"model_type": "xlm"})
    return folder


@pytest.fixture(scope="module", params=[True, False], ids=["lowered", "as it is"])
def both(request: pytest.FixtureRequest, folder: Path, incumbent: ModuleType) -> tuple[Any, Any]:
    option = {"do_lowercase_and_remove_accent": request.param}
    return AutoTokenizer.from_pretrained(folder, **option), incumbent.AutoTokenizer.from_pretrained(
        str(folder), **option
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": "max_length", "truncation": True, "max_length": 12},
        {"add_special_tokens": False},
        {"return_token_type_ids": True, "return_special_tokens_mask": True, "padding": True},
    ],
    ids=["plain", "padded and cut", "bare", "everything"],
)
def test_awkward_lines_become_what_the_incumbent_makes_of_them(both: tuple[Any, Any], options: dict[str, Any]) -> None:
    ours, theirs = both
    assert ours(TEXTS, **options).data == theirs(TEXTS, **options).data
    if "truncation" not in options:  # of pairs cut to an odd length the engine leaves the odd token to the second
        assert ours(TEXTS, TEXTS[::-1], **options).data == theirs(TEXTS, TEXTS[::-1], **options).data


def test_tokens_text_and_vocabulary_are_the_incumbents(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    assert type(ours) is XLMTokenizer and not ours.is_fast
    assert [ours.tokenize(text) for text in TEXTS] == [theirs.tokenize(text) for text in TEXTS]
    rows = [*theirs(TEXTS)["input_ids"], list(range(len(ours))), [len(ours) + 5]]
    for skip in (False, True):
        assert ours.batch_decode(rows, skip_special_tokens=skip) == theirs.batch_decode(rows, skip_special_tokens=skip)
    assert ours.get_vocab() == theirs.get_vocab() and len(ours) == len(theirs)
    for name in ("lang2id", "id2lang", "do_lower_case", "all_special_tokens", "model_input_names", "vocab_size"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("bos", "sep", "cls", "pad", "unk", "mask"):
        assert getattr(ours, f"{name}_token_id") == getattr(theirs, f"{name}_token_id"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_its_own_words(
    both: tuple[Any, Any], language: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Through the segmenters that are asked for Chinese, Thai and Japanese: two letters are a word here."""
    import nabi.tokenization.families.xlm as family

    def cut(text: str) -> list[str]:
        return [text[place : place + 2] for place in range(0, len(text), 2)]

    class Mykytea:
        def __init__(self, options: str) -> None:
            assert options == f"-model {tmp_path}/local/share/kytea/model.bin"

        def getWS(self, text: str) -> list[str]:
            return cut(text)

    (tmp_path / "local/share/kytea").mkdir(parents=True)
    (tmp_path / "local/share/kytea/model.bin").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "rjieba", SimpleNamespace(cut=cut))
    monkeypatch.setitem(sys.modules, "pythainlp", SimpleNamespace(word_tokenize=cut))
    monkeypatch.setitem(sys.modules, "pythainlp.tokenize", SimpleNamespace(word_tokenize=cut))
    monkeypatch.setitem(sys.modules, "Mykytea", SimpleNamespace(Mykytea=Mykytea))
    family._segmenter.cache_clear()
    ours, theirs = both
    theirs.ja_word_tokenizer = None
    for text in filter(str.strip, [*CORPUS[:14], *MORE[1:]]):
        plain = text.replace("</s>", " ").replace("</S>", " ")
        assert ours.tokenize(plain, lang=language) == theirs._tokenize(plain, lang=language)
        bypass = {"lang": language, "bypass_tokenizer": True}
        assert ours.tokenize(plain, **bypass) == theirs._tokenize(plain, **bypass)
    family._segmenter.cache_clear()


def test_what_nabi_saves_is_read_by_both_and_the_other_way(
    both: tuple[Any, Any], folder: Path, incumbent: ModuleType, tmp_path: Path
) -> None:
    ours = AutoTokenizer.from_pretrained(folder, do_lowercase_and_remove_accent=both[0].do_lower_case)
    ours.add_tokens(["<new>"])
    lines = [*TEXTS, "a <new> b"]
    expected = ours(lines)["input_ids"]
    ours.save_pretrained(tmp_path / "ours")
    theirs, again = (
        incumbent.AutoTokenizer.from_pretrained(str(tmp_path / "ours")),
        AutoTokenizer.from_pretrained(tmp_path / "ours"),
    )
    assert type(again) is XLMTokenizer and type(theirs).__name__ == "XLMTokenizer"
    assert again(lines)["input_ids"] == theirs(lines)["input_ids"] == expected
    assert again.lang2id == theirs.lang2id == ours.lang2id
    theirs.save_pretrained(str(tmp_path / "theirs"))
    assert XLMTokenizer.from_pretrained(tmp_path / "theirs")(lines)["input_ids"] == expected
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert twin(lines)["input_ids"] == expected


def test_a_missing_package_is_named_and_words_can_do_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nabi.tokenization.families.xlm as family

    ours = AutoTokenizer.from_pretrained(folder)
    for module in ("rjieba", "pythainlp.tokenize", "Mykytea"):
        monkeypatch.setitem(sys.modules, module, None)
    family._segmenter.cache_clear()
    for language, package in (("zh", "rjieba"), ("th", "pythainlp"), ("ja", "kytea")):
        with pytest.raises(ImportError, match=f"pip install {package}"):
            ours.tokenize("文", lang=language)
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    family._moses.cache_clear()
    with pytest.raises(ImportError, match="pip install sacremoses"):
        ours("a text")
    assert ours.tokenize("the film", bypass_tokenizer=True)
    assert ours.decode([ours.bos_token_id]) == "<s>"
    family._moses.cache_clear()


def test_what_does_not_fit_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    ours = AutoTokenizer.from_pretrained(folder)
    with pytest.raises(ValueError, match="lang='ko' is no language of this tokenizer, which has en, fr"):
        ours.tokenize("영화", lang="ko")
    with pytest.raises(TypeError, match="text 1 is 5"):
        ours(["영화", 5])
    with pytest.raises(FileNotFoundError, match=r"merges\.txt"):
        XLMTokenizer(folder / "vocab.json")
    with pytest.raises(ValueError, match="lang2id has 1 languages and id2lang 2"):
        AutoTokenizer.from_pretrained(folder, lang2id={"en": 0}, id2lang={"0": "en", "1": "fr"})
    bad = tmp_path / "merges.txt"
    bad.write_text("t h 12\nlonely\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: 'lonely' is no merge"):
        XLMTokenizer(folder / "vocab.json", bad)
