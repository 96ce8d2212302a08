"""Any instruction to a T5 (the task left version 5)."""

from transformers import pipeline

text2text = pipeline("text2text-generation", model="google/flan-t5-small")
answers = text2text(["Translate English to German: the house", "How old are you?"], max_length=10)
assert [list(answer) for answer in answers] == [["generated_text"]] * 2
again = text2text("How old are you?", max_length=10)
assert again[0] == answers[1]
