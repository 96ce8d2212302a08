"""Written text against reference texts: ROUGE (Lin 2004), BLEU (Papineni et al. 2002), chrF (Popović 2015), equality.

The package rouge-score throws away every letter beyond a-z, so a Korean summary would get 0 whatever it says; it is
given our own words here, which in ASCII text are the same as its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from .libraries import needed

ROUGE_TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
# Hangul syllables, kana, and Chinese characters: the scripts in which a single character says something.
SYLLABLES = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]")

Texts = Sequence[str]
References = Sequence["str | Sequence[str]"]  # a text may have several


def rouge(
    predictions: Texts,
    references: References,
    *,
    rouge_types: Sequence[str] = ROUGE_TYPES,
    rouge_tokenize: str = "word",
    use_stemmer: bool = False,
) -> dict[str, float]:
    """The mean F1 of shared words, pairs and subsequences, 0 to 1. rougeLsum goes by lines.

    rouge_tokenize: "word": what stands between blanks and punctuation, so a Korean word with another particle is
    another word; "syllable": every Hangul syllable, kana and Chinese character by itself, other words whole.
    use_stemmer: English endings are cut off (Porter).
    """
    known = {*ROUGE_TYPES, *(f"rouge{n}" for n in range(1, 10))}
    for name in rouge_types:
        if name not in known:
            raise ValueError(f"rouge_types has {name!r}; expected rouge1 … rouge9, rougeL, rougeLsum")
    words = RougeWords(rouge_tokenize, use_stemmer)
    scorer = needed("rouge_score.rouge_scorer").RougeScorer(list(rouge_types), tokenizer=words)
    totals = dict.fromkeys(rouge_types, 0.0)
    for prediction, reference in zip(predictions, references, strict=True):
        golds = [reference] if isinstance(reference, str) else list(reference)
        scores = scorer.score_multi(golds, prediction)
        for name in rouge_types:
            totals[name] += scores[name].fmeasure
    return {name: total / len(predictions) for name, total in totals.items()}


class RougeWords:
    """The tokenizer that rouge-score asks for: a text to its words."""

    def __init__(self, unit: str, use_stemmer: bool) -> None:
        if unit not in ("word", "syllable"):
            raise ValueError(f"rouge_tokenize is {unit!r}; expected 'word' or 'syllable'")
        self.unit = unit
        self.stemmer = needed("nltk.stem.porter").PorterStemmer() if use_stemmer else None

    def tokenize(self, text: str) -> list[str]:
        text = unicodedata.normalize("NFC", text).lower()
        if self.unit == "syllable":
            text = SYLLABLES.sub(r" \g<0> ", text)
        words = "".join(letter if is_of_word(letter) else " " for letter in text).split()
        if self.stemmer is None:
            return words
        return [self.stemmer.stem(word) if len(word) > 3 and word.isascii() else word for word in words]


def is_of_word(letter: str) -> bool:
    return letter.isalnum() or (not letter.isascii() and unicodedata.category(letter).startswith("M"))


def bleu(
    predictions: Texts, references: References, *, bleu_tokenize: str = "13a", lowercase: bool = False
) -> dict[str, float]:
    """BLEU of the whole set, 0 to 100, by sacrebleu.

    bleu_tokenize: "13a" (European languages, as papers report), "intl" (every script's punctuation), "char" (without
    a word splitter for the language), "zh", or another one of sacrebleu's.
    """
    metric = needed("sacrebleu.metrics.bleu").BLEU
    if bleu_tokenize not in metric.TOKENIZERS:
        raise ValueError(f"bleu_tokenize is {bleu_tokenize!r}; sacrebleu has {', '.join(metric.TOKENIZERS)}")
    scorer = metric(tokenize=bleu_tokenize, lowercase=lowercase, force=True)
    return {"bleu": float(scorer.corpus_score(list(predictions), in_columns(references)).score)}


def chrf(
    predictions: Texts, references: References, *, word_order: int = 0, char_order: int = 6, beta: int = 2
) -> dict[str, float]:
    """The F-score of shared character sequences, 0 to 100, by sacrebleu. word_order=2 is chrF++."""
    scorer = needed("sacrebleu.metrics.chrf").CHRF(word_order=word_order, char_order=char_order, beta=beta)
    return {"chrf": float(scorer.corpus_score(list(predictions), in_columns(references)).score)}


def exact_match(predictions: Texts, references: References) -> float:
    """The share of texts that equal their reference, or one of several."""
    pairs = zip(predictions, references, strict=True)
    return sum(text == gold if isinstance(gold, str) else text in gold for text, gold in pairs) / len(predictions)


def in_columns(references: References) -> list[list[str | None]]:
    """Per text to per column, as sacrebleu wants; None where a text has fewer references than another."""
    rows = [[reference] if isinstance(reference, str) else list(reference) for reference in references]
    if not all(rows):
        raise ValueError(f"the text {rows.index([])} has no reference")
    return [[row[place] if place < len(row) else None for row in rows] for place in range(max(map(len, rows)))]
