"""Filters of scores as a function and as objects."""

import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper, top_k_top_p_filtering

scores = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
kept = top_k_top_p_filtering(scores.clone(), top_k=2)
assert kept[0, :2].isinf().all() and kept[0, 2:].tolist() == [2.0, 3.0]
both = LogitsProcessorList([TemperatureLogitsWarper(0.5), TopPLogitsWarper(0.9)])
warped = both(torch.tensor([[0]]), scores.clone())
probabilities = (scores * 2).softmax(-1)[0]
assert warped[0, 3] == 6 and warped[0, 0].isinf()
assert probabilities[~warped[0].isinf()].sum() >= 0.9
