"""Prompts of different lengths in one batch write what each writes alone."""

from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("gpt2", padding_side="left")
tokenizer.pad_token = tokenizer.eos_token
model = AutoModelForCausalLM.from_pretrained("gpt2")
model.config.pad_token_id = model.config.eos_token_id
prompts = ["Hello", "Once upon a time, in a land far away", "The music was"]
batch = tokenizer(prompts, return_tensors="pt", padding=True)
assert (batch["attention_mask"][0] == 0).any() and batch["attention_mask"][:, -1].all()
together = model.generate(**batch, max_new_tokens=8, do_sample=False, pad_token_id=tokenizer.pad_token_id)
for row, prompt in zip(tokenizer.batch_decode(together, skip_special_tokens=True), prompts):
    alone = tokenizer(prompt, return_tensors="pt")
    ids = model.generate(**alone, max_new_tokens=8, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    assert tokenizer.decode(ids[0], skip_special_tokens=True) == row
