"""Low-rank adapters on GPT-2's fused attention: a part of the weights learns, and is saved alone."""

import os

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
base = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=2)
config = LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=8, lora_dropout=0.0, target_modules=["query", "value"])
model = get_peft_model(base, config)
trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
assert trainable == 2 * 2 * (4 * 32 + 32 * 4) + 32 * 2 + 2
rows = [{**tokenizer("great music"), "labels": 1}, {**tokenizer("so dull"), "labels": 0}]
args = TrainingArguments(
    "lora", num_train_epochs=15, learning_rate=1e-2, report_to="none", save_strategy="no", use_cpu=True
)
trainer = Trainer(model=model, args=args, train_dataset=rows, processing_class=tokenizer)
before = trainer.predict(rows).metrics["test_loss"]
trainer.train()
after = trainer.predict(rows)
assert after.metrics["test_loss"] < before
model.save_pretrained("adapter")
assert os.path.exists("adapter/adapter_model.safetensors")
fresh = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=2)
merged = PeftModel.from_pretrained(fresh, "adapter").merge_and_unload().eval()
logits = merged(**tokenizer(["great music"], return_tensors="pt")).logits.detach().numpy()
assert abs(logits - after.predictions[:1]).max() < 1e-3
