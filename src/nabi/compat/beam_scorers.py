"""What `model.beam_search` of versions before 4.39 takes: the settings of a beam search, as an object."""

from __future__ import annotations

from typing import Any


class BeamSearchScorer:
    """num_beams beams for each text; num_beam_hyps_to_keep of them are given back. Groups are `generate`'s alone."""

    def __init__(
        self,
        batch_size: int,
        num_beams: int,
        device: Any = None,
        length_penalty: float = 1.0,
        do_early_stopping: bool | str = False,
        num_beam_hyps_to_keep: int = 1,
        num_beam_groups: int = 1,
        max_length: int | None = None,
    ) -> None:
        if num_beam_groups > 1:
            raise ValueError(
                f"num_beam_groups is {num_beam_groups}: use model.generate(num_beams={num_beams}, "
                f"num_beam_groups={num_beam_groups}, diversity_penalty=…)"
            )
        self.batch_size, self.num_beams, self.device = batch_size, num_beams, device
        self.length_penalty, self.do_early_stopping = length_penalty, do_early_stopping
        self.num_beam_hyps_to_keep, self.max_length = num_beam_hyps_to_keep, max_length
