"""Keywords that older code passes to from_pretrained and that must not hurt."""

import torch
from transformers import AutoModel, AutoTokenizer

plain = AutoModel.from_pretrained("bert-base-uncased")
old = AutoModel.from_pretrained(
    "bert-base-uncased", use_auth_token=False, resume_download=False, torchscript=False, low_cpu_mem_usage=True
)
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased", use_fast=False, use_auth_token=False)
inputs = tokenizer("the king", return_tensors="pt")
with torch.no_grad():
    assert torch.equal(plain(**inputs)[0], old(**inputs)[0])
