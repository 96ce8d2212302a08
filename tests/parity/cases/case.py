"""What a case of the parity suite is: a tiny configuration of a family, and what its models read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nabi.models import FAMILIES

from . import inputs


@dataclass(frozen=True)
class Case:
    """One configuration of a family. `kind` says how the suite treats it:

    encoder, decoder: a text, padded on either side; seq2seq: a source text and a target; speech: samples padded on the
    right; image: pixels, no padding. What a family needs beyond its kind is a field here.
    """

    name: str
    family: str
    keys: dict[str, Any] = field(hash=False)
    kind: str = "encoder"
    only: tuple[str, ...] = ()  # some heads only (endings of class names)
    prefix: str = ""  # of the class names, where the family has several configurations (CLIPText)
    make_inputs: Callable[[Case, str, str], dict[str, Tensor]] | None = None  # (case, head, side) instead of the kind's
    make_labels: Callable[[Case, str, Any], dict[str, Tensor]] | None = None  # (case, head, config)
    config_of: Callable[[Any, dict[str, Any]], Any] | None = (
        None  # (library, keys) -> config, where plain keys won't do
    )
    cached: tuple[str, ...] | None = None  # heads that keep a cache; None: by kind
    targets: tuple[str, ...] = ("Model", "ForConditionalGeneration")  # seq2seq heads that want decoder_input_ids
    longest: int | None = None  # how many tokens a text may have, where positions are learned
    kernel: str = "eager"  # of the incumbent's attention; another where its plain one errs: no attentions compared
    positions_by_id: bool = False  # padding is known by its id, so that vectors in place of ids count otherwise
    pair_masks: bool = True  # takes a 4-D attention mask as it is
    embedding_scale: float = 1.0  # of the words, where vectors in their place are taken as they are
    random_keys: tuple[str, ...] = ()  # keys that make a training step random: 0 when two are compared
    # For the test of every config key:
    others: dict[str, Any] = field(default_factory=dict, hash=False)  # another value of a key
    given: dict[str, dict[str, Any]] = field(default_factory=dict, hash=False)  # what must be set for a key to matter
    unused: tuple[str, ...] = ()  # keys that all configurations have and that mean nothing here, beside the kind's

    def __post_init__(self) -> None:
        if not self.prefix:
            object.__setattr__(self, "prefix", FAMILIES[self.family][0].removesuffix("Config"))

    @property
    def heads(self) -> list[str]:
        names = [name.removeprefix(self.prefix) for name in FAMILIES[self.family] if name.startswith(self.prefix)]
        names = [name for name in names if not name.endswith(("Config", "PreTrainedModel"))]
        return [name for name in names if not self.only or name in self.only]

    def config(self, library: Any, **keys: Any) -> Any:
        """The configuration of nabi or of the incumbent, with other keys besides."""
        keys = {**self.keys, **keys}
        if self.config_of is not None:
            return self.config_of(library, keys)
        return getattr(library, f"{self.prefix}Config")(**keys)

    def inputs(self, head: str, side: str = "right") -> dict[str, Tensor]:
        """A batch of three; a text or sound is full, padded a little, padded more, on this side."""
        return (self.make_inputs or inputs.INPUTS[self.kind])(self, head, side)

    def labels(self, head: str, config: Any) -> dict[str, Tensor]:
        """What makes this head return a loss, or nothing for a body."""
        return (self.make_labels or inputs.LABELS[self.kind])(self, head, config)

    @property
    def sides(self) -> tuple[str, ...]:
        """Where padding may stand."""
        return {"speech": ("right",), "image": ()}.get(self.kind, ("right", "left"))

    def decodes(self, head: str) -> bool:
        """Whether this head keeps a cache for next tokens."""
        if self.cached is not None:
            return head in self.cached
        if self.kind == "decoder":
            return "QuestionAnswering" not in head and "TokenClassification" not in head
        if self.kind == "seq2seq":
            return head in ("Model", "ForConditionalGeneration", "ForCausalLM")
        return bool(self.keys.get("is_decoder"))
