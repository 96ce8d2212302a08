"""Recurrent translation before Transformers: LSTMs that read and write (arXiv:1409.3215), joined by attention.

    source ids -> words -> LSTMs in both directions -> memory                          (batch, source, hidden)
    target ids -> words -> LSTMs, which begin where the reading ended -> states        (batch, target, hidden)
    states, memory -> attention -> tanh of state and what was read -> scores of tokens (batch, target, vocabulary)

The attention stands behind the LSTMs, as Luong's (arXiv:1508.04025), so that a whole target is one pass; its scores
are his "dot" or "general", or Bahdanau's "additive" (arXiv:1409.0473). Nabi's own family, as a baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..config import Config
from ..nn.attention import masked
from ..nn.cache import Cache
from ..nn.embeddings import resize_rows, tokens_or_vectors, word_vectors
from ..nn.masks import row_mask
from ..nn.roles import At
from ..nn.seq2seq import Seq2SeqLM, Seq2SeqModel, run_seq2seq
from ..outputs import BaseModelOutput, BaseModelOutputWithPastAndCrossAttentions, Seq2SeqModelOutput

ATTENTIONS = ("general", "dot", "additive")
Pair = tuple[Tensor, Tensor]


class Seq2SeqLstmConfig(Config):
    """`decoder_vocab_size`: of the target, where it is another than the source's. Half of `hidden_size` reads forwards,
    half backwards."""

    model_type = "seq2seq-lstm"
    aliases = {"num_hidden_layers": "encoder_layers"}

    vocab_size: int = 32000
    decoder_vocab_size: int | None = None
    embedding_size: int = 256
    hidden_size: int = 512
    encoder_layers: int = 2
    decoder_layers: int = 2
    dropout: float = 0.2
    attention: str = "general"
    init_range: float = 0.1
    tie_word_embeddings: bool = False
    is_encoder_decoder: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    decoder_start_token_id: int | None = 1

    def check(self) -> None:
        super().check()
        self.require("attention", ATTENTIONS, "choose one of them")
        if self.hidden_size % 2 or not self.encoder_layers or not self.decoder_layers:
            raise ValueError(
                f"hidden_size is {self.hidden_size}, encoder_layers {self.encoder_layers}, decoder_layers "
                f"{self.decoder_layers}: the first must be even, for two directions, the others at least 1"
            )
        if self.tie_word_embeddings and self.embedding_size != self.hidden_size:
            raise ValueError(
                f"tie_word_embeddings wants words and states of one size, but embedding_size is {self.embedding_size} "
                f"and hidden_size {self.hidden_size}"
            )

    @property
    def target_vocab_size(self) -> int:
        return self.decoder_vocab_size or self.vocab_size


class LstmState(Cache):
    """The decoder's state after the tokens so far: for each layer what it says and what it keeps, (batch, hidden); and
    the memory with its keys, (batch, source, hidden). For callers it is a cache, but it has no positions to forget."""

    def __init__(
        self, layers: Sequence[Pair] = (), cross: Sequence[Pair] = (), length: int = 0, shared: int = 1
    ) -> None:
        super().__init__(shared=shared)
        self.layers: Any = list(layers)
        self.cross = dict(enumerate(cross))
        self.length = length

    def get_seq_length(self, layer: int = 0) -> int:
        return self.length

    def reorder_cache(self, rows: Tensor) -> None:
        self.layers = [(said.index_select(0, rows), kept.index_select(0, rows)) for said, kept in self.layers]
        self.cross = {0: (self.cross[0][0].index_select(0, rows), self.cross[0][1].index_select(0, rows))}

    def crop(self, length: int) -> None:
        if length != self.length:
            raise ValueError(
                f"the state of an LSTM after {self.length} tokens cannot be cut to {length}: run the target again"
            )


class Lstm(nn.LSTM):
    """One layer that skips padding: the real tokens of a row are read as if they stood alone."""

    def __init__(self, fan_in: int, hidden_size: int, both_ways: bool = False) -> None:
        super().__init__(fan_in, hidden_size, batch_first=True, bidirectional=both_ways)

    def read(self, x: Tensor, mask: Tensor, state: Pair | None = None) -> tuple[Tensor, Pair]:
        """x (batch, length, size), mask (batch, length) with 1 at real tokens, state (batch, hidden) twice. Gives the
        outputs, 0 at padding, and the state after the last real token."""
        self._flat_weights = [getattr(self, name) for name in self._flat_weights_names]  # loading may have put others
        begun = None if state is None else (state[0][None].contiguous(), state[1][None].contiguous())
        real = mask.bool()
        if real.all():
            y, (said, kept) = self(x, begun)
            return y, (said[-1], kept[-1])
        counts = real.sum(1)
        if not counts.all():
            raise ValueError("a text has no real token (its row of the attention mask is 0): leave it out of the batch")
        order = real.long().argsort(dim=1, descending=True, stable=True)  # real tokens first, in their order
        rows = torch.arange(len(x), device=x.device)[:, None]
        packed = pack_padded_sequence(x[rows, order], counts.cpu(), batch_first=True, enforce_sorted=False)
        read, (said, kept) = self(packed, begun)
        y, _ = pad_packed_sequence(read, batch_first=True, total_length=x.shape[1])
        return y[rows, order.argsort(dim=1)], (said[-1], kept[-1])


class Seq2SeqLstmPreTrainedModel(Seq2SeqModel):
    config_class = Seq2SeqLstmConfig
    base_model_prefix = "model"

    def init_module(self, module: nn.Module) -> None:
        """Uniform, as in Luong's experiments; but the forget gate's bias is 1: an LSTM begins by keeping."""
        span = self.config.init_range
        learned = isinstance(module, (nn.LSTM, nn.Linear, nn.Embedding))
        for name, parameter in module.named_parameters(recurse=False) if learned else ():
            if not name.startswith("bias"):
                parameter.uniform_(-span, span)
                continue
            parameter.zero_()
            if name.startswith("bias_ih"):
                parameter[parameter.shape[0] // 4 : parameter.shape[0] // 2] = 1.0
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx].zero_()

    def resize_token_embeddings(self, *args: Any, **options: Any) -> nn.Module:
        if self.config.decoder_vocab_size is not None:
            raise ValueError(
                "source and target have vocabularies of their own (config.decoder_vocab_size), so that one new size "
                "cannot be for both: make the model anew with other sizes"
            )
        return super().resize_token_embeddings(*args, **options)

    def _resize_rest(self, count: int) -> None:
        decoder = self.base_model.decoder
        decoder.embed_tokens = resize_rows(decoder.embed_tokens, count, True, self.init_module)


class LstmHalf(Seq2SeqLstmPreTrainedModel):
    """Words and layers. Hidden states are the words and what each layer says."""

    word_embeddings = At("embed_tokens")
    layers: Any

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.dropout)
        self.build(config)
        self.post_init()

    def build(self, config: Any) -> None:
        raise TypeError(f"{type(self).__name__} has no layers")

    def words(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        given = tokens_or_vectors(input_ids, inputs_embeds)
        return self.dropout(word_vectors(self.embed_tokens, input_ids, given))

    def asked(self, key: str, given: bool | None) -> bool:
        return getattr(self.config, key) if given is None else given


class Seq2SeqLstmEncoderStack(LstmHalf):
    def build(self, config: Any) -> None:
        half = config.hidden_size // 2
        self.embed_tokens = nn.Embedding(config.vocab_size, config.embedding_size, config.pad_token_id)
        sizes = [config.embedding_size] + [config.hidden_size] * (config.encoder_layers - 1)
        self.layers = nn.ModuleList(Lstm(size, half, both_ways=True) for size in sizes)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutput:
        """last_hidden_state (batch, length, hidden): forwards and backwards, side by side; 0 at padding."""
        x = self.words(input_ids, inputs_embeds)
        mask = row_mask(attention_mask, x.shape[0], x.shape[1], x.device)
        states = [x]
        for i, layer in enumerate(self.layers):
            x, _ = layer.read(self.dropout(x) if i else x, mask)
            states.append(x)
        wanted = self.asked("output_hidden_states", output_hidden_states)
        return BaseModelOutput(last_hidden_state=x, hidden_states=tuple(states) if wanted else None)


class LstmAttention(nn.Module):
    """What of the memory belongs to a state: weights by the scores' softmax, one head."""

    def __init__(self, size: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        if kind != "dot":
            self.key = nn.Linear(size, size, bias=False)
        if kind == "additive":
            self.query = nn.Linear(size, size)
            self.score = nn.Linear(size, 1, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        return memory if self.kind == "dot" else self.key(memory)

    def forward(self, x: Tensor, keys: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """x (batch, target, hidden), keys and memory (batch, source, hidden), mask (batch, source): what was read,
        (batch, target, hidden), and the weights (batch, target, source)."""
        if self.kind == "additive":
            scores = self.score(torch.tanh(self.query(x)[:, :, None] + keys[:, None])).squeeze(-1)
        else:
            scores = x @ keys.transpose(1, 2)
        weights = torch.softmax(masked(scores, mask.bool()[:, None]), dim=-1)
        return weights @ memory, weights


class Seq2SeqLstmDecoderStack(LstmHalf):
    def build(self, config: Any) -> None:
        size = config.hidden_size
        self.embed_tokens = nn.Embedding(config.target_vocab_size, config.embedding_size, config.pad_token_id)
        self.bridge = nn.Linear(size, 2 * config.decoder_layers * size)
        sizes = [config.embedding_size] + [size] * (config.decoder_layers - 1)
        self.layers = nn.ModuleList(Lstm(fan_in, size) for fan_in in sizes)
        self.attention = LstmAttention(size, config.attention)
        self.combine = nn.Linear(2 * size, size, bias=False)

    def begin(self, memory: Tensor, mask: Tensor) -> LstmState:
        """The state before the first token, of where the reading ended: at the text's end, backwards at its start."""
        rows = torch.arange(len(memory), device=memory.device)
        places = torch.arange(1, mask.shape[1] + 1, device=memory.device) * mask.bool()
        last, first = places.argmax(1), mask.bool().long().argmax(1)
        half = memory.shape[-1] // 2
        end = torch.cat((memory[rows, last, :half], memory[rows, first, half:]), dim=-1)
        parts = torch.tanh(self.bridge(end)).chunk(2 * len(self.layers), dim=-1)
        layers = list(zip(parts[::2], parts[1::2], strict=True))
        return LstmState(layers, [(self.attention.keys(memory), memory)])

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
        """last_hidden_state (batch, length, hidden), after the attention; past_key_values, the state for more tokens.

        attention_mask (batch, length, or all tokens so far): the target's, with 1 at real tokens.
        """
        x = self.words(input_ids, inputs_embeds)
        batch, length = x.shape[:2]
        if encoder_hidden_states is None:
            raise ValueError("the decoder reads an encoder's output: pass encoder_hidden_states")
        shared = past_key_values.shared if isinstance(past_key_values, Cache) else 1
        if shared > 1:  # several rows read one text
            encoder_hidden_states = encoder_hidden_states.repeat_interleave(shared, dim=0)
            if encoder_attention_mask is not None:
                encoder_attention_mask = encoder_attention_mask.repeat_interleave(shared, dim=0)
        source = encoder_hidden_states.shape[1]
        memory_mask = row_mask(encoder_attention_mask, batch, source, x.device)
        before = self.state_of(past_key_values, batch) or self.begin(encoder_hidden_states, memory_mask)
        if attention_mask is not None:
            attention_mask = attention_mask[:, -length:]
        mask = row_mask(attention_mask, batch, length, x.device)
        states, after = [x], []
        for i, layer in enumerate(self.layers):
            x, state = layer.read(self.dropout(x) if i else x, mask, before.layers[i])
            states.append(x)
            after.append(state)
        keys, memory = before.cross[0]
        read, weights = self.attention(x, keys, memory, memory_mask)
        x = self.dropout(torch.tanh(self.combine(torch.cat((read, x), dim=-1))))
        past = LstmState(after, [(keys, memory)], before.length + length, shared)
        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=x,
            past_key_values=past if self.asked("use_cache", use_cache) else None,
            hidden_states=(*states, x) if self.asked("output_hidden_states", output_hidden_states) else None,
            cross_attentions=(weights[:, None],) if self.asked("output_attentions", output_attentions) else None,
        )

    def state_of(self, past: Any, batch: int) -> LstmState | None:
        """The state that a caller gives; an empty cache is none."""
        if past is None or (isinstance(past, Cache) and not past.layers):
            return None
        if not isinstance(past, LstmState):
            raise TypeError(f"past_key_values is a {type(past).__name__}; expected the LstmState of an earlier pass")
        rows = len(past.layers[0][0])
        if rows != batch:
            raise ValueError(
                f"past_key_values is of {rows} texts, but the batch has {batch}: pass the one of these texts, or start "
                "without one"
            )
        return past


class Seq2SeqLstmModel(Seq2SeqLstmPreTrainedModel):
    word_embeddings = At("encoder.embed_tokens")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.encoder = Seq2SeqLstmEncoderStack(config)
        self.decoder = Seq2SeqLstmDecoderStack(config)
        self.post_init()

    def forward(self, *args: Any, **inputs: Any) -> Seq2SeqModelOutput:
        """The decoder's last_hidden_state (batch, target length, hidden); inputs as in nn.seq2seq.run_seq2seq."""
        return run_seq2seq(self, *args, **inputs)


class Seq2SeqLstmForConditionalGeneration(Seq2SeqLstmPreTrainedModel, Seq2SeqLM):
    body_class = Seq2SeqLstmModel
    ties = {"lm_head.weight": "model.decoder.embed_tokens.weight"}
    output_embeddings = At("lm_head")

    def build(self, config: Any) -> None:
        self.output_embeddings = nn.Linear(config.hidden_size, config.target_vocab_size, bias=False)
