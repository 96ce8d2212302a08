"""Every head on one checkpoint: the body is the same, the head is new where the file has none."""

import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

name = "bert-base-cased"
inputs = AutoTokenizer.from_pretrained(name)("Hello world", return_tensors="pt")
body = AutoModel.from_pretrained(name)
length = inputs["input_ids"].shape[1]
with torch.no_grad():
    assert AutoModelForMaskedLM.from_pretrained(name)(**inputs).logits.shape == (1, length, body.config.vocab_size)
    assert AutoModelForSequenceClassification.from_pretrained(name, num_labels=7)(**inputs).logits.shape == (1, 7)
    assert AutoModelForTokenClassification.from_pretrained(name, num_labels=3)(**inputs).logits.shape == (1, length, 3)
    assert AutoModelForQuestionAnswering.from_pretrained(name)(**inputs).start_logits.shape == (1, length)
    choices = {key: value[None].repeat(1, 4, 1) for key, value in inputs.items()}
    assert AutoModelForMultipleChoice.from_pretrained(name)(**choices).logits.shape == (1, 4)
    tagger = AutoModelForTokenClassification.from_pretrained(name).eval()
    states = tagger.bert(**inputs).last_hidden_state
    assert torch.allclose(states, body(**inputs).last_hidden_state, atol=1e-6)
