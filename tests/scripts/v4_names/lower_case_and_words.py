"""The inner parts of a BERT tokenizer, and a batch's words()."""

from transformers import BertTokenizerFast
from transformers.models.bert.tokenization_bert import BasicTokenizer, WordpieceTokenizer

basic = BasicTokenizer(do_lower_case=True)
assert basic.tokenize("Hello, World!") == ["hello", ",", "world", "!"]
assert BasicTokenizer(do_lower_case=False).tokenize("나비가 KING!") == ["나비가", "KING", "!"]
pieces = WordpieceTokenizer(vocab={"king": 0, "##s": 1, "[UNK]": 2}, unk_token="[UNK]")
assert pieces.tokenize("kings queen") == ["king", "##s", "[UNK]"]
tokenizer = BertTokenizerFast.from_pretrained("bert-base-uncased")
assert tokenizer.additional_special_tokens == []
encoding = tokenizer(["the king"])
assert encoding.words(0) == encoding.word_ids(0)
