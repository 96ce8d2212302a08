"""The names in the file are those that every other tool knows."""

from safetensors import safe_open
from transformers import AutoModelForMaskedLM

model = AutoModelForMaskedLM.from_pretrained("bert-base-uncased")
model.save_pretrained("named")
with safe_open("named/model.safetensors", "pt") as file:
    names = set(file.keys())
    table = file.get_tensor("bert.embeddings.word_embeddings.weight")
assert "bert.encoder.layer.1.attention.output.LayerNorm.weight" in names
assert "cls.predictions.transform.dense.weight" in names
assert table.equal(model.get_output_embeddings().weight)
assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
