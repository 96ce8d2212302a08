"""The tasks by name: which pipeline runs each, what its models are called, and which model is the default.

Loads no torch: a task's class is imported when a pipeline is made.
"""

from __future__ import annotations

import difflib
import importlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..embedded import SENTIMENT
from ..hub import Repository

if TYPE_CHECKING:
    from .base import Pipeline

logger = logging.getLogger(__name__)

# Options of from_pretrained that say where files are, for config, weights and tokenizer alike.
HUB_OPTIONS = ("revision", "token", "cache_dir", "local_files_only", "force_download", "subfolder")


@dataclass(frozen=True)
class DefaultModel:
    """What a task takes when no model is named: a repository at a commit; or a folder inside nabi in its stead, where
    one of `files`, those that loading needs, cannot be had."""

    name: str
    revision: str
    files: tuple[str, ...] = ()
    embedded: Path | None = None


@dataclass(frozen=True)
class Task:
    """`home` is the file of its class; `made_by`: the endings of class names of models that, named alone, mean it."""

    name: str
    home: str
    class_name: str
    kind: str  # of what goes in: text, image, audio, or several
    default: DefaultModel | None = None
    made_by: tuple[str, ...] = ()

    def load_class(self) -> type[Pipeline]:
        """The pipeline's class; imports torch."""
        found: type[Pipeline] = getattr(importlib.import_module(f".{self.home}", __package__), self.class_name)
        return found


def _task(
    name: str,
    kind: str,
    model: str | None = None,
    revision: str = "",
    *,
    made_by: str = "",
    class_name: str = "",
    home: str = "",
) -> Task:
    stem = home or name.replace("-", "_")
    words = "".join(word.capitalize() for word in name.replace("2", "2 ").replace("-", " ").split())
    default = DefaultModel(model, revision) if model else None
    return Task(name, stem, class_name or f"{words}Pipeline", kind, default, tuple(made_by.split()))


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "text-classification",
            "text_classification",
            "TextClassificationPipeline",
            "text",
            DefaultModel(
                "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
                "714eb0fa89d2f80546fda750413ed43d93601a13",
                ("config.json", "model.safetensors", "vocab.txt"),
                SENTIMENT,
            ),
            ("ForSequenceClassification",),
        ),
        _task(
            "token-classification",
            "text",
            "dbmdz/bert-large-cased-finetuned-conll03-english",
            "4c53496",
            made_by="ForTokenClassification",
        ),
        _task(
            "question-answering",
            "text",
            "distilbert/distilbert-base-cased-distilled-squad",
            "564e9b5",
            made_by="ForQuestionAnswering ForQuestionAnsweringSimple",
        ),
        _task(
            "fill-mask",
            "text",
            "distilbert/distilroberta-base",
            "fb53ab8",
            made_by="ForMaskedLM ForPreTraining",
        ),
        _task(
            "text-generation",
            "text",
            "openai-community/gpt2",
            "607a30d",
            made_by="ForCausalLM LMHeadModel WithLMHeadModel",
        ),
        _task("conversational", "text", "microsoft/DialoGPT-medium", "8bada3b"),
        _task(
            "text2text-generation",
            "text",
            "google-t5/t5-base",
            "a9723ea",
            made_by="ForConditionalGeneration EncoderDecoderModel",
        ),
        _task("summarization", "text", "sshleifer/distilbart-cnn-12-6", "a4f8f3e", home="text2text_generation"),
        _task("translation", "text", "google-t5/t5-base", "a9723ea", made_by="MTModel", home="text2text_generation"),
        _task("zero-shot-classification", "text", "facebook/bart-large-mnli", "d7645e1"),
        _task("feature-extraction", "text", "distilbert/distilbert-base-cased", "6ea8117", made_by="Model"),
        _task("sentence-similarity", "text", "sentence-transformers/all-MiniLM-L6-v2", "c9745ed"),
        _task(
            "image-classification",
            "image",
            "google/vit-base-patch16-224",
            "3f49326",
            made_by="ForImageClassification",
        ),
        _task("image-feature-extraction", "image", "google/vit-base-patch16-224", "3f49326"),
        _task("object-detection", "image", "facebook/detr-resnet-50", "1d5f47b", made_by="ForObjectDetection"),
        _task(
            "image-segmentation",
            "image",
            "facebook/detr-resnet-50-panoptic",
            "d53b52a",
            made_by="ForSegmentation",
        ),
        _task("image-to-text", "image", "ydshieh/vit-gpt2-coco-en", "5bebf1e", made_by="VisionEncoderDecoderModel"),
        _task(
            "zero-shot-image-classification",
            "several",
            "openai/clip-vit-base-patch32",
            "3d74acf",
            made_by="CLIPModel SiglipModel",
        ),
        _task("image-text-to-text", "several", "llava-hf/llava-1.5-7b-hf", "", made_by="LlavaForConditionalGeneration"),
        _task("visual-question-answering", "several", "llava-hf/llava-1.5-7b-hf", ""),
        _task(
            "automatic-speech-recognition",
            "audio",
            "facebook/wav2vec2-base-960h",
            "22aad52",
            made_by="ForCTC WhisperForConditionalGeneration",
        ),
        _task(
            "audio-classification",
            "audio",
            "superb/wav2vec2-base-superb-ks",
            "372e048",
            made_by="ForAudioClassification Wav2Vec2ForSequenceClassification HubertForSequenceClassification",
        ),
    )
}
ALIASES = {
    "sentiment-analysis": "text-classification",
    "ner": "token-classification",
    "vqa": "visual-question-answering",
}
_TRANSLATION = re.compile(r"translation_\w+_to_\w+")


