"""What is to be written has labels, what it follows has none."""

from __future__ import annotations

import copy
from itertools import chain
from typing import Any

import pytest

from nabi.auto import AutoConfig
from nabi.data.rows import Rows
from nabi.training.tasks.task import TaskSettings
from nabi.training.tasks.text_generation import TextGeneration

TEMPLATE = (
    "{% for m in messages %}{{ '<' + m['role'] + '> ' + m['content'] + ' [SEP]' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant> ' }}{% endif %}"
)
MESSAGES = [
    {"role": "user", "content": "안녕"},
    {"role": "assistant", "content": "반가워요"},
    {"role": "user", "content": "영화 어때"},
    {"role": "assistant", "content": "최고예요"},
]


def encoded(rows: Rows, tokenizer: Any, length: int, **settings: Any) -> Any:
    task = TextGeneration(TaskSettings(**settings))
    task.learn(rows, AutoConfig.for_model("gpt2"))
    return task.encode(rows, tokenizer, length)


def learned_text(example: dict[str, Any], tokenizer: Any) -> str:
    return tokenizer.decode([label for label in example["labels"] if label != -100]).replace("[SEP]", " [SEP] ")


def test_texts_fill_blocks_end_to_end(tokenizer: Any) -> None:
    texts = ["좋은 영화", "bad film", "정말 재미있어요"]
    rows = Rows([{"text": text} for text in texts])
    examples = encoded(rows, tokenizer, 5).examples
    assert [len(one["input_ids"]) for one in examples[:-1]] == [5] * (len(examples) - 1)
    assert [*chain(*(one["input_ids"] for one in examples))] == [*chain(*tokenizer(texts)["input_ids"])]
    assert all(one["labels"] == one["input_ids"] for one in examples)


def test_each_text_is_a_row_if_they_are_not_packed(tokenizer: Any) -> None:
    rows = Rows([{"text": "좋은 영화"}, {"text": "정말 재미있어요 정말"}])
    result = encoded(rows, tokenizer, 4, pack=False)
    assert [one["input_ids"] for one in result.examples] == [
        ids[:4] for ids in tokenizer(list(rows["text"]))["input_ids"]
    ]
    assert result.cut == 1


def test_only_the_completion_is_learned_and_to_end_after_it(tokenizer: Any) -> None:
    rows = Rows([{"prompt": "좋은 영화 =>", "completion": " 긍정"}, {"prompt": "아주 " * 20, "completion": "부정"}])
    result = encoded(rows, tokenizer, 16)
    (example,) = result.examples
    assert learned_text(example, tokenizer).split() == ["긍정", "[SEP]"]
    prompt = tokenizer("좋은 영화 =>")["input_ids"][:-1]
    assert example["input_ids"][: len(prompt)] == prompt and example["labels"][: len(prompt)] == [-100] * len(prompt)
    assert result.left_out == 1  # of which nothing of the answer would be left


def test_of_a_conversation_the_assistants_turns_are_learned(tokenizer: Any) -> None:
    chat = copy.copy(tokenizer)
    chat.chat_template = TEMPLATE
    (example,) = encoded(Rows([{"messages": MESSAGES}]), chat, 64).examples
    assert learned_text(example, chat).split() == ["반가워요", "[SEP]", "최고예요", "[SEP]"]
    whole = chat.apply_chat_template(MESSAGES, tokenize=False)
    assert chat.decode(example["input_ids"]).replace(" ", "") == whole.replace(" ", "")


def test_a_conversation_needs_a_template_and_an_answer(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="no chat_template"):
        encoded(Rows([{"messages": MESSAGES}]), tokenizer, 64)
    chat = copy.copy(tokenizer)
    chat.chat_template = TEMPLATE
    with pytest.raises(ValueError, match="row 0 has no message of the assistant"):
        encoded(Rows([{"messages": MESSAGES[:1]}]), chat, 64)
