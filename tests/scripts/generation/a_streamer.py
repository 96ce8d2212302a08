"""Words appear while they are written: on the screen, and from another thread."""

import contextlib
import io
from threading import Thread

from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer, TextStreamer

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
inputs = tokenizer(["Hello world"], return_tensors="pt")
whole = tokenizer.decode(model.generate(**inputs, max_new_tokens=10, do_sample=False, pad_token_id=0)[0])

streamer = TextIteratorStreamer(tokenizer)
options = dict(inputs, streamer=streamer, max_new_tokens=10, do_sample=False, pad_token_id=0)
thread = Thread(target=model.generate, kwargs=options)
thread.start()
pieces = list(streamer)
thread.join()
assert "".join(pieces) == whole

screen = io.StringIO()
with contextlib.redirect_stdout(screen):
    model.generate(**inputs, streamer=TextStreamer(tokenizer), max_new_tokens=10, do_sample=False, pad_token_id=0)
assert screen.getvalue().rstrip("\n") == whole.rstrip("\n")
