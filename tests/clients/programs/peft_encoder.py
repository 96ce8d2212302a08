"""LoRA on a BERT classifier: trained, saved, loaded on a fresh model, switched off, merged; then by the Trainer."""

import os

import torch
from answer import answer
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

TEXTS = [
    "이 영화는 정말 최고예요!",
    "지루하고 시간이 아까웠어요.",
    "배우들의 연기가 훌륭했습니다.",
    "다시는 보고 싶지 않은 영화네요.",
]
LABELS = [1, 0, 1, 0]

tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
batch["labels"] = torch.tensor(LABELS)


def base():
    keys = {"num_labels": 2, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base", **keys)
    model.classifier.weight.data = torch.linspace(-1, 1, 64).reshape(2, 32)
    return model


def adapted():
    torch.manual_seed(1)
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS, r=4, lora_alpha=8, lora_dropout=0.0, target_modules=["query", "value"]
    )
    return get_peft_model(base(), config)


def logits(model):
    with torch.no_grad():
        return model.eval()(**batch).logits


model = adapted()
trainable = model.get_nb_trainable_parameters()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.02)
losses = []
for _ in range(6):
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
trained = logits(model)
with model.disable_adapter():
    switched_off = logits(model)

model.save_pretrained("adapter")
loaded = PeftModel.from_pretrained(base(), "adapter")
merged = loaded.merge_and_unload()
merged.save_pretrained("merged")
again = AutoModelForSequenceClassification.from_pretrained("merged")

by_trainer = adapted()
rows = [{**tokenizer(text), "labels": label} for text, label in zip(TEXTS, LABELS, strict=True)]
arguments = TrainingArguments(
    *["by_trainer"],
    **{
        "per_device_train_batch_size": 4,
        "max_steps": 3,
        "learning_rate": 0.02,
        "logging_steps": 1,
        "report_to": "none",
    },
    **{"disable_tqdm": True, "use_cpu": True, "save_strategy": "steps", "save_steps": 3},
)
trainer = Trainer(
    by_trainer, arguments, data_collator=DataCollatorWithPadding(tokenizer), train_dataset=rows, eval_dataset=rows
)
trainer.train()
logged = [line["loss"] for line in trainer.state.log_history if "loss" in line]
evaluated = trainer.evaluate()["eval_loss"]
from_checkpoint = PeftModel.from_pretrained(base(), "by_trainer/checkpoint-3")

answer(
    trainable=trainable,
    losses=losses,
    trained=trained,
    switched_off=switched_off,
    files=sorted(os.listdir("adapter")),
    loaded=logits(PeftModel.from_pretrained(base(), "adapter")),
    merged=logits(merged),
    again=logits(again),
    type_merged=type(merged).__name__,
    logged=logged,
    evaluated=evaluated,
    checkpoint={"adapter_model.safetensors", "adapter_config.json"} <= set(os.listdir("by_trainer/checkpoint-3")),
    whole_model_in_checkpoint=os.path.exists("by_trainer/checkpoint-3/model.safetensors"),
    from_checkpoint=logits(from_checkpoint),
)
