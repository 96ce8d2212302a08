"""Heads: what stands on a body for a task. One class a task; a family names its weights and its text vector.

A head hands its inputs on to the body, so it takes what the body takes, and `labels` besides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..outputs import (
    CausalLMOutputWithCrossAttentions,
    CausalLMOutputWithPast,
    ImageClassifierOutput,
    MaskedLMOutput,
    ModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    SequenceClassifierOutputWithPast,
    TokenClassifierOutput,
)
from .generating import GenerationMixin
from .linear import linear
from .losses import classification_loss, cross_entropy, next_token_loss, span_loss
from .mlp import activation_function
from .packing import Reads, first_tokens, labelled_tokens, reading
from .pretrained import PreTrainedModel
from .roles import open_rooms


class HeadModel(PreTrainedModel):
    """A body under the family's prefix, and a head that `build` makes."""

    body_class: ClassVar[type[PreTrainedModel]]
    body_options: ClassVar[dict[str, Any]] = {}
    output_class: ClassVar[type[ModelOutput]]

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.add_module(self.base_model_prefix, self.make_body(config))
        self.build(config)
        self.post_init()

    def make_body(self, config: Any) -> PreTrainedModel:
        return self.body_class(config, **self.body_options)

    def build(self, config: Any) -> None:
        """Make the head's modules."""
        raise TypeError(f"{type(self).__name__} has no head")

    def head_dropout(self, config: Any) -> float:
        """Dropout before a classifier, by the key that the family has for it."""
        own = config.classifier_dropout
        return config.hidden_dropout_prob if own is None else own

    def run_body(self, *args: Any, **inputs: Any) -> Any:
        return self.base_model(*args, return_dict=True, **inputs)

    def answer(self, out: ModelOutput, **fields: Any) -> Any:
        """This head's output: these fields, and what the body's output has beside them that its class knows."""
        known = self.output_class.field_names()
        return self.output_class(**fields, **{name: value for name, value in out.items() if name in known})


def seen(out: ModelOutput) -> dict[str, Any]:
    """The fields of a body's output that a head passes on."""
    return {k: v for k, v in out.items() if k not in ("last_hidden_state", "pooler_output")}


# --- the vector of a text -----------------------------------------------------------------------------------------


def pooled(model: HeadModel, out: ModelOutput) -> Tensor:
    """What the body's pooler made of the first token."""
    return model.dropout(out.pooler_output)


def first_token(model: HeadModel, out: ModelOutput) -> Tensor:
    """The first token's hidden state as it is."""
    return out.last_hidden_state[:, 0]


def every_token(model: HeadModel, out: ModelOutput) -> Tensor:
    """All hidden states, of which the classifier picks its own."""
    return out.last_hidden_state


