"""accelerate: a training loop of one's own with gradient accumulation, evaluation, saved states and a saved model."""

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from answer import answer
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    get_linear_schedule_with_warmup,
)

TEXTS = [
    "이 영화는 정말 최고예요!",
    "지루하고 시간이 아까웠어요.",
    "배우들의 연기가 훌륭했습니다.",
    "다시는 보고 싶지 않은 영화네요.",
] * 2
LABELS = [1, 0, 1, 0] * 2
EPOCHS = 2

set_seed(42)
accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
rows = [{**tokenizer(text), "labels": label} for text, label in zip(TEXTS, LABELS, strict=True)]
collate = DataCollatorWithPadding(tokenizer)
train_loader = DataLoader(rows, batch_size=2, collate_fn=collate)
eval_loader = DataLoader(rows[:5], batch_size=2, collate_fn=collate)

keys = {"num_labels": 2, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base", **keys)
model.classifier.weight.data = torch.linspace(-1, 1, 64).reshape(2, 32)
quiet = ["bias", "LayerNorm.weight"]
named = list(model.named_parameters())
groups = [
    {"params": [p for name, p in named if not any(word in name for word in quiet)], "weight_decay": 0.01},
    {"params": [p for name, p in named if any(word in name for word in quiet)], "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(groups, lr=1e-3)
schedule = get_linear_schedule_with_warmup(optimizer, 1, EPOCHS * len(train_loader))
model, optimizer, train_loader, eval_loader, schedule = accelerator.prepare(
    model, optimizer, train_loader, eval_loader, schedule
)

losses, rates, shares = [], [], []
for epoch in range(EPOCHS):
    model.train()
    for batch in train_loader:
        with accelerator.accumulate(model):
            loss = model(**batch).loss
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        losses.append(loss.item())
        rates.append(schedule.get_last_lr()[0])
    model.eval()
    hits = []
    for batch in eval_loader:
        with torch.no_grad():
            guesses = model(**batch).logits.argmax(-1)
        guesses, labels = accelerator.gather_for_metrics((guesses, batch["labels"]))
        hits += (guesses == labels).tolist()
    shares.append(sum(hits) / len(hits))
    if epoch == 0:
        accelerator.save_state("state")

last = accelerator.unwrap_model(model)
last.save_pretrained("trained", is_main_process=accelerator.is_main_process, save_function=accelerator.save)
tokenizer.save_pretrained("trained")
again = AutoModelForSequenceClassification.from_pretrained("trained")
accelerator.load_state("state")

with torch.no_grad():
    batch = collate(rows[:2])
    answer(
        losses=losses,
        rates=rates,
        shares=shares,
        seen=len(hits),
        again=again(**batch).logits,
        after_first_epoch=accelerator.unwrap_model(model).eval()(**batch).logits,
        is_a_model=type(last).__name__,
    )
