"""The pipeline takes a picture or a path."""

import numpy as np
from PIL import Image
from transformers import pipeline

image = Image.fromarray(np.random.RandomState(1).randint(0, 255, (40, 40, 3), dtype=np.uint8))
image.save("picture.png")
classifier = pipeline("image-classification", model="google/vit-base-patch16-224")
answers = classifier(image)
assert sorted(answer["label"] for answer in answers) == ["golden retriever", "monarch butterfly", "tabby cat"]
assert abs(sum(answer["score"] for answer in answers) - 1) < 1e-4
from_path = classifier("picture.png", top_k=1)
assert from_path[0]["label"] == answers[0]["label"] and abs(from_path[0]["score"] - answers[0]["score"]) < 1e-4
