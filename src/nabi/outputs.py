"""What a model returns: fields by attribute, by key and by index.

    out = model(**inputs)
    out.logits is out["logits"] is out[0]

A field that was not computed reads as None by attribute, and has no key and no index. past_key_values is a Cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


class ModelOutput(dict[str, Any]):
    """A dictionary in the order of its class's annotations, with attributes and integer or slice indices."""

    _fields: ClassVar[tuple[str, ...]] = ()  # gathered once, for torch.compile cannot look into a class

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls).get("__annotations__", {})
        cls._fields = tuple(dict.fromkeys((*cls._fields, *own)))
        dataclass(init=False, repr=False, eq=False, match_args=False)(cls)  # code asks for the fields of an output

    def __init__(self, values: dict[str, Any] | None = None, /, **fields: Any) -> None:
        given = {**(values or {}), **fields}
        known = self._fields
        unknown = [name for name in given if name not in known]
        if unknown:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(unknown)}; it has {', '.join(known)}")
        super().__init__({name: given[name] for name in known if given.get(name) is not None})

    @classmethod
    def field_names(cls) -> list[str]:
        return list(cls._fields)

    def to_tuple(self) -> tuple[Any, ...]:
        """The fields that have a value, in the order of the class, whenever they were set."""
        return tuple(self[name] for name in self._fields if name in self)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else self.to_tuple()[key]

    def __getattr__(self, name: str) -> Any:
        if name not in type(self)._fields:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {list(self)}")
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self)._fields:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        if value is not None:
            self[name] = value
        if name in vars(type(self)):  # the default of a user's dataclass, which would hide the key
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), dict(self))


def _made_again(kind: type[ModelOutput], fields: dict[str, Any]) -> ModelOutput:
    """A copy, or what was pickled; the __init__ of a user's dataclass takes no dict."""
    made = kind.__new__(kind)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


class BaseModelOutput(ModelOutput):
    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class BaseModelOutputWithPooling(ModelOutput):
    last_hidden_state: Tensor
    pooler_output: Tensor | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class BaseModelOutputWithPoolingAndNoAttention(ModelOutput):
    last_hidden_state: Tensor
    pooler_output: Tensor | None
    hidden_states: tuple[Tensor, ...] | None


class BackboneOutput(ModelOutput):
    """Of a body whose stages are read by another model."""

    feature_maps: tuple[Tensor, ...]
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class BaseModelOutputWithPast(ModelOutput):
    last_hidden_state: Tensor
    past_key_values: Any
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class BaseModelOutputWithPastAndCrossAttentions(BaseModelOutputWithPast):
    cross_attentions: tuple[Tensor, ...] | None


class BaseModelOutputWithPoolingAndCrossAttentions(ModelOutput):
    last_hidden_state: Tensor
    pooler_output: Tensor | None
    hidden_states: tuple[Tensor, ...] | None
    past_key_values: Any
    attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None


class MoeModelOutputWithPast(BaseModelOutputWithPast):
    router_logits: tuple[Tensor, ...] | None


class Seq2SeqModelOutput(ModelOutput):
    last_hidden_state: Tensor
    past_key_values: Any
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None


class _HeadOutput(ModelOutput):
    """What most heads return."""

    loss: Tensor | None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class MaskedLMOutput(_HeadOutput):
    pass


class SequenceClassifierOutput(_HeadOutput):
    pass


class TokenClassifierOutput(_HeadOutput):
    pass


class ImageClassifierOutput(_HeadOutput):
    pass


class ImageClassifierOutputWithNoAttention(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None


class MaskedImageModelingOutput(ModelOutput):
    loss: Tensor | None
    reconstruction: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class ObjectDetectionOutput(ModelOutput):
    """loss_dict holds the parts of the loss, auxiliary_outputs what earlier layers found."""

    loss: Tensor | None
    loss_dict: dict[str, Tensor] | None
    logits: Tensor
    pred_boxes: Tensor
    auxiliary_outputs: list[dict[str, Tensor]] | None
    last_hidden_state: Tensor


class MultipleChoiceModelOutput(_HeadOutput):
    pass


class NextSentencePredictorOutput(_HeadOutput):
    pass


class CausalLMOutput(_HeadOutput):
    """Of a head over frames too: connectionist temporal classification."""


class CausalLMOutputWithPast(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    past_key_values: Any
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class CausalLMOutputWithCrossAttentions(CausalLMOutputWithPast):
    cross_attentions: tuple[Tensor, ...] | None


class SequenceClassifierOutputWithPast(CausalLMOutputWithPast):
    pass


class MoeCausalLMOutputWithPast(ModelOutput):
    loss: Tensor | None
    aux_loss: Tensor | None
    logits: Tensor
    past_key_values: Any
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    router_logits: tuple[Tensor, ...] | None


class QuestionAnsweringModelOutput(ModelOutput):
    loss: Tensor | None
    start_logits: Tensor
    end_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None


class Seq2SeqLMOutput(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    past_key_values: Any
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None


class Seq2SeqSequenceClassifierOutput(Seq2SeqLMOutput):
    pass


class Seq2SeqQuestionAnsweringModelOutput(ModelOutput):
    loss: Tensor | None
    start_logits: Tensor
    end_logits: Tensor
    past_key_values: Any
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None
