"""What generate returns, by its names since 4.39 and by the older ones, one for each way of searching."""

from __future__ import annotations

import math

from torch import Tensor

from ..generation.outputs import (
    GenerateBeamDecoderOnlyOutput,
    GenerateBeamEncoderDecoderOutput,
    GenerateDecoderOnlyOutput,
    GenerateEncoderDecoderOutput,
)
from ..generation.processors import LogitsProcessorList, TopKLogitsWarper, TopPLogitsWarper

GreedySearchDecoderOnlyOutput = SampleDecoderOnlyOutput = ContrastiveSearchDecoderOnlyOutput = GenerateDecoderOnlyOutput
GreedySearchEncoderDecoderOutput = SampleEncoderDecoderOutput = GenerateEncoderDecoderOutput
ContrastiveSearchEncoderDecoderOutput = GenerateEncoderDecoderOutput
BeamSearchDecoderOnlyOutput = BeamSampleDecoderOnlyOutput = GenerateBeamDecoderOnlyOutput
BeamSearchEncoderDecoderOutput = BeamSampleEncoderDecoderOutput = GenerateBeamEncoderDecoderOutput

GreedySearchOutput = GreedySearchDecoderOnlyOutput | GreedySearchEncoderDecoderOutput
SampleOutput = SampleDecoderOnlyOutput | SampleEncoderDecoderOutput
BeamSearchOutput = BeamSearchDecoderOnlyOutput | BeamSearchEncoderDecoderOutput
BeamSampleOutput = BeamSampleDecoderOnlyOutput | BeamSampleEncoderDecoderOutput
GenerateNonBeamOutput = GenerateDecoderOnlyOutput | GenerateEncoderDecoderOutput
GenerateBeamOutput = GenerateBeamDecoderOnlyOutput | GenerateBeamEncoderDecoderOutput
GenerateOutput = GenerateNonBeamOutput | GenerateBeamOutput


def top_k_top_p_filtering(
    logits: Tensor, top_k: int = 0, top_p: float = 1.0, filter_value: float = -math.inf, min_tokens_to_keep: int = 1
) -> Tensor:
    """Scores (rows, vocabulary) with all but the top_k best, and then the top_p likeliest, set to filter_value."""
    chosen = LogitsProcessorList()
    if top_k > 0:
        chosen.append(TopKLogitsWarper(top_k, filter_value=filter_value, min_tokens_to_keep=min_tokens_to_keep))
    if 0 <= top_p < 1:
        chosen.append(TopPLogitsWarper(top_p, filter_value=filter_value, min_tokens_to_keep=min_tokens_to_keep))
    return chosen(logits.new_zeros(len(logits), 0).long(), logits)
