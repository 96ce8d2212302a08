"""Chats: text, ids and masks are the incumbent's; templates stay in their sandbox; mistakes are named."""

from __future__ import annotations

import copy
import re
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal, Optional, Union

import jinja2
import numpy as np
import pytest
import torch

from nabi.tokenization import AutoTokenizer
from nabi.tokenization.chat import ChatTemplateError, apply_chat_template, get_chat_template
from nabi.tokenization.fast import PreTrainedTokenizerFast
from nabi.tokenization.json_schema import function_schema

CHATML = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

SYSTEM_FOLDED = """\
{% if messages[0].role == 'system' %}
    {% set system = '<<SYS>> ' + messages[0].content + ' <</SYS>> ' %}
    {% set rest = messages[1:] %}
{% else %}
    {% set system = '' %}
    {% set rest = messages %}
{% endif %}
{% for message in rest %}
    {% if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{ raise_exception('user and assistant must take turns') }}
    {% endif %}
    {% if message.role == 'user' %}
{{ eos_token }}[INST] {{ system if loop.first else '' }}{{ message.content }} [/INST]
    {% else %}
 {{ message.content }} {{ eos_token }}
    {% endif %}
{% endfor %}
"""

GENERATION = """\
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
<assistant>
{% generation %}{{ message.content }}{{ eos_token }}{% endgeneration %}

{%- else -%}
<{{ message.role }}>{{ message.content }}
{% endif -%}
{%- endfor -%}
"""

TOOLS = """\
{%- if tools %}{{ '# tools\\n' }}
{%- for tool in tools %}{{ tool | tojson(indent=2) }}{{ '\\n' }}{% endfor %}
{%- endif %}
{%- for document in documents or [] %}[{{ loop.index }}] {{ document.title }}: {{ document.text }}
{% endfor %}
{%- for message in messages %}
{%- if message.tool_calls is defined %}
{%- for call in message.tool_calls %}<call>{{ call.function | tojson }}</call>{% endfor %}
{%- elif message.role == 'tool' %}<result name="{{ message.name }}">{{ message.content | tojson }}</result>
{%- else %}<{{ message.role }}>{{ message.content }}</{{ message.role }}>
{%- endif %}
{%- endfor %}
"""

NAMESPACE = """\
{%- set seen = namespace(words=0, last='') %}
{%- for message in messages %}
{%- if message.role == 'skip' %}{% continue %}{% endif %}
{%- if loop.index > 3 %}{% break %}{% endif %}
{%- set seen.words = seen.words + message.content.split() | length %}
{%- set seen.last = message.content[:5] | upper %}
{{- message.thinking or message.reasoning_content or '' }}{{ message.content }}|
{%- endfor %}
{{- seen.words }} {{ seen.last -}}
{{ dict(a=1) | tojson }} {{ strftime_now('%Y') | length }} {{ level }} {{ pad_token -}}
"""

TEMPLATES = {
    "chatml": CHATML,
    "system folded": SYSTEM_FOLDED,
    "generation": GENERATION,
    "tools": TOOLS,
    "namespace": NAMESPACE,
}

SYSTEM = {"role": "system", "content": "당신은 친절한 도우미입니다."}
ASK = {"role": "user", "content": "  이 영화 어때요? <b>\"좋아요\" & 'fine'</b> 🦋 "}
ANSWER = {"role": "assistant", "content": "최고예요! 漢字도 café도 나와요.\n\n두 번 보세요."}
AGAIN = {"role": "user", "content": "고마워요."}
CONVERSATIONS = {
    "one message": [ASK],
    "with system": [SYSTEM, ASK],
    "two turns": [ASK, ANSWER, AGAIN],
    "all": [SYSTEM, ASK, ANSWER, AGAIN, {"role": "assistant", "content": "천만에요"}],
    "None for what is not there": [{**ASK, "tool_calls": None, "name": None}, {**ANSWER, "reasoning": "생각"}],
}


class Unit(Enum):
    CELSIUS = "celsius"
    KELVIN = "kelvin"


