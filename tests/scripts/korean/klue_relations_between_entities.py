"""KLUE's relations: markers around two entities as new tokens, and their average vectors beside the sentence's."""

import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("klue/roberta-base")
markers = ["[S:PER]", "[/S:PER]", "[O:LOC]", "[/O:LOC]"]
assert tokenizer.add_special_tokens({"additional_special_tokens": markers}) == 4
model = AutoModelForSequenceClassification.from_pretrained("klue/roberta-base", num_labels=30).eval()
model.resize_token_embeddings(len(tokenizer))
sentence = "[S:PER]민지[/S:PER]는 [O:LOC]서울[/O:LOC]에 산다"
encoded = tokenizer("민지 [SEP] 서울", sentence, return_tensors="pt", return_token_type_ids=False)
tokens = tokenizer.convert_ids_to_tokens(encoded["input_ids"][0])
assert [token for token in tokens if token in markers] == markers
assert model(**encoded).logits.shape == (1, 30) and model.config.vocab_size == len(tokenizer)

body = AutoModel.from_pretrained("klue/roberta-base", add_pooling_layer=False).eval()
body.resize_token_embeddings(len(tokenizer))
states = body(**encoded)[0]
place = tokens.index("[S:PER]") + 1
mask = torch.zeros(1, len(tokens))
mask[0, place : tokens.index("[/S:PER]")] = 1
average = torch.bmm(mask.unsqueeze(1), states).squeeze(1) / mask.sum(1, keepdim=True)
assert torch.allclose(average[0], states[0, place : tokens.index("[/S:PER]")].mean(0), atol=1e-5)
