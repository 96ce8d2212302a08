"""Boxes in the picture's own pixels."""

import numpy as np
import torch
from PIL import Image
from transformers import DetrForObjectDetection, DetrImageProcessor

image = Image.fromarray(np.random.RandomState(3).randint(0, 255, (60, 80, 3), dtype=np.uint8))
processor = DetrImageProcessor.from_pretrained("facebook/detr-resnet-50")
model = DetrForObjectDetection.from_pretrained("facebook/detr-resnet-50")
inputs = processor(images=image, return_tensors="pt")
with torch.no_grad():
    outputs = model(**inputs)
assert outputs.logits.shape == (1, 6, 3) and outputs.pred_boxes.shape == (1, 6, 4)
sizes = torch.tensor([image.size[::-1]])
found = processor.post_process_object_detection(outputs, target_sizes=sizes, threshold=0.0)[0]
assert len(found["scores"]) == 6 and set(found["labels"].tolist()) <= {0, 1}
x, y, width, height = outputs.pred_boxes[0].unbind(-1)
expected = torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], -1)
assert torch.allclose(found["boxes"], expected * torch.tensor([80.0, 60.0, 80.0, 60.0]), atol=1e-3)
