"""A pipeline reads from a generator, and gives its answers one by one, in order."""

from transformers import pipeline

texts = ["good", "boring", "The music was great", "far too long and badly written", "Hello world!"]
pipe = pipeline("text-classification", model="cardiffnlp/twitter-roberta-base-sentiment-latest")


def read():
    for text in texts:
        yield text


streamed = list(pipe(read(), batch_size=2))
assert len(streamed) == len(texts)
for text, answer in zip(texts, streamed):
    alone = pipe(text)[0]
    assert answer["label"] == alone["label"] and abs(answer["score"] - alone["score"]) < 1e-4
