"""A configuration read, changed, compared and written as JSON."""

import json

from transformers import AutoConfig, BertConfig

config = AutoConfig.from_pretrained("bert-base-uncased")
config.hidden_dropout_prob = 0.3
config.my_own_note = "kept"
config.save_pretrained("config")
with open("config/config.json") as file:
    data = json.load(file)
assert data["hidden_dropout_prob"] == 0.3 and data["model_type"] == "bert" and data["my_own_note"] == "kept"
again = BertConfig.from_pretrained("config")
assert again.my_own_note == "kept" and again.to_dict()["hidden_dropout_prob"] == 0.3
assert BertConfig.from_json_file("config/config.json").hidden_size == config.hidden_size
assert json.loads(config.to_json_string())["hidden_dropout_prob"] == 0.3
assert config.to_diff_dict().get("hidden_size") == 32
