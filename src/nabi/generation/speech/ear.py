"""The encoder over windows of the sound."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...nn.seq2seq import as_output
from ...outputs import BaseModelOutput, ModelOutput

STRIDE = 2  # frames of the spectrogram for each position of the encoder

Place = tuple[int, int, int]  # a text's row, its first frame, how many frames


class Ear:
    """Hears windows, each one once: language, silence and every temperature work on the same encoder's output.

    features: (texts, mel bins, frames), or None where `read`, an encoder's output, was given in their place.
    """

    def __init__(self, model: Any, settings: Any, features: Tensor | None, read: Any = None) -> None:
        self.model = model
        self.window = STRIDE * model.config.max_source_positions
        self.features = features
        self.texts: int
        self.frames: int
        wanted = ("output_attentions", "output_hidden_states") if settings.return_dict_in_generate else ()
        self.wanted = {name: True for name in wanted if getattr(settings, name)}
        self.last: tuple[list[Place], Any] | None = None
        if features is None:
            check_read(model, read)
            self.read = BaseModelOutput(last_hidden_state=read) if isinstance(read, Tensor) else as_output(read)
            self.texts, positions = self.read.last_hidden_state.shape[:2]
            self.frames = positions * STRIDE
        else:
            check_features(model, features)
            self.texts, self.frames = features.shape[0], features.shape[2]

    def __call__(self, places: list[Place]) -> Any:
        """The encoder's output, a row for each place."""
        if self.features is None:
            return rows_of(self.read, [text for text, *_ in places])
        distinct = list(dict.fromkeys(places))  # several texts may be written for the same sound
        if self.last is None or self.last[0] != distinct:
            self.last = distinct, self.model.get_encoder()(self.sound(distinct), **self.wanted, return_dict=True)
        return rows_of(self.last[1], [distinct.index(place) for place in places])

    def sound(self, places: list[Place]) -> Any:
        """(places, mel bins, window): the frames of each place, and zeros behind them; None if there are none."""
        if self.features is None:
            return None
        pieces = [self.features[text, :, first : first + count] for text, first, count in places]
        padded = [F.pad(piece, (0, self.window - piece.shape[1])) for piece in pieces]
        return torch.stack(padded).to(self.model.device)


def rows_of(heard: ModelOutput, rows: list[int]) -> Any:
    """These rows of an encoder's output."""
    if rows == list(range(len(heard["last_hidden_state"]))):
        return heard
    kept = {
        name: tuple(layer[rows] for layer in value) if isinstance(value, (tuple, list)) else value[rows]
        for name, value in heard.items()
        if value is not None
    }
    return type(heard)(kept)


def check_features(model: Any, features: Any) -> None:
    """TypeError or ValueError unless they are a spectrogram of the model's height, of whatever length."""
    bins, window = model.config.num_mel_bins, STRIDE * model.config.max_source_positions
    what = f"expected log-mel features of shape (batch, {bins}, frames), as WhisperFeatureExtractor makes them"
    if not isinstance(features, Tensor):
        raise TypeError(f"input_features is a {type(features).__name__}: {what} with return_tensors='pt'")
    shape = tuple(features.shape)
    if features.dim() != 3 or not features.is_floating_point():
        raise ValueError(f"input_features has shape {shape} and numbers of {features.dtype}: {what}")
    if shape[1] != bins:
        turned = ": its last two dimensions are in each other's place" if shape[2] == bins else ""
        raise ValueError(
            f"input_features has {shape[1]} mel bins (shape {shape}), the model reads {bins}{turned}; {what}"
        )
    if not shape[0] or not shape[2]:
        raise ValueError(f"input_features has shape {shape}: there is no sound in it; the model reads {window} frames")


def check_read(model: Any, read: Any) -> None:
    if read is None:
        raise ValueError(f"{type(model).__name__} writes down a sound: pass input_features (or encoder_outputs)")
    vectors = read if isinstance(read, Tensor) else read[0]
    expected = (model.config.max_source_positions, model.config.d_model)
    if vectors.dim() != 3 or tuple(vectors.shape[1:]) != expected:
        raise ValueError(
            f"encoder_outputs has shape {tuple(vectors.shape)}; expected (batch, {expected[0]}, {expected[1]}), as the "
            "model's encoder gives it"
        )