def weather(city: str, unit: Unit = Unit.CELSIUS, days: int | None = None) -> dict[str, Any]:
    """
    도시의 날씨를 알려 줍니다.
    The second line belongs to it.

    Args:
        city: 도시 이름, 예를 들어 "서울"
        unit: Which unit to use,
            celsius being the usual one
        days: How many days

    Returns:
        The weather: temperature and rain.

    Raises:
        ValueError: for an unknown city
    """
    return {}


def everything(
    number: float,
    flag: bool,
    names: list[str],
    table: dict[str, list[int]],
    either: Union[int, str],  # noqa: UP007
    mixed: int | list[float] | None,
    fixed: tuple[int, str],
    anything: Any,
    bare: list,  # type: ignore[type-arg]
    mode: Literal["fast", "slow", 3, None],
    maybe: Optional[str] = None,  # noqa: UP045
    drink: str = "tea",
) -> None:
    """Takes one of each.

    Args:
        number: a number
        flag: a flag

        names: names
        table: a table
        either: one or the other
        mixed: several
        fixed: two things
        anything: whatever
        bare: a list
        mode: how
        maybe: perhaps
        drink: what to drink (choices: ["tea ", "커피", "coffee"])
    """


def no_arguments() -> str:
    """Tells the time."""
    return ""


class Station:
    def report(self, hour: int) -> str:
        """Reads the instruments.

        Args:
            hour: the hour
        """
        return ""

    @classmethod
    def all(cls, region: str):  # type: ignore[no-untyped-def]
        """Lists the stations.

        Args:
            region: the region
        """


