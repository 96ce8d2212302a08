"""SQuAD's files as examples, their features in windows, and what a model says of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ...tokenization.characters import words_with_places
from .examples import DataProcessor


class SquadExample:
    """A question about a text. doc_tokens are the text's words, char_to_word_offset the word of each character;
    start_position and end_position the answer's words, 0 where there is none."""

    def __init__(
        self,
        qas_id: str,
        question_text: str,
        context_text: str,
        answer_text: str | None,
        start_position_character: int | None,
        title: str | None,
        answers: list[dict[str, Any]] | tuple[()] = (),
        is_impossible: bool = False,
    ) -> None:
        self.qas_id, self.title = qas_id, title
        self.question_text, self.context_text, self.answer_text = question_text, context_text, answer_text
        self.answers, self.is_impossible = list(answers), is_impossible
        self.doc_tokens, self.char_to_word_offset = words_with_places(context_text)
        self.start_position = self.end_position = 0
        if start_position_character is not None and not is_impossible:
            last = min(start_position_character + len(answer_text or "") - 1, len(self.char_to_word_offset) - 1)
            self.start_position = self.char_to_word_offset[start_position_character]
            self.end_position = self.char_to_word_offset[last]


@dataclass
class SquadFeatures:
    """A question and one window of its text, ready for a model; positions count tokens of the window."""

    input_ids: list[int]
    attention_mask: list[int]
    token_type_ids: list[int]
    cls_index: int
    p_mask: list[int]  # 1 where no answer can be
    example_index: int
    unique_id: int
    paragraph_len: int
    token_is_max_context: dict[int, bool]
    tokens: list[str]
    token_to_orig_map: dict[int, int]  # token -> word of the text
    start_position: int
    end_position: int
    is_impossible: bool
    qas_id: str | None = None
    encoding: Any = field(default=None, repr=False)


class SquadResult:
    """The scores of one window's answers."""

    def __init__(
        self,
        unique_id: int,
        start_logits: Any,
        end_logits: Any,
        start_top_index: Any = None,
        end_top_index: Any = None,
        cls_logits: Any = None,
    ) -> None:
        self.unique_id, self.start_logits, self.end_logits = unique_id, start_logits, end_logits
        if start_top_index is not None:
            self.start_top_index, self.end_top_index, self.cls_logits = start_top_index, end_top_index, cls_logits


class SquadProcessor(DataProcessor):
    """Reads the JSON files of SQuAD, KorQuAD 1 and their like."""

    train_file: ClassVar[str | None] = None
    dev_file: ClassVar[str | None] = None

    def get_train_examples(self, data_dir: str, filename: str | None = None) -> list[SquadExample]:  # type: ignore[override]
        return self._read(data_dir, filename or self.train_file, "train")

    def get_dev_examples(self, data_dir: str, filename: str | None = None) -> list[SquadExample]:  # type: ignore[override]
        return self._read(data_dir, filename or self.dev_file, "dev")

    def _read(self, data_dir: str, filename: str | None, split: str) -> list[SquadExample]:
        if filename is None:
            raise ValueError(f"{type(self).__name__} needs the file's name: use SquadV1Processor or SquadV2Processor")
        content = json.loads((Path(data_dir or ".") / filename).read_text(encoding="utf-8"))
        return self._create_examples(content["data"], split)

    def _create_examples(self, input_data: Iterable[dict[str, Any]], set_type: str) -> list[SquadExample]:
        made = []
        for entry in input_data:
            for paragraph in entry["paragraphs"]:
                for question in paragraph["qas"]:
                    impossible = question.get("is_impossible", False)
                    answers = [] if impossible else question["answers"]
                    learned = answers[0] if set_type == "train" and answers else None
                    made.append(
                        SquadExample(
                            qas_id=question["id"],
                            question_text=question["question"],
                            context_text=paragraph["context"],
                            answer_text=learned["text"] if learned else None,
                            start_position_character=learned["answer_start"] if learned else None,
                            title=entry.get("title"),
                            answers=[] if set_type == "train" else answers,
                            is_impossible=impossible,
                        )
                    )
        return made


class SquadV1Processor(SquadProcessor):
    train_file = "train-v1.1.json"
    dev_file = "dev-v1.1.json"


class SquadV2Processor(SquadProcessor):
    train_file = "train-v2.0.json"
    dev_file = "dev-v2.0.json"


