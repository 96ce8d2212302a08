"""KoBART: framed by hand, summed up with beams."""

import torch
from transformers import BartForConditionalGeneration, PreTrainedTokenizerFast

tokenizer = PreTrainedTokenizerFast.from_pretrained("gogamza/kobart-base-v2")
model = BartForConditionalGeneration.from_pretrained("gogamza/kobart-base-v2")
text = "서울은 대한민국의 수도이고, 많은 사람들이 한강 공원을 찾습니다."
raw = tokenizer.encode(text)
assert tokenizer.decode(raw) == text
input_ids = torch.tensor([[tokenizer.bos_token_id, *raw, tokenizer.eos_token_id]])
summary_ids = model.generate(input_ids, num_beams=4, max_length=20, eos_token_id=1, no_repeat_ngram_size=2)
assert summary_ids.shape[1] <= 20
body = [token for token in summary_ids[0].tolist() if token > 6]
assert len(set(zip(body, body[1:]))) == len(list(zip(body, body[1:])))
greedy = model.generate(input_ids, num_beams=1, do_sample=False, max_length=20, eos_token_id=1)
assert greedy[0, 0] == model.config.decoder_start_token_id
