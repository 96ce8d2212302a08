"""sentence-similarity: how alike a sentence and others are in meaning, as the cosine between their vectors.

"영화가 좋다" -> input_ids (1, length) -> hidden states (1, length, hidden) -> pooled: one vector (1, hidden)
    -> [0.83, 0.12], one number for each of the other sentences

A folder of the sentence-transformers kind says in modules.json how vectors are made, and that is obeyed; for other
models it is the mean over the real tokens.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..hub import Repository
from .base import Pipeline, Steps
from .settings import check_names, longest_text
from .tasks import HUB_OPTIONS
from .text_classification import described


def mean(x: Tensor, real: Tensor) -> Tensor:
    return (x * real).sum(1) / real.sum(1)


def mean_sqrt_len(x: Tensor, real: Tensor) -> Tensor:
    return (x * real).sum(1) / real.sum(1).sqrt()


def weighted_mean(x: Tensor, real: Tensor) -> Tensor:
    """The further back a token stands, the more it counts."""
    weights = real.cumsum(1) * real
    return (x * weights).sum(1) / weights.sum(1)


def largest(x: Tensor, real: Tensor) -> Tensor:
    return x.masked_fill(real == 0, -torch.inf).amax(1)


def first(x: Tensor, real: Tensor) -> Tensor:
    return x[torch.arange(len(x), device=x.device), real[..., 0].argmax(1)]


def last(x: Tensor, real: Tensor) -> Tensor:
    places = torch.arange(x.shape[1], device=x.device)
    return x[torch.arange(len(x), device=x.device), (real[..., 0] * places).argmax(1)]


# The name in `pooling_mode_…` of 1_Pooling/config.json -> (batch, length, hidden), (batch, length, 1) 1 for real tokens
# -> (batch, hidden). Of several that are switched on the vectors are joined, in this order.
POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cls_token": first,
    "max_tokens": largest,
    "mean_tokens": mean,
    "mean_sqrt_len_tokens": mean_sqrt_len,
    "weightedmean_tokens": weighted_mean,
    "lasttoken": last,
}
SHORT_NAMES = {"cls": "cls_token", "max": "max_tokens", "mean": "mean_tokens", "weightedmean": "weightedmean_tokens"}


@dataclass
class VectorRecipe:
    """What makes a sentence's vector out of its tokens' ones. Lengths do not matter to a cosine, so that a step of
    normalisation is only remembered."""

    poolings: list[str] = field(default_factory=lambda: ["mean_tokens"])
    max_seq_length: int | None = None
    layers: list[tuple[nn.Linear, str]] = field(default_factory=list)  # with the activation's name in torch.nn
    normalize: bool = False

    def vectors(self, hidden: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, length, hidden), (batch, length) -> (batch, size)"""
        real = attention_mask[..., None].to(hidden.dtype)
        x = torch.cat([POOLINGS[name](hidden, real) for name in self.poolings], dim=-1)
        for layer, activation in self.layers:
            x = getattr(nn, activation)()(layer.to(x.device, x.dtype)(x))
        return x

    @classmethod
    def read(cls, repository: Repository) -> VectorRecipe | None:
        """The recipe of a checkpoint; None if it has none. ValueError for a step that is not known."""
        listed = repository.find("modules.json")
        if listed is None:
            return None
        recipe = cls()
        limits = repository.find("sentence_bert_config.json")
        if limits is not None:
            recipe.max_seq_length = read_json(limits).get("max_seq_length")
        for module in read_json(listed):
            kind, path = module["type"].rpartition(".")[2], module["path"]
            if kind == "Pooling":
                recipe.poolings = chosen_poolings(read_json(repository.file(f"{path}/config.json")))
            elif kind == "Dense":
                recipe.layers.append(read_layer(repository, path))
            elif kind == "Normalize":
                recipe.normalize = True
            elif kind != "Transformer":
                raise ValueError(
                    f"modules.json of {repository.name!r} has the step {module['type']}, which nabi does not know: it "
                    "knows Transformer, Pooling, Dense and Normalize"
                )
        return recipe

    def write(self, folder: Path) -> None:
        """The files that `read` reads, and sentence-transformers too."""
        from safetensors.torch import save_file

        modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
        write_json(
            folder / "1_Pooling/config.json", {f"pooling_mode_{name}": name in self.poolings for name in POOLINGS}
        )
        for layer, activation in self.layers:
            path = f"{len(modules)}_Dense"
            settings = {
                "in_features": layer.in_features,
                "out_features": layer.out_features,
                "bias": layer.bias is not None,
                "activation_function": f"torch.nn.{activation}",
            }
            write_json(folder / path / "config.json", settings)
            weights = {f"linear.{name}": value.contiguous() for name, value in layer.state_dict().items()}
            save_file(weights, folder / path / "model.safetensors")
            modules.append((path, "Dense"))
        if self.normalize:
            modules.append((f"{len(modules)}_Normalize", "Normalize"))
        write_json(
            folder / "modules.json",
            [
                {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
                for i, (path, kind) in enumerate(modules)
            ],
        )
        write_json(
            folder / "sentence_bert_config.json", {"max_seq_length": self.max_seq_length, "do_lower_case": False}
        )


class SentenceSimilarityPipeline(Pipeline):
    """Cosines between the vectors of sentences, by any model that has hidden states.

        pipe({"source_sentence": "a", "sentences": ["b", "c"]})    [0.9, 0.1], as the Hub's widget has it
        pipe("a", ["b", "c"])                                      the same
        pipe(["a", "b"], ["c", "d", "e"])                          a row of such for each of the first list
        pipe([{…}, {…}])                                           a list with a result for each mapping

    A sentence that is longer than the model reads is cut.
    """

    task = "sentence-similarity"
    heads = ("AutoModel", "AutoModelForTextEncoding")

    def __init__(self, model: Any, *args: Any, **settings: Any) -> None:
        super().__init__(model, *args, **settings)
        source = getattr(getattr(model, "config", None), "_name_or_path", "")
        recipe = getattr(model, "vector_recipe", None)
        if recipe is None and source and os.path.isdir(source):
            recipe = VectorRecipe.read(Repository.open(source, {}))
        self.recipe: VectorRecipe = recipe or VectorRecipe()

    @classmethod
    def load_model(cls, name: str | Path, **options: Any) -> Any:
        where = {key: options[key] for key in HUB_OPTIONS if key in options}
        model = super().load_model(name, **options)
        model.vector_recipe = VectorRecipe.read(Repository.open(name, where))
        return model

    def __call__(self, inputs: Any, sentences: Any = None, **settings: Any) -> Any:
        """See the class."""
        if sentences is not None:
            inputs = {"source_sentence": inputs, "sentences": sentences}
        return super().__call__(inputs, **settings)

    def save_pretrained(self, folder: str | os.PathLike[str], **options: Any) -> None:
        super().save_pretrained(folder, **options)
        self.recipe.write(Path(folder))

    def _sanitize_parameters(self, **unknown: Any) -> Steps:
        check_names(self.task, unknown, ("sentences",))
        return {}, {}, {}

    def preprocess(self, inputs: Any) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """A sentence, or a list of them, and others, to each one's ids (1, length); kept: whether it is of the first,
        and whether these were a list."""
        sources, others = checked_sentences(inputs)
        limits = (self.recipe.max_seq_length, longest_text(self.model, self.tokenizer))
        length = min((limit for limit in limits if limit), default=None)
        assert self.tokenizer is not None
        for number, text in enumerate((*sources, *others)):
            encoded = self.tokenizer(
                text, truncation=True, max_length=length, return_attention_mask=True, return_tensors="pt"
            )
            if not encoded["input_ids"].shape[-1]:
                raise ValueError(f"the tokenizer finds no token in the sentence {text!r}, so it has no vector")
            kept = {"is_source": number < len(sources), "many": not isinstance(inputs["source_sentence"], str)}
            yield {**encoded, "kept": kept}

    def _forward(self, model_inputs: dict[str, Any], **_: Any) -> dict[str, Tensor]:
        hidden = getattr(self.model(**model_inputs), "last_hidden_state", None)
        if hidden is None or hidden.shape[:2] != model_inputs["input_ids"].shape:
            raise TypeError(
                f"{type(self.model).__name__} gives no last_hidden_state (batch, length, hidden), so it has no vectors "
                "for sentences: load the checkpoint with AutoModel"
            )
        return {"vectors": self.recipe.vectors(hidden.float(), model_inputs["attention_mask"])}

    def postprocess(self, model_outputs: list[dict[str, Any]]) -> list[Any]:  # type: ignore[override]
        """Vectors (1, size) of all sentences -> cosines (sentences,), or (sources, sentences), in lists."""
        vectors = nn.functional.normalize(torch.cat([part["vectors"] for part in model_outputs]), dim=-1)
        count = sum(part["kept"]["is_source"] for part in model_outputs)
        cosines = (vectors[:count] @ vectors[count:].T).tolist()
        return cosines if model_outputs[0]["kept"]["many"] else cosines[0]


# ---------------------------------------------------------------- inputs and files


def checked_sentences(inputs: Any) -> tuple[list[str], list[str]]:
    """The sentences to compare, and those that they are compared with."""
    if not isinstance(inputs, Mapping) or set(inputs) != {"source_sentence", "sentences"}:
        found = f"a mapping with {list(inputs)}" if isinstance(inputs, Mapping) else described(inputs)
        raise ValueError(f'an item is {{"source_sentence": …, "sentences": […]}}, but this is {found}')
    source, others = inputs["source_sentence"], inputs["sentences"]
    if isinstance(others, str):
        raise TypeError(f"'sentences' is the string {others!r}; expected a list of texts: [{others!r}]")
    sources = [source] if isinstance(source, str) else source
    for name, texts in (("source_sentence", sources), ("sentences", others)):
        if not isinstance(texts, (list, tuple)):
            raise TypeError(f"{name!r} is {described(texts)}, and no list of texts")
        if not texts:
            raise ValueError(f"{name!r} is empty: there must be one text or more")
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"text {number} of {name!r} is {described(text)}, and no text")
    return list(sources), list(others)


