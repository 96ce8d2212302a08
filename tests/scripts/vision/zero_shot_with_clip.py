"""CLIP: a picture against texts, by hand and by pipeline."""

import numpy as np
import torch
from PIL import Image
from transformers import CLIPModel, CLIPProcessor, pipeline

name = "openai/clip-vit-base-patch32"
model, processor = CLIPModel.from_pretrained(name), CLIPProcessor.from_pretrained(name)
image = Image.fromarray(np.random.RandomState(2).randint(0, 255, (32, 32, 3), dtype=np.uint8))
texts = ["a photo of a cat", "a photo of the house"]
inputs = processor(text=texts, images=image, return_tensors="pt", padding=True)
with torch.no_grad():
    out = model(**inputs)
probabilities = out.logits_per_image.softmax(dim=1)[0]
assert torch.allclose(out.logits_per_image, out.logits_per_text.T, atol=1e-4)
cosine = out.image_embeds @ out.text_embeds.T
assert torch.allclose(cosine * model.logit_scale.exp(), out.logits_per_image, atol=1e-3)

pipe = pipeline("zero-shot-image-classification", model=name)
answers = pipe(image, candidate_labels=["cat", "the house"], hypothesis_template="a photo of {}")
by_label = {answer["label"]: answer["score"] for answer in answers}
assert abs(sum(by_label.values()) - 1) < 1e-5
plain = processor(text=["a photo of cat", "a photo of the house"], images=image, return_tensors="pt", padding=True)
with torch.no_grad():
    expected = model(**plain).logits_per_image.softmax(1)[0]
assert abs(by_label["cat"] - float(expected[0])) < 1e-4
