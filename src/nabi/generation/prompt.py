"""What a search starts from: the ids to go on with, and what the model takes beside them."""

from __future__ import annotations

import difflib
import inspect
import warnings
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..nn.cache import Cache
from ..nn.seq2seq import as_output
from .config import GenerationConfig

# What the model gets from the searches themselves.
_OURS = {"use_cache", "logits_to_keep", "num_logits_to_keep", "return_dict", "labels"}


@dataclass
class Prompt:
    """ids (texts, length), of the target where the model has one; inputs by their names in the model's call.

    source: what was given, ids (texts, length) or else vectors, pictures, sound. before: how many positions stand
    before the ids that have none themselves: vectors, or what only the cache knows. unread: what the encoder, where
    there is one, still has to read.
    """

    ids: Tensor
    inputs: dict[str, Any]
    source: Tensor
    before: int = 0
    unread: dict[str, Any] = field(default_factory=dict)

    def read(self, model: Any, settings: GenerationConfig) -> Prompt:
        """Let the encoder read the source, if it has not; afterwards encoder_outputs is among the inputs."""
        if self.unread:
            wants = {key: True for key in ("output_attentions", "output_hidden_states") if getattr(settings, key)}
            self.inputs["encoder_outputs"] = model.get_encoder()(**self.unread, **wants, return_dict=True)
            self.unread = {}
        return self

    def repeated(self, model: Any, times: int, *, shared: bool) -> tuple[Tensor, dict[str, Any]]:
        """ids and inputs with each text so many times in a row; shared: but what was read, which all of them read."""
        if times == 1:
            return self.ids, self.inputs
        whole = ("encoder_outputs", "attention_mask") if shared else ()
        inputs = {
            name: value if name in whole else model.repeat_input(name, value, times, self.ids)
            for name, value in self.inputs.items()
        }
        return self.ids.repeat_interleave(times, 0), inputs


def read_prompt(model: Any, settings: GenerationConfig, given: Tensor | None, inputs: dict[str, Any]) -> Prompt:
    """Check what was given to `generate`. The encoder, where there is one, has not read it yet.

    given: ids, or what else the model reads first. Raises ValueError or TypeError for anything that does not fit.
    """
    inputs = {name: value for name, value in inputs.items() if value is not None and name not in _OURS}
    check_names(model, inputs)
    encoder = model.get_encoder() if model.config.is_encoder_decoder else None
    name = encoder.main_input_name if encoder is not None else model.main_input_name
    if name in inputs and given is not None:
        raise ValueError(f"the prompt was given twice, as the first argument and as {name}: pass one of them")
    given = inputs.pop(name, given)
    inputs = {key: value.to(model.device) if isinstance(value, Tensor) else value for key, value in inputs.items()}
    if encoder is not None:
        return _of_both_halves(model, encoder, settings, name, given, inputs)
    before = 0
    vectors = inputs.get("inputs_embeds")
    if isinstance(given, Tensor) and given.dim() == 2 and len(given) and not given.shape[1] and vectors is None:
        raise ValueError(
            f"the prompt is empty ({name} has shape {tuple(given.shape)}): give it one token at least, such as the "
            "tokenizer's bos_token_id"
        )
    if given is None and vectors is not None:
        given, before = torch.zeros(len(vectors), 0, dtype=torch.long), vectors.shape[1]
    elif given is None:
        given = _begun(settings.bos_token_id, inputs)
    elif vectors is not None:
        before = max(vectors.shape[1] - given.shape[1], 0)
    ids = check_ids(model, given, name).to(model.device)
    source = ids if vectors is None else vectors
    if "past_key_values" in inputs:
        cache = inputs["past_key_values"] = Cache.of(inputs["past_key_values"])
        past, mask = cache.get_seq_length(), inputs.get("attention_mask")
        if mask is not None and mask.shape[1] == past + ids.shape[1] and past:
            before = past  # only what is new was given
        elif past >= ids.shape[1] + before:
            cache.crop(ids.shape[1] + before - 1)  # the last one is read again, for its scores
    inputs["attention_mask"] = _mask(inputs.get("attention_mask"), ids, before, settings)
    if bool(inputs["attention_mask"].all()):
        inputs.pop("attention_mask")
    elif len(ids) > 1 and ids.shape[1] and not inputs["attention_mask"][:, -1].all():
        warnings.warn(
            "a text of the batch has its padding at the end, so that the model goes on from padding: tokenize with "
            "padding_side='left'",
            stacklevel=4,
        )
    return Prompt(ids, inputs, source, before)


def _of_both_halves(
    model: Any, encoder: Any, settings: GenerationConfig, name: str, given: Tensor | None, inputs: dict[str, Any]
) -> Prompt:
    vectors = inputs.pop("inputs_embeds", None)
    if given is not None and vectors is not None:
        raise ValueError(f"{name} and inputs_embeds were both given: pass one of them")
    read = inputs.get("encoder_outputs")
    if given is None and vectors is None and read is None:
        raise ValueError(f"{type(model).__name__} reads a source: pass {name}")
    source = vectors if given is None else given
    if name == "input_ids" and given is not None:
        source = check_ids(model, given, name).to(model.device)
        if inputs.get("attention_mask") is None and read is None and settings.pad is not None:
            mask = _mask(None, source, 0, settings)
            if not bool(mask.all()):
                inputs["attention_mask"] = mask
    unread: dict[str, Any] = {}
    if read is None:
        takes = set(inspect.signature(encoder.forward).parameters)
        unread = {key: inputs[key] for key in inputs if key in takes or ("inputs" in takes and _for_encoder(key))}
        unread["inputs_embeds" if given is None else name] = source = source.to(model.device)  # type: ignore[union-attr]
        for key in set(unread) - {"attention_mask"}:
            inputs.pop(key, None)
        texts = len(source)
    else:
        read = inputs["encoder_outputs"] = as_output(read)
        texts = len(read.last_hidden_state)
        if source is None:
            source = torch.full(read.last_hidden_state.shape[:2], -1, device=model.device)
    target = inputs.pop("decoder_input_ids", None)
    if target is None and name != "input_ids":
        target = inputs.pop("input_ids", None)
    start = settings.decoder_start_token_id if settings.decoder_start_token_id is not None else settings.bos_token_id
    target = _target(model, target, start, texts, inputs)
    if "past_key_values" in inputs:
        inputs["past_key_values"] = Cache.of(inputs["past_key_values"])
    assert source is not None
    return Prompt(target, inputs, source, unread=unread)


