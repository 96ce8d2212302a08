"""A repository with nothing but tokenizer.json, through AutoTokenizer: an empty list of ids would be a silent fault."""

from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("skt/kogpt2-base-v2")
ids = tokenizer("오늘 날씨가 맑아서")["input_ids"]
assert len(ids) >= 3
assert tokenizer.decode(ids) == "오늘 날씨가 맑아서"
model = AutoModelForCausalLM.from_pretrained("skt/kogpt2-base-v2")
assert max(ids) < model.config.vocab_size
