"""LLaVA (arXiv:2304.08485, arXiv:2310.03744): a picture's patches, projected, stand among the words of a decoder."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ..nn.embeddings import look_up, tokens_or_vectors
from ..nn.generating import GenerationMixin
from ..nn.heads import kept_positions
from ..nn.linear import linear
from ..nn.losses import next_token_loss
from ..nn.mlp import activation_function
from ..nn.roles import At
from ..outputs import BaseModelOutputWithPooling, ModelOutput
from . import any_family
from .clip import TextAndVisionConfig
from .parts.joined import JoinedModel, make_part

VISION: dict[str, Any] = {
    "hidden_size": 1024,
    "image_size": 336,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "patch_size": 14,
    "projection_dim": 768,
}


def vision_config(keys: dict[str, Any], **options: Any) -> Any:
    """Published files name a vocabulary there too, which a tower of pictures has not."""
    keys = {key: value for key, value in keys.items() if key != "vocab_size"}
    return any_family("clip_vision_model", **VISION)(keys, **options)


class LlavaConfig(TextAndVisionConfig):
    """`vision_feature_layer`: which hidden state of the tower is read, or which several, side by side.
    `vision_feature_select_strategy`: "default" leaves out the tower's first token, "full" keeps it."""

    model_type = "llava"
    aliases = {"image_token_id": "image_token_index"}
    nested = {"text_config": any_family("llama"), "vision_config": vision_config}
    no_effect = TextAndVisionConfig.no_effect | {"image_seq_length"}  # for processors
    only = {"ignore_index": -100}
    older = ("vocab_size",)  # now a key of text_config

    image_token_index: int = 32000
    projector_hidden_act: str = "gelu"
    vision_feature_layer: int | list[int] = -2
    vision_feature_select_strategy: str = "default"
    multimodal_projector_bias: bool = True
    tie_word_embeddings: bool = False

    def __init__(self, **keys: Any) -> None:
        count = keys.pop("vocab_size", None)
        text = keys.get("text_config") or {}
        if count is not None and isinstance(text, dict):
            keys["text_config"] = {"vocab_size": count, **text}
        super().__init__(**keys)

    def check(self) -> None:
        super().check()
        self.require("vision_feature_select_strategy", ("default", "full"), "these are the two ways")
        text: Any = self.text_config
        self.tie_word_embeddings = bool(self.tie_word_embeddings or text.tie_word_embeddings)
        tower: Any = self.vision_config
        depth = getattr(tower, "num_hidden_layers", None)
        if depth is None:
            raise ValueError(
                f"the vision tower, a {tower.model_type!r}, is no row of layers over patches: take another"
            )
        beyond = [layer for layer in self.feature_layers if not -depth - 1 <= layer <= depth]
        if beyond or not self.feature_layers:
            raise ValueError(
                f"config key 'vision_feature_layer' is {self.vision_feature_layer!r}, but the vision tower has "
                f"{depth} layers: name 0 (what enters the first) to {depth}, or count from the end"
            )

    @property
    def feature_layers(self) -> list[int]:
        named = self.vision_feature_layer
        return [named] if isinstance(named, int) else list(named)

    @property
    def initializer_range(self) -> float:
        return getattr(self.text_config, "initializer_range", 0.02)


