"""SetFit: a classifier from eight sentences, on the real MiniLM; saved and reloaded."""

from answer import answer
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments

GOOD = ["I loved this movie", "wonderful actors", "the music was great", "a beautiful story"]
BAD = ["I hated this film", "boring and too long", "badly written", "a waste of time"]

data = Dataset.from_dict({"text": GOOD + BAD, "label": [1] * 4 + [0] * 4})
new = ["what a great film", "so boring", "the worst story", "lovely music"]
model = SetFitModel.from_pretrained("sentence-transformers/all-MiniLM-L6-v2", device="cpu")
arguments = TrainingArguments(
    "few", batch_size=8, num_epochs=1, max_steps=3, sampling_strategy="unique", report_to="none", seed=1, use_amp=False
)
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=data,
    eval_dataset=data,
    metric=lambda guesses, labels: {
        "hits": sum(int(guess) == label for guess, label in zip(guesses, labels, strict=True))
    },
)
trainer.train()
model.save_pretrained("saved")
again = SetFitModel.from_pretrained("saved", device="cpu")

answer(
    evaluated=trainer.evaluate(),
    guesses=model.predict(new),
    shares=model.predict_proba(new),
    again=again.predict_proba(new),
)
