"""GPT-2 learns a sentence by heart: labels are the ids, shifted by the model itself."""

import torch
from transformers import GPT2LMHeadModel, GPT2Tokenizer

tokenizer = GPT2Tokenizer.from_pretrained("gpt2")
model = GPT2LMHeadModel.from_pretrained("gpt2")
ids = tokenizer("Once upon a time, there was a king.", return_tensors="pt")["input_ids"]
output = model(ids, labels=ids)
expected = torch.nn.functional.cross_entropy(output.logits[0, :-1], ids[0, 1:])
assert torch.allclose(output.loss, expected, atol=1e-5)
assert abs(float(torch.exp(output.loss)) - float(torch.exp(expected))) < 1e-2 * float(torch.exp(expected))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
model.train()
for _ in range(40):
    optimizer.zero_grad()
    model(ids, labels=ids).loss.backward()
    optimizer.step()
model.eval()
written = model.generate(ids[:, :2], max_length=ids.shape[1], do_sample=False, pad_token_id=tokenizer.eos_token_id)
assert tokenizer.decode(written[0]) == "Once upon a time, there was a king."
