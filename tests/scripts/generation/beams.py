"""Beam search: several answers, best first, with scores that are means of log probabilities."""

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("facebook/bart-base")
model = AutoModelForSeq2SeqLM.from_pretrained("facebook/bart-base")
inputs = tokenizer("The weather was good today.", return_tensors="pt")
out = model.generate(
    **inputs, num_beams=4, num_return_sequences=3, max_new_tokens=10, return_dict_in_generate=True, output_scores=True,
    early_stopping=True,
)  # fmt: skip
assert out.sequences.shape[0] == 3
scores = out.sequences_scores
assert (scores[:-1] >= scores[1:]).all()
transition = model.compute_transition_scores(out.sequences, out.scores, out.beam_indices)
lengths = (transition < 0).sum(1)
assert torch.allclose(transition.sum(1) / lengths, scores, atol=1e-4)
