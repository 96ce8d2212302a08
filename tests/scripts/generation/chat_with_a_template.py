"""A conversation becomes ids by the template, and the answer is what comes behind."""

from transformers import AutoModelForCausalLM, AutoTokenizer

name = "TinyLlama/TinyLlama-1.1B-Chat-v1.0"
tokenizer = AutoTokenizer.from_pretrained(name)
model = AutoModelForCausalLM.from_pretrained(name)
messages = [{"role": "system", "content": "You are a language model."}, {"role": "user", "content": "How old are you?"}]
text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
assert text.endswith("<|im_start|>assistant\n") and text.count("<|im_end|>") == 2
inputs = tokenizer([text], return_tensors="pt")
by_dict = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
assert inputs["input_ids"].equal(by_dict["input_ids"])
written = model.generate(**inputs, max_new_tokens=8, do_sample=False)
new = [output[len(given) :] for given, output in zip(inputs.input_ids, written)]
answer = tokenizer.batch_decode(new, skip_special_tokens=True)[0]
assert tokenizer.decode(written[0]).startswith(text) and "<|im_end|>" not in answer
