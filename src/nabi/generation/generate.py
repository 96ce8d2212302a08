"""`generate`: from a prompt and settings to new tokens."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .config import SPECIAL_TOKENS, GenerationConfig
from .constraints import constraints_of
from .outputs import Record
from .processors import processors_for
from .prompt import Prompt, read_prompt
from .run import Run, vocabulary_of
from .stopping import stopping_for

DEFAULT_NEW_TOKENS = 20


@torch.no_grad()
def generate(model: Any, inputs: Tensor | None = None, generation_config: Any = None, **options: Any) -> Any:
    """Write on from a prompt: (rows, length) ids with the prompt before them, of an encoder-decoder the target alone.

    The arguments are those of `prepare`. With return_dict_in_generate=True one of the outputs in generation.outputs.
    """
    streamer = options.get("streamer")
    try:
        run = prepare(model, inputs, generation_config, **options)
        if streamer is not None:
            streamer.put(run.ids.cpu())
        written = run.search(run)
    except Exception as error:
        if streamer is not None and hasattr(streamer, "error"):  # its reader waits in another thread
            streamer.error(error)
        raise
    if run.settings.return_legacy_cache and run.settings.return_dict_in_generate:
        written.past_key_values = written.past_key_values.to_legacy_cache()
    return written


@torch.no_grad()
def prepare(
    model: Any,
    inputs: Tensor | None = None,
    generation_config: GenerationConfig | None = None,
    logits_processor: Any = None,
    stopping_criteria: Any = None,
    prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]] | None = None,
    synced_gpus: bool | None = None,
    assistant_model: Any = None,
    streamer: Any = None,
    negative_prompt_ids: Tensor | None = None,
    negative_prompt_attention_mask: Tensor | None = None,
    *,
    tokenizer: Any = None,
    assistant_tokenizer: Any = None,
    **options: Any,
) -> Run:
    """Everything that comes before the first token; the encoder, where there is one, has read the source.

    inputs: the prompt's ids (texts, length), or what else the model reads first; further inputs by name, as the
    tokenizer gave them. Settings (GenerationConfig's fields) by name come first, then generation_config, then the
    model's own. logits_processor and stopping_criteria: lists of functions (ids, scores) of one's own.
    response_format={"type": "json_schema", …} or regex="…" hold the text to a form (they need tokenizer).
    assistant_model drafts tokens that the model checks; streamer gets tokens as they are written.
    Settings that contradict each other, a prompt that does not fit and names that nobody knows are errors.
    """
    settings, given = settle(model, generation_config, options)
    settings.validate()
    search = choose_search(settings, assistant_model)
    check_company(model, settings, search, streamer=streamer, tokenizer=tokenizer)
    prompt = read_prompt(model, settings, inputs, given)
    count_lengths(model, settings, prompt)
    if settings.constraints or settings.force_words_ids:
        constraints_of(settings, vocabulary_of(model))  # refuses what no text can hold
    length = prompt.ids.shape[1]
    mask_name = "decoder_attention_mask" if model.config.is_encoder_decoder else "attention_mask"
    processors = processors_for(
        settings,
        prompt_length=length,
        eos=settings.eos,
        device=prompt.ids.device,
        encoder_input_ids=prompt.source,
        prefix_allowed_tokens_fn=prefix_allowed_tokens_fn,
        prompt_mask=prompt.inputs.get(mask_name),
        model=model,
        negative_prompt_ids=negative_prompt_ids,
        negative_prompt_attention_mask=negative_prompt_attention_mask,
        grammar=_grammar(settings, tokenizer, length),
        own=list(logits_processor or []),
    )
    stopping = stopping_for(settings, eos=settings.eos, tokenizer=tokenizer, own=list(stopping_criteria or []))
    # Everything has been checked: from here on the model works.
    prompt.read(model, settings)
    times = max(settings.num_beams, settings.num_return_sequences)
    shared = settings.use_cache and "past_key_values" not in prompt.inputs and model.config.is_encoder_decoder
    ids, rest = prompt.repeated(model, times, shared=shared)
    return Run(
        model=model,
        search=search,
        settings=settings,
        prompt=prompt,
        ids=ids,
        inputs=rest,
        shared=times if shared else 1,
        processors=processors,
        stopping=stopping,
        record=Record(settings),
        streamer=streamer,
        tokenizer=tokenizer,
        assistant=assistant_model,
        assistant_tokenizer=assistant_tokenizer,
    )


def settle(
    model: Any, given: GenerationConfig | None, options: dict[str, Any]
) -> tuple[GenerationConfig, dict[str, Any]]:
    """The settings of this call, and what among the options is none: inputs of the model."""
    if given is not None and not isinstance(given, GenerationConfig):
        raise TypeError(f"generation_config is a {type(given).__name__}; expected a GenerationConfig")
    settings = copy.deepcopy(model.generation_config)
    if options.pop("use_model_defaults", True) is False:  # but of the special tokens
        settings = GenerationConfig(**{name: getattr(settings, name) for name in SPECIAL_TOKENS})
    if given is not None:
        settings.update(**given.to_diff_dict())
    rest = settings.update(**options)
    return settings, rest


def choose_search(settings: GenerationConfig, assistant: Any) -> Callable[[Run], Any]:
    """The one search that these settings ask for."""
    if assistant is not None or settings.prompt_lookup_num_tokens is not None:
        from .assisted import assisted

        return assisted
    if settings.constraints or settings.force_words_ids:
        from .constrained import constrained_beam_search

        return constrained_beam_search
    if settings.num_beam_groups > 1:
        from .group_beam import group_beam_search

        return group_beam_search
    if settings.num_beams > 1:
        from .beam import beam_search

        return beam_search
    if settings.penalty_alpha and not settings.do_sample and (settings.top_k or 0) > 1:
        from .contrastive import contrastive_search

        return contrastive_search
    from .sample import sample

    return sample


def check_company(model: Any, settings: GenerationConfig, search: Any, *, streamer: Any, tokenizer: Any) -> None:
    """What the search cannot go with."""
    if streamer is not None and settings.num_beams > 1:
        raise ValueError(
            f"a streamer prints tokens as they are written, but with num_beams={settings.num_beams} they are known "
            "at the end only: pass num_beams=1, or no streamer"
        )
    if search.__name__ == "assisted" and (settings.num_beams > 1 or settings.num_return_sequences > 1):
        raise ValueError(
            f"assisted decoding writes one text, but num_beams is {settings.num_beams} and num_return_sequences "
            f"{settings.num_return_sequences}: leave both at 1, or the assistant out"
        )


def count_lengths(model: Any, settings: GenerationConfig, prompt: Prompt) -> None:
    """Settle max_length and min_length as lengths of the whole rows; ValueError where a prompt leaves no room."""
    length, before = prompt.ids.shape[1], prompt.before
    limit, learned = position_limit(model.config)
    default = "max_length" not in settings.given
    if settings.max_new_tokens is not None:
        settings.max_length = settings.max_new_tokens + length
    elif default:
        settings.max_length = DEFAULT_NEW_TOKENS + length
        if limit is not None and length + before < limit:
            settings.max_length = min(settings.max_length, limit - before)
    elif before and "inputs_embeds" in prompt.inputs:
        settings.max_length = max(settings.max_length - before, 0)  # type: ignore[operator]
    most: int = settings.max_length  # type: ignore[assignment]
    if settings.min_new_tokens is not None:
        settings.min_length = settings.min_new_tokens + length
    what = "decoder_input_ids" if model.config.is_encoder_decoder else "the prompt"
    if limit is not None and length + before > limit:
        raise ValueError(
            f"{what} has {length + before} tokens, but the model knows {limit} positions: tokenize with "
            f"truncation=True, max_length={limit - (settings.max_new_tokens or 1)}, or give a shorter text"
        )
    if length >= most:
        raise ValueError(
            f"{what} has {length} tokens already, and max_length is {most}: pass max_new_tokens, which counts new ones "
            "only, or a higher max_length"
        )
    if limit is not None and learned and most + before - 1 > limit:
        raise ValueError(
            f"{what} has {length + before} tokens and {most - length} more are asked for, but the model knows {limit} "
            f"positions: pass max_new_tokens={limit - length - before + 1} or less, or a shorter prompt"
        )
    if (settings.min_length or 0) > most:
        raise ValueError(
            f"min_length comes to {settings.min_length} tokens, but max_length to {most} (the prompt has {length}): "
            "raise max_new_tokens, or lower min_new_tokens"
        )


def position_limit(config: Any) -> tuple[int | None, bool]:
    """How many positions the model was trained for, and whether it can go no further, because each was learned."""
    for inner in ("decoder", "text_config"):
        config = getattr(config, inner, None) or config
    limit = getattr(config, "max_target_positions", None) or getattr(config, "max_position_embeddings", None)
    return limit, not hasattr(config, "rope")


def _grammar(settings: GenerationConfig, tokenizer: Any, prompt_length: int) -> Any:
    """The processor that holds a text to the form asked for, or None."""
    if settings.response_format is None and settings.regex is None:
        return None
    from .grammar import grammar_for

    return grammar_for(
        tokenizer,
        response_format=settings.response_format,
        regex=settings.regex,
        eos=settings.eos,
        prompt_length=prompt_length,
    )