class MultiModalProjector(nn.Module):
    """From the tower's vectors to the decoder's."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        size, bias = config.text_config.hidden_size, config.multimodal_projector_bias
        self.linear_1 = nn.Linear(len(config.feature_layers) * config.vision_config.hidden_size, size, bias=bias)
        self.linear_2 = nn.Linear(size, size, bias=bias)
        self.activation = activation_function(config.projector_hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(self.activation(self.linear_1(x)))


class LlavaModelOutput(ModelOutput):
    """image_hidden_states (image tokens, hidden): what stands in their place."""

    last_hidden_state: Tensor
    past_key_values: Any
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    image_hidden_states: Tensor | None


class LlavaCausalLMOutput(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    past_key_values: Any
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    image_hidden_states: Tensor | None


class LlavaPreTrainedModel(JoinedModel):
    """The tree is that of published files; those of other versions have the decoder's name elsewhere."""

    config_class = LlavaConfig
    decoder, projector = At("language_model.model"), At("multi_modal_projector")

    @cached_property
    def renames(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override]
        newer = (
            (r"^lm_head\.", "language_model.lm_head."),
            (r"^(model\.)?language_model\.(?!model\.|lm_head\.)", "language_model.model."),
            (r"^model\.(?=vision_tower\.|multi_modal_projector\.|language_model\.)", ""),
        )
        return (*newer, *super().renames)

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.vision_tower = make_part(config.vision_config, "Model")
        self.projector = MultiModalProjector(config)
        self.decoder = make_part(config.text_config, "Model")
        self.build(config)
        self.post_init()

    def build(self, config: Any) -> None:
        """Make what stands on the decoder."""

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.get_input_embeddings()

    def set_input_embeddings(self, module: nn.Module) -> None:
        self.decoder.set_input_embeddings(module)

    def get_image_features(
        self,
        pixel_values: Tensor,
        vision_feature_layer: int | list[int] | None = None,
        vision_feature_select_strategy: str | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPooling:
        """The tower's output for images (images, channels, height, width); its pooler_output is a list with
        (tokens, hidden) for each image, ready to stand among words. What is not given is as in the config."""
        layer = self.config.vision_feature_layer if vision_feature_layer is None else vision_feature_layer
        strategy = vision_feature_select_strategy or self.config.vision_feature_select_strategy
        if strategy not in ("default", "full"):
            raise ValueError(f"vision_feature_select_strategy is {strategy!r}; known are 'default' and 'full'")
        out = self.vision_tower(pixel_values, **{**inputs, "output_hidden_states": True}, return_dict=True)
        layers = [layer] if isinstance(layer, int) else layer
        seen = torch.cat([out.hidden_states[each] for each in layers], dim=-1)
        out.pooler_output = list(self.projector(seen[:, 1:] if strategy == "default" else seen))
        return out

    def run(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        vision_feature_layer: int | list[int] | None = None,
        vision_feature_select_strategy: str | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        **inputs: Any,
    ) -> LlavaModelOutput:
        """The decoder over words and pictures. pixel_values (images, channels, height, width): all images of the
        batch, in the order in which their tokens stand in input_ids (batch, length)."""
        words = tokens_or_vectors(input_ids, inputs_embeds)
        if input_ids is not None:
            words = look_up(self.get_input_embeddings(), input_ids)  # type: ignore[arg-type]
        images = None
        begins = input_ids is not None and past_key_values is None  # later, a model may write such a token
        if begins and pixel_values is None and (input_ids == self.config.image_token_index).any():
            raise ValueError(
                f"input_ids holds image tokens (id {self.config.image_token_index}), but no pixel_values were given: "
                "make both with the model's processor"
            )
        if pixel_values is not None:
            features = self.get_image_features(pixel_values, vision_feature_layer, vision_feature_select_strategy)
            images = torch.cat(features["pooler_output"])
            words = self.place_images(input_ids, words, images, len(pixel_values))
        out = self.decoder(
            inputs_embeds=words,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=False if use_cache is None and not self.config.use_cache else use_cache,
            return_dict=True,
            **self.wanted(output_attentions=output_attentions, output_hidden_states=output_hidden_states),
            **inputs,
        )
        return LlavaModelOutput(
            last_hidden_state=out.last_hidden_state,
            past_key_values=out.past_key_values,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
            image_hidden_states=images,
        )

    def place_images(self, input_ids: Tensor | None, words: Tensor, images: Tensor, count: int) -> Tensor:
        """The words (batch, length, hidden) with the vectors of so many images at the image tokens."""
        token = self.config.image_token_index
        if input_ids is None:
            image_word = self.get_input_embeddings()(torch.tensor(token, device=words.device))
            here = (words == image_word).all(-1)
        else:
            here = input_ids == token
        wanted = int(here.sum())
        if len(images) != wanted:
            raise ValueError(
                f"the text has {wanted} image tokens (id {token}), but {count} images give {len(images)} vectors: make "
                "both with the model's processor, and pass pixel_values only with the text that holds the image tokens"
            )
        return words.masked_scatter(here[..., None], images.to(words.dtype))


class LlavaModel(LlavaPreTrainedModel):
    def forward(self, *args: Any, **inputs: Any) -> LlavaModelOutput:
        """last_hidden_state (batch, length, hidden); inputs as in `run`."""
        return self.run(*args, **inputs)


class LlavaForConditionalGeneration(GenerationMixin, LlavaPreTrainedModel):
    output_embeddings = At("language_model.lm_head")

    def build(self, config: Any) -> None:
        text = config.text_config
        self.output_embeddings = nn.Linear(text.hidden_size, text.vocab_size, bias=False)

    def tied_weights(self) -> dict[str, str]:
        words = f"language_model.model.{type(self.decoder).roles()['word_embeddings']}.weight"
        return {"language_model.lm_head.weight": words} if self.config.tie_word_embeddings else {}

    def repeat_input(self, name: str, value: Any, times: int, ids: Tensor) -> Any:
        """Pictures as often as their texts, and in the order of these."""
        if name != "pixel_values":
            return super().repeat_input(name, value, times, ids)
        tokens = (ids == self.config.image_token_index).sum(1)
        pictures = (tokens // max(int(tokens.sum()) // len(value), 1)).tolist()
        return torch.cat([of_text.repeat(times, 1, 1, 1) for of_text in value.split(pictures)])

    def forward(
        self,
        *args: Any,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        num_items_in_batch: Any = None,
        **inputs: Any,
    ) -> LlavaCausalLMOutput:
        """logits (batch, length, vocabulary) of the next token; labels (batch, length) are the tokens themselves, -100
        where they do not count. Inputs as in `run`."""
        out = self.run(*args, **inputs)
        logits = linear(self.output_embeddings, kept_positions(out.last_hidden_state, logits_to_keep))
        seen = {name: value for name, value in out.items() if name != "last_hidden_state"}
        return LlavaCausalLMOutput(loss=next_token_loss(logits, labels, num_items_in_batch), logits=logits, **seen)
