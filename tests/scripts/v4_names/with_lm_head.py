"""AutoModelWithLMHead: the head that the checkpoint's family writes with."""

import torch
from transformers import AutoModelWithLMHead, AutoTokenizer

kinds = {"gpt2": "GPT2LMHeadModel", "t5-small": "T5ForConditionalGeneration", "bert-base-uncased": "BertForMaskedLM"}
for name, kind in kinds.items():
    model = AutoModelWithLMHead.from_pretrained(name)
    assert type(model).__name__ == kind
    ids = AutoTokenizer.from_pretrained(name)("Hello world", return_tensors="pt").input_ids
    extra = {"decoder_input_ids": ids[:, :1]} if kind.startswith("T5") else {}
    with torch.no_grad():
        assert model(ids, **extra).logits.shape[-1] == model.config.vocab_size
