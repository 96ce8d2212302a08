"""penalty_alpha: words that do not repeat what was said (needs a download in version 5)."""

from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
inputs = tokenizer("The music was great", return_tensors="pt")
options = {"max_new_tokens": 12, "pad_token_id": 0}
contrastive = model.generate(**inputs, penalty_alpha=0.8, top_k=6, **options)
greedy = model.generate(**inputs, do_sample=False, **options)
assert contrastive[0, :4].equal(greedy[0, :4])
assert len(set(contrastive[0].tolist())) >= len(set(greedy[0].tolist()))