SCHEMA = {
    "type": "function",
    "function": {"name": "더하기", "description": "a < b & c", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture(scope="module")
def ours(folders: dict[str, Path]) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(folders["bpe"])


@pytest.fixture(scope="module")
def theirs(folders: dict[str, Path], incumbent: ModuleType) -> Any:
    return incumbent.PreTrainedTokenizerFast.from_pretrained(str(folders["bpe"]))


def both(ours: Any, theirs: Any, conversation: Any, template: str, **options: Any) -> tuple[Any, Any]:
    options.setdefault("return_dict", False)
    mine = apply_chat_template(ours, conversation, chat_template=template, **options)
    return mine, theirs.apply_chat_template(conversation, chat_template=template, **options)


def assert_same(mine: Any, expected: Any) -> None:
    assert set(mine) == set(expected)
    for key in expected:
        assert type(mine[key]) is type(expected[key])
        assert np.array_equal(mine[key], expected[key]) if hasattr(mine[key], "shape") else mine[key] == expected[key]


@pytest.mark.parametrize("prompt", [False, True])
@pytest.mark.parametrize("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS)
@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_chat_is_the_incumbents(ours: Any, theirs: Any, template: str, conversation: Any, prompt: bool) -> None:
    options = {"add_generation_prompt": prompt, "level": "높음"}
    texts = both(ours, theirs, conversation, template, tokenize=False, **options)
    assert texts[0] == texts[1] != ""
    ids = both(ours, theirs, conversation, template, **options)
    assert ids[0] == ids[1] and isinstance(ids[0], list)


@pytest.mark.parametrize("tokenize", [True, False])
def test_many_conversations_come_back_as_many(ours: Any, theirs: Any, tokenize: bool) -> None:
    many = list(CONVERSATIONS.values())
    mine, expected = both(ours, theirs, many, CHATML, tokenize=tokenize)
    assert mine == expected and len(mine) == len(many)


@pytest.mark.parametrize(
    "options",
    [
        {"padding": True},
        {"padding": True, "return_tensors": "pt"},
        {"padding": "max_length", "max_length": 120, "truncation": True, "return_tensors": "np"},
        {"padding": True, "tokenizer_kwargs": {"padding_side": "left", "return_offsets_mapping": True}},
    ],
)
def test_a_batch_is_padded_cut_and_made_a_tensor_as_the_incumbents(ours: Any, theirs: Any, options: Any) -> None:
    many = [CONVERSATIONS["all"], CONVERSATIONS["one message"]]
    mine, expected = both(ours, theirs, many, CHATML, return_dict=True, **options)
    assert_same(mine, expected)


def test_one_conversation_as_a_tensor_has_a_batch_axis(ours: Any) -> None:
    ids = apply_chat_template(ours, [ASK], chat_template=CHATML, return_tensors="pt")
    assert isinstance(ids, torch.Tensor) and ids.shape[0] == 1
    assert ids[0].tolist() == apply_chat_template(ours, [ASK], chat_template=CHATML)


def test_no_special_token_is_added_but_the_templates(folders: dict[str, Path]) -> None:
    framed = PreTrainedTokenizerFast.from_pretrained(folders["unigram"])
    ids = apply_chat_template(framed, [ASK], chat_template="{{ messages[0].content }}")
    assert ids == framed(ASK["content"], add_special_tokens=False)["input_ids"]


@dataclass
class Message:
    role: str
    content: str


def test_messages_may_be_objects(ours: Any) -> None:
    expected = apply_chat_template(ours, [ASK, AGAIN], chat_template=CHATML)
    as_objects = [Message(**ASK), SimpleNamespace(model_dump=lambda: AGAIN)]
    assert apply_chat_template(ours, as_objects, chat_template=CHATML) == expected
    chat = SimpleNamespace(messages=[ASK, AGAIN])
    assert apply_chat_template(ours, chat, chat_template=CHATML) == expected
    assert apply_chat_template(ours, [chat, chat], chat_template=CHATML) == [expected, expected]
    assert apply_chat_template(ours, (ASK, AGAIN), chat_template=CHATML) == expected


# --- going on with the last message


@pytest.mark.parametrize(
    "template", [CHATML, CHATML.replace(" | trim", ""), SYSTEM_FOLDED], ids=["trimming", "keeping spaces", "folded"]
)
@pytest.mark.parametrize("start", ["물론", "물론이죠: ", "  두 칸  ", "a\n", [{"type": "text", "text": "조각 "}]])
def test_the_last_message_is_left_open_as_by_the_incumbent(ours: Any, theirs: Any, template: str, start: Any) -> None:
    if isinstance(start, list):
        template = template.replace("message['content']", "(message.content[-1].text or message.content)")
        template = template.replace("{{ message.content }}", "{{ message.content[-1].text or message.content }}")
    conversation = [ASK, {"role": "assistant", "content": start}]
    texts = both(ours, theirs, conversation, template, tokenize=False, continue_final_message=True)
    assert texts[0] == texts[1]
    assert texts[0].endswith(("물론", "물론이죠:", "물론이죠: ", "두 칸", "두 칸  ", "a", "a\n", "조각", "조각 "))


@pytest.mark.parametrize("name", ["reasoning_content", "thinking", "reasoning"])
def test_thoughts_can_be_gone_on_with(ours: Any, theirs: Any, name: str) -> None:
    template = "{% for m in messages %}{{ m.content }}<think>{{ m.reasoning_content }}</think>{% endfor %}"
    conversation = [ASK, {"role": "assistant", "content": "", "reasoning": "먼저 생각하면"}]
    options = {"tokenize": False, "continue_final_message": name}
    texts = both(ours, theirs, conversation, template, **options)
    assert texts[0] == texts[1] and texts[0].endswith("<think>먼저 생각하면")


@pytest.mark.parametrize(
    ("conversation", "template", "options", "message"),
    [
        ([ASK], CHATML, {"add_generation_prompt": True}, "exclude each other"),
        ([ASK], CHATML, {"return_assistant_tokens_mask": True, "return_dict": True}, "ask for one of them"),
        ([ASK], "{{ messages[0].content[:3] }}", {}, "leaves out the last message"),
        ([ASK], "{{ messages[0].content.split('C')[0] }}", {}, "leaves out the last message"),
        ([{"role": "user"}], CHATML, {}, "no such field"),
        ([ASK], "{{ messages[0].role }}", {}, "does not use that field"),
        ([{"role": "user", "content": [{"type": "image"}]}], CHATML, {}, "no text in the last message"),
        ([{"role": "user", "content": 3}], CHATML, {}, "needs text to go on with"),
    ],
)
def test_what_cannot_be_gone_on_with_is_said(
    ours: Any, conversation: Any, template: str, options: Any, message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        apply_chat_template(
            ours, conversation, chat_template=template, **{"tokenize": False, "continue_final_message": True, **options}
        )


# --- the assistant's tokens


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_tensors": "pt"},
        {"padding": "max_length", "max_length": 200},
        {"truncation": True, "max_length": 60},
        {"padding": True, "tokenizer_kwargs": {"padding_side": "left"}},
    ],
    ids=["plain", "tensors", "padded", "cut", "left"],
)
@pytest.mark.parametrize("many", [False, True])
def test_the_assistants_tokens_are_marked_as_by_the_incumbent(ours: Any, theirs: Any, options: Any, many: bool) -> None:
    conversation = [CONVERSATIONS["two turns"], CONVERSATIONS["all"]] if many else CONVERSATIONS["all"]
    if many and "return_tensors" in options:
        options = {**options, "padding": True}
    mine, expected = both(
        ours, theirs, conversation, GENERATION, return_dict=True, return_assistant_tokens_mask=True, **options
    )
    assert_same(mine, expected)


def marked_text(tokenizer: Any, **options: Any) -> str:
    batch = apply_chat_template(
        tokenizer,
        CONVERSATIONS["all"],
        chat_template=GENERATION,
        return_dict=True,
        return_assistant_tokens_mask=True,
        **options,
    )
    rows, masks = batch["input_ids"], batch["assistant_masks"]
    if not hasattr(rows[0], "__len__"):
        rows, masks = [rows], [masks]
    marked = [int(t) for row, mask in zip(rows, masks, strict=True) for t, bit in zip(row, mask, strict=True) if bit]
    return tokenizer.decode(marked)


def test_the_marked_tokens_spell_what_the_assistant_said(ours: Any) -> None:
    assert marked_text(ours) == f"{ANSWER['content']}<|endoftext|>천만에요<|endoftext|>"
    assert marked_text(ours, return_tensors="np", padding="max_length", max_length=300) == marked_text(ours)
    pieces = marked_text(ours, truncation=True, max_length=20, tokenizer_kwargs={"return_overflowing_tokens": True})
    assert pieces == marked_text(ours)  # each piece of a long conversation has its own part


def test_what_is_left_of_a_conversation_cut_on_the_left_is_marked(folders: dict[str, Path]) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folders["bpe"], truncation_side="left")
    assert marked_text(tokenizer, truncation=True, max_length=30).endswith("천만에요<|endoftext|>")
    assert marked_text(tokenizer, truncation=True, max_length=3) == "에요<|endoftext|>"


def test_conversations_rendered_at_once_do_not_mix_their_masks(ours: Any) -> None:
    def masks(count: int) -> list[list[int]]:
        batch = apply_chat_template(
            ours,
            [[ASK, {"role": "assistant", "content": "네 " * (count + n)}] for n in range(3)],
            chat_template=GENERATION,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        return batch["assistant_masks"]

    counts = list(range(1, 25))
    expected = [masks(count) for count in counts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(masks, counts)) == expected


def test_a_template_that_marks_nothing_is_warned_of(ours: Any, caplog: pytest.LogCaptureFixture) -> None:
    template = CHATML + "{# marks nothing #}"
    options = {"chat_template": template, "return_dict": True, "return_assistant_tokens_mask": True}
    for _ in range(2):
        assert not any(apply_chat_template(ours, [ASK], **options)["assistant_masks"])
    assert [record.getMessage() for record in caplog.records] == [
        "The chat template has no {% generation %} block, so assistant_masks is 0 everywhere."
    ]


@pytest.mark.parametrize("options", [{}, {"return_dict": True, "tokenize": False}])
def test_the_mask_needs_something_to_be_returned_in(ours: Any, options: Any) -> None:
    with pytest.raises(ValueError, match="needs return_dict=True and tokenize=True"):
        apply_chat_template(ours, [ASK], chat_template=GENERATION, return_assistant_tokens_mask=True, **options)


# --- tools and documents

FUNCTIONS = [weather, everything, no_arguments, Station().report, Station.all]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_a_function_becomes_the_incumbents_schema(incumbent: ModuleType, function: Callable[..., Any]) -> None:
    expected = incumbent.utils.get_json_schema(function)
    schema = function_schema(function)
    assert schema == expected
    assert str(schema) == str(expected)  # the order of the keys too: the model reads them as text


def test_tools_calls_and_documents_are_the_incumbents(ours: Any, theirs: Any) -> None:
    call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "서울", "days": 2}}}
    conversation = [
        ASK,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "name": "weather", "content": {"기온": 21.5, "비": False}},
    ]
    options = {
        "tools": [*FUNCTIONS, SCHEMA],
        "documents": [{"title": "나비", "text": "나비는 <곤충>이다."}, {"title": "b", "text": "c"}],
        "tokenize": False,
    }
    texts = both(ours, theirs, conversation, TOOLS, **options)
    assert texts[0] == texts[1]
    assert '"city": "서울"' in texts[0] and "a < b & c" in texts[0]


