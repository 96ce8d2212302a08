"""Encoder and decoder together: the order of a pass, and the heads that stand on it."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    ModelOutput,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Seq2SeqSequenceClassifierOutput,
)
from .context import Context, open_context
from .embeddings import tokens_or_vectors
from .generating import GenerationMixin
from .heads import ClassificationHead, HeadModel
from .linear import linear
from .losses import IGNORED, classification_loss, cross_entropy, span_loss
from .packing import reading, real_tokens
from .pretrained import PreTrainedModel
from .stack import run_stack


def run_seq2seq(
    model: PreTrainedModel,
    input_ids: Tensor | None = None,
    attention_mask: Tensor | None = None,
    decoder_input_ids: Tensor | None = None,
    decoder_attention_mask: Tensor | None = None,
    encoder_outputs: Any = None,
    past_key_values: Any = None,
    inputs_embeds: Tensor | None = None,
    decoder_inputs_embeds: Tensor | None = None,
    use_cache: bool | None = None,
    output_attentions: bool | None = None,
    output_hidden_states: bool | None = None,
) -> Seq2SeqModelOutput:
    """Run model.encoder over the source, unless encoder_outputs says what it gave, then model.decoder over the target.

    All ids are (batch, length). last_hidden_state is the decoder's.
    """
    wanted: dict[str, Any] = {"output_attentions": output_attentions, "output_hidden_states": output_hidden_states}
    if encoder_outputs is None:
        with reading(real_tokens):  # the decoder, behind the same mask
            encoder_outputs = model.encoder(
                input_ids, attention_mask, inputs_embeds=inputs_embeds, return_dict=True, **wanted
            )
    encoder_outputs = as_output(encoder_outputs)
    check_target(model, decoder_input_ids, decoder_inputs_embeds)
    out = model.decoder(
        decoder_input_ids,
        decoder_attention_mask,
        encoder_hidden_states=encoder_outputs.last_hidden_state,
        encoder_attention_mask=attention_mask,
        inputs_embeds=decoder_inputs_embeds,
        past_key_values=past_key_values,
        use_cache=use_cache,
        return_dict=True,
        **wanted,
    )
    return Seq2SeqModelOutput(
        last_hidden_state=out.last_hidden_state,
        past_key_values=out.past_key_values,
        decoder_hidden_states=out.hidden_states,
        decoder_attentions=out.attentions,
        cross_attentions=out.cross_attentions,
        encoder_last_hidden_state=encoder_outputs.last_hidden_state,
        encoder_hidden_states=encoder_outputs.hidden_states,
        encoder_attentions=encoder_outputs.attentions,
    )


def as_output(given: Any) -> Any:
    """What an encoder gave, where it may be a plain tuple."""
    if isinstance(given, ModelOutput):
        return given
    return BaseModelOutput(dict(zip(("last_hidden_state", "hidden_states", "attentions"), given, strict=False)))


def check_target(model: PreTrainedModel, ids: Tensor | None, vectors: Tensor | None) -> None:
    if ids is None and vectors is None:
        raise ValueError(
            f"{type(model).__name__} writes a target: pass decoder_input_ids (or labels, where there are some)"
        )


def lacks_target(inputs: dict[str, Any]) -> bool:
    """Whether there is no target among the named inputs; None is none."""
    return inputs.get("decoder_input_ids") is None and inputs.get("decoder_inputs_embeds") is None


class Seq2SeqModel(PreTrainedModel):
    """The base of models that write a target."""

    def get_encoder(self) -> Any:
        return self.base_model.encoder

    def get_decoder(self) -> Any:
        return self.base_model.decoder

    def set_input_embeddings(self, module: nn.Module) -> None:
        super().set_input_embeddings(module)
        for half in self.children():
            if isinstance(half, HalfStack) and half.word_embeddings is not None:
                half.word_embeddings = module

    def shift_right(self, ids: Tensor) -> Tensor:
        """Target ids as decoder input: one place later, the start token first, padding where a label does not count."""
        start, padding = self.config.decoder_start_token_id, self.config.pad_token_id
        if start is None or padding is None:
            raise ValueError(
                "to make decoder_input_ids, config.decoder_start_token_id and config.pad_token_id must be set"
            )
        shifted = ids.roll(1, dims=-1)
        shifted[..., 0] = start
        return shifted.masked_fill(shifted == IGNORED, padding)

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        return self.shift_right(labels)


class HalfStack(Seq2SeqModel):
    """One half of a model that reads a source and writes a target. Roles: word_embeddings, blocks.

    `embed` and `finish` are the family's.
    """

    biased: ClassVar[bool] = False  # whether `embed` adds a bias to the context's mask
    blocks: Any
    decodes: bool
    skip: float = 0.0  # the chance that a block is left out in training

    def embed(self, input_ids: Tensor | None, given: Tensor, context: Context) -> Tensor:
        """What goes into the first block; given: the ids (batch, length), or vectors in their place."""
        raise TypeError(f"{type(self).__name__} does not say how it embeds")

    def finish(self, x: Tensor) -> Tensor:
        return x

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """last_hidden_state (batch, length, hidden)."""
        given = tokens_or_vectors(input_ids, inputs_embeds)
        context = open_context(
            self.config,
            given,
            causal=self.decodes,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=use_cache if self.decodes and not self.recomputes else False,
            memory=encoder_hidden_states,
            memory_mask=encoder_attention_mask,
            bias=self.biased,
            packs=self.training,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
        )
        x = self.embed(input_ids, given, context)
        x = run_stack(self.blocks, x, context, recompute=self.recomputes, skip=self.skip if self.training else 0.0)
        x = self.finish(x)
        context.see(x)
        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=x, past_key_values=context.cache, **context.collected()
        )


def passed_on(out: Seq2SeqModelOutput) -> dict[str, Any]:
    return {name: value for name, value in out.items() if name != "last_hidden_state"}


class Seq2SeqLM(GenerationMixin, Seq2SeqModel, HeadModel):
    """Write a target text for a source text."""

    def build(self, config: Any) -> None:
        self.output_embeddings = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def score_tokens(self, x: Tensor) -> Tensor:
        return linear(self.output_embeddings, x)

    def forward(self, *args: Any, labels: Tensor | None = None, **inputs: Any) -> Seq2SeqLMOutput:
        """logits (batch, target length, vocabulary); labels (batch, target length) also make decoder_input_ids."""
        if labels is not None:
            inputs["use_cache"] = False
            if len(args) < 3 and lacks_target(inputs):
                inputs["decoder_input_ids"] = self.shift_right(labels)
        out = self.run_body(*args, **inputs)
        logits = self.score_tokens(out.last_hidden_state)
        return Seq2SeqLMOutput(loss=cross_entropy(logits, labels), logits=logits, **passed_on(out))


class Seq2SeqClassification(Seq2SeqModel, HeadModel):
    """Scores of labels for a text, from the decoder's state at the text's last end token."""

    def build(self, config: Any) -> None:
        self.classification_head = ClassificationHead(config.hidden_size, config.num_labels, config.classifier_dropout)

    def forward(
        self, input_ids: Tensor, *args: Any, labels: Tensor | None = None, **inputs: Any
    ) -> Seq2SeqSequenceClassifierOutput:
        """logits (batch, labels). Every text must hold config.eos_token_id."""
        if labels is not None:
            inputs["use_cache"] = False
        if len(args) < 2 and lacks_target(inputs):
            inputs["decoder_input_ids"] = self.shift_right(input_ids)
        ends: Tensor = input_ids.eq(self.config.eos_token_id)
        if not torch.compiler.is_compiling() and input_ids.device.type == "cpu" and not ends.any(1).all():
            raise ValueError(
                f"a text without the end token {self.config.eos_token_id} was given, but {type(self).__name__} reads "
                "its label there: tokenize with add_special_tokens=True"
            )
        out = self.run_body(input_ids, *args, **inputs)
        last = (ends * torch.arange(1, ends.shape[1] + 1, device=ends.device)).argmax(1)
        hidden = out.last_hidden_state
        logits = self.classification_head(hidden[torch.arange(len(hidden), device=hidden.device), last])
        loss = classification_loss(logits, labels, self.config)
        return Seq2SeqSequenceClassifierOutput(loss=loss, logits=logits, **passed_on(out))


class Seq2SeqQuestionAnswering(Seq2SeqModel, HeadModel):
    """Where in the text an answer starts and ends, by the decoder."""

    def build(self, config: Any) -> None:
        self.qa_outputs = nn.Linear(config.hidden_size, 2)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *args: Any,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqQuestionAnsweringModelOutput:
        """start_logits and end_logits (batch, length); the positions that train them (batch,)."""
        if start_positions is not None and end_positions is not None:
            inputs["use_cache"] = False
        if input_ids is not None and lacks_target(inputs):
            inputs["decoder_input_ids"] = self.shift_right(input_ids)
        out = self.run_body(input_ids, *args, **inputs)
        start, end = self.qa_outputs(out.last_hidden_state).unbind(-1)
        return Seq2SeqQuestionAnsweringModelOutput(
            loss=span_loss(start, end, start_positions, end_positions),
            start_logits=start.contiguous(),
            end_logits=end.contiguous(),
            **passed_on(out),
        )
