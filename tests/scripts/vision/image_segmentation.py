"""Masks of a picture's own size: of segments with a threshold, and of every pixel's class."""

import numpy as np
from PIL import Image
from transformers import pipeline

image = Image.fromarray(np.random.RandomState(5).randint(0, 255, (60, 80, 3), dtype=np.uint8))
segmenter = pipeline("image-segmentation", model="facebook/detr-resnet-50-panoptic")
segments = segmenter(image, threshold=0.0, mask_threshold=0.0, overlap_mask_area_threshold=0.0)
assert segments and all(set(one) == {"score", "label", "mask"} for one in segments)
for one in segments:
    assert one["label"] in {"cat", "remote"} and 0 <= one["score"] <= 1
    assert one["mask"].mode == "L" and one["mask"].size == (80, 60)
    assert set(np.unique(np.asarray(one["mask"]))) <= {0, 255}
everywhere = segmenter(image, subtask="semantic")
assert all(one["score"] is None for one in everywhere)
assert np.all(sum(np.asarray(one["mask"]).astype(int) for one in everywhere) == 255)
overlay = Image.composite(Image.new("RGB", image.size, "red"), image, segments[0]["mask"])
assert overlay.size == image.size
