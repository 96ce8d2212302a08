"""A tokenizer trained with `tokenizers`, wrapped for models."""

from transformers import PreTrainedTokenizerFast

from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

engine = Tokenizer(models.WordPiece(unk_token="[UNK]"))
engine.pre_tokenizer = pre_tokenizers.Whitespace()
trainer = trainers.WordPieceTrainer(vocab_size=120, special_tokens=["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"])
engine.train_from_iterator(["a king had three daughters", "the daughters had a king"] * 5, trainer=trainer)
engine.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]",
    pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    special_tokens=[("[CLS]", engine.token_to_id("[CLS]")), ("[SEP]", engine.token_to_id("[SEP]"))],
)
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=engine,
    unk_token="[UNK]",
    pad_token="[PAD]",
    cls_token="[CLS]",
    sep_token="[SEP]",
    mask_token="[MASK]",
)
encoded = tokenizer("a king", "three daughters", return_tensors="pt")
assert encoded["input_ids"][0].tolist() == engine.encode("a king", "three daughters").ids
assert tokenizer(["a", "a king had"], padding=True)["attention_mask"][0] == [1, 1, 1, 0, 0]
tokenizer.save_pretrained("wrapped")
again = PreTrainedTokenizerFast.from_pretrained("wrapped")
assert again("the king")["input_ids"] == tokenizer("the king")["input_ids"] and again.mask_token == "[MASK]"
engine.save("engine.json")
assert (
    PreTrainedTokenizerFast(tokenizer_file="engine.json")("the king")["input_ids"] == tokenizer("the king")["input_ids"]
)
