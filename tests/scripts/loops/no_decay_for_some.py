"""Two groups of parameters: biases and norms are not pulled to zero; gradients are clipped."""

import torch
from transformers import BertForSequenceClassification, BertTokenizer, get_linear_schedule_with_warmup

model = BertForSequenceClassification.from_pretrained("bert-base-uncased")
no_decay = ["bias", "LayerNorm.weight"]
named = list(model.named_parameters())
groups = [
    {"params": [p for n, p in named if not any(word in n for word in no_decay)], "weight_decay": 0.01},
    {"params": [p for n, p in named if any(word in n for word in no_decay)], "weight_decay": 0.0},
]
assert sum(len(group["params"]) for group in groups) == len(named)
assert len(groups[1]["params"]) > len(groups[0]["params"])
optimizer = torch.optim.AdamW(groups, lr=1e-3, eps=1e-8)
scheduler = get_linear_schedule_with_warmup(optimizer, 0, 5)
tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
batch = tokenizer(["good", "bad"], padding=True, return_tensors="pt")
for step in range(5):
    model.zero_grad()
    loss = model(batch["input_ids"], token_type_ids=None, labels=torch.tensor([1, 0]))[0]
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    norm = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
    assert norm < 0.501
    optimizer.step()
    scheduler.step()
assert optimizer.param_groups[0]["lr"] == 0
