"""A model from a configuration alone has new weights, in the sizes asked for."""

from transformers import AutoConfig, AutoModel, BertConfig, BertModel

config = AutoConfig.from_pretrained("bert-base-uncased", num_hidden_layers=3)
assert isinstance(config, BertConfig) and config.model_type == "bert"
model = AutoModel.from_config(config)
assert isinstance(model, BertModel)
assert len(model.encoder.layer) == 3
assert sum(p.numel() for p in model.parameters()) == model.num_parameters()
small = BertModel(BertConfig(hidden_size=24, num_attention_heads=3, num_hidden_layers=1, intermediate_size=48))
assert small.embeddings.word_embeddings.weight.shape == (30522, 24)
assert small.config.to_dict()["hidden_size"] == 24
