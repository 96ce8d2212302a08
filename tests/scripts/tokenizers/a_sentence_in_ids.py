"""tokenize, convert, encode, decode: the ways of one sentence."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
text = "Paris is the capital of France."
tokens = tokenizer.tokenize(text)
ids = tokenizer.convert_tokens_to_ids(tokens)
assert tokenizer.encode(text) == [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id]
assert tokenizer(text)["input_ids"] == tokenizer.encode(text)
assert tokenizer.decode(ids) == "paris is the capital of france."
assert tokenizer.decode(tokenizer.encode(text)) == "[CLS] paris is the capital of france. [SEP]"
assert tokenizer.decode(tokenizer.encode(text), skip_special_tokens=True) == tokenizer.decode(ids)
assert tokenizer.convert_ids_to_tokens(ids) == tokens
assert tokenizer.convert_tokens_to_string(tokens) == tokenizer.decode(ids, clean_up_tokenization_spaces=False)
