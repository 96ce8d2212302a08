"""Tiny models that look at images, made by the incumbent; pictures and words are those of record_images."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from PIL import Image

from .record_images import VIT, write_words

transformers.logging.set_verbosity_error()
LABELS = {0: "고양이", 1: "butterfly", 2: "새"}
SMALL = {"size": {"height": 8, "width": 8}}
RESNET: dict[str, Any] = {
    **{"model_type": "resnet", "hidden_sizes": [8, 12, 16, 20], "depths": [1, 2, 1, 1], "embedding_size": 6},
    **{"out_features": ["stage1", "stage2", "stage3", "stage4"]},
}
DETR: dict[str, Any] = {
    **{"backbone_config": RESNET, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "num_queries": 9},
    **{"encoder_attention_heads": 8, "decoder_attention_heads": 4, "encoder_ffn_dim": 24, "decoder_ffn_dim": 20},
}
YOLOS: dict[str, Any] = {**VIT, "image_size": [32, 48], "patch_size": 16, "num_detection_tokens": 8}
TEXT: dict[str, Any] = {
    **{"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24},
    **{"max_position_embeddings": 64, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0},
}
LLAVA: dict[str, Any] = {
    "text_config": {
        **{"model_type": "llama", "vocab_size": 60, "hidden_size": 16, "intermediate_size": 24, "pad_token_id": 0},
        **{"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "eos_token_id": 3},
    },
    "vision_config": {**VIT, "model_type": "clip_vision_model", "hidden_size": 20, "patch_size": 4},
    **{"image_token_id": 4, "vision_feature_layer": -2, "vision_feature_select_strategy": "default"},
}
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | upper }} : {% if message['content'] is string %}"
    "{{ message['content'] }}{% else %}{% for part in message['content'] %}{% if part['type'] == 'text' %}"
    "{{ part['text'] }}{% else %}<image> {% endif %}{% endfor %}{% endif %} {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT :{% endif %}"
)


def saved(model: Any, folder: Path, **processor: Any) -> Path:
    """The folder with the model, its parameters moved off where they begin, and what makes its inputs."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                scale = 0.5 if parameter.dim() > 1 and "embed" in name else 0.2
                parameter.add_(torch.randn(parameter.shape, generator=generator) * scale)
    model.eval().save_pretrained(folder)
    for value in processor.values():
        value.save_pretrained(folder)
    return folder


def llava(folder: Path, template: str | None = None, **config: Any) -> Path:
    """The folder of a LLaVA with its processor."""
    torch.manual_seed(4)
    write_words(folder, image_token="<image>")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    images = transformers.CLIPImageProcessor(size={"shortest_edge": 8}, crop_size=8)
    processor = transformers.LlavaProcessor(
        images, tokenizer, patch_size=4, vision_feature_select_strategy="default", chat_template=template,
        num_additional_image_tokens=1,
    )  # fmt: skip
    model = transformers.LlavaForConditionalGeneration(transformers.LlavaConfig(**LLAVA, **config))
    return saved(model, folder, processor=processor)


def content(image: Image.Image, layout: str = "PNG", **options: Any) -> bytes:
    """The bytes of its file."""
    stream = io.BytesIO()
    image.save(stream, layout, **options)
    return stream.getvalue()


def assert_same(ours: Any, theirs: Any, within: float = 1e-4) -> None:
    """Equal, but for scores, which may differ by so much."""
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs)
        for key in theirs:
            assert_same(ours[key], theirs[key], within)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), (ours, theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other, within)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, abs=within)
    else:
        assert ours == theirs
