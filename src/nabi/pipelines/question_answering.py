"""question-answering: a question and a context to the part of the context that answers it.

"어디에 사나요?", "민수는 서울에 산다" -> windows of the context, each with the question (1, length)
    -> start_logits, end_logits (1, length) -> {"score": 0.97, "start": 4, "end": 7, "answer": "서울에"}

A score is the chance of the first token times that of the last, among the context's tokens of one window; answers that
read alike, in overlapping windows or by alignment to words, are one, and their scores add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .base import Pipeline, Steps
from .settings import check_names, longest_text
from .text_classification import described

LONGEST_WINDOW = 384  # tokens, the question's too
LARGEST_STRIDE = 128
SETTINGS = (
    "padding top_k topk doc_stride max_answer_len max_seq_len max_question_len handle_impossible_answer align_to_words "
    "question context"
).split()


@dataclass(frozen=True)
class SquadExample:
    """A question and its context, as older code makes them; the answer is only kept."""

    qas_id: str | None
    question_text: str
    context_text: str
    answer_text: str | None = None
    start_position_character: int | None = None
    title: str | None = None
    answers: Any = ()
    is_impossible: bool = False


class QuestionAnsweringPipeline(Pipeline):
    """Answers out of contexts, by a model of the kind …ForQuestionAnswering.

    top_k (1; topk of old): how many answers at most, best first.
    max_seq_len (384, or what the model reads if that is less): tokens of a window, the question's among them.
    doc_stride (128): by how many tokens the windows of a long context overlap.
    max_answer_len (15): tokens of the longest answer. max_question_len: cut longer questions to so many tokens.
    handle_impossible_answer: the empty answer "" may win too.
    align_to_words: answers are whole words (True). False for single tokens: in Korean, without the particle.
    padding: handed to the tokenizer; no result depends on it.

        pipe(question="…", context="…")        {"score", "start", "end", "answer"}: context[start:end] == answer
        pipe(question=["…", …], context="…")   a list of them; a list of contexts may go with the questions
        pipe({"question": …, "context": …})    one; a list, a generator or a dataset of such gives many
        top_k=3                                a list for each question, if there is more than one answer
    """

    task = "question-answering"
    heads = ("AutoModelForQuestionAnswering",)

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """See the class. A list of one question is answered as that question is."""
        old = [settings.pop(name) for name in ("X", "data") if name in settings]
        asked = {name: settings.pop(name) for name in ("question", "context") if name in settings}
        if len(inputs) + len(old) + bool(asked) == 1 and (inputs or old):
            given = (*inputs, *old)[0]
        elif len(inputs) == 2 and all(isinstance(one, str) for one in inputs) and not old and not asked:
            given = {"question": inputs[0], "context": inputs[1]}
        elif len(inputs) > 1 and not old and not asked:
            given = list(inputs)
        elif len(asked) == 2 and not inputs and not old:
            given = asked
        else:
            raise ValueError(
                "question-answering needs a question and a context: pass question=… and context=…, or mappings with "
                "these two keys"
            )
        given = one_for_each(given)
        if isinstance(given, (list, tuple)) and len(given) == 1:
            given = given[0]
        return super().__call__(given, **settings)

    def is_one(self, inputs: Any) -> bool:
        return super().is_one(inputs) or hasattr(inputs, "question_text")

    @staticmethod
    def create_sample(question: Any, context: Any) -> SquadExample | list[SquadExample]:
        """A question and a context, or a list of each, as examples."""
        if isinstance(question, list):
            return [SquadExample(None, one, own) for one, own in zip(question, context, strict=True)]
        return SquadExample(None, question, context)

    def _sanitize_parameters(
        self,
        padding: bool | str | None = None,
        topk: int | None = None,
        top_k: int | None = None,
        doc_stride: int | None = None,
        max_answer_len: int | None = None,
        max_seq_len: int | None = None,
        max_question_len: int | None = None,
        handle_impossible_answer: bool | None = None,
        align_to_words: bool | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, SETTINGS)
        before = {
            "padding": padding,
            "doc_stride": doc_stride,
            "max_seq_len": max_seq_len,
            "max_question_len": max_question_len,
        }
        after = {
            "top_k": topk if top_k is None else top_k,
            "max_answer_len": max_answer_len,
            "handle_impossible_answer": handle_impossible_answer,
            "align_to_words": align_to_words,
        }
        for name, value in {**before, **after}.items():
            if value is not None and name[:3] in ("top", "max", "doc"):
                least = 0 if name == "doc_stride" else 1
                if isinstance(value, bool) or not isinstance(value, int) or value < least:
                    raise ValueError(f"{name} is {value!r}; expected a number of {least} or more")
        return (
            {name: value for name, value in before.items() if value is not None},
            {},
            {name: value for name, value in after.items() if value is not None},
        )

    def preprocess(  # type: ignore[override]
        self,
        inputs: Any,
        padding: bool | str = False,
        doc_stride: int | None = None,
        max_seq_len: int | None = None,
        max_question_len: int | None = None,
    ) -> list[dict[str, Any]]:
        """A question and a context to windows (1, length); kept: the context, and which tokens are of it and where."""
        assert self.tokenizer is not None
        question, context = question_and_context(inputs)
        known = longest_text(self.model, self.tokenizer) or LONGEST_WINDOW
        length = min(known, LONGEST_WINDOW) if max_seq_len is None else max_seq_len
        if doc_stride is not None and doc_stride > length:
            raise ValueError(f"doc_stride is {doc_stride}, more than max_seq_len, which is {length}: make it smaller")
        asked = self.tokenizer(question, add_special_tokens=False, verbose=False).encodings[0]
        if max_question_len is not None and len(asked) > max_question_len:
            question = question[: asked.offsets[max_question_len - 1][1]]
            asked = self.tokenizer(question, add_special_tokens=False, verbose=False).encodings[0]
        room = length - len(asked) - self.tokenizer.num_special_tokens_to_add(pair=True)
        if room < 1:
            raise ValueError(
                f"the question has {len(asked)} tokens, which leaves no room for the context in the {length} of a "
                f"window: ask in fewer words, or say max_question_len=…{', or a larger max_seq_len' * (length < known)}"
            )
        if doc_stride is not None and doc_stride >= room:
            raise ValueError(
                f"doc_stride is {doc_stride}, but beside the question a window has room for {room} tokens of the "
                "context only, so that it would never move on: make it smaller"
            )
        question_first = self.tokenizer.padding_side == "right"
        encoded = self.tokenizer(
            *((question, context) if question_first else (context, question)),
            padding=padding,
            truncation="only_second" if question_first else "only_first",
            max_length=length,
            stride=min(length // 2, LARGEST_STRIDE, room - 1) if doc_stride is None else doc_stride,
            return_overflowing_tokens=True,
            return_attention_mask=True,
        )
        its_sequence = 1 if question_first else 0
        if not any(its_sequence in window.sequence_ids for window in encoded.encodings):
            raise ValueError(f"the tokenizer finds no token in the context {context!r}, so there is no answer in it")
        taken = {*self.tokenizer.model_input_names, "attention_mask"} & set(encoded)
        return [
            {
                **{name: torch.tensor(encoded[name][number])[None] for name in sorted(taken)},
                "kept": {"context": context, "encoding": window, "its_sequence": its_sequence},
            }
            for number, window in enumerate(encoded.encodings)
        ]

    def _forward(self, model_inputs: dict[str, Any], **_: Any) -> dict[str, Tensor]:
        if self._model_takes is not None and "use_cache" in self._model_takes:
            model_inputs["use_cache"] = False
        outputs = self.model(**model_inputs)
        start, end = (getattr(outputs, name, None) for name in ("start_logits", "end_logits"))
        if start is None or end is None:
            raise TypeError(
                f"{type(self.model).__name__} gives no start_logits and end_logits (batch, length), so it cannot find "
                "answers: load the checkpoint with AutoModelForQuestionAnswering"
            )
        return {"start": start, "end": end}

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: list[dict[str, Any]],
        top_k: int = 1,
        max_answer_len: int = 15,
        handle_impossible_answer: bool = False,
        align_to_words: bool = True,
    ) -> Any:
        """start and end (1, length) of each window -> the best answer, or a list of the top_k best."""
        answers: dict[str, dict[str, Any]] = {}
        none = 1.0  # the chance that there is no answer: of its windows' the least
        for window in model_outputs:
            start, end, tokens, without = self._chances(window)
            none = min(none, without)
            spans = start[:, None] * end[None, :]
            spans = spans.triu().tril(max_answer_len - 1)
            # Alignment makes answers alike, so more are looked at then; how many is the incumbent's choice.
            count = min(2 * top_k + 10 if align_to_words else top_k, spans.numel())
            scores, places = spans.flatten().topk(count)
            context, encoding = window["kept"]["context"], window["kept"]["encoding"]
            for score, place in zip(scores.tolist(), places.tolist(), strict=True):
                if not score:
                    break
                first, last = tokens[place // len(tokens)], tokens[place % len(tokens)]
                a, b = span_of(encoding, first, last, window["kept"]["its_sequence"] if align_to_words else None)
                answer = {"score": 0.0, "start": a, "end": b, "answer": context[a:b]}
                answers.setdefault(context[a:b].lower(), answer)["score"] += score
        found = list(answers.values())
        if handle_impossible_answer:
            found.append({"score": none, "start": 0, "end": 0, "answer": ""})
        found = sorted(found, key=lambda one: one["score"], reverse=True)[:top_k]
        return found[0] if len(found) == 1 else found

    def _chances(self, window: dict[str, Any]) -> tuple[Tensor, Tensor, list[int], float]:
        """The chances (tokens,) that the answer starts and ends at a token of the context, those tokens' places in the
        window, and the chance that it has no answer, which the model says at its [CLS] token."""
        encoding, its_sequence = window["kept"]["encoding"], window["kept"]["its_sequence"]
        assert self.tokenizer is not None
        length = len(encoding)
        tokens = [place for place, whose in enumerate(encoding.sequence_ids) if whose == its_sequence]
        cls = [place for place, token in enumerate(encoding.ids) if token == self.tokenizer.cls_token_id]
        cls = [place for place in cls if encoding.special_tokens_mask[place]][:1]
        chances = []
        for name in ("start", "end"):
            logits = window[name][0].double()
            logits = logits[-length:] if self.pads_left else logits[:length]
            chances.append(logits[tokens + cls].softmax(-1))
        without = float(chances[0][-1] * chances[1][-1]) if cls else 0.0
        start, end = (each[: len(tokens)] for each in chances)
        return start, end, tokens, without


# ---------------------------------------------------------------- inputs


def one_for_each(given: Any) -> Any:
    """Questions and contexts in lists under their two names -> a list of mappings; anything else as it is."""
    if not isinstance(given, Mapping) or not isinstance(given.get("question"), (list, tuple)):
        return given
    questions, contexts = given["question"], given.get("context")
    if isinstance(contexts, str):
        contexts = [contexts] * len(questions)
    if not isinstance(contexts, (list, tuple)) or len(contexts) != len(questions):
        counted = len(contexts) if isinstance(contexts, (list, tuple)) else described(contexts)
        raise ValueError(f"there are {len(questions)} questions, but for contexts {counted}: give one, or one for each")
    return [{"question": one, "context": own} for one, own in zip(questions, contexts, strict=True)]


def question_and_context(inputs: Any) -> tuple[str, str]:
    """The two texts of an item; ValueError or TypeError that says what is wrong with it."""
    if hasattr(inputs, "question_text"):
        inputs = {"question": inputs.question_text, "context": inputs.context_text}
    if not isinstance(inputs, Mapping):
        raise TypeError(f'{described(inputs)} is no question with a context: pass {{"question": …, "context": …}}')
    for name in ("question", "context"):
        if name not in inputs:
            raise ValueError(f"a mapping has the keys 'question' and 'context', but this one has {list(inputs)}")
        if not isinstance(inputs[name], str):
            raise TypeError(f"{name!r} is {described(inputs[name])}, and no text")
        if not inputs[name].strip():
            raise ValueError(f"{name!r} is {inputs[name]!r}, which is empty: there must be words in it")
    return inputs["question"], inputs["context"]


def span_of(encoding: Any, first: int, last: int, aligned_in: int | None) -> tuple[int, int]:
    """The characters from one token to another; aligned_in: widened to words, in the text of this number."""
    start, end = encoding.offsets[first][0], encoding.offsets[last][1]
    if aligned_in is None:
        return start, end
    begins, ends = (encoding.token_to_word(place) for place in (first, last))
    opening = None if begins is None else encoding.word_to_chars(begins, aligned_in)
    closing = None if ends is None else encoding.word_to_chars(ends, aligned_in)
    return (start, end) if opening is None or closing is None else (opening[0], closing[1])
