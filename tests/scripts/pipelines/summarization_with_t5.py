"""T5 wants its task in front of the text, which its configuration names (the task left version 5)."""

from transformers import AutoTokenizer, T5ForConditionalGeneration, pipeline

model = T5ForConditionalGeneration.from_pretrained("t5-small")
tokenizer = AutoTokenizer.from_pretrained("t5-small")
summarizer = pipeline("summarization", model=model, tokenizer=tokenizer)
texts = ["summarize: The weather was good today.", "summarize: Many people visit the city every summer."]
answers = summarizer(texts, max_new_tokens=12, min_length=2, num_beams=1)
assert len(answers) == 2
for text, answer in zip(texts, answers):
    ids = model.generate(**tokenizer(text, return_tensors="pt"), max_new_tokens=12, min_length=2, num_beams=1)
    assert answer["summary_text"] == tokenizer.decode(ids[0], skip_special_tokens=True).strip()
