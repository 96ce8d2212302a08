"""A BatchEncoding knows the words and letters that its tokens come from."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
text = "Minji visited Paris yesterday."
encoding = tokenizer(text)
assert encoding.is_fast and tokenizer.is_fast
assert encoding.tokens() == tokenizer.convert_ids_to_tokens(encoding["input_ids"])
words = encoding.word_ids()
assert words[0] is None and words[-1] is None
start, end = encoding.word_to_chars(2)
assert text[start:end] == "Paris"
token = encoding.char_to_token(text.index("Paris"))
assert encoding.token_to_word(token) == 2 and encoding.token_to_chars(token).start == text.index("Paris")
span = encoding.word_to_tokens(1)
assert "".join(piece.replace("##", "") for piece in encoding.tokens()[span.start : span.end]) == "visited"
