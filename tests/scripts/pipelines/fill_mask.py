"""The masked word, its five likeliest fillings, and a choice of two."""

from transformers import pipeline

unmasker = pipeline("fill-mask", model="bert-base-uncased")
answers = unmasker("Paris is the [MASK] of France.")

assert len(answers) == 5
for answer in answers:
    assert set(answer) == {"score", "token", "token_str", "sequence"}
    assert answer["sequence"].startswith("paris is the")
    assert unmasker.tokenizer.convert_tokens_to_ids(answer["token_str"]) == answer["token"]
assert answers[0]["score"] >= answers[-1]["score"] > 0

chosen = unmasker("Paris is the [MASK] of France.", targets=["city", "story"])
assert sorted(answer["token_str"] for answer in chosen) == ["city", "story"]
assert len(unmasker("Paris is the [MASK] of France.", top_k=2)) == 2
