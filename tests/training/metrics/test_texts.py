"""ROUGE, BLEU and chrF are those of their packages, and ROUGE sees Hangul too."""

from __future__ import annotations

import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from nabi.training.metrics import compute

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
TOLD = ["The cats are sitting on a mat.\nIt's 3.5 o'clock, running_late!", "no one knows", "", "same"]
GOLD = ["A cat sat on the mat.\nIt is 3 o'clock & running late", "nobody knew; one knows", "something", "same"]
KOREAN = ["오늘 서울의 날씨가 맑다."], ["오늘 서울은 날씨가 흐리다."]


@pytest.mark.parametrize("use_stemmer", [False, True])
def test_rouge_of_ascii_text_is_that_of_rouge_score(use_stemmer: bool) -> None:
    scorer = RougeScorer(TYPES, use_stemmer=use_stemmer)
    scores = [scorer.score(gold, told) for told, gold in zip(TOLD, GOLD, strict=True)]
    expected = {name: sum(score[name].fmeasure for score in scores) / len(TOLD) for name in TYPES}
    assert compute("rouge", TOLD, GOLD, use_stemmer=use_stemmer) == pytest.approx(expected)


def test_rouge_of_korean_text_is_not_thrown_away() -> None:
    assert RougeScorer(["rouge1"]).score(KOREAN[0][0], KOREAN[0][0])["rouge1"].fmeasure == 0  # the package by itself
    assert compute("rouge", KOREAN[0], KOREAN[0]) == dict.fromkeys(TYPES, 1.0)
    # Two of four words are the same; of ten and eleven syllables eight are.
    assert compute("rouge", *KOREAN)["rouge1"] == pytest.approx(2 * 2 / (4 + 4))
    assert compute("rouge", *KOREAN, rouge_tokenize="syllable")["rouge1"] == pytest.approx(2 * 8 / (10 + 11))


@pytest.mark.parametrize("unit", ["word", "syllable"])
def test_rouge_takes_decomposed_hangul_for_the_same_and_keeps_latin_words_whole(unit: str) -> None:
    decomposed = "\u1112\u1161\u11ab글 GPT-2"
    assert compute("rouge", [decomposed], ["한글 gpt 2"], rouge_tokenize=unit)["rougeL"] == 1
    assert compute("rouge", ["gtp"], ["gpt"], rouge_tokenize=unit)["rouge1"] == 0


def test_of_several_references_the_best_counts() -> None:
    assert compute("rouge", ["a b"], [["x", "a b"]])["rouge1"] == 1
    assert compute("exact_match", ["a ", "b"], [["x", "a"], "c"]) == {"exact_match": 0.5}
    assert compute("bleu", ["the cat sat on it"] * 2, [["no", "the cat sat on it"], ["the cat sat on it"]])[
        "bleu"
    ] == pytest.approx(100)


@pytest.mark.parametrize("tokenize", ["13a", "intl", "char"])
@pytest.mark.parametrize("pair", [(TOLD, GOLD), KOREAN], ids=["English", "Korean"])
def test_bleu_is_that_of_sacrebleu(pair: tuple[list[str], list[str]], tokenize: str) -> None:
    expected = sacrebleu.corpus_bleu(pair[0], [pair[1]], tokenize=tokenize).score
    assert expected > 0
    assert compute("bleu", *pair, bleu_tokenize=tokenize) == pytest.approx({"bleu": expected})


@pytest.mark.parametrize("word_order", [0, 2])
def test_chrf_is_that_of_sacrebleu(word_order: int) -> None:
    expected = sacrebleu.corpus_chrf(KOREAN[0], [KOREAN[1]], word_order=word_order).score
    assert compute("chrf", *KOREAN, word_order=word_order) == pytest.approx({"chrf": expected})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rouge", {"rouge_tokenize": "mecab"}, "rouge_tokenize is 'mecab'; expected 'word' or 'syllable'"),
        ("rouge", {"rouge_types": ["rougeX"]}, "rouge_types has 'rougeX'"),
        ("bleu", {"bleu_tokenize": "13b"}, "bleu_tokenize is '13b'; sacrebleu has .*13a"),
    ],
)
def test_an_unknown_choice_is_named_with_the_known_ones(name: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute(name, ["a"], ["a"], **options)


def test_a_text_without_reference_is_named() -> None:
    with pytest.raises(ValueError, match="the text 1 has no reference"):
        compute("bleu", ["a", "b"], ["a", []])
