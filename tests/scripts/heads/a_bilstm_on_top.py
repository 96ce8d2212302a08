"""Token labels from an LSTM over BERT's states."""

from torch import nn
from transformers import AutoTokenizer, BertModel

tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
bert = BertModel.from_pretrained("bert-base-cased", add_pooling_layer=False)
assert bert.pooler is None
lstm = nn.LSTM(bert.config.hidden_size, 8, bidirectional=True, batch_first=True)
tagger = nn.Linear(16, 9)
words = ["Minji", "works", "in", "Seoul"]
inputs = tokenizer(words, is_split_into_words=True, return_tensors="pt")
states = bert(**inputs).last_hidden_state
scores = tagger(lstm(states)[0])
first = [inputs.word_ids().index(number) for number in range(len(words))]
assert scores[0, first].shape == (4, 9)
scores[0, first].logsumexp(-1).sum().backward()
assert bert.encoder.layer[-1].output.dense.weight.grad.norm() > 0
