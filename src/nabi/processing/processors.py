"""Processors: one object for a model that takes text and images, or text and sound.

A processor is its parts (an image processor or a feature extractor, and a tokenizer), where each option of a call goes,
and how the results are joined. It is saved so that the incumbent's versions 4 and 5 both read it.
"""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..config import read_json
from ..hub import PushToHubMixin, Repository
from ..tokenization.auto import AutoTokenizer
from ..tokenization.fast import PreTrainedTokenizerFast
from ..tokenization.saving import make_folder, push
from .chat import apply_chat_template, read_template, write_template
from .features import BatchFeature
from .files import NO_EFFECT, PREPROCESSOR, PROCESSOR, as_json
from .image_processors import NO_EFFECT as WITHOUT_EFFECT
from .image_processors import flat_list

T = TypeVar("T", bound="Processor")

HUB_OPTIONS = {field.name for field in fields(Repository)} - {"name"} | {"use_auth_token", "resume_download", "proxies"}
_TEXT = set(inspect.signature(PreTrainedTokenizerFast.__call__).parameters) - {"self", "text"}
_SOUND = set(
    """padding max_length truncation pad_to_multiple_of return_attention_mask return_tensors sampling_rate device
    do_normalize""".split()
)
_GROUPS = {"text_kwargs": "tokenizer", "images_kwargs": "image_processor", "audio_kwargs": "feature_extractor"}
_NEEDED = {"tokenizer": "decode", "image_processor": "preprocess", "feature_extractor": "pad"}


