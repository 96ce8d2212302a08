"""Groups of beams that are kept apart (needs a download in version 5)."""

from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("facebook/bart-base")
model = AutoModelForSeq2SeqLM.from_pretrained("facebook/bart-base")
inputs = tokenizer("The weather was good today", return_tensors="pt")
options = {"num_beams": 4, "num_return_sequences": 4, "max_new_tokens": 10}
plain = model.generate(**inputs, **options)
diverse = model.generate(**inputs, num_beam_groups=4, diversity_penalty=50.0, **options)
firsts = {tuple(row[1:3].tolist()) for row in diverse}
assert len(firsts) >= len({tuple(row[1:3].tolist()) for row in plain})
assert len({row[1].item() for row in diverse}) > 1
