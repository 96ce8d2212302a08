"""A large model in several files with an index."""

import json
import os

from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained("gpt2")
model.save_pretrained("shards", max_shard_size="50KB")
files = sorted(name for name in os.listdir("shards") if name.endswith(".safetensors"))
assert len(files) > 1 and files[0].startswith("model-00001-of-")
with open("shards/model.safetensors.index.json") as file:
    index = json.load(file)
assert set(index["weight_map"].values()) == set(files) and index["metadata"]["total_size"] > 0
again = AutoModelForCausalLM.from_pretrained("shards")
assert all(a.equal(b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))
