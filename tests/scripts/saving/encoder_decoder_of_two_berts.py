"""Two BERTs joined: one reads, one writes; saved and opened as one."""

import torch
from transformers import BertTokenizer, EncoderDecoderModel

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
model = EncoderDecoderModel.from_encoder_decoder_pretrained("bert-base-uncased", "bert-base-uncased")
model.config.decoder_start_token_id = tokenizer.cls_token_id
model.config.pad_token_id = tokenizer.pad_token_id
assert model.decoder.config.is_decoder and model.decoder.config.add_cross_attention
ids = tokenizer("Hello world", return_tensors="pt").input_ids
labels = tokenizer("a king", return_tensors="pt").input_ids
model.eval()
out = model(input_ids=ids, labels=labels)
expected = torch.nn.functional.cross_entropy(out.logits[0], labels[0])
assert torch.allclose(out.loss, expected, atol=1e-5)
model.save_pretrained("two")
again = EncoderDecoderModel.from_pretrained("two")
assert torch.allclose(again(input_ids=ids, labels=labels).loss, out.loss, atol=1e-6)
