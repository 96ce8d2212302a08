"""A classifier traced into TorchScript, with torchscript=True as version 3 asked for it."""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

name = "snunlp/KR-FinBert-SC"
tokenizer = AutoTokenizer.from_pretrained(name)
model = AutoModelForSequenceClassification.from_pretrained(name, torchscript=True).eval()
batch = tokenizer(["오늘 날씨가 맑아서", "공원"], padding=True, return_tensors="pt")
traced = torch.jit.trace(model, (batch["input_ids"], batch["attention_mask"]))
traced.save("traced.pt")
with torch.no_grad():
    logits = torch.jit.load("traced.pt")(batch["input_ids"], batch["attention_mask"])[0]
    assert torch.allclose(logits, model(batch["input_ids"], batch["attention_mask"])[0], atol=1e-5)
