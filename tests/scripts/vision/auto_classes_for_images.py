"""AutoImageProcessor and AutoModelForImageClassification, on a ResNet; fine-tuning changes the head."""

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

name = "microsoft/resnet-50"
processor = AutoImageProcessor.from_pretrained(name)
model = AutoModelForImageClassification.from_pretrained(name)
images = [Image.fromarray(np.random.RandomState(n).randint(0, 255, (40, 50, 3), dtype=np.uint8)) for n in range(2)]
pixels = processor(images, return_tensors="pt")["pixel_values"]
assert pixels.shape == (2, 3, 32, 32)
with torch.no_grad():
    logits = model(pixels).logits
assert logits.shape == (2, 2) and not torch.allclose(logits[0], logits[1])
tuned = AutoModelForImageClassification.from_pretrained(name, num_labels=5, ignore_mismatched_sizes=True)
assert tuned(pixels, labels=torch.tensor([0, 4])).logits.shape == (2, 5)
