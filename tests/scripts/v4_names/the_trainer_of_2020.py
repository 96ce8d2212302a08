"""evaluate_during_training was gone early; adafactor, fp16_opt_level and past_index came later and went."""

from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
rows = [{**tokenizer(t, padding="max_length", max_length=12), "label": n} for n, t in enumerate(["so dull", "great"])]
args = TrainingArguments(
    output_dir="out", do_train=True, do_eval=True, per_gpu_train_batch_size=2, max_steps=2, adafactor=True,
    logging_first_step=True, save_steps=1, save_total_limit=1, seed=1, fp16=False, no_cuda=True, report_to="none",
)  # fmt: skip
trainer = Trainer(
    model=AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased"),
    args=args,
    train_dataset=rows,
    eval_dataset=rows,
)
trainer.train(resume_from_checkpoint=None)
assert trainer.state.global_step == 2 and args.train_batch_size == 2
assert type(trainer.optimizer).__name__ in ("Adafactor", "AcceleratedOptimizer")
metrics = trainer.evaluate()
trainer.log_metrics("eval", metrics)
trainer.save_metrics("eval", metrics)
trainer.save_state()
assert "eval_loss" in metrics
