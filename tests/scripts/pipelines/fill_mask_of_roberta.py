"""The mask token differs between models; the tokenizer knows its own."""

from transformers import pipeline

fill = pipeline("fill-mask", model="distilroberta-base")
assert fill.tokenizer.mask_token == "<mask>"
results = fill(f"How old are {fill.tokenizer.mask_token}?", top_k=3)
assert [r["score"] for r in results] == sorted((r["score"] for r in results), reverse=True)
for r in results:
    assert fill.tokenizer.decode([r["token"]]) == r["token_str"]
