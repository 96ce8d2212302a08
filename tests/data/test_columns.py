"""What columns are for is guessed from names and contents, and never where it could be something else."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from nabi.data.columns import guess_columns
from nabi.data.rows import Rows

TEXTS = [f"정말 재미있는 영화였습니다 {n}" for n in range(30)]
TWO, FIVE = ["긍정", "부정"] * 15, ["1", "2", "3", "4", "5"] * 6
ANSWER = [{"text": ["a"], "answer_start": [0]}] * 30
MESSAGES = [[{"role": "user", "content": "안녕"}]] * 30
WORDS, TAGS = [["나", "는"]] * 30, [["O", "B-X"]] * 30


def table(**columns: list[Any]) -> Rows:
    return Rows([dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)])


IDS = list(range(30))
GUESSES: dict[str, tuple[Rows, dict[str, Any], str]] = {
    "NSMC": (
        table(id=IDS, document=TEXTS, label=["0", "1"] * 15),
        {},
        "text-classification: text = 'document', label = 'label' (2 classes: 0, 1)",
    ),
    "Korean names": (
        table(번호=IDS, 문장=TEXTS, 라벨=TWO),
        {},
        "text-classification: text = '문장', label = '라벨' (2 classes: 긍정, 부정)",
    ),
    "stars": (
        table(리뷰=TEXTS, 평점=FIVE),
        {},
        "text-classification: text = '리뷰', label = '평점' (5 classes: 1, 2, 3, 4, 5)",
    ),
    "YNAT": (
        table(guid=IDS, title=TEXTS, predefined_news_category=TWO, label=TWO, url=TEXTS),
        {},
        "text-classification: text = 'title', label = 'label' (2 classes: 긍정, 부정)",
    ),
    "NLI": (
        table(premise=TEXTS, hypothesis=TEXTS, gold_label=TWO, author=TWO),
        {},
        "text-classification: text = 'premise', text_pair = 'hypothesis', label = 'gold_label' (2 classes: 긍정, 부정)",
    ),
    "STS": (
        table(sentence1=TEXTS, sentence2=TEXTS, label=[n / 10 for n in range(30)]),
        {},
        "text-classification: text = 'sentence1', text_pair = 'sentence2', label = 'label' (numbers: a regression)",
    ),
    "names that say nothing": (
        table(a=TEXTS, b=TWO),
        {},
        "text-classification: text = 'a', label = 'b' (2 classes: 긍정, 부정)",
    ),
    "one of two texts named": (
        table(a=TEXTS, b=TEXTS, c=TWO),
        {"text": "b"},
        "text-classification: text = 'b', label = 'c' (2 classes: 긍정, 부정)",
    ),
    "entities": (table(tokens=WORDS, ner_tags=TAGS), {}, "token-classification: tokens = 'tokens', tags = 'ner_tags'"),
    "questions": (
        table(id=IDS, title=TEXTS, context=TEXTS, question=TEXTS, answers=ANSWER),
        {},
        "question-answering: question = 'question', context = 'context', answers = 'answers'",
    ),
    "translation": (table(ko=TEXTS, en=TEXTS), {}, "translation: source = 'ko', target = 'en'"),
    "translation the other way": (
        table(ko=TEXTS, en=TEXTS),
        {"source": "en"},
        "translation: source = 'en', target = 'ko'",
    ),
    "summaries": (table(본문=TEXTS, 요약=TEXTS), {}, "summarization: document = '본문', summary = '요약'"),
    "instructions": (
        table(instruction=TEXTS, output=TEXTS),
        {},
        "text-generation: prompt = 'instruction', completion = 'output'",
    ),
    "messages": (table(messages=MESSAGES), {}, "text-generation: messages = 'messages'"),
    "texts alone": (table(text=TEXTS), {}, "text-generation: text = 'text'"),
    "texts alone for masks": (table(text=TEXTS), {"task": "fill-mask"}, "fill-mask: text = 'text'"),
}


@pytest.mark.parametrize("kind", GUESSES)
def test_the_guess_is_told_in_one_line(kind: str) -> None:
    rows, options, account = GUESSES[kind]
    guess = guess_columns(rows, **options)
    assert guess.account == account
    assert account.startswith(f"{guess.task}: ")
    assert guess.measures == ("regression" in account)
    assert set(guess.prepared(rows).columns) == set(guess.columns)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (table(a=TEXTS, b=TEXTS, c=TWO), {}, "'a' and 'b' could each be the text; the columns are a, b, c.*text=…"),
        (table(a=TEXTS, b=TWO, c=FIVE), {}, "'b' and 'c' could each be the label.*label=…"),
        (table(sentence=TEXTS, document=TEXTS, label=TWO), {}, "both 'sentence' and 'document' could be the text"),
        (table(id=IDS, x=IDS), {}, "the columns id, x do not say which is what for any task.*text=…, label=…"),
        (table(text=TEXTS, label=TWO), {"task": "translation"}, "for translation: name them, as with source=…, target"),
        (table(text=TEXTS, label=TWO), {"label": "lable"}, "no column 'lable' for label; the columns are text, label"),
        (
            table(text=TEXTS),
            {"task": "translate"},
            "task is 'translate'; columns can be guessed for question-answering",
        ),
        (Rows([]), {}, "no rows"),
    ],
)
def test_what_could_be_something_else_is_an_error_that_lists_the_columns(
    rows: Rows, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        guess_columns(rows, **options)


def test_prepared_rows_have_the_roles_and_what_lacks_one_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    rows = table(document=[*TEXTS, "", "끝"], label=[*TWO, "긍정", None], note=[""] * 32)
    with caplog.at_level(logging.WARNING):
        prepared = guess_columns(rows).prepared(rows)
    assert len(prepared) == 30
    assert prepared[0] == {"text": TEXTS[0], "label": "긍정"}
    assert "2 of 32 rows lack document or label and will be left out (the first is row 30)" in caplog.text
    with pytest.raises(ValueError, match="none of the 2 rows has 'document' and 'label'"):
        guess_columns(rows).prepared(rows[30:])
