"""What a tokenizer says of itself."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
assert tokenizer.special_tokens_map["cls_token"] == "[CLS]"
assert set(tokenizer.all_special_tokens) == {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
assert tokenizer.all_special_ids == [tokenizer.convert_tokens_to_ids(t) for t in tokenizer.all_special_tokens]
vocabulary = tokenizer.get_vocab()
assert len(vocabulary) == len(tokenizer) == tokenizer.vocab_size
assert tokenizer.vocab["[MASK]"] == tokenizer.mask_token_id == 4
assert tokenizer.model_max_length == 512
assert tokenizer.num_special_tokens_to_add(pair=True) == 3 and tokenizer.num_special_tokens_to_add() == 2
mask = tokenizer.get_special_tokens_mask(tokenizer.encode("hello world"), already_has_special_tokens=True)
assert mask[0] == mask[-1] == 1 and sum(mask) == 2
assert tokenizer("hello", return_special_tokens_mask=True)["special_tokens_mask"] == [
    1,
    *[0] * (len(tokenizer.encode("hello")) - 2),
    1,
]
