"""return_dict_in_generate: what was thought of each token."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2")
inputs = tokenizer(["The music was"], return_tensors="pt")
out = model.generate(
    **inputs, max_new_tokens=5, do_sample=False, return_dict_in_generate=True, output_scores=True,
    output_hidden_states=True, pad_token_id=0,
)  # fmt: skip
assert len(out.scores) == out.sequences.shape[1] - inputs["input_ids"].shape[1]
scores = model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
with torch.no_grad():
    logits = model(out.sequences).logits[:, inputs["input_ids"].shape[1] - 1 : -1].log_softmax(-1)
new = out.sequences[:, inputs["input_ids"].shape[1] :]
assert torch.allclose(scores, logits.gather(-1, new[..., None])[..., 0], atol=1e-4)
assert len(out.hidden_states) == 5 and len(out.hidden_states[0]) == 3
