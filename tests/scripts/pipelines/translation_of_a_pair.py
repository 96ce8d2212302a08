"""The languages stand in the task's name (the task left version 5)."""

from transformers import pipeline

translator = pipeline("translation_en_to_de", model="Helsinki-NLP/opus-mt-en-de")
answer = translator("How old are you?", max_new_tokens=15, num_beams=2)
assert set(answer[0]) == {"translation_text"}

ids = translator.model.generate(
    **translator.tokenizer(["How old are you?"], return_tensors="pt"), max_new_tokens=15, num_beams=2
)
assert translator.tokenizer.decode(ids[0], skip_special_tokens=True) == answer[0]["translation_text"]
