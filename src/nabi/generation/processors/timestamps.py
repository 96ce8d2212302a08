"""Whisper's timestamps: the ids behind `<|notimestamps|>`, each 20 milliseconds later than the one before."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .base import LogitsProcessor, whole


class WhisperTimeStampLogitsProcessor(LogitsProcessor):
    """The rules for timestamps of the paper's decoding (arXiv:2212.04356).

    They come in pairs, the end of one piece of speech and the beginning of the next, and never go back in time. The
    first token is one, at most `max_initial_timestamp_index` steps in; and where all timestamps together are likelier
    than any text token, it is time for one. Of `generate_config` it reads no_timestamps_token_id, eos_token_id (or
    bos_token_id), max_initial_timestamp_index. `begin_index`: where the text begins, behind the tokens that say the
    language and the task.
    """

    def __init__(
        self, generate_config: Any, begin_index: int, _detect_timestamp_from_logprob: bool | None = None
    ) -> None:
        no_timestamps = getattr(generate_config, "no_timestamps_token_id", None)
        self.no_timestamps_token_id = whole(
            "no_timestamps_token_id", no_timestamps, 0, "timestamps need the generation_config.json of a Whisper model"
        )
        self.timestamp_begin = self.no_timestamps_token_id + 1
        eos = generate_config.eos_token_id
        eos = eos[0] if isinstance(eos, (list, tuple)) else eos
        self.eos_token_id = whole("eos_token_id", eos or generate_config.bos_token_id, 0)
        self.begin_index = whole("begin_index", begin_index, 0)
        self.max_initial_timestamp_index = getattr(generate_config, "max_initial_timestamp_index", None)
        detect = _detect_timestamp_from_logprob
        if detect is None:
            detect = getattr(generate_config, "_detect_timestamp_from_logprob", True)
        self.by_probability = detect

    def set_begin_index(self, begin_index: int) -> None:
        self.begin_index = begin_index

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        first, ids = self.timestamp_begin, torch.arange(scores.shape[-1], device=scores.device)
        banned = (ids == self.no_timestamps_token_id).repeat(scores.shape[0], 1)
        for row, written in enumerate(input_ids[:, self.begin_index :].tolist()):
            times = [token for token in written if token >= first]
            closing = bool(written) and written[-1] >= first
            # The very first token counts as the second of a pair: text follows, and not another timestamp.
            paired = closing and (len(written) < 2 or written[-2] >= first)
            if paired:
                banned[row, first:] = True
            elif closing:  # its twin follows, or the text ends
                banned[row, : self.eos_token_id] = True
            if times:
                earliest = times[-1] if closing and not paired else times[-1] + 1
                banned[row, first:earliest] = True
        if input_ids.shape[1] == self.begin_index:
            banned[:, :first] = True
            if self.max_initial_timestamp_index is not None:
                banned[:, first + self.max_initial_timestamp_index + 1 :] = True
        scores = scores.masked_fill(banned, -torch.inf)
        return self._time_for_one(scores) if self.by_probability else scores

    def _time_for_one(self, scores: Tensor) -> Tensor:
        """No text where a timestamp, whichever, is likelier than the likeliest text token."""
        first = self.timestamp_begin
        log_likely = scores.float().log_softmax(dim=-1)
        is_time = log_likely[:, first:].logsumexp(dim=-1) > log_likely[:, :first].amax(dim=-1)
        text = torch.arange(scores.shape[-1], device=scores.device) < first
        return scores.masked_fill(is_time[:, None] & text, -torch.inf)
