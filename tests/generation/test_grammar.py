"""Constrained output: whatever the scores, a text that ended has the form that was asked for."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders
from torch import Tensor

from nabi.generation.grammar import GrammarLogitsProcessor, grammar_for
from nabi.generation.token_bytes import TokenBytes
from nabi.tokenization import PreTrainedTokenizerFast, train

pytest.importorskip("llguidance")

TEXTS = [
    '{"name": "김나비", "age": 31, "likes": ["꽃", "바다"], "city": "서울"}',
    '{"name": "Mina", "age": 7, "likes": [], "city": "Busan", "ok": true, "no": null, "x": false}',
    "이 영화는 정말 최고예요! 배우들의 연기가 훌륭했습니다.",
    "The butterfly rests on a flower while children are laughing nearby. 0123456789 yes no",
] * 4
PROMPT = 3


def bpe() -> PreTrainedTokenizerFast:
    return train("bpe", TEXTS, vocab_size=420, show_progress=False)


def unigram() -> PreTrainedTokenizerFast:
    """With a token for each byte, as Llama's and Gemma's have."""
    trained = train("unigram", TEXTS, vocab_size=150, show_progress=False)
    state = json.loads(trained.backend_tokenizer.to_str())
    state["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    state["model"]["byte_fallback"] = True
    engine = Tokenizer.from_str(json.dumps(state))
    engine.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=engine, eos_token="</s>", unk_token="<unk>", pad_token="<pad>")


def wordpiece() -> PreTrainedTokenizerFast:
    """With all that JSON is made of as continuations, as BERT's vocabularies have."""
    tokenizer = train("wordpiece", TEXTS, vocab_size=260, show_progress=False)
    tokenizer.add_tokens([f"##{letter}" for letter in '{}[]":,.-\\'])
    tokenizer.add_tokens([f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789가나다꽃서울"])
    return tokenizer


MAKE: dict[str, Callable[[], PreTrainedTokenizerFast]] = {"bpe": bpe, "unigram": unigram, "wordpiece": wordpiece}


@pytest.fixture(scope="module", params=MAKE)
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerFast:
    return MAKE[request.param]()


def end_of(tokenizer: PreTrainedTokenizerFast) -> int:
    return tokenizer.sep_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id


def make(tokenizer: PreTrainedTokenizerFast, **form: Any) -> GrammarLogitsProcessor:
    return grammar_for(tokenizer, eos=[end_of(tokenizer)], prompt_length=PROMPT, **form)


def draw(tokenizer: PreTrainedTokenizerFast, rows: int = 8, steps: int = 300, **form: Any) -> list[str | None]:
    """Texts drawn with random scores; None for one that did not come to its end. Closing is made likely."""
    processor, end = make(tokenizer, **form), end_of(tokenizer)
    generator = torch.Generator().manual_seed(0)
    pieces = [tokenizer.convert_ids_to_tokens(each) or "" for each in range(len(tokenizer))]
    closing = torch.tensor([4.0 if set(piece) & set('"}],') else 0.0 for piece in pieces] + [0.0] * 5)
    closing[end] = 4.0
    ids = torch.full((rows, PROMPT), 9)
    for _ in range(steps):
        scores = torch.randn(rows, len(tokenizer) + 5, generator=generator) + closing
        processed = processor(ids, scores)
        kept = ~processed.isneginf()
        assert torch.equal(processed[kept], scores[kept])
        chosen = torch.multinomial(processed.softmax(dim=-1), 1, generator=generator)
        ids = torch.cat((ids, chosen), dim=1)
        if bool((ids == end).any(dim=1).all()):
            break
    found: list[str | None] = []
    for row in ids[:, PROMPT:].tolist():
        found.append(tokenizer.decode(row[: row.index(end)]) if end in row else None)
        assert end not in row or set(row[row.index(end) :]) == {end}  # nothing but ends behind the end
    return found


PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "likes": {"type": "array", "items": {"enum": ["꽃", "바다", "yes"]}, "maxItems": 3},
        "city": {"anyOf": [{"const": "서울"}, {"type": "null"}]},
    },
    "required": ["name", "age", "likes", "city"],
    "additionalProperties": False,
}


def is_person(value: Any) -> bool:
    return (
        list(value) == ["name", "age", "likes", "city"]
        and isinstance(value["name"], str)
        and len(value["name"]) <= 12
        and type(value["age"]) is int
        and 0 <= value["age"] <= 150
        and len(value["likes"]) <= 3
        and set(value["likes"]) <= {"꽃", "바다", "yes"}
        and value["city"] in ("서울", None)
    )


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_every_text_that_ends_fits_its_schema(kind: str) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
    texts = draw(MAKE[kind](), rows=24, response_format=form)
    ended = [text for text in texts if text is not None]
    assert len(ended) > 12
    for text in ended:
        assert "\ufffd" not in text
        assert is_person(json.loads(text)), text


