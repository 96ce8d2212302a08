"""Images and sound -> tensors, and processors that join them with a tokenizer.

    image -> images.py -> image_steps.py -> image_processors.py, detection.py    pixel_values
    sound -> sound.py  -> spectrogram.py -> feature_extractors.py                input_values, input_features
    both, with text                         processors.py                        what a model takes

The public names are imported when they are first asked for; pillow, soundfile and torch where they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .auto import AutoFeatureExtractor as AutoFeatureExtractor
    from .auto import AutoImageProcessor as AutoImageProcessor
    from .auto import AutoProcessor as AutoProcessor
    from .detection import *  # noqa: F403
    from .feature_extractors import *  # noqa: F403
    from .features import BatchFeature as BatchFeature
    from .image_processors import *  # noqa: F403
    from .images import load_image as load_image
    from .processors import *  # noqa: F403
    from .sound import load_audio as load_audio

# Class -> the model types of config.json that it belongs to, where no file names a class.
IMAGE_PROCESSORS = {
    "BitImageProcessor": "bit dinov2 focalnet hiera pixio",
    "BlipImageProcessor": "blip blip-2 instructblip",
    "CLIPImageProcessor": "aimv2 altclip clip florence2 git groupvit kosmos-2 metaclip_2 mlcd vipllava xclip",
    "ConvNextImageProcessor": "convnext convnextv2 cvt regnet resnet",
    "DeiTImageProcessor": "deit",
    "DetrImageProcessor": "detr omdet-turbo table-transformer",
    "LlavaImageProcessor": "llava",
    "SiglipImageProcessor": "colpali gemma3n paligemma siglip",
    "ViTImageProcessor": "clipseg dinat ijepa mgp-str swiftformer swin swinv2 trocr vit vit_mae vit_msn",
    "YolosImageProcessor": "yolos",
}
FEATURE_EXTRACTORS = {
    "Wav2Vec2FeatureExtractor": (
        "data2vec-audio hubert moonshine sew sew-d unispeech unispeech-sat wav2vec2 wav2vec2-conformer wavlm"
    ),
    "WhisperFeatureExtractor": "audioflamingo3 glmasr qwen2_audio voxtral whisper",
}
PROCESSORS = {
    "CLIPProcessor": "aimv2 clip groupvit metaclip_2",
    "LlavaProcessor": "llava vipllava",
    "SiglipProcessor": "siglip",
    "TrOCRProcessor": "trocr",
    "VisionTextDualEncoderProcessor": "vision-text-dual-encoder",
    "Wav2Vec2Processor": "hubert moonshine sew sew-d unispeech unispeech-sat wav2vec2 wav2vec2-conformer wavlm",
    "WhisperProcessor": "whisper",
}
_DETECTORS = ("DetrImageProcessor", "YolosImageProcessor")
_OLD = {name: name.replace("ImageProcessor", "FeatureExtractor") for name in IMAGE_PROCESSORS}

# Other name -> the class. The incumbent's "fast" and "Pil" classes, and old files' feature extractors, are the same.
ALIASES = {
    **{name + ending: name for name in (*IMAGE_PROCESSORS, "BaseImageProcessor") for ending in ("Fast", "Pil")},
    **{old: name for name, old in _OLD.items()},
    "FeatureExtractionMixin": "SequenceFeatureExtractor",
    "ImageProcessingMixin": "BaseImageProcessor",
    "ProcessorMixin": "Processor",
}
# Public name -> the file beside this one that defines it.
HOMES = {
    **{name: "detection" if name in _DETECTORS else "image_processors" for name in IMAGE_PROCESSORS},
    **dict.fromkeys(FEATURE_EXTRACTORS, "feature_extractors"),
    **dict.fromkeys(PROCESSORS, "processors"),
    "AutoFeatureExtractor": "auto",
    "AutoImageProcessor": "auto",
    "AutoProcessor": "auto",
    "BaseImageProcessor": "image_processors",
    "BatchFeature": "features",
    "Processor": "processors",
    "SequenceFeatureExtractor": "feature_extractors",
}
HOMES |= {alias: HOMES[name] for alias, name in ALIASES.items()}
_FUNCTIONS = {"load_audio": "sound", "load_image": "images"}  # of this room; the package's door does not offer them

__all__ = [*HOMES, *_FUNCTIONS]


def __getattr__(name: str) -> Any:
    home = HOMES.get(name) or _FUNCTIONS.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), ALIASES.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
