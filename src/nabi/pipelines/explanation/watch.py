"""A pipeline's own call, watched: what preprocess made, what the model was given and gave, what generate wrote.

The pipeline runs once, as ever, but that the model is asked to show its attentions and hidden states; what generate
wrote is then read again in one pass, for the maps of all its tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ...nn.roles import Room
from .contents import Stage
from .seen import Pass, Seen, Writing, decoder_of
from .writing import generate_watched, inputs_up_to

SHOWN = ("output_attentions", "output_hidden_states")


def watch(pipe: Any, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Seen:
    """Call the pipeline with one item, and see what happens inside."""
    seen, model = Seen(), pipe.model
    with ExitStack() as watching:
        watching.enter_context(replaced(pipe, "preprocess", partial(preprocess_watched, seen)))
        if pipe.tokenizer is not None:
            watching.enter_context(tokenizer_watched(pipe.tokenizer, seen))
        if hasattr(model, "generate"):
            watching.enter_context(replaced(model, "generate", partial(generate_watched, seen, model)))
        watching.enter_context(model_watched(model, seen))
        watching.enter_context(replaced(pipe, "usual_batch_size", lambda own: 1))  # windows and hypotheses one by one
        seen.result = pipe(*inputs, **settings)
    for writing in seen.wrote:
        seen.passes.append(read_again(model, writing))
    return seen


@contextmanager
def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    """Put another attribute, made of the one that is there, in the place of this one object's, for a while."""
    own = vars(owner).get(name)
    setattr(owner, name, make(getattr(owner, name)))
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


def preprocess_watched(seen: Seen, own: Callable[..., Any]) -> Callable[..., Any]:
    def preprocess(*args: Any, **settings: Any) -> Any:
        made = own(*args, **settings)
        parts = made if isinstance(made, Mapping) else list(made)
        seen.prepared.extend([parts] if isinstance(parts, Mapping) else parts)
        return parts

    return preprocess


@contextmanager
def tokenizer_watched(tokenizer: Any, seen: Seen) -> Iterator[None]:
    """Keep what this one tokenizer is called with: for a while it is of a class whose calls are seen."""
    kind = type(tokenizer)

    def call(self: Any, text: Any = None, text_pair: Any = None, *args: Any, **options: Any) -> Any:
        batch = kind.__call__(self, text, text_pair, *args, **options)
        if not options.get("is_split_into_words"):  # the places of words count from each word's own beginning
            rows = read_texts(text, text_pair)
            whose = batch.get("overflow_to_sample_mapping", range(len(rows)))
            pairs = zip(whose, batch.encodings or (), strict=False)
            seen.encoded.extend((rows[int(number)], encoding) for number, encoding in pairs)
        return batch

    tokenizer.__class__ = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})
    try:
        yield
    finally:
        tokenizer.__class__ = kind


def read_texts(text: Any, pair: Any) -> list[list[str]]:
    """The texts of each row of a tokenizer's call."""
    if isinstance(text, str):
        return [[each for each in (text, pair) if isinstance(each, str)]]
    pairs = pair if isinstance(pair, (list, tuple)) else [None] * len(text or ())
    rows = ((*one, two) if isinstance(one, (list, tuple)) else (one, two) for one, two in zip(text, pairs, strict=True))
    return [[each for each in row if isinstance(each, str)] for row in rows]


# ---------------------------------------------------------------- the model


@contextmanager
def model_watched(model: Any, seen: Seen) -> Iterator[None]:
    """Keep every call of the model that is not a step of generate, with the stages of the last one."""
    takes = model._arguments()
    wanted = {name: True for name in SHOWN if name in takes}
    targets: list[Tensor] = []

    def before(module: Any, args: tuple[Any, ...], inputs: dict[str, Any]) -> Any:
        if seen.generating:
            return None
        seen.stages.clear()
        targets.clear()
        return args, {**inputs, **wanted}

    def after(module: Any, args: tuple[Any, ...], inputs: dict[str, Any], outputs: Any) -> None:
        if not seen.generating:
            given = {model.main_input_name: args[0]} if args else {}
            given.update({name: value for name, value in inputs.items() if name not in SHOWN})
            seen.passes.append(Pass(given, outputs, list(seen.stages.values()), targets[0] if targets else None))

    def read_target(module: Any, args: tuple[Any, ...], inputs: dict[str, Any]) -> None:
        ids = args[0] if args else inputs.get("input_ids")
        if isinstance(ids, Tensor):
            targets.append(ids)

    def note(name: str) -> Any:
        def stage(module: Any, args: tuple[Any, ...], inputs: dict[str, Any], output: Any) -> None:
            given = next((value for value in (*args, *inputs.values()) if isinstance(value, Tensor)), None)
            made = first_tensor(output)
            if name not in seen.stages and made is not None:
                count = sum(parameter.numel() for parameter in module.parameters())
                shape = [] if given is None else list(given.shape)
                seen.stages[name] = Stage(name, type(module).__name__, shape, list(made.shape), count)

        return stage

    with ExitStack() as hooks:
        hooks.enter_context(model.register_forward_pre_hook(before, with_kwargs=True))
        hooks.enter_context(model.register_forward_hook(after, with_kwargs=True))
        for name, module in stages_of(model):
            hooks.enter_context(module.register_forward_hook(note(name), with_kwargs=True))
        decoder = decoder_of(model)
        if decoder is not None:
            hooks.enter_context(decoder.register_forward_pre_hook(read_target, with_kwargs=True))
        yield


def stages_of(model: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The modules that a reader follows: each member of the first lists of layers, and what is around them whole."""
    for name, module in model.named_children():
        path = f"{prefix}{name}"
        if isinstance(module, nn.ModuleList):
            yield from ((f"{path}.{number}", block) for number, block in enumerate(module))
        elif isinstance(module, Room) or any(isinstance(inner, nn.ModuleList) for inner in module.modules()):
            yield from stages_of(module, f"{path}.")
        elif not isinstance(module, (nn.Dropout, nn.Identity)):
            yield path, module


def first_tensor(output: Any) -> Tensor | None:
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = tuple(output.values())
    found = (first_tensor(each) for each in output) if isinstance(output, (tuple, list)) else ()
    return next((each for each in found if each is not None), None)


def read_again(model: Any, writing: Writing) -> Pass:
    """One pass over the prompt and what was written, which shows what each step saw."""
    seen = Seen()
    with torch.no_grad(), model_watched(model, seen):
        cacheless = {"use_cache": False} if "use_cache" in model._arguments() else {}
        model(**inputs_up_to(model, writing, len(writing.ids)), **cacheless)
    (found,) = seen.passes
    found.writing = writing
    return found
