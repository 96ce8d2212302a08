"""Seq2SeqTrainer: texts are generated for the metrics."""

import numpy as np
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
)

tokenizer = AutoTokenizer.from_pretrained("t5-small")
model = AutoModelForSeq2SeqLM.from_pretrained("t5-small")
pairs = [("summarize: the weather was good", "good"), ("summarize: many people visit the city", "the city")]
rows = [{**tokenizer(a), "labels": tokenizer(text_target=b)["input_ids"]} for a, b in pairs]
seen = {}


def compute_metrics(prediction):
    ids, labels = prediction
    labels = np.where(labels != -100, labels, tokenizer.pad_token_id)
    seen["labels"] = tokenizer.batch_decode(labels, skip_special_tokens=True)
    ids = np.where(ids != -100, ids, tokenizer.pad_token_id)
    return {"gen_len": float(np.mean([np.count_nonzero(row != tokenizer.pad_token_id) for row in ids]))}


args = Seq2SeqTrainingArguments(
    "s2s", num_train_epochs=3, predict_with_generate=True, generation_max_length=8, report_to="none",
    save_strategy="no", use_cpu=True,
)  # fmt: skip
collator = DataCollatorForSeq2Seq(tokenizer, model=model)
batch = collator([dict(row) for row in rows])
assert (batch["labels"] == -100).any() and batch["decoder_input_ids"].shape == batch["labels"].shape
trainer = Seq2SeqTrainer(
    model=model,
    args=args,
    data_collator=collator,
    train_dataset=rows,
    eval_dataset=rows,
    compute_metrics=compute_metrics,
)
trainer.train()
metrics = trainer.evaluate()
assert seen["labels"] == ["good", "the city"]
assert 0 <= metrics["eval_gen_len"] <= 8
