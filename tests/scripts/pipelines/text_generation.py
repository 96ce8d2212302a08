"""A story goes on: the prompt stays in front unless it is not wanted."""

from transformers import pipeline, set_seed

generator = pipeline("text-generation", model="gpt2")
set_seed(42)
stories = generator("Hello world! We are", max_length=20, num_return_sequences=3, do_sample=True)
assert len(stories) == 3
assert all(story["generated_text"].startswith("Hello world! We are") for story in stories)
set_seed(42)
assert stories == generator("Hello world! We are", max_length=20, num_return_sequences=3, do_sample=True)

only_new = generator("Once upon a time", max_new_tokens=5, do_sample=False, return_full_text=False)
whole = generator("Once upon a time", max_new_tokens=5, do_sample=False)
assert "Once upon a time" + only_new[0]["generated_text"] == whole[0]["generated_text"]
