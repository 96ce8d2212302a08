"""Questions as dictionaries and in lists, and one that has no answer."""

from transformers import pipeline

qa = pipeline("question-answering", model="deepset/roberta-base-squad2", tokenizer="deepset/roberta-base-squad2")
inputs = {"question": "What is the capital?", "context": "Paris is the capital of France."}
single = qa(inputs)
assert inputs["context"][single["start"] : single["end"]] == single["answer"]
twice = qa([inputs, {"question": "Who?", "context": "There was a king who had three daughters."}])
assert len(twice) == 2 and twice[0]["answer"] == single["answer"]
maybe = qa(inputs, handle_impossible_answer=True)
assert maybe["answer"] == "" or maybe["answer"] in inputs["context"]
