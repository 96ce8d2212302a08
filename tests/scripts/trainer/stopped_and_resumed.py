"""A run that stopped goes on where it was: the weights are those of a run that never stopped."""

from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments, set_seed

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
texts = ["great", "boring", "wonderful", "bad", "good music", "too long"]
rows = [{**tokenizer(t, padding="max_length", max_length=6), "label": n % 2} for n, t in enumerate(texts)]


def trainer_for(folder, **options):
    set_seed(3)
    args = TrainingArguments(
        folder,
        num_train_epochs=2,
        per_device_train_batch_size=2,
        save_steps=2,
        report_to="none",
        use_cpu=True,
        **options,
    )
    model = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased")
    return Trainer(model=model, args=args, train_dataset=rows)


whole = trainer_for("whole")
whole.train()
again = trainer_for("again")
again.train(resume_from_checkpoint="whole/checkpoint-4")
assert again.state.global_step == whole.state.global_step == 6
for name, weight in whole.model.state_dict().items():
    assert (weight - again.model.state_dict()[name]).abs().max() < 1e-6, name
