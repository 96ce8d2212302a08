"""Vectors of pictures from a ViT's first token, by model and by pipeline."""

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, ViTModel, pipeline

name = "google/vit-base-patch16-224"
image = Image.fromarray(np.random.RandomState(5).randint(0, 255, (32, 32, 3), dtype=np.uint8))
processor = AutoImageProcessor.from_pretrained(name)
model = ViTModel.from_pretrained(name, add_pooling_layer=False)
with torch.no_grad():
    states = model(**processor(image, return_tensors="pt")).last_hidden_state
assert states.shape == (1, (32 // 8) ** 2 + 1, 32)
features = pipeline("image-feature-extraction", model=model, image_processor=processor)(image)
assert torch.allclose(torch.tensor(features), states, atol=1e-4)
