"""The schedule of BERT's fine-tuning: up for a while, then down to nothing."""

import torch
from transformers import get_constant_schedule, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup


def rates(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for _ in range(10):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


linear = rates(lambda o: get_linear_schedule_with_warmup(o, num_warmup_steps=4, num_training_steps=10))
assert linear[:5] == [0.0, 0.25, 0.5, 0.75, 1.0]
assert all(abs(rate - (10 - step) / 6) < 1e-9 for step, rate in list(enumerate(linear))[4:])
cosine = rates(lambda o: get_cosine_schedule_with_warmup(o, 2, 10))
assert cosine[2] == 1.0 and abs(cosine[6] - 0.5) < 1e-9
assert rates(get_constant_schedule) == [1.0] * 10
