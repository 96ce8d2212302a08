"""Messages in, messages out: the pipeline uses the tokenizer's chat template."""

from transformers import pipeline

chat = pipeline("text-generation", model="Qwen/Qwen2.5-0.5B-Instruct")
messages = [{"role": "system", "content": "You write a story."}, {"role": "user", "content": "Hello!"}]
out = chat(messages, max_new_tokens=6, do_sample=False)
conversation = out[0]["generated_text"]
assert conversation[:2] == messages
assert conversation[-1]["role"] == "assistant"

prompt = chat.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
plain = chat(prompt, max_new_tokens=6, do_sample=False, return_full_text=False)
assert plain[0]["generated_text"] == conversation[-1]["content"]
