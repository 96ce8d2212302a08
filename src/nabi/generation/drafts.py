"""Drafts for speculative decoding: looked up in the text itself, or written by a smaller model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..nn.cache import Cache
from .config import GenerationConfig
from .generate import position_limit
from .processors import UnbatchedClassifierFreeGuidanceLogitsProcessor
from .prompt import read_prompt
from .run import Run, vocabulary_of
from .stepper import Stepper

_ENOUGH = 5  # drafted tokens that must be known before the threshold of confidence follows them


class Draft(NamedTuple):
    """tokens (n,), perhaps none; probabilities (n, vocabulary) that they were drawn by, or None if they were not."""

    tokens: Tensor
    probabilities: Tensor | None = None


class Drafter(Protocol):
    def draft(self, ids: Tensor) -> Draft:
        """What may come behind ids (1, length)."""

    def learn(self, kept: int) -> None:
        """How many tokens of the last draft stayed."""


def drafter_for(run: Run) -> Drafter:
    """The one that the settings ask for. ValueError for an assistant that cannot help this model."""
    if run.settings.prompt_lookup_num_tokens is not None:
        return Lookup(run)
    refuse_without_cache(run.assistant)
    if run.prompt.before:
        raise ValueError(
            f"the prompt has {run.prompt.before} positions that have no ids, which an assistant_model cannot read: "
            "pass the whole prompt as input_ids, or prompt_lookup_num_tokens instead of an assistant"
        )
    if run.assistant_tokenizer is not None:
        if run.tokenizer is None:
            raise ValueError("assistant_tokenizer was given, but not the model's own: pass tokenizer=… too")
        if run.tokenizer.get_vocab() != run.assistant_tokenizer.get_vocab():
            from .translated import Translator

            return Translator(run)
    elif vocabulary_of(run.model) != vocabulary_of(run.assistant):
        raise ValueError(
            f"the model knows {vocabulary_of(run.model)} tokens and the assistant_model "
            f"{vocabulary_of(run.assistant)}: pass tokenizer=… and assistant_tokenizer=…, or an assistant with the "
            "model's own tokenizer"
        )
    return Assistant(run)


class Lookup:
    """What followed in the text itself when its last tokens stood there before: the longest n-gram's first place."""

    def __init__(self, run: Run) -> None:
        self.count = run.settings.prompt_lookup_num_tokens
        self.ngram = run.settings.max_matching_ngram_size or 2
        self.longest = run.settings.max_length - 1

    def draft(self, ids: Tensor) -> Draft:
        text = ids[0]
        for size in range(min(self.ngram, len(text) - 1), 0, -1):
            places = (text[:-1].unfold(0, size, 1) == text[-size:]).all(dim=1).nonzero()
            if len(places):
                start = int(places[0]) + size
                return Draft(text[start : start + min(self.count, self.longest - len(text))])
        return Draft(text[:0])

    def learn(self, kept: int) -> None:
        """There is nothing to learn: the text is all that it reads."""


class Assistant:
    """A smaller model with the same tokens, which writes as the settings want the model to write."""

    def __init__(self, run: Run) -> None:
        self.writer = Writer(run, inputs_for_assistant(run))
        self.sampling = run.settings.do_sample
        self.eos = set(run.settings.eos)
        self.longest = run.settings.max_length - 1
        self.vocabulary = vocabulary_of(run.model)
        # Guidance reads the model itself, step by step, and a draft is no step.
        guidance = UnbatchedClassifierFreeGuidanceLogitsProcessor
        self.processors = type(run.processors)(each for each in run.processors if not isinstance(each, guidance))

    def draft(self, ids: Tensor) -> Draft:
        tokens, probabilities = self.writer.write(
            ids, self.longest - ids.shape[1], self._scores, self.eos, sampling=self.sampling
        )
        return Draft(tokens, probabilities if self.sampling else None)

    def learn(self, kept: int) -> None:
        self.writer.learn(whole=kept == self.writer.drafted)
        self.writer.trust(kept)

    def _scores(self, ids: Tensor, logits: Tensor) -> Tensor:
        """Either model may have rows of its vocabulary that no token uses."""
        lacking = self.vocabulary - logits.shape[-1]
        return self.processors(ids, F.pad(logits, (0, lacking), value=-torch.inf))


