"""A picture, its processor, a ViT, and the label."""

import numpy as np
import torch
from PIL import Image
from transformers import ViTForImageClassification, ViTImageProcessor

image = Image.fromarray(np.random.RandomState(0).randint(0, 255, (48, 64, 3), dtype=np.uint8))
processor = ViTImageProcessor.from_pretrained("google/vit-base-patch16-224")
model = ViTForImageClassification.from_pretrained("google/vit-base-patch16-224")
inputs = processor(images=image, return_tensors="pt")
assert inputs["pixel_values"].shape == (1, 3, 32, 32)
assert inputs["pixel_values"].min() >= -1.001 and inputs["pixel_values"].max() <= 1.001
with torch.no_grad():
    logits = model(**inputs).logits
predicted = logits.argmax(-1).item()
assert logits.shape == (1, 3) and model.config.id2label[predicted] in model.config.label2id
two = processor(images=[image, image.transpose(Image.FLIP_LEFT_RIGHT)], return_tensors="pt")
with torch.no_grad():
    assert torch.allclose(model(**two).logits[0], logits[0], atol=1e-4)
