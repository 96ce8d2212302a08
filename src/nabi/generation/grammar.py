"""Output in a form: JSON by a schema, or what a regular expression matches. The work is llguidance's.

    schema or regex -> grammar -> matcher ─ a row's new tokens ─► which tokens may come next (vocabulary,)

llguidance walks the grammar and the vocabulary, as bytes, at the same time (about 10 microseconds a step for 50,000
tokens), so letters that are spread over tokens come out whole.
"""

from __future__ import annotations

import json
import weakref
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .processors.base import LogitsProcessor, TokenSet
from .token_bytes import TokenBytes

# JSON allows white space without end, and models that do not know how to go on use it. So much is enough to indent.
_JSON_OPTIONS = {"whitespace_pattern": r"[\x20\x0A\x0D\x09]{1,40}"}
# Where one text only may follow, llguidance would allow one way only to cut it into tokens; here the model chooses.
_NO_FORCING = '%llguidance {"no_forcing": true}'
_AROUND_A_SCHEMA = {"name", "description", "strict", "schema"}


def grammar_for(
    tokenizer: Any,
    *,
    response_format: dict[str, Any] | None = None,
    regex: str | None = None,
    eos: list[int],
    prompt_length: int,
) -> GrammarLogitsProcessor:
    """The processor that keeps new text to a form.

    `response_format`: {"type": "json_object"}, {"type": "json_schema", "json_schema": {"schema": {…}}} as OpenAI's
    clients write it, or with the schema itself as "json_schema" or "schema". `regex`: what the whole text must match,
    in Rust's syntax without looking around. `eos`: the ids that end a text. `prompt_length`: ids before the new text.
    Raises ValueError for a form that is none or that nothing satisfies, and ImportError without llguidance.
    """
    if (response_format is None) == (regex is None):
        both = f"response_format={response_format!r} and regex={regex!r}"
        raise ValueError(f"{both}: expected one of the two, to say what the text must look like")
    what = f"response_format={response_format!r}" if regex is None else f"regex={regex!r}"
    if tokenizer is None:
        raise ValueError(f"{what} needs the tokenizer, whose tokens spell the text: pass tokenizer=… to generate too")
    if not eos:
        raise ValueError(f"{what} needs a token that ends the text once it is complete: pass eos_token_id=…")
    body = _regex_grammar(regex) if regex is not None else _json_grammar(_schema_of(response_format))
    return GrammarLogitsProcessor(tokenizer, body, what, eos=eos, prompt_length=prompt_length)


class GrammarLogitsProcessor(LogitsProcessor):
    """Only what the grammar allows may come next, and an end only where the text is complete; then nothing else.

    A row's state follows from its new tokens alone, so rows may be reordered, copied and rewound. Special tokens do
    not count. Where other processors exclude all that is allowed, what is allowed wins. Raises ValueError if no token
    of the vocabulary can go on. Made by `grammar_for`.
    """

    def __init__(self, tokenizer: Any, body: dict[str, Any], what: str, *, eos: list[int], prompt_length: int) -> None:
        llguidance = _library()
        self._what = what
        self._prompt_length = prompt_length
        self._vocabulary = _vocabulary(tokenizer, tuple(eos))
        self._eos = TokenSet(eos, "eos_token_id")
        self._ends = set(eos)
        bytes_of = self._vocabulary.bytes_of
        self._skipped = bytes_of.special - self._ends
        # Decoding drops a space in front of the text, so one may stand there in any form.
        before = '" "? ' if bytes_of.first_loses_its_space else ""
        start = f"{_NO_FORCING}\nstart: {before}@body"
        grammar = {"grammars": [{"name": "start", "lark_grammar": start}, {**body, "name": "body"}]}
        self._start = llguidance.LLMatcher(self._vocabulary.engine, json.dumps(grammar), log_level=0)
        if self._start.is_error():
            raise ValueError(f"{what} cannot be followed: {_reason(self._start.get_error())}")
        self._states: dict[tuple[int, ...], Any] = {}  # of the rows of the last step
        self._allowed(())  # raises for a form that nothing satisfies

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        rows = [tuple(row) for row in input_ids[:, self._prompt_length :].tolist()]
        states = {row: self._state(row) for row in dict.fromkeys(rows)}
        self._states = states
        masks = {row: self._allowed(row) for row in states}
        allowed = torch.from_numpy(np.stack([_fitted(masks[row], scores.shape[-1]) for row in rows])).to(scores.device)
        kept = scores.masked_fill(~allowed, -torch.inf)
        excluded = kept.isneginf().all(dim=-1, keepdim=True)
        return torch.where(excluded & allowed, 0.0, kept)

    def _state(self, row: tuple[int, ...]) -> Any:
        """The matcher behind these tokens; None if the text has ended, or is one that the grammar does not know.

        (Beam search carries on with such texts, at a score of -inf, where it lacks others.)
        """
        if row in self._states:
            return self._states[row]
        one_step = row[:-1] in self._states
        matcher, new = (self._states[row[:-1]], row[-1:]) if one_step else (self._start, row)
        if matcher is None:
            return None
        matcher = matcher.deep_copy()
        for token in new:
            if token in self._skipped:
                continue
            if token in self._ends or matcher.try_consume_tokens([token]) != 1:
                return None
        return matcher

    def _allowed(self, row: tuple[int, ...]) -> np.ndarray:
        """Which tokens may come next, (vocabulary of the tokenizer,) bools."""
        matcher = self._state(row)
        if matcher is None:
            return self._vocabulary.ends
        bits = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(bits, bitorder="little").astype(bool)[: len(self._vocabulary.ends)]
        if all(token in self._skipped for token in row):
            allowed = allowed & self._vocabulary.may_begin
        if not matcher.is_accepting() and not (allowed & ~self._vocabulary.ends).any():
            raise ValueError(self._stuck(row))
        return allowed

    def _stuck(self, row: tuple[int, ...]) -> str:
        text = b"".join(self._vocabulary.bytes_of[token] or b"" for token in row if token not in self._skipped)
        if not text:
            return (
                f"{self._what} cannot be followed: no token may come first. Either nothing satisfies it, or this "
                "tokenizer's vocabulary lacks the letters"
            )
        return (
            f"{self._what} cannot be followed behind {text.decode(errors='replace')!r}: no token of the vocabulary "
            "spells what must come next. Use a form whose letters this tokenizer knows, or a byte-level tokenizer"
        )


