"""Only answers have labels; an example without one is named."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from nabi.training.collators import DataCollatorForCompletionOnlyLM

from .tokenizers import pair

ASK, ANSWER = "### 질문:", "### 답변:"


def tokenizer() -> Any:
    return pair("bpe")[0]


def learned(batch: Any) -> list[list[str]]:
    """The stretches of text that have labels, of each row."""
    rows = []
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        stretches: list[list[int]] = [[]]
        for token, label in zip(ids.tolist(), labels.tolist(), strict=True):
            if label == -100:
                stretches.append([])
            else:
                assert label == token
                stretches[-1].append(token)
        rows.append([tokenizer().decode(one) for one in stretches if one])
    return rows


def encoded(*texts: str) -> list[dict[str, Any]]:
    return [dict(tokenizer()(text)) for text in texts]


def test_what_follows_the_last_template_is_learned() -> None:
    rows = encoded(f"{ASK} 나비? {ANSWER} 꽃밭", f"{ASK} a {ANSWER} b {ASK} c {ANSWER} 서울에서 부산까지")
    batch = DataCollatorForCompletionOnlyLM(ANSWER, tokenizer=tokenizer())(rows)
    assert learned(batch) == [[" 꽃밭"], [" 서울에서 부산까지"]]
    assert batch["attention_mask"].sum(1).tolist() == [len(row["input_ids"]) for row in rows]


def test_every_answer_of_a_dialogue_is_learned() -> None:
    rows = encoded(f"{ASK} a{ANSWER} 하나{ASK} b{ANSWER} 둘", f"규칙 {ANSWER} x{ASK} a{ANSWER} 하나{ASK} b")
    collate = DataCollatorForCompletionOnlyLM(ANSWER, ASK, tokenizer=tokenizer())
    assert learned(collate(rows)) == [[" 하나", " 둘"], [" x", " 하나"]]


def test_templates_may_be_ids_and_the_ignored_label_another() -> None:
    ids = tokenizer().encode(ANSWER, add_special_tokens=False)
    rows = encoded(f"{ASK} 나비? {ANSWER} 꽃밭", "꽃 " + ANSWER + " 아")
    by_text = DataCollatorForCompletionOnlyLM(ANSWER, tokenizer=tokenizer(), ignore_index=-1)(rows)["labels"]
    by_ids = DataCollatorForCompletionOnlyLM(ids, tokenizer=tokenizer())(rows)["labels"]
    assert by_text.masked_fill(by_text == -1, -100).equal(by_ids) and -1 in by_text and -100 not in by_text


def test_without_padding_the_answers_stand_in_one_row() -> None:
    rows = encoded(f"{ASK} 나비? {ANSWER} 꽃밭", f"{ASK} {ANSWER} 집")
    batch = DataCollatorForCompletionOnlyLM(ANSWER, tokenizer=tokenizer(), padding_free=True)(rows)
    assert batch["input_ids"].shape == (1, sum(len(row["input_ids"]) for row in rows))
    assert learned(batch) == [[" 꽃밭", " 집"]] and (batch["position_ids"] == 0).sum() == 2


@pytest.mark.parametrize(
    "text", [f"{ASK} 나비가 꽃밭에", f"{ASK} 나비{ANSWER}", "나"], ids=["no template", "no answer", "shorter"]
)
def test_an_example_that_teaches_nothing_is_named(text: str, caplog: pytest.LogCaptureFixture) -> None:
    collate = DataCollatorForCompletionOnlyLM(ANSWER, tokenizer=tokenizer())
    with caplog.at_level(logging.WARNING, "nabi"):
        batch = collate(encoded(f"{ASK} a{ANSWER} 하나", text))
    assert learned(batch) == [[" 하나"], []]
    assert "Example 1 of the batch" in caplog.text and ANSWER in caplog.text and text in caplog.text


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="mlm must be False"):
        DataCollatorForCompletionOnlyLM(ANSWER, tokenizer=tokenizer(), mlm=True)
    with pytest.raises(TypeError, match="tokenizer=tokenizer"):
        DataCollatorForCompletionOnlyLM(ANSWER)
    with pytest.raises(ValueError, match="no token"):
        DataCollatorForCompletionOnlyLM("", tokenizer=tokenizer())