def test_wordpiece_texts_fit_their_schema(tokenizer: PreTrainedTokenizerFast) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 9}, "ok": {"type": "boolean"}},
        "required": ["name", "ok"],
        "additionalProperties": False,
    }
    ended = [text for text in draw(tokenizer, response_format={"type": "json_schema", "schema": schema}) if text]
    assert ended
    for text in ended:
        value = json.loads(text)
        assert list(value) == ["name", "ok"] and len(value["name"]) <= 9 and type(value["ok"]) is bool


def test_a_json_object_is_one(tokenizer: PreTrainedTokenizerFast) -> None:
    ended = [text for text in draw(tokenizer, rows=16, response_format={"type": "json_object"}) if text is not None]
    assert len(ended) >= 4
    assert all(isinstance(json.loads(text), dict) for text in ended)


@pytest.mark.parametrize(
    "regex", ["yes|no", "[0-9]{4}-[0-9]{2}", "(yes ){2,3}no", "[가-힣]{2,4}", 'a/b|\\{"x"\\}', "꽃"]
)
def test_every_text_that_ends_matches_its_regex(tokenizer: PreTrainedTokenizerFast, regex: str) -> None:
    try:
        texts = draw(tokenizer, regex=regex)
    except ValueError as error:  # a vocabulary without bytes may lack the letters, and says so
        assert "cannot be followed" in str(error) and "##" in "".join(tokenizer.get_vocab())
        return
    assert all(text is not None for text in texts)
    for text in texts:
        assert re.fullmatch(regex, text or ""), text


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
@pytest.mark.parametrize("value", ["나비", "뷁쀍 🦋", "a\tb", 'say "yes"'])
def test_korean_values_may_be_written_token_after_token(kind: str, value: str) -> None:
    tokenizer = MAKE[kind]()
    processor = make(tokenizer, response_format={"type": "json_object"})
    text = json.dumps({"name": value, "나이": 3}, ensure_ascii=False)
    new = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(new) == text
    ids = torch.ones(1, PROMPT, dtype=torch.long)
    for token in [*new, end_of(tokenizer)]:
        processed = processor(ids, torch.zeros(1, len(tokenizer)))
        assert processed[0, token] == 0, tokenizer.decode(ids[0, PROMPT:])
        assert (processed[0, end_of(tokenizer)] == 0) == (token == end_of(tokenizer))
        ids = torch.cat((ids, torch.tensor([[token]])), dim=1)


def rows_of(tokenizer: PreTrainedTokenizerFast, *texts: str) -> Tensor:
    """One text a row, all as long as the shortest."""
    new = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    return torch.tensor([[9] * PROMPT + ids[: min(map(len, new))] for ids in new])


def test_rows_may_be_reordered_copied_and_rewound() -> None:
    tokenizer = bpe()
    form = {"response_format": {"type": "json_object"}}
    processor = make(tokenizer, **form)
    rows = rows_of(tokenizer, '{"x": 3', '{"x": t', '{"x": [')
    length = rows.shape[1]
    orders = [[0, 1, 2], [2, 2, 0], [1, 0, 0], [0], [2, 1]]
    for step in [*range(PROMPT, length + 1), length - 3, PROMPT, length - 1, length]:
        for order in orders:
            ids = rows[order, :step]
            fresh = make(tokenizer, **form)(ids, torch.zeros(len(order), len(tokenizer)))
            assert torch.equal(processor(ids, torch.zeros(len(order), len(tokenizer))), fresh)


def test_a_text_that_the_grammar_does_not_know_can_only_end() -> None:
    tokenizer = bpe()
    processor = make(tokenizer, regex="yes")
    rows = rows_of(tokenizer, "q", "y")
    allowed = ~processor(rows, torch.zeros(2, len(tokenizer))).isneginf()
    assert allowed[0].nonzero().flatten().tolist() == [end_of(tokenizer)]
    assert not allowed[1, end_of(tokenizer)]


def test_special_tokens_that_others_force_do_not_count() -> None:
    tokenizer = bpe()
    processor = make(tokenizer, regex="yes")
    plain = rows_of(tokenizer, "ye")
    forced = torch.cat((plain[:, :PROMPT], torch.tensor([[tokenizer.pad_token_id]]), plain[:, PROMPT:]), dim=1)
    scores = torch.zeros(1, len(tokenizer))
    assert torch.equal(processor(plain, scores), processor(forced, scores))
    assert processor(plain, scores)[0, tokenizer.pad_token_id] == -torch.inf


def test_what_is_allowed_wins_where_others_exclude_all_of_it() -> None:
    tokenizer = bpe()
    scores = torch.zeros(1, len(tokenizer))
    scores[0, end_of(tokenizer)] = -torch.inf  # as min_new_tokens does
    processed = make(tokenizer, regex="yes")(rows_of(tokenizer, "yes"), scores)
    assert (~processed.isneginf()).nonzero().tolist() == [[0, end_of(tokenizer)]]