# --- what is asked for ----------------------------------------------------------------------------------------------


def _schema_of(response_format: Any) -> Any:
    forms = '{"type": "json_object"} or {"type": "json_schema", "json_schema": {"schema": {…}}}'
    if not isinstance(response_format, dict) or "type" not in response_format:
        raise ValueError(f"response_format is {response_format!r}; expected {forms}")
    kind = response_format["type"]
    rest = {name: value for name, value in response_format.items() if name != "type"}
    if kind == "json_object" and not rest:
        return {"type": "object"}
    if kind != "json_schema":
        problem = (
            f"has the type {kind!r}" if kind != "json_object" else f"of type 'json_object' also has {sorted(rest)}"
        )
        hint = "; for text in no form leave response_format out" if kind == "text" else ""
        raise ValueError(f"response_format {problem}; expected {forms}{hint}")
    if len(rest) != 1 or not rest.keys() <= {"json_schema", "schema"}:
        raise ValueError(f"response_format of type 'json_schema' has {sorted(rest)} besides; expected {forms}")
    if "schema" in rest:
        return rest["schema"]
    inner = rest["json_schema"]
    if not isinstance(inner, dict) or "schema" not in inner:
        return inner
    unknown = inner.keys() - _AROUND_A_SCHEMA
    if unknown:
        raise ValueError(f"response_format's json_schema has {sorted(unknown)} beside the schema; expected {forms}")
    return inner["schema"]


def _json_grammar(schema: Any) -> dict[str, Any]:
    if not isinstance(schema, dict):
        raise ValueError(f"the schema of response_format is {schema!r}; expected a JSON schema, a dict")
    try:
        text = json.dumps(schema)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the schema of response_format is not JSON: {error}") from error
    return json.loads(_library().LLMatcher.grammar_from_json_schema(text, overrides=_JSON_OPTIONS))["grammars"][0]


def _regex_grammar(regex: Any) -> dict[str, Any]:
    if not isinstance(regex, str):
        raise ValueError(f"regex is {regex!r}; expected a text such as r'[0-9]{{4}}'")
    return json.loads(_library().LLMatcher.grammar_from_regex(regex))["grammars"][0]


def _reason(report: str) -> str:
    """The sentence of the library's report that says why."""
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    return next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), lines[0])


# --- the vocabulary -------------------------------------------------------------------------------------------------


class _Vocabulary:
    """A tokenizer's tokens, as llguidance wants them; made once for a tokenizer and the ids that end texts."""

    def __init__(self, tokenizer: Any, eos: tuple[int, ...]) -> None:
        self.bytes_of = TokenBytes(tokenizer)
        size = max(len(self.bytes_of), *(end + 1 for end in eos))
        unused = [token for token in range(size) if self.bytes_of[token] is None]
        self.tokens = [self.bytes_of[token] or b"" for token in range(size)]
        self.special_token_ids = sorted({*self.bytes_of.special, *eos, *unused})
        self.eos_token_id = eos[0]
        self.bos_token_id = None
        wrapped = _library().TokenizerWrapper(self)
        self.engine = _library().LLTokenizer(wrapped, n_vocab=size, eos_token=list(eos))
        self.ends = np.zeros(size, dtype=bool)
        self.ends[list(eos)] = True
        self.may_begin = np.array([not self.bytes_of.continues(token) for token in range(size)])

    def __call__(self, text: bytes) -> list[int]:
        """llguidance would ask for ids where it writes tokens of its own accord, which it is told not to."""
        return []


_VOCABULARIES: weakref.WeakKeyDictionary[Any, dict[Any, _Vocabulary]] = weakref.WeakKeyDictionary()


def _vocabulary(tokenizer: Any, eos: tuple[int, ...]) -> _Vocabulary:
    TokenBytes(tokenizer)  # raises for what is no tokenizer
    made = _VOCABULARIES.setdefault(tokenizer, {})
    key = (eos, len(tokenizer), tuple(tokenizer.all_special_ids))
    if key not in made:
        made.clear()  # tokens were added, or another end: the old one is of no more use
        made[key] = _Vocabulary(tokenizer, eos)
    return made[key]


def _fitted(allowed: np.ndarray, size: int) -> np.ndarray:
    """For scores of another length: a model may have room for more tokens than there are, or for fewer."""
    return allowed[:size] if len(allowed) >= size else np.pad(allowed, (0, size - len(allowed)))


def _library() -> ModuleType:
    try:
        import llguidance
    except ImportError as error:
        raise ImportError(
            "response_format and regex need the package llguidance: pip install 'nabi[grammar]' (or llguidance)"
        ) from error
    return llguidance
