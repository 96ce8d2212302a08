"""Any encoder and any decoder with cross attention, joined to write a target (arXiv:1907.12461)."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from torch import Tensor, nn

from ..config import Config
from ..nn.generating import GenerationMixin
from ..nn.losses import cross_entropy
from ..nn.pretrained import PreTrainedModel
from ..nn.seq2seq import Seq2SeqModel, as_output, check_target
from ..outputs import Seq2SeqLMOutput
from . import CAUSAL_LM, any_family, config_class_of
from .parts.joined import JoinedModel, make_part, part_class


class HalvesConfig(Config):
    """The configurations of two halves. Scripts leave a vocab_size beside them, but each half has its own."""

    no_effect = Config.no_effect | {"vocab_size"}

    encoder: Config | None = None
    decoder: Config | None = None
    is_encoder_decoder: bool = True

    @classmethod
    def from_encoder_decoder_configs(cls, encoder_config: Config, decoder_config: Config, **keys: Any) -> Any:
        """Joined from copies of two configurations, of which the second is made a decoder's with cross attention."""
        decoder = copy.deepcopy(decoder_config)
        decoder.update({"is_decoder": True, "add_cross_attention": True})
        return cls(encoder=copy.deepcopy(encoder_config), decoder=decoder, **keys)

    def check(self) -> None:
        super().check()
        encoder, decoder = self.encoder, self.decoder
        if encoder is None or decoder is None:  # never: nested configurations have defaults
            return
        if encoder.is_encoder_decoder:
            raise ValueError(
                f"the encoder is a {encoder.model_type!r}, which itself writes a target: take a family that only reads"
            )
        size, wanted = getattr(encoder, "hidden_size", None), self.read_size
        if size is None or wanted not in (None, size):
            raise ValueError(
                f"the encoder, a {encoder.model_type!r}, gives vectors of size {size}, but the decoder's "
                f"cross_attention_hidden_size is {wanted}: they must be equal, or null for the decoder's own size"
            )

    @property
    def read_size(self) -> int | None:
        """What size of vectors the decoder's cross attention says that it reads; None: its own."""
        return getattr(self.decoder, "cross_attention_hidden_size", None)


class EncoderDecoderConfig(HalvesConfig):
    model_type = "encoder-decoder"
    nested = {
        "encoder": any_family("bert"),
        "decoder": any_family("bert", is_decoder=True, add_cross_attention=True),
    }


