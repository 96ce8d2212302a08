"""Going on with BERT's pre-training: whole texts, masked by the collator."""

import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
)

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
model = AutoModelForMaskedLM.from_pretrained("bert-base-uncased")
texts = ["Paris is the capital of France.", "I loved this movie, the music was great!"] * 4
rows = [dict(tokenizer(t, return_special_tokens_mask=True)) for t in texts]
collator = DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm=True, mlm_probability=0.3)
batch = collator(rows)
masked = batch["labels"] != -100
assert masked.any() and (batch["input_ids"] == tokenizer.mask_token_id).sum() <= masked.sum()
original = tokenizer.pad([{"input_ids": row["input_ids"]} for row in rows], return_tensors="pt")["input_ids"]
assert torch.equal(batch["labels"][masked], original[masked])
assert torch.equal(batch["input_ids"][~masked], original[~masked])

args = TrainingArguments(
    "mlm", num_train_epochs=20, learning_rate=1e-3, report_to="none", save_strategy="no", logging_steps=5, use_cpu=True
)
trainer = Trainer(model=model, args=args, data_collator=collator, train_dataset=rows)
trainer.train()
losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
assert losses[-1] < losses[0]
