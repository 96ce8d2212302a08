"""GPT-2 on blocks of equal length; perplexity is the exponential of the loss."""

import math

from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
)

tokenizer = AutoTokenizer.from_pretrained("distilgpt2")
tokenizer.pad_token = tokenizer.eos_token
text = "Once upon a time, in a land far away, there was a king who had three daughters. " * 4
ids = tokenizer(text)["input_ids"]
size = 16
rows = [{"input_ids": ids[i : i + size]} for i in range(0, len(ids) - size + 1, size)]
collator = DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm=False)
batch = collator(rows[:2])
assert batch["labels"].equal(batch["input_ids"])
model = AutoModelForCausalLM.from_pretrained("distilgpt2")
args = TrainingArguments(
    "clm", num_train_epochs=8, learning_rate=2e-3, report_to="none", save_strategy="no", use_cpu=True
)
trainer = Trainer(model=model, args=args, data_collator=collator, train_dataset=rows, eval_dataset=rows)
before = math.exp(min(trainer.evaluate()["eval_loss"], 20))
trainer.train()
assert math.exp(trainer.evaluate()["eval_loss"]) < before