class EncoderDecoderModel(GenerationMixin, JoinedModel, Seq2SeqModel):
    """Made of a config, or of an encoder and a decoder that are there already. The decoder has its vocabulary head."""

    config_class: ClassVar[type[HalvesConfig]] = EncoderDecoderConfig
    base_model_prefix = "encoder_decoder"
    encoder: PreTrainedModel
    decoder: PreTrainedModel

    def __init__(
        self,
        config: Any = None,
        encoder: PreTrainedModel | None = None,
        decoder: PreTrainedModel | None = None,
    ) -> None:
        if config is None:
            if encoder is None or decoder is None:
                raise ValueError(f"{type(self).__name__} is made of a config, or of an encoder and a decoder")
            config = self.config_class(encoder=encoder.config, decoder=decoder.config)
        super().__init__(config)
        self.encoder = make_part(config.encoder, "Model") if encoder is None else encoder
        self.decoder = make_part(config.decoder, *CAUSAL_LM) if decoder is None else decoder
        config.update({"encoder": self.encoder.config, "decoder": self.decoder.config})
        if self.encoder.get_output_embeddings() is not None:
            raise ValueError(f"the encoder, {type(self.encoder).__name__}, has a vocabulary head: take its body")
        if not any(getattr(module, "crosses", False) for module in self.decoder.modules()):
            raise ValueError(
                f"the decoder, {type(self.decoder).__name__}, has no cross attention: take a family that has, with "
                f"add_cross_attention=True in its config, as {self.config_class.__name__}.from_encoder_decoder_configs "
                "sets it"
            )
        here, there = config.encoder.hidden_size, config.decoder.hidden_size
        if here != there and config.read_size is None:
            self.enc_to_dec_proj = nn.Linear(here, there)
        self.post_init()

    @classmethod
    def from_encoder_decoder_pretrained(
        cls,
        encoder_pretrained_model_name_or_path: Any = None,
        decoder_pretrained_model_name_or_path: Any = None,
        **options: Any,
    ) -> Any:
        """Join two checkpoints. Options that begin with encoder_ or decoder_ are for that half's from_pretrained, or
        its model itself (encoder_model=…); the others, and decoder_start_token_id, are keys of the joined config."""
        names = {"encoder": encoder_pretrained_model_name_or_path, "decoder": decoder_pretrained_model_name_or_path}
        options_of: dict[str, dict[str, Any]] = {}
        for half in names:
            keys = [key for key in options if key.startswith(f"{half}_") and not cls.config_class.is_key(key)]
            options_of[half] = {key.removeprefix(f"{half}_"): options.pop(key) for key in keys}
        cls.config_class(**options)  # a wrong key is told before anything is loaded
        halves: dict[str, Any] = {}
        for half, own in options_of.items():
            name, decodes, halves[half] = names[half], half == "decoder", own.pop("model", None)
            if halves[half] is None:
                if name is None:
                    raise ValueError(f"from_encoder_decoder_pretrained needs a name or folder, or {half}_model=…")
                given = own.get("config")
                kind = type(given) if isinstance(given, Config) else config_class_of(given or name, dict(own))
                found = part_class(kind, *(CAUSAL_LM if decodes else ("Model",)))
                roles = {"is_decoder": decodes, "add_cross_attention": decodes}
                halves[half] = found.from_pretrained(name, **{**roles, **own})
        config = cls.config_class(**{half: model.config for half, model in halves.items()}, **options)
        return cls(config, **halves).eval()

    def unstored_weights(self) -> set[str]:
        """Besides: the encoder's pooler, which nobody reads, and which files therefore may lack."""
        unread = {name for name, _ in self.named_parameters() if name.startswith("encoder.pooler.")}
        return super().unstored_weights() | unread

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.get_input_embeddings()

    def set_input_embeddings(self, module: nn.Module) -> None:
        self.encoder.set_input_embeddings(module)

    def get_output_embeddings(self) -> nn.Module | None:
        return self.decoder.get_output_embeddings()

    def set_output_embeddings(self, module: nn.Module) -> None:
        self.decoder.set_output_embeddings(module)

    def resize_token_embeddings(self, *args: Any, **options: Any) -> nn.Module:
        raise ValueError(
            f"{type(self).__name__} has two halves: resize model.decoder.resize_token_embeddings(…), or the encoder's"
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqLMOutput:
        """logits (batch, target length, vocabulary); labels (batch, target length) also make decoder_input_ids and
        their mask. Inputs that begin with decoder_ go to the decoder, the others to the encoder."""
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.shift_right(labels)
            if decoder_attention_mask is None:
                decoder_attention_mask = (decoder_input_ids != self.config.pad_token_id).long()
        return self.write(
            {"input_ids": input_ids, "attention_mask": attention_mask, "inputs_embeds": inputs_embeds},
            labels,
            encoder_outputs=encoder_outputs,
            encoder_attention_mask=attention_mask,
            input_ids=decoder_input_ids,
            attention_mask=decoder_attention_mask,
            past_key_values=past_key_values,
            inputs_embeds=decoder_inputs_embeds,
            more=inputs,
        )

    def write(
        self,
        source: dict[str, Any],
        labels: Tensor | None,
        *,
        encoder_outputs: Any,
        more: dict[str, Any],
        **target: Any,
    ) -> Seq2SeqLMOutput:
        """Run the encoder over the source, unless encoder_outputs says what it gave, then the decoder."""
        names = ("output_attentions", "output_hidden_states")
        shared = self.wanted(**{name: more.pop(name, None) for name in names})
        use_cache = more.pop("use_cache", None)
        if use_cache is None and not self.config.use_cache:
            use_cache = False
        ours = {key: value for key, value in more.items() if not key.startswith("decoder_")}
        theirs = {key.removeprefix("decoder_"): value for key, value in more.items() if key not in ours}
        if encoder_outputs is None:
            encoder_outputs = self.encoder(**source, **ours, return_dict=True, **shared)
        read = as_output(encoder_outputs)
        check_target(self, target["input_ids"], target["inputs_embeds"])
        memory = read.last_hidden_state
        if hasattr(self, "enc_to_dec_proj"):
            memory = self.enc_to_dec_proj(memory)
        out = self.decoder(
            **target, encoder_hidden_states=memory, use_cache=use_cache, return_dict=True, **theirs, **shared
        )
        return Seq2SeqLMOutput(
            loss=cross_entropy(out.logits, labels),
            logits=out.logits,
            past_key_values=out.past_key_values,
            decoder_hidden_states=out.hidden_states,
            decoder_attentions=out.attentions,
            cross_attentions=out.cross_attentions,
            encoder_last_hidden_state=read.last_hidden_state,
            encoder_hidden_states=read.hidden_states,
            encoder_attentions=read.attentions,
        )
