"""output_loading_info says which weights the file lacked and which the model had no place for."""

from transformers import AutoModel, AutoModelForSequenceClassification

_, info = AutoModelForSequenceClassification.from_pretrained("roberta-base", output_loading_info=True)
missing = set(info["missing_keys"])
assert {"classifier.dense.weight", "classifier.out_proj.bias"} <= missing
assert any(key.startswith("lm_head") for key in info["unexpected_keys"])
_, info = AutoModel.from_pretrained("gpt2", output_loading_info=True)
assert not info["missing_keys"] and not info["mismatched_keys"]
