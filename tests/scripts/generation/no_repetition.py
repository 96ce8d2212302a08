"""n-grams, penalties and forbidden words."""

from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
ids = tokenizer("The music was great", return_tensors="pt").input_ids
options = {"max_new_tokens": 20, "do_sample": False, "pad_token_id": 0}
plain = model.generate(ids, **options)[0].tolist()
no_pairs = model.generate(ids, no_repeat_ngram_size=2, **options)[0].tolist()
pairs = list(zip(no_pairs, no_pairs[1:]))
assert len(pairs) == len(set(pairs))
assert len(list(zip(plain, plain[1:]))) > len(set(zip(plain, plain[1:])))
first = plain[ids.shape[1]]
banned = model.generate(ids, bad_words_ids=[[first]], **options)[0].tolist()
assert first not in banned[ids.shape[1] :]
penalised = model.generate(ids, repetition_penalty=5.0, **options)[0].tolist()
assert len(set(penalised)) > len(set(plain))
