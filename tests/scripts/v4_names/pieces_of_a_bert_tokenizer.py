"""build_inputs_with_special_tokens, prepare_for_model and their kin."""

from transformers import BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
one = tokenizer.convert_tokens_to_ids(tokenizer.tokenize("hello world"))
two = tokenizer.convert_tokens_to_ids(tokenizer.tokenize("a king"))
cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
assert tokenizer.build_inputs_with_special_tokens(one) == [cls, *one, sep]
assert tokenizer.build_inputs_with_special_tokens(one, two) == [cls, *one, sep, *two, sep]
types = tokenizer.create_token_type_ids_from_sequences(one, two)
assert types == [0] * (len(one) + 2) + [1] * (len(two) + 1)
prepared = tokenizer.prepare_for_model(one, two, max_length=12, padding="max_length", truncation=True)
assert len(prepared["input_ids"]) == 12 and prepared["input_ids"][: len(one) + 2] == [cls, *one, sep]
assert prepared["token_type_ids"][: len(types)] == types
cut, pair, overflow = tokenizer.truncate_sequences(
    list(one), list(two), num_tokens_to_remove=1, truncation_strategy="only_first"
)
assert cut == one[:-1] and pair == two
