"""The Trainer takes any torch module that returns a loss."""

import torch
from torch import nn
from transformers import Trainer, TrainingArguments


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x, labels=None):
        y = self.linear(x).squeeze(-1)
        return {"loss": nn.functional.mse_loss(y, labels), "y": y} if labels is not None else {"y": y}


rows = [{"x": torch.tensor([n / 10.0]), "labels": torch.tensor(3 * n / 10.0 + 1)} for n in range(20)]
args = TrainingArguments(
    "line", num_train_epochs=100, learning_rate=0.2, per_device_train_batch_size=10, lr_scheduler_type="cosine",
    max_grad_norm=0.0, weight_decay=0.0, report_to="none", save_strategy="no", use_cpu=True,
)  # fmt: skip
trainer = Trainer(model=Line(), args=args, train_dataset=rows)
trainer.train()
assert abs(trainer.model.linear.weight.item() - 3) < 0.3
assert abs(trainer.model.linear.bias.item() - 1) < 0.3
