"""post_process, whose queries the script itself chooses from."""

import numpy as np
import torch
from PIL import Image
from transformers import DetrForObjectDetection, DetrImageProcessor

name = "facebook/detr-resnet-50"
image = Image.fromarray(np.random.RandomState(0).randint(0, 255, (60, 80, 3), dtype="uint8"))
processor = DetrImageProcessor.from_pretrained(name)
model = DetrForObjectDetection.from_pretrained(name)
with torch.no_grad():
    outputs = model(**processor(images=image, return_tensors="pt"))
results = processor.post_process(outputs, torch.tensor([image.size[::-1]]))[0]
assert results["scores"].shape == (6,) and results["boxes"].shape == (6, 4)
surest = outputs.logits.softmax(-1)[0, :, :-1].max(-1).values
assert torch.allclose(results["scores"], surest)