class Writer:
    """The assistant_model at work: how many tokens it drafts, and when it stops for want of confidence."""

    def __init__(self, run: Run, inputs: dict[str, Any]) -> None:
        self.model = run.assistant
        self.count = setting(run, "num_assistant_tokens")
        self.schedule = setting(run, "num_assistant_tokens_schedule")
        self.threshold = setting(run, "assistant_confidence_threshold") or 0.0
        limit, learned = position_limit(self.model.config)
        self.limit = limit if limit is not None and learned else None
        room = run.settings.max_length
        quiet = GenerationConfig(cache_implementation="dynamic_full")
        self.stepper = Stepper(self.model, inputs, room=room, settings=quiet)
        self.read: Tensor | None = None  # the ids of the last draft, with those before it
        self.confidence: list[float] = []  # of each token of the last draft
        self.known: list[tuple[float, bool]] = []  # confidence of a drafted token, and whether it stayed

    @property
    def drafted(self) -> int:
        return len(self.confidence)

    def write(
        self,
        ids: Tensor,
        most: int,
        processors: Callable[[Tensor, Tensor], Tensor],
        ends: set[int],
        *,
        sampling: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """(n,) tokens behind ids (1, length), at most so many, and (n, vocabulary) the probabilities of each."""
        if self.limit is not None:
            most = min(most, self.limit - ids.shape[1])
        if self.read is not None:
            rewind(self.stepper, min(_alike(self.read, ids), ids.shape[1] - 1))
        start = ids.shape[1]
        self.confidence = []
        steps: list[Tensor] = []
        while self.drafted < min(self.count, most):
            logits = self.stepper(ids.to(self.model.device))[:, -1].to(ids.device)
            refuse_without_cache(self.model, self.stepper)
            likely = torch.softmax(processors(ids, logits), dim=-1)
            token = torch.multinomial(likely, 1) if sampling else likely.argmax(dim=-1, keepdim=True)
            ids = torch.cat((ids, token), dim=1)
            steps.append(likely)
            self.confidence.append(float(likely[0, token[0]]))
            if self.confidence[-1] < self.threshold or int(token) in ends:
                break
        self.read = ids
        return ids[0, start:], torch.cat(steps) if steps else None

    def learn(self, *, whole: bool) -> None:
        """Draft more where a whole draft stayed, and less where it did not, if the schedule says so."""
        if self.schedule == "constant":
            return
        self.count = self.count + 2 if whole else max(1, self.count - 1)
        if self.schedule == "heuristic":  # for the next texts too
            self.model.generation_config.num_assistant_tokens = self.count

    def trust(self, kept: int) -> None:
        """Move the threshold to where it would have been best so far.

        A needless draft costs the share of rejected tokens that it lets pass; a draft that ends too soon costs three
        times the share of good ones that it holds back.
        """
        self.known += [(each, place < kept) for place, each in enumerate(self.confidence[: kept + 1])]
        stayed = torch.tensor([stays for _, stays in self.known])
        if not self.threshold or len(stayed) <= _ENOUGH or bool(stayed.all()) or not bool(stayed.any()):
            return
        confidence, order = torch.tensor([each for each, _ in self.known]).sort(descending=True)
        passed, good = (~stayed[order]).cumsum(0) / (~stayed).sum(), stayed[order].cumsum(0) / stayed.sum()
        self.threshold = float(confidence[(passed + 3 * (1 - good)).argmin()])


def setting(run: Run, name: str) -> Any:
    """Of an assistant: what this call says, or else its own generation_config."""
    return getattr(run.settings if name in run.settings.given else run.assistant.generation_config, name)


def inputs_for_assistant(run: Run) -> dict[str, Any]:
    """What the assistant reads beside the ids, by name."""
    model, assistant = run.model, run.assistant
    takes = assistant._arguments()
    if not model.config.is_encoder_decoder:
        if assistant.config.is_encoder_decoder:
            raise ValueError(
                f"{type(model).__name__} reads no source, but the assistant_model {type(assistant).__name__} needs "
                "one: pass a decoder"
            )
        left_out = ("past_key_values", "inputs_embeds")
        return _at(assistant, {name: each for name, each in run.inputs.items() if name in takes - set(left_out)})
    mask = run.inputs.get("attention_mask")
    if assistant.config.is_encoder_decoder:
        source = run.prompt.source
        if not source.is_floating_point() and bool((source < 0).any()):
            raise ValueError(
                f"encoder_outputs were given, but the assistant_model {type(assistant).__name__} has an encoder of "
                "its own: pass the source too, or a decoder as assistant"
            )
        target = {"decoder_input_ids": run.ids, "attention_mask": mask}
        target["decoder_attention_mask"] = run.inputs.get("decoder_attention_mask")
        prompt = read_prompt(assistant, run.settings, source.to(assistant.device), _at(assistant, target))
        return prompt.read(assistant, run.settings).inputs
    heard = run.inputs["encoder_outputs"]
    inputs = {"attention_mask": run.inputs.get("decoder_attention_mask")}
    if "encoder_outputs" in takes:
        inputs["encoder_outputs"] = heard.last_hidden_state
    else:  # a model that cannot cross says so itself
        inputs["encoder_hidden_states"], inputs["encoder_attention_mask"] = heard.last_hidden_state, mask
    return _at(assistant, inputs)


def _at(model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    moved = {name: each.to(model.device) if isinstance(each, Tensor) else each for name, each in inputs.items()}
    return {name: each for name, each in moved.items() if each is not None}


def _alike(one: Tensor, other: Tensor) -> int:
    """How many ids two texts (1, length) have in common from the beginning."""
    length = min(one.shape[1], other.shape[1])
    differ = (one[0, :length] != other[0, :length]).nonzero()
    return int(differ[0]) if len(differ) else length


def rewind(stepper: Stepper, length: int) -> None:
    """Back to the first `length` ids, or a ValueError that names the model that cannot."""
    try:
        stepper.rewind(length)
    except ValueError as error:
        raise ValueError(f"{_cannot(stepper.model)} ({error})") from error


def refuse_without_cache(model: Any, stepper: Stepper | None = None) -> None:
    """ValueError for a model that keeps no cache which can go back to an earlier token; surer after a first pass."""
    if hasattr(model, "_reorder_cache") or (stepper is not None and not isinstance(stepper.cache, Cache)):
        raise ValueError(_cannot(model))


def _cannot(model: Any) -> str:
    return (
        f"{type(model).__name__} cannot go back to an earlier token, as it must when a drafted one does not stay: "
        "leave assistant_model and prompt_lookup_num_tokens out, or take another model"
    )