def squad_convert_examples_to_features(
    examples: list[SquadExample],
    tokenizer: Any,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    is_training: bool,
    padding_strategy: str = "max_length",
    return_dataset: bool | str = False,
    threads: int = 1,
    tqdm_enabled: bool = True,
) -> Any:
    """Windows of max_seq_length tokens that begin doc_stride tokens apart. return_dataset="pt": (features, a torch
    data set) too. A question is cut at max_query_length tokens; threads and tqdm_enabled have no effect.
    """
    features: list[SquadFeatures] = []
    for number, example in enumerate(examples):
        windows = _windows(example, tokenizer, max_seq_length, doc_stride, max_query_length, padding_strategy)
        for row in range(len(windows["input_ids"])):
            features.append(
                _feature(example, number, windows, row, tokenizer, is_training, 1_000_000_000 + len(features))
            )
    _mark_best_windows(features)
    return (features, _as_tensors(features, is_training)) if return_dataset == "pt" else features


def _windows(
    example: SquadExample, tokenizer: Any, longest: int, step: int, longest_question: int, padding: str
) -> Any:
    question = tokenizer(example.question_text, add_special_tokens=False, truncation=True, max_length=longest_question)
    cut = (
        tokenizer.decode(question["input_ids"])
        if len(question["input_ids"]) == longest_question
        else example.question_text
    )
    first = tokenizer.padding_side == "right"
    room = longest - len(question["input_ids"]) - tokenizer.num_special_tokens_to_add(pair=True)
    return tokenizer(
        *((cut, example.context_text) if first else (example.context_text, cut)),
        truncation="only_second" if first else "only_first",
        max_length=longest,
        stride=max(room - step, 0),
        padding=padding,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )


def _feature(
    example: SquadExample, number: int, windows: Any, row: int, tokenizer: Any, is_training: bool, unique_id: int
) -> SquadFeatures:
    ids, mask, offsets = (windows[name][row] for name in ("input_ids", "attention_mask", "offset_mapping"))
    of_text = [
        place
        for place, which in enumerate(windows.sequence_ids(row))
        if which == int(tokenizer.padding_side == "right")
    ]
    words = {
        place: example.char_to_word_offset[min(offsets[place][0], len(example.char_to_word_offset) - 1)]
        for place in of_text
    }
    cls_index = ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in ids else 0
    start = end = cls_index
    impossible = example.is_impossible
    if is_training and not impossible:
        inside = [place for place, word in words.items() if example.start_position <= word <= example.end_position]
        starts = bool(of_text) and words[of_text[0]] <= example.start_position
        whole = starts and words[of_text[-1]] >= example.end_position
        if inside and whole:
            start, end = inside[0], inside[-1]
        else:
            impossible = True
    allowed = {*of_text, cls_index}
    return SquadFeatures(
        input_ids=ids,
        attention_mask=mask,
        token_type_ids=windows["token_type_ids"][row],
        cls_index=cls_index,
        p_mask=[int(place not in allowed) for place in range(len(ids))],
        example_index=number,
        unique_id=unique_id,
        paragraph_len=len(of_text),
        token_is_max_context={},
        tokens=tokenizer.convert_ids_to_tokens([id_ for id_, real in zip(ids, mask, strict=True) if real]),
        token_to_orig_map=words,
        start_position=start,
        end_position=end,
        is_impossible=impossible,
        qas_id=example.qas_id,
        encoding=windows,
    )


def _mark_best_windows(features: list[SquadFeatures]) -> None:
    """A word stands in several windows: the one where it has the most around it is its best."""
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for place, feature in enumerate(features):
        tokens = list(feature.token_to_orig_map)
        for nth, token in enumerate(tokens):
            around = min(nth, len(tokens) - 1 - nth) + 0.01 * len(tokens)
            key = (feature.example_index, feature.token_to_orig_map[token])
            if key not in best or around > best[key][0]:
                best[key] = (around, place)
    for place, feature in enumerate(features):
        feature.token_is_max_context = {
            token: best[feature.example_index, word][1] == place for token, word in feature.token_to_orig_map.items()
        }


def _as_tensors(features: list[SquadFeatures], is_training: bool) -> Any:
    import torch
    from torch.utils.data import TensorDataset

    names = ["input_ids", "attention_mask", "token_type_ids"]
    columns = [torch.tensor([getattr(row, name) for row in features]) for name in names]
    tail = [torch.tensor([row.cls_index for row in features]), torch.tensor([row.p_mask for row in features]).float()]
    if not is_training:
        return TensorDataset(*columns, torch.arange(len(features)), *tail)
    positions = [torch.tensor([getattr(row, name) for row in features]) for name in ("start_position", "end_position")]
    return TensorDataset(*columns, *positions, *tail, torch.tensor([row.is_impossible for row in features]).float())
