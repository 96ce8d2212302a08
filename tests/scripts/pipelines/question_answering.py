"""An answer is a part of the context (the task left version 5)."""

from transformers import pipeline

question_answerer = pipeline("question-answering", model="distilbert-base-cased-distilled-squad")
context = "My name is Minji and I work at a small company in Seoul, the capital of Korea."
answer = question_answerer(question="Where do I work?", context=context)
print(answer)

assert set(answer) == {"score", "start", "end", "answer"}
assert context[answer["start"] : answer["end"]] == answer["answer"]
three = question_answerer(question="Where do I work?", context=context, top_k=3)
assert len(three) == 3 and three[0]["answer"] == answer["answer"]
assert three[0]["score"] >= three[1]["score"] >= three[2]["score"]