class PipelineRegistry:
    """Tasks of one's own beside nabi's."""

    def __init__(self) -> None:
        self._own: dict[str, tuple[type[Pipeline], Any, Any]] = {}

    def get_supported_tasks(self) -> list[str]:
        return sorted([*TASKS, *ALIASES, *self._own])

    def register_pipeline(
        self,
        task: str,
        pipeline_class: type[Pipeline],
        pt_model: Any = None,
        default: Mapping[str, Any] | None = None,
        type: str | None = None,
    ) -> None:
        """Make `pipeline(task)` give this class; its models are loaded by pt_model, a class of nabi's Auto… kind or
        several. default: {"model": (name, revision)}, or {"model": {"pt": (name, revision)}}."""
        if task in TASKS or task in ALIASES:
            logger.warning("the task %s was nabi's: from now on %s runs it", task, pipeline_class.__name__)
        self._own[task] = (pipeline_class, pt_model, (default or {}).get("model"))

    def find(self, task: str) -> Task | None:
        """A task of one's own."""
        if task not in self._own:
            return None
        pipeline_class, loaders, model = self._own[task]
        model = model.get("pt") if isinstance(model, Mapping) else model
        model = (model, None) if isinstance(model, str) else model
        default = DefaultModel(model[0], model[1] or "") if model else None
        return OwnTask(task, "", pipeline_class.__name__, "text", default, (), pipeline_class, loaders)


@dataclass(frozen=True)
class OwnTask(Task):
    """A task that a user registered."""

    pipeline_class: Any = None
    loaders: Any = None

    def load_class(self) -> type[Pipeline]:
        loaders = self.loaders if isinstance(self.loaders, (tuple, list)) else (self.loaders,)
        names = tuple(each.__name__ for each in loaders if each is not None)
        made: type[Pipeline] = self.pipeline_class
        if names and not made.heads:
            made.heads = names
        return made


PIPELINE_REGISTRY = PipelineRegistry()


def find_task(name: str) -> Task:
    """The task of this name or alias. An unknown one is a KeyError that names the near ones."""
    if not isinstance(name, str):
        raise TypeError(f"task is a {type(name).__name__}; expected a name such as 'sentiment-analysis'")
    own = PIPELINE_REGISTRY.find(name)
    if own is not None:
        return own
    found = TASKS.get("translation" if _TRANSLATION.fullmatch(name) else ALIASES.get(name, name))
    if found is not None:
        return found
    known = PIPELINE_REGISTRY.get_supported_tasks()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise KeyError(f"There is no task {name!r}.{hint} The tasks are: {', '.join(known)}, translation_xx_to_yy.")


def task_of_card(text: str) -> Task | None:
    """The task that a model card names (`pipeline_tag: …` between the lines of ---)."""
    head = re.match(r"\s*---\s*\n(.*?)\n---", text, re.DOTALL)
    named = re.search(r"^pipeline_tag:\s*['\"]?([\w-]+)", head[1], re.MULTILINE) if head else None
    return TASKS.get(ALIASES.get(named[1], named[1])) if named else None


def task_of_architectures(names: list[str], source: str) -> Task:
    """The task that a model's class names say; ValueError if they say none."""
    for name in names:
        fitting = [(len(ending), task) for task in TASKS.values() for ending in task.made_by if name.endswith(ending)]
        if fitting:
            return max(fitting, key=lambda pair: pair[0])[1]
    raise ValueError(
        f"{source} does not say its task (architectures: {', '.join(names) or 'none'}). Name it: "
        f"pipeline(task, model=…) with one of {', '.join(sorted([*TASKS, *ALIASES]))}."
    )


def default_model(task: Task, called: str, options: Mapping[str, Any]) -> tuple[str, str | None]:
    """Name and revision of the model for a task when none is named, told in one line of the log.

    The Hub's default; where there is a folder inside nabi too, that one if the Hub and the cache do not give the files.
    """
    default = task.default
    if default is None:
        raise ValueError(f"{called} has no usual model: name one with model=…")
    revision = options.get("revision") or default.revision or None
    if default.embedded is not None:
        repository = Repository.open(default.name, {**options, "revision": revision})
        try:
            for filename in default.files:
                repository.file(filename)
        except OSError as error:
            logger.warning(
                "No model was named for %s. The usual one, %s, is not in the cache and the Hub does not give it now, "
                "so nabi's own small checkpoint for Korean and English is used. Name a model with model=…",
                called,
                default.name,
            )
            logger.info("Why the Hub's default was not used: %s", error)
            return str(default.embedded), None
    logger.warning("No model was named for %s: %s is used. Name a model with model=…", called, default.name)
    return default.name, revision
