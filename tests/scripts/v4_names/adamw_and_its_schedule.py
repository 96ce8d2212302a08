"""AdamW from transformers, before torch's own was advised (gone in 4.57 too)."""

import torch
from transformers import AdamW, get_linear_schedule_with_warmup

weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
optimizer = AdamW([weight], lr=0.1, eps=1e-8, correct_bias=True, weight_decay=0.0)
scheduler = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=0, num_training_steps=40)
other = torch.nn.Parameter(weight.detach().clone())
torch_own = torch.optim.AdamW([other], lr=0.1, eps=1e-8, weight_decay=0.0)
torch_schedule = get_linear_schedule_with_warmup(torch_own, 0, 40)
for _ in range(40):
    for parameter, each, plan in ((weight, optimizer, scheduler), (other, torch_own, torch_schedule)):
        each.zero_grad()
        (parameter**2).sum().backward()
        each.step()
        plan.step()
assert weight.abs().max() < 0.5 and torch.allclose(weight, other, atol=1e-3)
