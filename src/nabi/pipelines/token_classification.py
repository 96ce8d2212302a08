"""token-classification, also called ner: the label of every token, or the named things of a text with their places.

"김민수는 서울에 산다" -> input_ids (1, length) -> logits (1, length, labels)
    -> [{"entity_group": "PER", "score": 0.99, "word": "김민수", "start": 0, "end": 3}, …]

A text longer than the model reads is cut, unless `stride` is given: then it is read in windows that overlap by so
many tokens, and where their findings overlap the longer one stays, or the surer one of two that are equally long.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .base import Pipeline, Steps
from .entities import Span, best_of_overlapping, groups, touches, words
from .settings import check_names, longest_text
from .text_classification import described

logger = logging.getLogger(__name__)

SETTINGS = (
    "ignore_labels grouped_entities ignore_subwords aggregation_strategy is_split_into_words stride delimiter".split()
)


class AggregationStrategy(enum.Enum):
    """How tokens become entities. FIRST, AVERAGE and MAX give the tokens of a word one label: that of its first token,
    of their mean scores, or of the surest token."""

    NONE = "none"
    SIMPLE = "simple"
    FIRST = "first"
    AVERAGE = "average"
    MAX = "max"


class TokenClassificationPipeline(Pipeline):
    """Labels for the tokens of texts, by a model of the kind …ForTokenClassification.

    aggregation_strategy: "none" gives each token with its label; "simple" joins neighbours of the same label (B- and
    I- are one, but B- begins anew); "first", "average" and "max" do so with whole words, which is what Korean needs.
    ignore_labels: labels that are left out ("O").
    stride: read a long text in windows that overlap by so many tokens.
    is_split_into_words: an item is a list of words, joined by `delimiter` (" ") where places are counted.
    offset_mapping: the place of every token in the text, special ones too, if the tokenizer's own are not wanted.
    grouped_entities, ignore_subwords: the old names of "simple" (True) and "first" (both True).

        pipe("text")           [{"entity", "score", "index", "word", "start", "end"}, …]
        pipe("text", aggregation_strategy="simple")   [{"entity_group", "score", "word", "start", "end"}, …]
        pipe(["text", …])      a list of such lists

    `word` is as the tokenizer spells it; text[start:end] is what stands in the text.
    """

    task = "token-classification"
    heads = ("AutoModelForTokenClassification",)
    _told_of_a_cut = False

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        """See the class. With offset_mapping, a list of texts takes one mapping for each."""
        mapping = settings.pop("offset_mapping", None)
        if mapping is not None:
            return super().__call__(with_offsets(inputs, mapping), **settings)
        split = settings.get("is_split_into_words", self._settings[0].get("is_split_into_words"))
        if split and isinstance(inputs, (list, tuple)) and any(isinstance(word, str) for word in inputs):
            return super().__call__([inputs], **settings)
        return super().__call__(inputs, **settings)

    def _sanitize_parameters(
        self,
        ignore_labels: list[str] | None = None,
        grouped_entities: bool | None = None,
        ignore_subwords: bool | None = None,
        aggregation_strategy: AggregationStrategy | str | None = None,
        is_split_into_words: bool | None = None,
        stride: int | None = None,
        delimiter: str | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, SETTINGS)
        before = {"is_split_into_words": is_split_into_words, "delimiter": delimiter, "stride": stride}
        after: dict[str, Any] = {}
        if aggregation_strategy is not None:
            after["aggregation_strategy"] = strategy_of(aggregation_strategy)
        elif grouped_entities is not None or ignore_subwords is not None:
            joined = AggregationStrategy.FIRST if ignore_subwords else AggregationStrategy.SIMPLE
            after["aggregation_strategy"] = joined if grouped_entities else AggregationStrategy.NONE
            logger.warning(
                "grouped_entities and ignore_subwords are old names: say aggregation_strategy=%r",
                after["aggregation_strategy"].value,
            )
        if ignore_labels is not None:
            if isinstance(ignore_labels, str):
                raise TypeError(f"ignore_labels is the string {ignore_labels!r}; expected a list: [{ignore_labels!r}]")
            after["ignore_labels"] = frozenset(ignore_labels)
        if stride is not None:
            limit = longest_text(self.model, self.tokenizer)
            if isinstance(stride, bool) or not isinstance(stride, int) or not 0 <= stride < (limit or stride + 1):
                raise ValueError(f"stride is {stride!r}; expected a number from 0 to below the {limit} of a window")
            if after.get("aggregation_strategy") is AggregationStrategy.NONE:
                raise ValueError("stride reads windows whose entities are joined: say aggregation_strategy='simple'")
        return {name: value for name, value in before.items() if value is not None}, {}, after

    def preprocess(  # type: ignore[override]
        self, inputs: Any, is_split_into_words: bool = False, delimiter: str = " ", stride: int | None = None
    ) -> list[dict[str, Any]]:
        """A text, or a list of words, to its windows (1, length); kept: the text, and each token's place in it."""
        mapping = None
        if isinstance(inputs, Mapping):
            inputs, mapping = inputs.get("text"), inputs.get("offset_mapping")
        text = checked_text(inputs, is_split_into_words, delimiter)
        assert self.tokenizer is not None
        encoded = self.tokenizer(
            list(inputs) if is_split_into_words else inputs,
            is_split_into_words=is_split_into_words,
            truncation=True,
            max_length=longest_text(self.model, self.tokenizer),
            stride=stride or 0,
            return_overflowing_tokens=True,
        )
        windows = encoded.encodings if stride is not None else encoded.encodings[:1]
        if len(windows) < len(encoded.encodings) and not self._told_of_a_cut:
            self._told_of_a_cut = True
            logger.warning(
                "%.40r… has more than the %d tokens that are read, and the rest is left out: say stride=… to read all "
                "(said once)",
                text,
                len(windows[0]),
            )
        if mapping is not None and (len(windows) > 1 or len(mapping) != len(windows[0])):
            raise ValueError(
                f"offset_mapping has {len(mapping)} places, but the text has {sum(map(len, windows))} tokens"
                f"{' in several windows' if len(windows) > 1 else ''}: there is one for each, special tokens too"
            )
        begins = word_starts(inputs, len(delimiter)) if is_split_into_words else None
        parts = []
        for number, window in enumerate(windows):
            offsets = [tuple(place) for place in mapping] if mapping is not None else window.offsets
            if begins is not None and mapping is None:
                offsets = shifted(offsets, window.word_ids, begins)
            kept = {"text": text, "ids": window.ids, "offsets": offsets, "special": window.special_tokens_mask}
            if window.ids:
                parts.append(
                    {
                        **{
                            name: torch.tensor(encoded[name][number])[None]
                            for name in self.tokenizer.model_input_names
                            if name in encoded
                        },
                        "kept": kept,
                    }
                )
        return parts

    def _forward(self, model_inputs: dict[str, Any], **_: Any) -> dict[str, Tensor]:
        logits = getattr(self.model(**model_inputs), "logits", None)
        if logits is None or logits.dim() != 3 or logits.shape[1] != model_inputs["input_ids"].shape[1]:
            raise TypeError(
                f"{type(self.model).__name__} gives no logits (batch, length, labels), so it cannot label tokens: load "
                "the checkpoint with AutoModelForTokenClassification"
            )
        return {"scores": logits.float().softmax(-1)}

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: list[dict[str, Any]],
        aggregation_strategy: AggregationStrategy = AggregationStrategy.NONE,
        ignore_labels: frozenset[str] = frozenset({"O"}),
    ) -> list[dict[str, Any]]:
        """Scores (1, length, labels) of each window -> tokens or entities in the order of the text."""
        found: list[dict[str, Any]] = []
        for window in model_outputs:
            tokens = list(self._tokens(window))
            if aggregation_strategy is AggregationStrategy.NONE:
                entities = [self._labelled(token) for token in tokens]
            else:
                if aggregation_strategy is not AggregationStrategy.SIMPLE:
                    tokens = [self._word(word, aggregation_strategy) for word in words(tokens)]
                entities = [self._joined(group) for group in groups([self._labelled(token) for token in tokens])]
            found += [one for one in entities if one.get("entity", one.get("entity_group")) not in ignore_labels]
        return best_of_overlapping(found) if len(model_outputs) > 1 else found

    def _tokens(self, window: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The real tokens of a window with their scores (labels,), and whether each goes on with a word."""
        kept = window["kept"]
        assert self.tokenizer is not None
        length = len(kept["ids"])
        scores = (window["scores"][0, -length:] if self.pads_left else window["scores"][0, :length]).numpy()
        prefix = getattr(self.tokenizer.backend_tokenizer.model, "continuing_subword_prefix", None)
        text, before = kept["text"], None
        for index, (token_id, place, special) in enumerate(
            zip(kept["ids"], kept["offsets"], kept["special"], strict=True)
        ):
            if special:
                continue
            word = self.tokenizer.convert_ids_to_tokens(token_id)
            goes_on = word.startswith(prefix) if prefix else before is not None and touches(text, before, place)
            if token_id == self.tokenizer.unk_token_id:
                word = text[slice(*place)]
            yield {"word": word, "scores": scores[index], "index": index, "place": place, "goes_on": goes_on}
            before = place if before is None or not goes_on else (min(before[0], place[0]), max(before[1], place[1]))

    def _word(self, tokens: list[dict[str, Any]], strategy: AggregationStrategy) -> dict[str, Any]:
        """The tokens of one word as a single one."""
        assert self.tokenizer is not None
        if strategy is AggregationStrategy.AVERAGE:
            scores = np.mean([token["scores"] for token in tokens], axis=0)
        elif strategy is AggregationStrategy.MAX:
            scores = max((token["scores"] for token in tokens), key=lambda each: each.max())
        else:
            scores = tokens[0]["scores"]
        word = self.tokenizer.convert_tokens_to_string([token["word"] for token in tokens])
        return {"word": word, "scores": scores, "place": (tokens[0]["place"][0], tokens[-1]["place"][1])}

    def _labelled(self, token: dict[str, Any]) -> dict[str, Any]:
        best = int(token["scores"].argmax())
        return {
            "entity": self.model.config.id2label.get(best, f"LABEL_{best}"),
            "score": float(token["scores"][best]),
            **({"index": token["index"]} if "index" in token else {}),
            "word": token["word"],
            "start": token["place"][0],
            "end": token["place"][1],
        }

    def _joined(self, group: list[dict[str, Any]]) -> dict[str, Any]:
        assert self.tokenizer is not None
        return {
            "entity_group": group[0]["entity"].split("-", 1)[-1],
            "score": sum(one["score"] for one in group) / len(group),
            "word": self.tokenizer.convert_tokens_to_string([one["word"] for one in group]),
            "start": group[0]["start"],
            "end": group[-1]["end"],
        }


# ---------------------------------------------------------------- inputs


def strategy_of(name: Any) -> AggregationStrategy:
    try:
        return name if isinstance(name, AggregationStrategy) else AggregationStrategy(str(name).lower())
    except ValueError:
        choices = ", ".join(repr(choice.value) for choice in AggregationStrategy)
        raise ValueError(f"aggregation_strategy is {name!r}; expected one of {choices}") from None


def checked_text(inputs: Any, in_words: bool, delimiter: str) -> str:
    """The text of an item; TypeError or ValueError if it is none."""
    if in_words:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(
                f"with is_split_into_words=True an item is a list of words, but this is {described(inputs)}"
            )
        for number, word in enumerate(inputs):
            if not isinstance(word, str):
                raise TypeError(f"word {number} is {described(word)}, and no text")
        return delimiter.join(inputs)
    if isinstance(inputs, (list, tuple)):
        raise ValueError(
            f"{inputs!r} is a list where one text is due; for a list of words say is_split_into_words=True"
        )
    if not isinstance(inputs, str):
        raise TypeError(f"{described(inputs)} is no text: pass a string")
    return inputs


def with_offsets(inputs: Any, mapping: Any) -> Any:
    """Each text together with its offsets."""
    if not isinstance(inputs, (list, tuple)):
        nested = bool(mapping) and not isinstance(mapping[0][0], int)
        return {"text": inputs, "offset_mapping": mapping[0] if nested else mapping}
    if mapping and isinstance(mapping[0][0], int):
        mapping = [mapping]
    if len(mapping) != len(inputs):
        raise ValueError(f"offset_mapping is for {len(mapping)} texts, but there are {len(inputs)}: give one for each")
    return [{"text": text, "offset_mapping": own} for text, own in zip(inputs, mapping, strict=True)]


def word_starts(words: list[str], gap: int) -> list[int]:
    """Where each word begins in the joined text."""
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word) + gap)
    return starts


def shifted(offsets: list[Span], word_ids: list[int | None], begins: list[int]) -> list[Span]:
    """Places counted from a token's word -> from the text's beginning."""
    starts = [0 if word is None else begins[word] for word in word_ids]
    return [(a + start, b + start) for (a, b), start in zip(offsets, starts, strict=True)]
