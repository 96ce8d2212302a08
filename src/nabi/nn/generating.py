"""What a model needs to write texts. The searches are in the room `generation`, above this one, entered when called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..hub import Repository
from ..outputs import ModelOutput
from .cache import Cache
from .older_searches import OlderSearches


class GenerationMixin(OlderSearches):
    """`generate`, its settings, and how the inputs of each pass are made. Mixed into the models that score tokens."""

    config: Any
    starts_anywhere = False  # whether a target may begin with other tokens than decoder_start_token_id
    _settings: Any = None  # a GenerationConfig
    _settings_of_config: dict[str, Any] | None = None  # what of them stood in the model's config when they were made

    def generate(self, inputs: Tensor | None = None, generation_config: Any = None, **options: Any) -> Any:
        """Write on: ids (batch, length) -> ids with the new tokens behind, or the target alone where there is a source.

        Everything about it is said at generation.generate.
        """
        from ..generation.generate import generate

        return generate(self, inputs, generation_config, **options)

    @classmethod
    def can_generate(cls) -> bool:
        return True

    @property
    def generation_config(self) -> Any:
        """The model's GenerationConfig: of its file, or else of its config, where old checkpoints keep the settings.

        A setting that is changed on the config later counts too, as it did before they had a file.
        """
        from ..generation.config import GenerationConfig, settings_in

        now = settings_in(self.config)
        if self._settings is None:
            self._settings = GenerationConfig.from_model_config(self.config)
        elif now != self._settings_of_config:
            before = self._settings_of_config or {}
            self._settings.update(**{name: value for name, value in now.items() if before.get(name) != value})
        self._settings_of_config = now
        return self._settings

    @generation_config.setter
    def generation_config(self, settings: Any) -> None:
        from ..generation.config import settings_in

        self._settings = settings
        self._settings_of_config = settings_in(self.config)

    def read_settings(self, repository: Repository) -> None:
        """Take generation_config.json, where the checkpoint has one."""
        from ..generation.config import GENERATION_CONFIG_NAME, GenerationConfig, read_json

        if file := repository.find(GENERATION_CONFIG_NAME):
            try:
                self.generation_config = GenerationConfig.from_dict(read_json(file))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{file}: {error}") from None

    def write_settings(self, folder: Path) -> None:
        self.generation_config.save_pretrained(folder)

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> dict[str, Any]:
        """The arguments of one pass: of the ids so far (rows, length) only those that the cache does not hold yet.

        attention_mask (rows, length) is that of these ids; where there is a source it is the source's, and the
        ids' is decoder_attention_mask. Families and users override this.
        """
        decodes = self.config.is_encoder_decoder
        past = past_key_values.get_seq_length() if past_key_values is not None else 0
        past = min(past, input_ids.shape[1] - 1)  # it may know more than the ids: the vectors of a learned prompt
        new = input_ids[:, past:]
        vectors = None if decodes else inputs.pop("inputs_embeds", None)
        made: dict[str, Any] = {**inputs, "past_key_values": past_key_values, "attention_mask": attention_mask}
        if vectors is not None and vectors.shape[1] > past:  # they stand in the place of the first ids
            words = self.get_input_embeddings()(input_ids[:, vectors.shape[1] :])  # type: ignore[attr-defined]
            made["inputs_embeds"] = torch.cat((vectors, words), dim=1)[:, past:]
        else:
            made["decoder_input_ids" if decodes else "input_ids"] = new
        for name in ("position_ids", "token_type_ids"):
            if made.get(name) is not None:
                made[name] = made[name][:, -(input_ids.shape[1] - past) :]
        return {name: value for name, value in made.items() if value is not None}

    def repeat_input(self, name: str, value: Any, times: int, ids: Tensor) -> Any:
        """An input of the texts with these ids, so many rows for each text in turn."""
        if isinstance(value, Tensor) and value.dim():
            return value.repeat_interleave(times, dim=0)
        if isinstance(value, Cache):
            value.batch_repeat_interleave(times)
        elif isinstance(value, ModelOutput):  # an encoder's
            return type(value)({**value, "last_hidden_state": value.last_hidden_state.repeat_interleave(times, dim=0)})
        return value

    def compute_transition_scores(
        self,
        sequences: Tensor,
        scores: tuple[Tensor, ...],
        beam_indices: Tensor | None = None,
        normalize_logits: bool = False,
    ) -> Tensor:
        """(texts, new tokens): the score of each token that was written, 0 behind a text's end.

        sequences, scores and (of beam search) beam_indices are those that generate returned; normalize_logits makes
        log-probabilities of scores that are none.
        """
        stacked = torch.stack(scores)  # (steps, rows, vocabulary)
        if normalize_logits:
            stacked = torch.log_softmax(stacked, dim=-1)
        if beam_indices is None:
            beam_indices = torch.arange(stacked.shape[1], device=sequences.device)[:, None].expand(-1, len(scores))
        ended = beam_indices < 0
        steps = int((~ended).sum(-1).max())
        rows, ended = beam_indices[:, :steps].clamp(min=0).long(), ended[:, :steps]
        tokens = sequences[:, sequences.shape[1] - steps :]
        step = torch.arange(steps, device=sequences.device)[None]
        return stacked[step, rows, tokens].masked_fill(ended, 0.0)


class SpeechGenerationMixin(GenerationMixin):
    """`generate` of models that write down sounds of any length, window by window, with times if asked."""

    def generate(self, *args: Any, **options: Any) -> Any:
        """Everything about it, and the order of its arguments, is said at generation.speech.generate."""
        from ..generation.speech import generate

        return generate(self, *args, **options)

    def detect_language(
        self,
        input_features: Tensor | None = None,
        encoder_outputs: Any = None,
        generation_config: Any = None,
        num_segment_frames: int | None = None,
    ) -> Tensor:
        """(sounds,) the ids of the tokens of their languages, by the first window of each sound."""
        from ..generation.speech import language_of

        return language_of(self, input_features, encoder_outputs, generation_config)
