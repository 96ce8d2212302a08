"""From what a TensorFlow or Flax file holds to exactly the weights of a model: nothing missing, nothing left over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..config import Config
from ..nn.loading import Unmade, name_in_model
from ..nn.pretrained import PreTrainedModel
from .stored import Stored, same_bits


@dataclass(frozen=True)
class Oddities:
    """Where the classes of another framework and PyTorch's differ in one family."""

    renames: tuple[tuple[str, str], ...] = ()  # (pattern, PyTorch's name)
    unused: str = r"(?!)"  # weights that these classes have and PyTorch's do not
    absent: str = r"(?!)"  # weights that PyTorch's classes have, use for no output here, and these lack


ODDITIES: dict[tuple[str, str], Oddities] = {
    # Its scores take the bias of the decoder, which PyTorch ties to this one.
    ("TensorFlow", "albert"): Oddities(unused=r"^predictions\.bias$"),
    ("TensorFlow", "clip_text_model"): Oddities(renames=((r"^clip\.", ""),)),
    ("TensorFlow", "clip_vision_model"): Oddities(renames=((r"^clip\.", ""),)),
    ("TensorFlow", "deberta-v2"): Oddities(
        renames=((r"\.self\.pos_proj\.", ".self.pos_key_proj."), (r"\.self\.pos_q_proj\.", ".self.pos_query_proj."))
    ),
    ("Flax", "big_bird"): Oddities(absent=r"^bert\.pooler\."),
    ("Flax", "resnet"): Oddities(renames=((r"\.layer\.layer_(\d+)\.", r".layer.\1."),)),
}
# Of any family, in files of classes whose body has them though the head takes nothing from them.
UNUSED = r"(^|\.)pooler\.|(^|\.)masked_spec_embed$"
COUNTER = "num_batches_tracked"  # PyTorch's own; it changes nothing in a trained batch norm, so it starts at nought


@dataclass
class Fit:
    """Where each array goes, and what stands in the way."""

    weights: dict[str, Stored] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        return not (self.missing or self.left_over or self.mismatched)

    def __str__(self) -> str:
        parts = {"missing": self.missing, "left over": self.left_over, "of another shape": self.mismatched}
        return "; ".join(f"{len(names)} {what}: {few(names)}" for what, names in parts.items() if names)


def fit_to_class(stored: dict[str, Stored], framework: str, config: Config, model_class: type[PreTrainedModel]) -> Fit:
    """The arrays under the names that the class's own file has. Weights that it ties are in it once."""
    with Unmade():
        model = model_class(config)
    expected: Mapping[str, Tensor] = model.state_dict()
    odd = ODDITIES.get((framework, config.model_type), Oddities())
    fit = Fit()
    for name, array in stored.items():
        for pattern, renewed in odd.renames:
            name = re.sub(pattern, renewed, name)
        home = None if re.search(odd.unused, name) else name_in_model(model, name, expected)
        if home is None:
            ignored = (odd.unused, UNUSED, *model.ignored_on_disk)
            (fit.unused if any(re.search(pattern, name) for pattern in ignored) else fit.left_over).append(name)
        elif home in fit.weights:
            fit.left_over.append(f"{name} (a second {home})")
        elif (shaped := array.shaped(tuple(expected[home].shape))) is None:
            fit.mismatched.append(f"{home} {array.shape}, expected {tuple(expected[home].shape)}")
        else:
            fit.weights[home] = shaped
    tied = model.tied_weights()
    _untie(fit.weights, tied)
    present = {*fit.weights, *(text.split(" ")[0] for text in fit.mismatched), *tied, *model.unstored_weights()}
    for name in expected:
        if name.endswith(COUNTER):
            fit.weights.setdefault(name, Stored((), lambda: torch.zeros((), dtype=torch.int64)))
        elif name not in present and not re.search(odd.absent, name):
            fit.missing.append(name)
    fit.weights = {name: fit.weights[name] for name in expected if name in fit.weights}
    return fit


def class_that_fits(
    stored: dict[str, Stored], framework: str, config: Config, candidates: Iterable[type[PreTrainedModel]]
) -> str:
    """The name of the first class that takes all arrays and lacks none, or ""."""
    for candidate in candidates:
        try:
            if fit_to_class(stored, framework, config, candidate).is_exact:
                return candidate.__name__
        except (ValueError, TypeError):  # this config makes no such class
            continue
    return ""


def _untie(weights: dict[str, Stored], tied: dict[str, str]) -> None:
    """Leave each tied weight under one name. Where the file holds two different ones, which counts is unknown."""
    for alias, origin in tied.items():
        if alias not in weights:
            continue
        twin = weights.pop(alias)
        first = weights.setdefault(origin, twin)
        if first is not twin and not same_bits(first.read(), twin.read()):
            raise ValueError(
                f"the config ties {alias} to {origin}, but the file holds two different ones: set tie_word_embeddings "
                "to false in config.json if both count"
            )


def few(names: list[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
