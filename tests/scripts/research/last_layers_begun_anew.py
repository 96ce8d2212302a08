"""Re-initialised last layers (arXiv:2006.05987), and learning rates that fall from layer to layer."""

import torch
from transformers import AutoModelForSequenceClassification, get_polynomial_decay_schedule_with_warmup

for name in ("klue/bert-base", "klue/roberta-base", "monologg/koelectra-base-v3-discriminator"):
    model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=2)
    body = getattr(model, model.base_model_prefix)
    last = body.encoder.layer[-1]
    before = last.attention.self.query.weight.clone()
    for module in last.modules():
        model._init_weights(module)
    assert not torch.equal(last.attention.self.query.weight, before)
    assert 0.015 < last.attention.self.query.weight.std() < 0.025 and last.attention.self.query.bias.norm() == 0
    last.apply(body._init_weights)
    assert last.output.LayerNorm.weight.sum() == model.config.hidden_size

    rate, groups = 5e-5, [{"params": model.classifier.parameters(), "lr": 1e-3}]
    for layer in reversed([body.embeddings, *body.encoder.layer]):
        rate *= 0.9
        groups.append({"params": layer.parameters(), "lr": rate})
    optimizer = torch.optim.AdamW(groups)
    scheduler = get_polynomial_decay_schedule_with_warmup(optimizer, 2, 10, lr_end=1e-7, power=2.0)
    rates = []
    for _ in range(4):
        rates.append(scheduler.get_last_lr())
        optimizer.step()
        scheduler.step()
    assert rates[0] == [0.0] * 4 and torch.allclose(
        torch.tensor(rates[2]), torch.tensor([1e-3, 4.5e-5, 4.05e-5, 3.645e-5])
    )
