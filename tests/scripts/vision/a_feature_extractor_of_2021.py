"""ViTFeatureExtractor, which version 5 no longer has."""

import numpy as np
from PIL import Image
from transformers import ViTFeatureExtractor, ViTImageProcessor

image = Image.fromarray(np.random.RandomState(6).randint(0, 255, (50, 40, 3), dtype=np.uint8))
extractor = ViTFeatureExtractor.from_pretrained("google/vit-base-patch16-224")
processor = ViTImageProcessor.from_pretrained("google/vit-base-patch16-224")
old = extractor(images=image, return_tensors="np")["pixel_values"]
new = processor(images=image, return_tensors="np")["pixel_values"]
assert old.shape == (1, 3, 32, 32) and np.allclose(old, new)
resized = np.asarray(image.resize((32, 32), Image.BILINEAR), dtype=np.float32).transpose(2, 0, 1) / 255
assert np.abs((resized - 0.5) / 0.5 - old[0]).max() < 0.02