def chosen_poolings(config: dict[str, Any]) -> list[str]:
    """The poolings that 1_Pooling/config.json switches on; newer files name one, or several, in pooling_mode."""
    named = config.get("pooling_mode")
    named = [named] if isinstance(named, str) else named
    if named is None:
        named = [
            key.removeprefix("pooling_mode_") for key, on in config.items() if key.startswith("pooling_mode_") and on
        ]
    chosen = [SHORT_NAMES.get(name, name) for name in named]
    unknown = [name for name in chosen if name not in POOLINGS]
    if unknown or not chosen:
        raise ValueError(
            f"1_Pooling/config.json asks for the pooling {', '.join(unknown) or 'of no kind'}; known are "
            f"{', '.join(POOLINGS)}"
        )
    return [name for name in POOLINGS if name in chosen]


def read_layer(repository: Repository, path: str) -> tuple[nn.Linear, str]:
    """A layer after pooling, and the name of its activation."""
    config = read_json(repository.file(f"{path}/config.json"))
    activation = config.get("activation_function", "Tanh").rpartition(".")[2]
    if activation not in ("Tanh", "Identity", "ReLU", "GELU", "Sigmoid"):
        raise ValueError(f"{path}/config.json names the activation {activation!r}, which is not known here")
    layer = nn.Linear(config["in_features"], config["out_features"], bias=config.get("bias", True))
    safe = repository.find(f"{path}/model.safetensors")
    if safe is not None:
        from safetensors.torch import load_file

        weights = load_file(safe)
    else:
        weights = torch.load(repository.file(f"{path}/pytorch_model.bin"), map_location="cpu", weights_only=True)
    layer.load_state_dict({name.removeprefix("linear."): value for name, value in weights.items()})
    return layer.requires_grad_(False), activation


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
