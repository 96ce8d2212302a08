"""The words of a vocabulary, read in the order of their ids."""

from transformers import BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
words = list(tokenizer.vocab.keys())
assert words[0] == "[PAD]"
assert all(tokenizer.vocab[word] == number for number, word in enumerate(words))
assert words[5:9] == tokenizer.convert_ids_to_tokens([5, 6, 7, 8])
