"""All layers and their attention maps, asked for when loading."""

import torch
from transformers import AutoModel, AutoTokenizer

model = AutoModel.from_pretrained(
    "bert-base-uncased", output_hidden_states=True, output_attentions=True, attn_implementation="eager"
)
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
batch = tokenizer(["Hello world!", "I am happy"], padding=True, return_tensors="pt")
outputs = model(**batch)
assert len(outputs.hidden_states) == model.config.num_hidden_layers + 1
assert len(outputs.attentions) == model.config.num_hidden_layers
assert torch.equal(outputs.hidden_states[-1], outputs.last_hidden_state)
for attention in outputs.attentions:
    assert attention.shape[:2] == (2, model.config.num_attention_heads)
    assert torch.allclose(attention.sum(-1), torch.ones_like(attention[..., 0]), atol=1e-5)
padding = batch["attention_mask"][1] == 0
assert outputs.attentions[0][1, :, 0, padding].abs().max() < 1e-6 if padding.any() else True
