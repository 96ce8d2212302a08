"""A ViT that reads and a GPT-2 that writes (the task image-to-text left version 5)."""

import numpy as np
from PIL import Image
from transformers import AutoTokenizer, VisionEncoderDecoderModel, ViTImageProcessor, pipeline

name = "nlpconnect/vit-gpt2-image-captioning"
model = VisionEncoderDecoderModel.from_pretrained(name)
processor, tokenizer = ViTImageProcessor.from_pretrained(name), AutoTokenizer.from_pretrained(name)
image = Image.fromarray(np.random.RandomState(4).randint(0, 255, (32, 32, 3), dtype=np.uint8))
pixels = processor(images=[image], return_tensors="pt").pixel_values
ids = model.generate(pixels, max_new_tokens=8, num_beams=2)
text = tokenizer.batch_decode(ids, skip_special_tokens=True)[0]
captioner = pipeline("image-to-text", model=model, tokenizer=tokenizer, image_processor=processor)
answer = captioner(image, generate_kwargs={"max_new_tokens": 8, "num_beams": 2})
assert answer[0]["generated_text"].strip() == text.strip()
