"""KoGPT2 with its special tokens named, as its README does."""

import torch
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

tokenizer = PreTrainedTokenizerFast.from_pretrained(
    "skt/kogpt2-base-v2",
    bos_token="</s>",
    eos_token="</s>",
    unk_token="<unk>",
    pad_token="<pad>",
    mask_token="<mask>",
)
assert tokenizer.pad_token_id == 3 and tokenizer.eos_token_id == 1
model = GPT2LMHeadModel.from_pretrained("skt/kogpt2-base-v2")
text = "근육이 커지기 위해서는"
input_ids = tokenizer.encode(text, return_tensors="pt")
assert tokenizer.decode(input_ids[0]) == text
generated = model.generate(
    input_ids,
    max_length=24,
    repetition_penalty=2.0,
    pad_token_id=tokenizer.pad_token_id,
    eos_token_id=tokenizer.eos_token_id,
    bos_token_id=tokenizer.bos_token_id,
    use_cache=True,
)
assert generated.shape[1] <= 24 and torch.equal(generated[:, : input_ids.shape[1]], input_ids)
assert tokenizer.decode(generated[0]).startswith(text)
