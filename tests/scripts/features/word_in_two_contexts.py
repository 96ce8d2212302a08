"""The same word has other vectors in other sentences; before the first layer it has one."""

import torch
from transformers import BertModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
model = BertModel.from_pretrained("bert-base-uncased", output_hidden_states=True)


def vector(text, word, layer):
    ids = tokenizer(text, return_tensors="pt")
    place = tokenizer.convert_ids_to_tokens(ids["input_ids"][0]).index(word)
    with torch.no_grad():
        return model(**ids).hidden_states[layer][0, place]


one, other = "the garden behind our house", "the house was great"
assert not torch.allclose(vector(one, "house", -1), vector(other, "house", -1), atol=1e-2)
table = model.embeddings.word_embeddings.weight
number = tokenizer.convert_tokens_to_ids("house")
assert torch.equal(model.get_input_embeddings()(torch.tensor(number)), table[number])
