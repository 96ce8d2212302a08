"""Settings -> the processors that they ask for, in the order in which results depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torch import Tensor

from .base import LogitsProcessor, LogitsProcessorList, with_own
from .filters import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)
from .guidance import UnbatchedClassifierFreeGuidanceLogitsProcessor
from .lengths import (
    ExponentialDecayLengthPenalty,
    ForcedEOSTokenLogitsProcessor,
    MinLengthLogitsProcessor,
    MinNewTokensLengthLogitsProcessor,
)
from .repetition import (
    EncoderNoRepeatNGramLogitsProcessor,
    EncoderRepetitionPenaltyLogitsProcessor,
    HammingDiversityLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)
from .tokens import (
    ForcedBOSTokenLogitsProcessor,
    ForceTokensLogitsProcessor,
    InfNanRemoveLogitsProcessor,
    LogitNormalization,
    NoBadWordsLogitsProcessor,
    PrefixConstrainedLogitsProcessor,
    SequenceBiasLogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
)


def processors_for(
    settings: Any,
    *,
    prompt_length: int,
    eos: list[int],
    device: Any = "cpu",
    encoder_input_ids: Tensor | None = None,
    prefix_allowed_tokens_fn: Callable[[int, Tensor], Any] | None = None,
    prompt_mask: Tensor | None = None,
    model: Any = None,
    negative_prompt_ids: Tensor | None = None,
    negative_prompt_attention_mask: Tensor | None = None,
    grammar: LogitsProcessor | None = None,
    own: Iterable[LogitsProcessor] = (),
) -> LogitsProcessorList:
    """All that `settings` (a GenerationConfig) ask for; sampling's filters only if it samples.

    `prompt_mask` (texts, prompt length) tells padding, which no repetition penalty counts. `encoder_input_ids` (texts,
    source length), of a source that has ids. `grammar` stands before what forces tokens. `own` processors take the
    places of built-in ones of the same class, else they follow those that count without sampling too. In group search
    call the list with current_tokens and beam_group_idx. Raises ValueError for a setting that could not be followed.
    """
    source = encoder_input_ids
    if source is not None and (source.dim() != 2 or source.is_floating_point() or bool((source < 0).any())):
        source = None  # sound, pictures, vectors
    negative = {"ids": negative_prompt_ids, "mask": negative_prompt_attention_mask}
    processors = [
        *_guidance(settings, model, negative),
        *_bias_and_repetition(settings, source, prompt_mask),
        *_length_and_words(settings, prompt_length, eos, device),
        *_form(settings, prefix_allowed_tokens_fn, grammar),
        *_forced(settings, prompt_length, eos, device),
    ]
    processors = with_own(processors, own)
    if settings.do_sample:
        processors += _filters(settings, eos, device)
    if settings.renormalize_logits:
        processors.append(LogitNormalization())
    return LogitsProcessorList(processors)


def _guidance(settings: Any, model: Any, negative: dict[str, Tensor | None]) -> Iterator[LogitsProcessor]:
    scale = settings.guidance_scale
    if scale is None or scale == 1:
        if negative["ids"] is not None:
            raise ValueError(
                f"negative_prompt_ids are given, but guidance_scale is {scale!r}, so they would not count: pass a "
                "guidance_scale above 1"
            )
        return
    if (settings.num_beams or 1) > 1:
        raise ValueError(
            f"guidance_scale is {scale!r} and num_beams {settings.num_beams}: guidance has no beams, pass num_beams=1"
        )
    yield UnbatchedClassifierFreeGuidanceLogitsProcessor(
        scale,
        model,
        unconditional_ids=negative["ids"],
        unconditional_attention_mask=negative["mask"],
        use_cache=settings.use_cache is not False,
    )


def _bias_and_repetition(settings: Any, source: Tensor | None, prompt_mask: Tensor | None) -> Iterator[LogitsProcessor]:
    if settings.sequence_bias is not None:
        yield SequenceBiasLogitsProcessor(settings.sequence_bias)
    if settings.diversity_penalty:
        groups = settings.num_beam_groups or 1
        if groups < 2:
            raise ValueError(
                f"diversity_penalty is {settings.diversity_penalty!r}, but num_beam_groups is {groups}: pass 2 or more"
            )
        yield HammingDiversityLogitsProcessor(settings.diversity_penalty, settings.num_beams, groups)
    if settings.encoder_repetition_penalty not in (None, 1):
        yield EncoderRepetitionPenaltyLogitsProcessor(
            settings.encoder_repetition_penalty, _needed(source, settings, "encoder_repetition_penalty")
        )
    if settings.repetition_penalty not in (None, 1):
        padding = None if prompt_mask is None else (prompt_mask != 0).int().argmax(dim=1)
        yield RepetitionPenaltyLogitsProcessor(settings.repetition_penalty, prompt_ignore_length=padding)
    if settings.no_repeat_ngram_size:
        yield NoRepeatNGramLogitsProcessor(settings.no_repeat_ngram_size)
    if settings.encoder_no_repeat_ngram_size:
        yield EncoderNoRepeatNGramLogitsProcessor(
            settings.encoder_no_repeat_ngram_size, _needed(source, settings, "encoder_no_repeat_ngram_size")
        )


def _needed(source: Tensor | None, settings: Any, name: str) -> Tensor:
    if source is None:
        raise ValueError(
            f"{name} is {getattr(settings, name)!r}, but there is no source of ids to compare with: leave it out, or "
            "pass input_ids"
        )
    return source


def _length_and_words(settings: Any, prompt_length: int, eos: list[int], device: Any) -> Iterator[LogitsProcessor]:
    if settings.bad_words_ids is not None:
        yield NoBadWordsLogitsProcessor(settings.bad_words_ids, eos or None)
    if settings.min_length and eos:  # with nothing that ends a text it is always kept
        yield MinLengthLogitsProcessor(settings.min_length, eos, device)
    if settings.min_new_tokens and eos:
        yield MinNewTokensLengthLogitsProcessor(prompt_length, settings.min_new_tokens, eos, device)


def _form(
    settings: Any, allowed: Callable[[int, Tensor], Any] | None, grammar: LogitsProcessor | None
) -> Iterator[LogitsProcessor]:
    if allowed is not None:
        yield PrefixConstrainedLogitsProcessor(allowed, settings.num_beams or 1)
    if grammar is not None:
        yield grammar


def _forced(settings: Any, prompt_length: int, eos: list[int], device: Any) -> Iterator[LogitsProcessor]:
    if settings.forced_bos_token_id is not None:
        yield ForcedBOSTokenLogitsProcessor(settings.forced_bos_token_id)
    if settings.forced_eos_token_id is not None:
        yield ForcedEOSTokenLogitsProcessor(settings.max_length, settings.forced_eos_token_id, device)
    if settings.remove_invalid_values:
        yield InfNanRemoveLogitsProcessor()
    if settings.exponential_decay_length_penalty is not None:
        if not eos:
            raise ValueError(
                "exponential_decay_length_penalty draws a text's end near, but no token ends one: pass eos_token_id"
            )
        yield ExponentialDecayLengthPenalty(settings.exponential_decay_length_penalty, eos, prompt_length)
    if settings.suppress_tokens is not None:
        yield SuppressTokensLogitsProcessor(settings.suppress_tokens, device)
    forced = settings.forced_decoder_ids
    if settings.begin_suppress_tokens is not None:
        # What is forced is no beginning yet: the text's own first token stands behind it.
        shift = int(prompt_length <= 1 and settings.forced_bos_token_id is not None)
        shift += forced[-1][0] if forced else 0
        yield SuppressTokensAtBeginLogitsProcessor(settings.begin_suppress_tokens, prompt_length + shift, device)
    if forced:
        yield ForceTokensLogitsProcessor(forced)


def _filters(settings: Any, eos: list[int], device: Any) -> Iterator[LogitsProcessor]:
    # Beams must be able to go on: besides the tokens that end a text, one more.
    keep = (len(eos) if eos else 1) + 1 if (settings.num_beams or 1) > 1 else 1
    if settings.temperature not in (None, 1):
        yield TemperatureLogitsWarper(settings.temperature)
    if settings.top_h is not None:
        yield TopHLogitsWarper(settings.top_h)
    if settings.top_k:
        yield TopKLogitsWarper(settings.top_k, min_tokens_to_keep=keep)
    if settings.top_p not in (None, 1):
        yield TopPLogitsWarper(settings.top_p, min_tokens_to_keep=keep)
    if settings.min_p is not None:
        yield MinPLogitsWarper(settings.min_p, min_tokens_to_keep=keep)
    if settings.typical_p not in (None, 1):
        yield TypicalLogitsWarper(settings.typical_p, min_tokens_to_keep=keep)
    if settings.epsilon_cutoff:
        yield EpsilonLogitsWarper(settings.epsilon_cutoff, min_tokens_to_keep=keep)
    if settings.eta_cutoff:
        yield EtaLogitsWarper(settings.eta_cutoff, min_tokens_to_keep=keep, device=device)