def _target(model: Any, target: Tensor | None, start: Any, texts: int, inputs: dict[str, Any]) -> Tensor:
    """The first ids of the target (texts, length): what was given, behind the start token where it lacks that."""
    if start is None:
        raise ValueError(
            "to begin a target, generation_config.decoder_start_token_id must be set (or bos_token_id): set it on "
            "model.generation_config or pass it"
        )
    column = torch.as_tensor(start, device=model.device).reshape(-1, 1).expand(texts, 1)
    if target is None:
        return column.clone()
    target = check_ids(model, target, "decoder_input_ids").to(model.device)
    if len(target) != texts:
        raise ValueError(f"decoder_input_ids holds {len(target)} texts, but {texts} sources go with them: one for each")
    if model.starts_anywhere or not bool((target[:, :1] != column).all()):
        return target
    mask = inputs.get("decoder_attention_mask")
    if mask is not None:
        inputs["decoder_attention_mask"] = torch.cat((torch.ones_like(mask[:, :1]), mask), dim=1)
    return torch.cat((column, target), dim=1)


def _for_encoder(key: str) -> bool:
    return not key.startswith(("decoder_", "cross_", "past_", "encoder_outputs"))


def _begun(bos: int | None, inputs: dict[str, Any]) -> Tensor:
    """Without a prompt: the token that begins a text."""
    if bos is None:
        raise ValueError("no prompt was given, and generation_config.bos_token_id is not set: pass input_ids")
    rows = next((len(value) for value in inputs.values() if isinstance(value, Tensor) and value.dim()), 1)
    return torch.full((rows, 1), bos)


def check_ids(model: Any, ids: Any, name: str) -> Tensor:
    """ids as a tensor (texts, length) of ids that the model knows, or one clear error."""
    if isinstance(ids, dict):
        raise TypeError(f"the prompt is a {type(ids).__name__}: pass its entries by name, model.generate(**inputs)")
    if not isinstance(ids, Tensor):
        raise TypeError(f"{name} is a {type(ids).__name__}; expected a tensor: tokenize with return_tensors='pt'")
    if ids.dim() != 2 or ids.is_floating_point() or ids.dtype is torch.bool:
        raise ValueError(
            f"{name} has shape {tuple(ids.shape)} and numbers of {ids.dtype}; expected ids of shape (texts, length): "
            "tokenize with return_tensors='pt'"
        )
    if len(ids) == 0:
        raise ValueError(f"{name} has shape {tuple(ids.shape)}: there is no text in the batch")
    if ids.numel():
        half = model.get_decoder() if name.startswith("decoder_") else model
        words: Any = half.get_input_embeddings()
        known = getattr(words, "num_embeddings", None) or len(words.weight)
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or high >= known:
            raise ValueError(
                f"{name} holds the id {low if low < 0 else high}, but the model knows 0 to {known - 1}: use the "
                "tokenizer that belongs to the model, or resize_token_embeddings after adding tokens"
            )
    return ids


def _mask(given: Any, ids: Tensor, before: int, settings: GenerationConfig) -> Tensor:
    """The attention mask (texts, length): as given, or else all but padding, where padding can be told from an end."""
    shape = (len(ids), before + ids.shape[1])
    if given is None:
        mask = torch.ones(shape, dtype=torch.long, device=ids.device)
        pad = settings.pad
        if pad is not None and pad not in settings.eos and not before:
            mask = (ids != pad).long()
        return mask
    if not isinstance(given, Tensor) or given.dim() != 2 or given.shape[0] not in (1, len(ids)):
        shown = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise ValueError(f"attention_mask is {shown}, the prompt {shape}: pass one number for each token")
    if given.shape[1] != shape[1]:
        raise ValueError(f"attention_mask is {tuple(given.shape)}, the prompt {shape}: pass one number for each token")
    mask = given.long().expand(shape)
    empty = (mask == 0).all(1)
    if bool(empty.any()):
        raise ValueError(f"text {int(empty.nonzero()[0])} of the batch has no real token (its attention_mask is 0)")
    return mask


def check_names(model: Any, inputs: dict[str, Any]) -> None:
    """A name that is neither a setting nor an input of the model is a TypeError that names the nearest one."""
    known = set(inspect.signature(model.prepare_inputs_for_generation).parameters) | model._arguments()
    if model.config.is_encoder_decoder:
        known |= {f"decoder_{name}" for name in known} | {"decoder_input_ids", "encoder_outputs"}
    for name in inputs:
        if name not in known:
            near = difflib.get_close_matches(name, [*GenerationConfig.fields(), *known], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"generate takes no argument {name!r}, and {type(model).__name__} has no such input{hint}")