def test_a_docstring_is_read_with_types_in_brackets_and_sections_that_follow() -> None:
    def tool(x: int, y: str = "") -> str:
        """Does it.

        Args:
            x (int, optional): the first: a number
                with more to say
            y: the second

        Examples:
            tool(1)
        """
        return y

    properties = function_schema(tool)["function"]["parameters"]["properties"]
    assert properties["x"] == {"type": "integer", "description": "the first: a number with more to say"}
    assert properties["y"] == {"type": "string", "description": "the second"}


def no_docstring(x: int) -> None: ...


def no_hint(x: int, y) -> None:  # type: ignore[no-untyped-def]
    """Args:
    x: one
    y: two
    """


def no_line(x: int, y: int) -> None:
    """Adds.

    Args:
        x: one
    """


def own_class(x: Station) -> None:
    """Takes it.

    Args:
        x: one
    """


def open_tuple(x: list[tuple[int, ...]]) -> None:
    """Takes it.

    Args:
        x: one
    """


def odd_choices(x: str) -> None:
    """Takes it.

    Args:
        x: one (choices: tea, coffee)
    """


def odd_literal(x: Literal[b"a"]) -> None:
    """Takes it.

    Args:
        x: one
    """


def unknown_name(x: Unheard) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Takes it.

    Args:
        x: one
    """


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (no_docstring, ValueError, r"The tool no_docstring\(\) has no docstring"),
        (no_hint, TypeError, r"The argument 'y' of no_hint\(\) has no type hint"),
        (no_line, ValueError, r"says nothing about the argument 'y' of no_line\(\)"),
        (own_class, TypeError, r"Station.* of the argument 'x' of own_class\(\) has no counterpart in JSON"),
        (open_tuple, TypeError, r"the argument 'x' of open_tuple\(\) has no fixed length"),
        (odd_choices, ValueError, r"The choices of the argument 'x' of odd_choices\(\) are no JSON list: tea, coffee"),
        (odd_literal, TypeError, r"the argument 'x' of odd_literal\(\), has the value b'a'"),
        (unknown_name, TypeError, r"A type hint of unknown_name\(\) cannot be evaluated: name 'Unheard'"),
    ],
)
def test_a_function_that_is_no_tool_is_named(
    ours: Any, function: Callable[..., Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        apply_chat_template(ours, [ASK], tools=[function], chat_template=TOOLS)


# --- which template


def test_the_templates_name_or_the_tools_choose_it(folders: dict[str, Path], incumbent: ModuleType) -> None:
    templates = {"default": "기본{{ 1 }}", "tool_use": "도구{{ 2 }}", "rag": "문서{{ 3 }}"}
    ours = PreTrainedTokenizerFast.from_pretrained(folders["bpe"], chat_template=templates)
    theirs = incumbent.PreTrainedTokenizerFast.from_pretrained(str(folders["bpe"]), chat_template=templates)
    for options in ({}, {"tools": [SCHEMA]}, {"chat_template": "rag", "tools": [SCHEMA]}, {"chat_template": "{{ 4 }}"}):
        expected = theirs.apply_chat_template([ASK], tokenize=False, **options)
        assert apply_chat_template(ours, [ASK], tokenize=False, **options) == expected
        assert get_chat_template(ours, **options) == theirs.get_chat_template(**options)
    ours.chat_template = {"default": "기본{{ 1 }}"}
    assert get_chat_template(ours, tools=[SCHEMA]) == "기본{{ 1 }}"
    ours.chat_template = "하나{{ 1 }}"
    assert get_chat_template(ours, tools=[SCHEMA]) == "하나{{ 1 }}"


@pytest.mark.parametrize(
    ("own", "passed", "message"),
    [
        (None, None, "bpe.* has no chat template.*set tokenizer.chat_template, or pass chat_template="),
        ({"rag": "{{ 1 }}", "b": "{{ 2 }}"}, None, r"no default chat template.*\['b', 'rag'\]"),
        ({"rag": "{{ 1 }}"}, "rga", r"no chat template named 'rga' \(its templates are \['rag'\]\)"),
        ("{{ 1 }}", "tool_use", "no chat template named 'tool_use'"),
    ],
)
def test_a_template_that_is_not_there_is_said(folders: dict[str, Path], own: Any, passed: Any, message: str) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folders["bpe"], chat_template=own)
    with pytest.raises(ValueError, match=message):
        apply_chat_template(tokenizer, [ASK], chat_template=passed)


# --- bad input


@pytest.mark.parametrize(
    ("conversation", "options", "error", "message"),
    [
        ([], {}, ValueError, "The conversation is empty"),
        ([[ASK], []], {}, ValueError, "Conversation 1 is empty"),
        ("안녕", {}, TypeError, "A conversation is a list of messages"),
        (ASK, {}, TypeError, "A conversation is a list of messages"),
        (None, {}, TypeError, r"not None \(NoneType\)"),
        ([ASK, "안녕"], {}, TypeError, "message 1 of conversation 0 is '안녕'"),
        ([[ASK], [ASK, None]], {}, TypeError, "message 1 of conversation 1 is None"),
        ([ASK], {"tools": weather}, TypeError, r"write tools=\[…\]"),
        ([ASK], {"tools": ["weather"]}, TypeError, r"tools\[0\] must be a function or a dict"),
        ([ASK], {"tools": [weather, Station]}, TypeError, r"tools\[1\] must be a function or a dict"),
        ([ASK], {"documents": ["글"]}, TypeError, r"documents\[0\] must be a dict"),
        ([ASK], {"chat_template": 3}, TypeError, "chat_template must be a str"),
        ([ASK], {"messages": []}, TypeError, "messages is the template's name"),
        ([ASK], {"sanitize_control_tokens": True}, ValueError, "is not supported"),
        ([ASK], {"return_tensors": "tensor"}, ValueError, "return_tensors='tensor'"),
    ],
)
def test_what_is_no_chat_is_named(ours: Any, conversation: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        apply_chat_template(ours, conversation, **{"chat_template": TOOLS, **options})


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("첫 줄\n{% for m in messages %}\n{{ m.content }", r"fails \(line 3: .*\): TemplateSyntaxError"),
        ("\n\n{% unheard %}", r"line 3: '\{% unheard %\}'\): TemplateSyntaxError.*unheard"),
        ("{{ 1 }}\n{{ messages[5].content }}", r"line 2: .*UndefinedError"),
        ("{{ 1 }}\n{{ messages[0].content + 3 }}", r"line 2: .*TypeError"),
        ("{{ 1 }}\n\n{{ 1 / 0 }}", r"line 3: .*ZeroDivisionError"),
        ("{{ messages[0].nothing | tojson }}", r"line 1: .*TypeError"),
        (SYSTEM_FOLDED, r"refuses this conversation: user and assistant must take turns \(line 10: "),
    ],
)
def test_a_template_that_fails_is_one_error_with_its_line(ours: Any, template: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        apply_chat_template(ours, [ANSWER], chat_template=template)
    assert isinstance(caught.value, jinja2.TemplateError)  # what callers of the incumbent catch


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__']['__mro__'][1].__subclasses__() }}",
    "{{ (''|attr('__class__')).__mro__ }}",
    "{{ messages.__class__.__base__.__subclasses__()[0] }}",
    "{{ raise_exception.__globals__['json'] }}",
    "{{ strftime_now.__globals__ }}",
    "{{ strftime_now.__closure__[0] }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context.environment.globals.__class__.__init__ }}",
    "{{ dict.__subclasses__() }}",
    "{{ dict.mro() }}",
    "{{ dict.update(messages[0], {'content': 'x'}) }}",
    "{{ messages[0].update({'content': 'x'}) }}",
    "{{ messages.append(1) }}",
    "{{ messages[0].pop('content') }}",
    "{{ messages.sort.__self__.clear() }}",
    "{{ '{0.__class__.__mro__}'.format('') }}",
    "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(1) }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{{ range(10 ** 9) | list }}",
    "{{ picture.save('x') }}",
    "{{ array.tofile('x') }}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_a_template_cannot_leave_the_sandbox(
    ours: Any, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    conversation = [copy.deepcopy(ASK)]
    variables = {"picture": SimpleNamespace(save=print), "array": np.zeros(2)}
    try:
        text = apply_chat_template(ours, conversation, chat_template=template, tokenize=False, **variables)
    except ChatTemplateError:
        text = ""
    assert text == ""  # Jinja prints nothing for an attribute that it refuses, and raises when it is used
    assert conversation == [ASK] and not list(tmp_path.iterdir())


def test_a_template_and_continuing_leave_the_callers_objects_as_they_are(ours: Any) -> None:
    template = "{% set ns = namespace(m=messages) %}{% for m in messages %}{{ m.content }}{% endfor %}"
    for content in ("글 ", [{"type": "text", "text": "글"}]):
        conversation = [{**ASK, "x": None}, {"role": "assistant", "content": content, "reasoning": "생각"}]
        before = copy.deepcopy(conversation)
        with_blocks = template.replace("m.content }}", "m.content if m.content is string else m.content[0].text }}")
        apply_chat_template(ours, conversation, chat_template=with_blocks, continue_final_message=True)
        assert conversation == before


def test_rich_values_reach_a_template_as_plain_ones(ours: Any) -> None:
    class Colour(str, Enum):
        RED = "빨강"

    options = {"colour": Colour.RED, "flag": np.bool_(False), "number": np.float32(0.5), "picture": object()}
    template = "{{ colour }} {{ flag }} {{ number }} {{ picture }} {{ pair }}"
    text = apply_chat_template(ours, [ASK], chat_template=template, tokenize=False, pair=(1, "둘"), **options)
    assert text == "빨강 False 0.5 <object> (1, '둘')"


def test_a_template_is_compiled_once(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    compile_ = jinja2.Environment.compile
    monkeypatch.setattr(
        jinja2.Environment, "compile", lambda self, *args, **kw: compiled.append(1) or compile_(self, *args, **kw)
    )
    for _ in range(3):
        apply_chat_template(ours, [ASK], chat_template=CHATML + "{# only here #}", tokenize=False)
    assert len(compiled) == 1


def test_the_tokenizer_alone_imports_no_jinja() -> None:
    import subprocess

    code = "import sys, nabi.tokenization.fast; assert 'jinja2' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, re.sub(r"\s+", " ", done.stderr)


def test_a_folders_further_templates_are_read_and_saved(tmp_path: Path, folders: dict[str, Path]) -> None:
    shutil.copytree(folders["bpe"], tmp_path / "model")
    (tmp_path / "model/chat_template.jinja").write_text("plain {{ messages[0].content }}\n", encoding="utf-8")
    more = tmp_path / "model/additional_chat_templates"
    more.mkdir()
    (more / "tool_use.jinja").write_text("tools {{ tools | length }}", encoding="utf-8")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "saved")
    for each in (tokenizer, AutoTokenizer.from_pretrained(tmp_path / "saved")):
        assert each.apply_chat_template([ASK], tokenize=False) == "plain " + ASK["content"]
        assert each.apply_chat_template([ASK], tools=[{}, {}], tokenize=False) == "tools 2"
        assert each.get_chat_template() == "plain {{ messages[0].content }}\n"
        assert each.apply_chat_template([ASK]) == each.encode("plain " + ASK["content"])