def test_scores_may_be_longer_or_shorter_than_the_vocabulary() -> None:
    tokenizer = bpe()
    processor, ids = make(tokenizer, regex="[a-z]+"), torch.ones(2, PROMPT, dtype=torch.long)
    exact = processor(ids, torch.zeros(2, len(tokenizer)))
    longer = processor(ids, torch.zeros(2, len(tokenizer) + 70))
    assert torch.equal(longer[:, : len(tokenizer)], exact) and bool(longer[:, len(tokenizer) :].isneginf().all())
    assert torch.equal(processor(ids, torch.zeros(2, 300)), exact[:, :300])


def test_any_of_several_tokens_may_end_a_text() -> None:
    tokenizer = bpe()
    ends = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    processor = grammar_for(tokenizer, regex="yes", eos=ends, prompt_length=PROMPT)
    allowed = ~processor(rows_of(tokenizer, "yes"), torch.zeros(1, len(tokenizer))).isneginf()
    assert allowed[0].nonzero().flatten().tolist() == sorted(ends)


def test_tokens_that_are_added_later_count() -> None:
    tokenizer = bpe()
    make(tokenizer, regex="yes")
    tokenizer.add_tokens(["yesyes"])
    processed = make(tokenizer, regex="(yes)+")(torch.ones(1, PROMPT, dtype=torch.long), torch.zeros(1, len(tokenizer)))
    assert processed[0, tokenizer.convert_tokens_to_ids("yesyes")] == 0


# --- bytes


def test_the_bytes_of_tokens_are_those_of_the_text(tokenizer: PreTrainedTokenizerFast) -> None:
    bytes_of = TokenBytes(tokenizer)
    for text in TEXTS[:4]:
        ids = tokenizer.encode(text, add_special_tokens=False)
        ids = [token for token in ids if token not in tokenizer.all_special_ids]
        spelled = b"".join(bytes_of[token] or b"" for token in ids).decode()
        assert spelled.removeprefix(" ") == tokenizer.decode(ids)
    assert bytes_of[len(bytes_of) + 3] is None


# --- errors


def schema_form(schema: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}


@pytest.mark.parametrize(
    "form, match",
    [
        ({}, "expected one of the two"),
        ({"regex": "a", "response_format": {"type": "json_object"}}, "expected one of the two"),
        ({"regex": "["}, r"regex='\[' cannot be followed: unclosed character class"),
        ({"regex": "a(?=b)"}, "look-around"),
        ({"regex": r"(a)\1"}, "backreferences"),
        ({"regex": r"[^\s\S]"}, "no token may come first"),
        ({"regex": "a$b"}, "lookarounds not supported"),
        ({"regex": 3}, "regex is 3"),
        ({"response_format": "json"}, "response_format is 'json'"),
        ({"response_format": {"schema": {}}}, "response_format is"),
        ({"response_format": {"type": "xml"}}, "has the type 'xml'"),
        ({"response_format": {"type": "text"}}, "leave response_format out"),
        ({"response_format": {"type": "json_object", "schema": {}}}, "also has"),
        ({"response_format": {"type": "json_schema"}}, r"has \[\] besides"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {}, "shema": 1}}}, "shema"),
        (schema_form("string"), "expected a JSON schema"),
        (schema_form({"enum": [object()]}), "not JSON"),
        (schema_form({"type": "strin"}), "Invalid type: strin"),
        (schema_form({"type": "string", "minLength": 5, "maxLength": 3}), "Unsatisfiable schema"),
        (schema_form({"allOf": [{"type": "string"}, {"type": "integer"}]}), "Unsatisfiable schema"),
        (schema_form(False), "expected a JSON schema"),
        (schema_form({"type": "array", "uniqueItems": True}), "uniqueItems"),
        (schema_form({"$ref": "#/$defs/person"}), r"\$defs/person"),
        (schema_form({"type": "string", "pattern": "["}), "unclosed character class"),
    ],
)
def test_a_form_that_is_none_is_one_clear_error_before_any_work(form: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make(bpe(), **form)


def test_a_missing_tokenizer_or_end_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match="pass tokenizer="):
        grammar_for(None, regex="a", eos=[1], prompt_length=0)
    with pytest.raises(ValueError, match="pass eos_token_id="):
        grammar_for(bpe(), regex="a", eos=[], prompt_length=0)
    with pytest.raises(ValueError, match="tokenizer is a str"):
        grammar_for("gpt2", regex="a", eos=[1], prompt_length=0)


def test_letters_that_the_vocabulary_lacks_are_one_clear_error() -> None:
    tokenizer = train("wordlevel", ["yes no maybe"], vocab_size=9, special_tokens=["</s>"], show_progress=False)
    end = tokenizer.convert_tokens_to_ids("</s>")
    with pytest.raises(ValueError, match="no token may come first"):
        grammar_for(tokenizer, regex="꽃", eos=[end], prompt_length=0)
    processor = grammar_for(tokenizer, regex="yes 꽃", eos=[end], prompt_length=0)
    with pytest.raises(ValueError, match=r"behind ' ?yes'"):
        processor(torch.tensor([[tokenizer.convert_tokens_to_ids("yes")]]), torch.zeros(1, len(tokenizer)))


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(ImportError, match=r"pip install 'nabi\[grammar\]'"):
        make(bpe(), regex="yes")