class Pooler(nn.Module):
    """The first token's hidden state through a layer and tanh."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.dense(x[:, 0]))


class SequenceSummary(nn.Module):
    """One vector for a text by the config's summary_type, through a projection: (…, length, hidden) -> (…, size)."""

    def __init__(self, config: Any, size: int) -> None:
        super().__init__()
        self.kind = config.summary_type
        if self.kind not in ("first", "last", "mean", "cls_index"):
            raise ValueError(f"summary_type is {self.kind!r}; known are 'first', 'last', 'mean' and 'cls_index'")
        self.summary = nn.Linear(config.hidden_size, size) if config.summary_use_proj else None
        self.activation = activation_function(config.summary_activation or "linear")
        self.first_dropout = nn.Dropout(getattr(config, "summary_first_dropout", 0.0))
        self.last_dropout = nn.Dropout(getattr(config, "summary_last_dropout", 0.0))

    def forward(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """index (…): which token speaks for the text, with "cls_index" (None: the last)."""
        if self.kind == "mean":
            x = x.mean(-2)
        elif self.kind == "cls_index" and index is not None:
            x = x.gather(-2, index[..., None, None].expand(*index.shape, 1, x.shape[-1])).squeeze(-2)
        else:
            x = x[..., 0 if self.kind == "first" else -1, :]
        x = self.first_dropout(x)
        x = x if self.summary is None else self.summary(x)
        return self.last_dropout(self.activation(x))


class ClassificationHead(nn.Module):
    """dropout, dense, activation, dropout, out_proj: from a text's vector to the scores of its labels."""

    def __init__(self, hidden_size: int, labels: int, dropout: float, activation: str = "tanh") -> None:
        super().__init__()
        self.dense = nn.Linear(hidden_size, hidden_size)
        self.out_proj = nn.Linear(hidden_size, labels)
        self.dropout = nn.Dropout(dropout)
        self.activation = activation_function(activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_proj(self.dropout(self.activation(self.dense(self.dropout(x)))))


class FirstTokenHead(ClassificationHead):
    """The same for the first of a text's hidden states, (batch, length, hidden)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x[:, 0])


# --- one label, or several, for a text ----------------------------------------------------------------------------


class SequenceClassification(HeadModel):
    """Scores of labels for a text; the loss is the one of config.problem_type."""

    output_class: ClassVar[type[ModelOutput]] = SequenceClassifierOutput
    text_vector: ClassVar[Callable[[HeadModel, ModelOutput], Tensor]] = pooled
    reads: ClassVar[tuple[Reads, ...]] = (first_tokens,)  # all that text_vector reads; (): who knows
    classifier: Any

    def build(self, config: Any) -> None:
        self.dropout = nn.Dropout(self.head_dropout(config))
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> Any:
        """logits (batch, labels). labels: (batch,) classes or values, or (batch, labels) for multi-label."""
        with reading(*self.reads):
            out = self.run_body(*args, **inputs)
        logits = self.classifier(self.text_vector(out))
        loss = classification_loss(logits, labels, self.config)
        return self.answer(out, loss=loss, logits=logits)


class FirstTokenClassification(SequenceClassification):
    """The same from the first token's hidden state, through a layer of its own."""

    text_vector = every_token
    activation: ClassVar[str] = "tanh"

    def build(self, config: Any) -> None:
        dropout = self.head_dropout(config)
        self.classifier = FirstTokenHead(config.hidden_size, config.num_labels, dropout, self.activation)


class ImageClassification(SequenceClassification):
    """Scores of labels for an image."""

    output_class: ClassVar[type[ModelOutput]] = ImageClassifierOutput
    text_vector = first_token  # of an image: its first place

    def build(self, config: Any) -> None:
        self.classifier = image_classifier(config.hidden_size, config.num_labels)


def image_classifier(size: int, labels: int) -> nn.Module:
    """A projection to the labels; without labels the vector itself goes through."""
    return nn.Linear(size, labels) if labels else nn.Identity()


class LastTokenClassification(HeadModel):
    """Scores of labels from a decoder's last real token."""

    output_class: ClassVar[type[ModelOutput]] = SequenceClassifierOutputWithPast
    score: Any

    def build(self, config: Any) -> None:
        self.score = nn.Linear(config.hidden_size, config.num_labels, bias=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *args: Any,
        labels: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """logits (batch, labels); the last token that is not config.pad_token_id speaks for the text."""

        def last_tokens(real: Tensor) -> bool:
            return bool(real.gather(1, self._last_tokens(input_ids, real)[:, None]).all())

        with reading(last_tokens):
            out = self.run_body(input_ids, *args, inputs_embeds=inputs_embeds, **inputs)
        hidden = out.last_hidden_state
        last = self._last_tokens(input_ids, hidden)
        logits = self.score(hidden[torch.arange(len(hidden), device=hidden.device), last])
        loss = classification_loss(logits, labels, self.config)
        return self.answer(out, loss=loss, logits=logits)

    def _last_tokens(self, input_ids: Tensor | None, hidden: Tensor) -> Tensor:
        pad = self.config.pad_token_id
        if pad is None and len(hidden) > 1:
            raise ValueError(
                f"{type(self).__name__} got a batch of {len(hidden)} texts, but config.pad_token_id is None, so the "
                "last real token of each is unknown: set model.config.pad_token_id = tokenizer.pad_token_id"
            )
        if pad is None or input_ids is None:
            return torch.full((len(hidden),), hidden.shape[1] - 1, device=hidden.device)
        places = torch.arange(hidden.shape[1], device=hidden.device)
        return (places * (input_ids != pad)).argmax(-1)


class MultipleChoice(HeadModel):
    """Which of several texts fits: inputs (batch, choices, length), logits (batch, choices)."""

    output_class: ClassVar[type[ModelOutput]] = MultipleChoiceModelOutput
    text_vector: ClassVar[Callable[[HeadModel, ModelOutput], Tensor]] = pooled
    reads: ClassVar[tuple[Reads, ...]] = (first_tokens,)  # all that text_vector reads; (): who knows

    def build(self, config: Any) -> None:
        self.dropout = nn.Dropout(self.head_dropout(config))
        self.classifier = nn.Linear(config.hidden_size, 1)

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> Any:
        """labels: (batch,), the index of the right choice."""
        given = [value for value in (*args, *inputs.values()) if isinstance(value, Tensor)]
        if not given or given[0].dim() < 3:
            raise ValueError(
                f"{type(self).__name__} takes input_ids of shape (batch, choices, length), got "
                f"{tuple(given[0].shape) if given else 'none'}"
            )
        choices = given[0].shape[1]

        def flat(value: Any) -> Any:
            return value.flatten(0, 1) if isinstance(value, Tensor) and value.dim() > 2 else value

        with reading(*self.reads):
            out = self.run_body(*map(flat, args), **{name: flat(value) for name, value in inputs.items()})
        logits = self.classifier(self.text_vector(out)).view(-1, choices)
        return self.answer(out, loss=cross_entropy(logits, labels), logits=logits)


# --- something for every token ------------------------------------------------------------------------------------


class TokenClassification(HeadModel):
    """Scores of labels for every token."""

    output_class: ClassVar[type[ModelOutput]] = TokenClassifierOutput
    classifier: Any

    def build(self, config: Any) -> None:
        self.dropout = nn.Dropout(self.head_dropout(config))
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> Any:
        """logits (batch, length, labels); labels (batch, length)."""
        with reading(labelled_tokens(labels)):
            out = self.run_body(*args, **inputs)
        logits = self.classifier(self.dropout(out.last_hidden_state))
        return self.answer(out, loss=cross_entropy(logits, labels), logits=logits)


class QuestionAnswering(HeadModel):
    """Where in the text an answer starts and ends."""

    output_class: ClassVar[type[ModelOutput]] = QuestionAnsweringModelOutput
    dropout: nn.Module

    def build(self, config: Any) -> None:
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.dropout = nn.Identity()  # a family may put one there

    def forward(
        self,
        *args: Any,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **inputs: Any,
    ) -> Any:
        """start_logits and end_logits (batch, length); the positions that train them (batch,)."""
        out = self.run_body(*args, **inputs)
        start, end = self.qa_outputs(self.dropout(out.last_hidden_state)).unbind(-1)
        return self.answer(
            out,
            loss=span_loss(start, end, start_positions, end_positions),
            start_logits=start.contiguous(),
            end_logits=end.contiguous(),
        )


# --- the vocabulary ------------------------------------------------------------------------------------------------


class VocabularyHead(HeadModel):
    """Scores of all tokens for every position, through a transform that ends at the embeddings' size.

    Roles: dense and norm, the transform; output_embeddings, tied to the word embeddings; lm_bias, its bias under
    the second name that many files give it.
    """

    dense: Any = None
    norm: Any = None
    lm_bias: Any = None

    def build(self, config: Any) -> None:
        size = getattr(config, "embedding_size", None) or config.hidden_size
        self.dense = nn.Linear(config.hidden_size, size)
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.output_embeddings = nn.Linear(size, config.vocab_size)
        if "lm_bias" in self.roles():
            self.lm_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.activation = activation_function(self.head_activation(config))
        open_rooms(self, "dense", partial(transformed, activation=self.activation))

    def head_activation(self, config: Any) -> str:
        return config.hidden_act

    def score_tokens(self, x: Tensor) -> Tensor:
        return linear(self.output_embeddings, self.norm(self.activation(linear(self.dense, x))))


def transformed(room: Any, x: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """What a room of a vocabulary head makes of hidden states: the scores of all tokens if it holds them, or else the
    transform before them."""
    x = room.norm(activation(linear(room.dense, x)))
    return linear(room.output_embeddings, x) if "output_embeddings" in room.within else x


class MaskedLM(VocabularyHead):
    """Fill in masked tokens."""

    output_class: ClassVar[type[ModelOutput]] = MaskedLMOutput

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> Any:
        """logits (batch, length, vocabulary); labels (batch, length), -100 where nothing was masked."""
        with reading(labelled_tokens(labels)):
            out = self.run_body(*args, **inputs)
        logits = self.score_tokens(out.last_hidden_state)
        return self.answer(out, loss=cross_entropy(logits, labels), logits=logits)


class CausalLM(GenerationMixin, HeadModel):
    """Next-token scores by one projection, tied to the word embeddings if the config says so."""

    output_class: ClassVar[type[ModelOutput]] = CausalLMOutputWithPast
    output_bias: ClassVar[bool] = False
    label_loss = staticmethod(next_token_loss)

    def build(self, config: Any) -> None:
        self.output_embeddings = nn.Linear(config.hidden_size, config.vocab_size, bias=self.output_bias)

    def score_tokens(self, x: Tensor) -> Tensor:
        return linear(self.output_embeddings, x)

    def forward(
        self,
        *args: Any,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        num_items_in_batch: Any = None,
        **inputs: Any,
    ) -> Any:
        """logits (batch, length, vocabulary) of the next token at each position; labels are the tokens themselves.

        logits_to_keep: only the last so many positions (0: all), or these positions, are scored.
        """
        with reading(labelled_tokens(labels, ahead=1)):
            out = self.run_body(*args, **inputs)
        logits = self.score_tokens(kept_positions(out.last_hidden_state, logits_to_keep))
        loss = self.label_loss(logits, labels, num_items_in_batch)
        return self.answer(out, loss=loss, logits=logits)


class TransformedCausalLM(VocabularyHead, CausalLM):
    """An encoder family as a decoder: next-token scores through its vocabulary head. With labels it keeps no cache."""

    output_class: ClassVar[type[ModelOutput]] = CausalLMOutputWithCrossAttentions

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> Any:
        if labels is not None:
            inputs["use_cache"] = False
        return super().forward(*args, labels=labels, **inputs)


def kept_positions(hidden: Tensor, keep: int | Tensor) -> Tensor:
    if isinstance(keep, int):
        return hidden[:, -keep:] if keep else hidden
    return hidden[:, keep]
