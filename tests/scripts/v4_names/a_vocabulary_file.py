"""BertTokenizer(vocab_file=…): the file is read, not ignored."""

from transformers import BertTokenizer, BertTokenizerFast

with open("vocab.txt", "w", encoding="utf-8") as file:
    file.write("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "king", "and", "##s", "나비"]) + "\n")
tokenizer = BertTokenizer(vocab_file="vocab.txt", do_lower_case=False)
assert tokenizer.vocab_size == 10
assert tokenizer.tokenize("a king and kings") == ["a", "king", "and", "king", "##s"]
assert tokenizer("나비")["input_ids"] == [2, 9, 3]
fast = BertTokenizerFast("vocab.txt", do_lower_case=False)
assert fast("a king and kings")["input_ids"] == tokenizer("a king and kings")["input_ids"]