class Processor(PushToHubMixin):
    """What processors share: `parts` names them in the order of the constructor's arguments, `own` further settings."""

    parts: ClassVar[tuple[str, ...]] = ("image_processor", "tokenizer")
    own: ClassVar[dict[str, Any]] = {}  # name -> default
    tokenizer: Any

    def __init__(self, *given: Any, chat_template: Any = None, **named: Any) -> None:
        if "feature_extractor" in named and "image_processor" in self.parts:  # v4's older name
            named.setdefault("image_processor", named.pop("feature_extractor"))
        values = {**dict(zip((*self.parts, *self.own), given, strict=False)), **named}
        for part in self.parts:
            value = values.pop(part, None)
            if not hasattr(value, _NEEDED[part]) or (part != "tokenizer" and hasattr(value, "decode")):
                wanted = " and ".join(self.parts)
                raise ValueError(
                    f"{type(self).__name__} needs {wanted}, but {part} is of type {type(value).__name__}: give both, "
                    f"or load them with {type(self).__name__}.from_pretrained(…)."
                )
            setattr(self, part, value)
        for key, default in self.own.items():
            setattr(self, key, values.pop(key, default))
        if values:
            raise TypeError(f"{type(self).__name__} has no setting {next(iter(values))!r}; it has {list(self.own)}.")
        self.chat_template = chat_template
        self._as_target = False

    def __getattr__(self, name: str) -> Any:
        if name == "feature_extractor" and "image_processor" in self.parts:
            return self.image_processor
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}; its parts are {self.parts}.")

    # --- calls

    def __call__(self, images: Any = None, text: Any = None, **options: Any) -> Any:
        """The tokenizer's keys for `text` and the image processor's for `images`, as one BatchFeature.

        Each option goes to the part that knows it, `return_tensors` to both; `text_kwargs={…}` and `images_kwargs={…}`
        send options to one part only.
        """
        images, text = in_order(images, text)
        if images is None and text is None:
            raise ValueError(f"{type(self).__name__} got neither images nor text: give one of them, or both.")
        routed = self._routed(options)
        data: dict[str, Any] = {}
        if text is not None:
            data.update(self.tokenizer(text, **routed["tokenizer"]))
        if images is not None:
            data.update(self.image_processor(images, **routed["image_processor"]))
        return BatchFeature(data)

    def _routed(self, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Part -> its options. One that no part knows is a TypeError."""
        routed: dict[str, dict[str, Any]] = {part: {} for part in self.parts}
        options = {**options.pop("common_kwargs", {}), **options}
        for key, value in options.items():
            if key in _GROUPS or key == "videos_kwargs":
                if _GROUPS.get(key) in routed:
                    for name in value:
                        if name in options:
                            raise ValueError(f"{name} is given twice: by itself and within {key}. Leave one out.")
                    routed[_GROUPS[key]].update(value)
                continue
            takers = [part for part in self.parts if key == "return_tensors" or self._takes(part, key)]
            if not takers and not (value is None and key in ("audio", "images", "videos")):
                known = {name for part in self.parts for name in self._known(part)}
                near = difflib.get_close_matches(key, known, 1)
                raise TypeError(
                    f"{type(self).__name__} has no option {key!r}."
                    + (f" Do you mean {near[0]!r}?" if near else " Say which part it is for: text_kwargs={…}.")
                )
            for part in takers:
                routed[part][key] = value
        return routed

    def _takes(self, part: str, key: str) -> bool:
        return key in self._known(part)

    def _known(self, part: str) -> set[str]:
        """The options of a call that a part takes."""
        if part == "image_processor":
            return {*self.image_processor.options(), *WITHOUT_EFFECT}
        return _TEXT if part == "tokenizer" else _SOUND

    def decode(self, *args: Any, **kwargs: Any) -> Any:
        return self.tokenizer.decode(*args, **kwargs)

    def batch_decode(self, *args: Any, **kwargs: Any) -> Any:
        return self.tokenizer.batch_decode(*args, **kwargs)

    def post_process_image_text_to_text(
        self, generated_outputs: Any, skip_special_tokens: bool = True, **kwargs: Any
    ) -> list[str]:
        """The text of each row that a model of images and text wrote."""
        return self.tokenizer.batch_decode(generated_outputs, skip_special_tokens=skip_special_tokens, **kwargs)

    def apply_chat_template(self, conversation: Any, chat_template: str | None = None, **options: Any) -> Any:
        """A conversation, whose content may hold images -> its text, or with `tokenize=True` a model's input.

        Messages look like {"role": "user", "content": [{"type": "image", "image": …}, {"type": "text", "text": …}]}; an
        image is under "image", "url", "path" or "base64". `tokenize=True, return_dict=True` gives a BatchFeature; see
        `chat.apply_chat_template`.
        """
        return apply_chat_template(self, conversation, chat_template, **options)

    @contextmanager
    def as_target_processor(self) -> Iterator[None]:
        """v4's way to encode labels: within it, calls go to the tokenizer. `text=` says the same in one call."""
        self._as_target = True
        try:
            yield
        finally:
            self._as_target = False

    @property
    def model_input_names(self) -> list[str]:
        return list(dict.fromkeys(name for part in self.parts for name in getattr(self, part).model_input_names))

    # --- files

    @classmethod
    def from_pretrained(cls: type[T], pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> T:
        """Load the parts from a folder or a repository of the Hub.

        Keywords are the Hub's, this class's own settings, and those of the parts: what an image processor or feature
        extractor knows goes to it, the rest to the tokenizer.
        """
        from .auto import AutoFeatureExtractor, AutoImageProcessor

        kwargs = {key: value for key, value in kwargs.items() if key not in NO_EFFECT}
        hub = {key: kwargs.pop(key) for key in HUB_OPTIONS & kwargs.keys()}
        repository = Repository.open(pretrained_model_name_or_path, dict(hub))
        path = repository.find(PROCESSOR)
        written = {} if path is None else read_json(path)
        own = {key: written[key] for key in cls.own if written.get(key) is not None}
        own.update({key: kwargs.pop(key) for key in (*cls.own, "chat_template") if key in kwargs})
        template = own.pop("chat_template", None) or written.get("chat_template") or read_template(repository)
        made: dict[str, Any] = {}
        for part, loader in (("image_processor", AutoImageProcessor), ("feature_extractor", AutoFeatureExtractor)):
            if part in cls.parts:
                made[part], kwargs = loader.from_pretrained(
                    pretrained_model_name_or_path, **hub, **kwargs, return_unused_kwargs=True
                )
        made["tokenizer"] = AutoTokenizer.from_pretrained(pretrained_model_name_or_path, **hub, **kwargs)
        return cls(**made, **own, chat_template=template)

    def to_dict(self) -> dict[str, Any]:
        """What processor_config.json holds."""
        return {
            **{key: getattr(self, key) for key in self.own},
            **{part: getattr(self, part).to_dict() for part in self.parts if part != "tokenizer"},
            "processor_class": type(self).__name__,
        }

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any
    ) -> list[str]:
        """Write the tokenizer's files, processor_config.json and preprocessor_config.json; returns both paths."""
        folder = Path(save_directory)
        make_folder(folder)
        self.tokenizer.save_pretrained(folder)
        write_template(folder, self.chat_template)
        files = {PROCESSOR: self.to_dict()}
        for part in self.parts:
            if part != "tokenizer":
                files[PREPROCESSOR] = {**getattr(self, part).to_dict(), "processor_class": type(self).__name__}
        for name, content in files.items():
            (folder / name).write_text(as_json(content), encoding="utf-8")
        if push_to_hub:
            push(folder, kwargs)
        return [str(folder / name) for name in files]

    def __repr__(self) -> str:
        parts = "\n".join(f"- {part}: {getattr(self, part)!r}" for part in self.parts)
        return f"{type(self).__name__}:\n{parts}\n\n{as_json(self.to_dict())}"


def in_order(images: Any, text: Any) -> tuple[Any, Any]:
    """Images first, text second; some processors of version 4 took them the other way round."""
    is_picture = hasattr(first_of(text), "getbands") or hasattr(first_of(text), "shape")
    return (text, images) if is_picture else (images, text)


def first_of(value: Any) -> Any:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return value


class CLIPProcessor(Processor):
    pass


class SiglipProcessor(Processor):
    """Siglip was trained with `padding="max_length"`: pass it for text."""


class VisionTextDualEncoderProcessor(Processor):
    pass


class _WithLabels(Processor):
    """Text is what the model writes: its ids are `labels` beside the other part's keys, and what they are alone."""

    def _joined(self, given: Any, text: Any, options: dict[str, Any]) -> Any:
        """The keys of the first part for `given`, the ids of `text`, or both."""
        part = self.parts[0]
        if self._as_target:
            return self.tokenizer(given if text is None else text, **options)
        if given is None and text is None:
            kind = "images" if part == "image_processor" else "audio"
            raise ValueError(f"{type(self).__name__} got neither {kind} nor text: give one of them, or both.")
        routed = self._routed(options)
        encoded = None if text is None else self.tokenizer(text, **routed["tokenizer"])
        if given is None:
            return encoded
        features = getattr(self, part)(given, **routed[part])
        if encoded is not None:
            features["labels"] = encoded["input_ids"]
        return features

    @property
    def model_input_names(self) -> list[str]:
        return [*getattr(self, self.parts[0]).model_input_names, "labels"]


class TrOCRProcessor(_WithLabels):
    def __call__(self, images: Any = None, text: Any = None, **options: Any) -> Any:
        """`images` -> `pixel_values`; `text` -> ids, which are `labels` beside images."""
        return self._joined(images, text, options)


class _SpeechProcessor(_WithLabels):
    parts = ("feature_extractor", "tokenizer")

    def __call__(  # type: ignore[override]
        self, audio: Any = None, text: Any = None, **options: Any
    ) -> Any:
        """`audio` (with `sampling_rate=…`) -> the feature extractor's keys; `text` -> ids, `labels` beside audio."""
        older = options.pop("raw_speech", None)
        return self._joined(older if audio is None else audio, text, options)


class Wav2Vec2Processor(_SpeechProcessor):
    """`batch_decode` and `decode` join the letters of CTC; see `Wav2Vec2CTCTokenizer`."""

    def pad(self, input_features: Any = None, labels: Any = None, **options: Any) -> Any:
        """Pad features, labels (dicts with `input_ids`), or both, as a collator does; the ids are then `labels`."""
        if self._as_target:
            return self.tokenizer.pad(input_features, **options)
        if input_features is None and labels is None:
            raise ValueError("There is nothing to pad: give input_features=…, labels=… or both.")
        padded = None if labels is None else self.tokenizer.pad(labels, **_for_tokenizer(options))
        if input_features is None:
            return padded
        features = self.feature_extractor.pad(input_features, **options)
        if padded is not None:
            features["labels"] = padded["input_ids"]
        return features


class WhisperProcessor(_SpeechProcessor):
    def get_decoder_prompt_ids(
        self, task: str | None = None, language: str | None = None, no_timestamps: bool = True
    ) -> Any:
        """(position, id) of the tokens that tell the model its task and the language."""
        return self.tokenizer.get_decoder_prompt_ids(task=task, language=language, no_timestamps=no_timestamps)

    def get_prompt_ids(self, text: str, return_tensors: str | None = "np") -> Any:
        return self.tokenizer.get_prompt_ids(text, return_tensors=return_tensors)


class LlavaProcessor(Processor):
    """Each `image_token` in the text becomes as many as the model makes vectors of its image.

    They are (height / patch_size) * (width / patch_size) + `num_additional_image_tokens` (1 for CLIP's class token),
    less one if `vision_feature_select_strategy` is "default", which drops that token.
    """

    own = {
        "patch_size": None,
        "vision_feature_select_strategy": None,
        "image_token": "<image>",
        "num_additional_image_tokens": 0,
    }
    patch_size: int | None
    vision_feature_select_strategy: str | None
    image_token: str
    num_additional_image_tokens: int

    def __init__(self, *given: Any, **named: Any) -> None:
        names = [*self.parts, "patch_size", "vision_feature_select_strategy", "chat_template", *list(self.own)[2:]]
        super().__init__(**dict(zip(names, given, strict=False)), **named)
        self.image_token = getattr(self.tokenizer, "image_token", None) or self.image_token
        self.image_token_id = self.tokenizer.convert_tokens_to_ids(self.image_token)

    def __call__(self, images: Any = None, text: Any = None, **options: Any) -> BatchFeature:
        """`text` holds one `image_token` for each of `images`, in their order; see the base class."""
        images, text = in_order(images, text)
        if images is None and text is None:
            raise ValueError("LlavaProcessor got neither images nor text: give one of them, or both.")
        routed = self._routed(options)
        data: dict[str, Any] = {}
        if images is not None:
            images = flat_list(images)
            data.update(self.image_processor(images, **routed["image_processor"]))
        if text is None:
            return BatchFeature(data)
        texts = [text] if isinstance(text, str) else list(text)
        places = sum(row.count(self.image_token) for row in texts)
        if places != len(images or []):
            raise ValueError(
                f"The text has {places} {self.image_token!r}, but there are {len(images or [])} images: write one "
                f"{self.image_token!r} where each image belongs."
            )
        if images is not None:
            counts = iter([self._tokens_of(pixels) for pixels in data["pixel_values"]])
            texts = [self._expanded(row, counts) for row in texts]
        encoded = self.tokenizer(texts, **routed["tokenizer"])
        self._check_nothing_cut(texts, encoded["input_ids"])
        return BatchFeature({**encoded, **data})

    def _tokens_of(self, pixels: Any) -> int:
        if self.patch_size is None:
            raise ValueError(
                "LlavaProcessor.patch_size is None, so it cannot know how many tokens an image has: set patch_size to "
                "vision_config.patch_size of config.json, and vision_feature_select_strategy as there."
            )
        shape = np.shape(pixels)
        height, width = shape[:2] if shape[0] not in (1, 3) else shape[-2:]
        count = (height // self.patch_size) * (width // self.patch_size) + self.num_additional_image_tokens
        return count - 1 if self.vision_feature_select_strategy == "default" else count

    def _expanded(self, text: str, counts: Iterator[int]) -> str:
        first, *others = text.split(self.image_token)
        return first + "".join(self.image_token * next(counts) + other for other in others)

    def _check_nothing_cut(self, texts: list[str], ids: Any) -> None:
        for index, (text, row) in enumerate(zip(texts, ids, strict=False)):
            wanted, kept = text.count(self.image_token), int((np.asarray(row) == self.image_token_id).sum())
            if wanted != kept:
                raise ValueError(
                    f"text[{index}] needs {wanted} tokens {self.image_token!r}, but {kept} are in its ids: truncation "
                    "cut them (leave it out, or raise max_length), or the tokenizer does not have the token."
                )


def _for_tokenizer(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != "truncation"}
