"""A configuration and a model of one's own, made known to the Auto classes."""

import tempfile

import torch
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel


class BagConfig(PretrainedConfig):
    model_type = "bag-of-words"

    def __init__(self, vocab_size=50, width=8, **kwargs):
        super().__init__(**kwargs)
        self.vocab_size = vocab_size
        self.width = width


class BagModel(PreTrainedModel):
    config_class = BagConfig

    def __init__(self, config):
        super().__init__(config)
        self.bag = torch.nn.EmbeddingBag(config.vocab_size, config.width)
        self.post_init()

    def _init_weights(self, module):
        if isinstance(module, torch.nn.EmbeddingBag):
            torch.nn.init.normal_(module.weight, std=0.5)

    def forward(self, input_ids):
        return self.bag(input_ids)


AutoConfig.register("bag-of-words", BagConfig)
AutoModel.register(BagConfig, BagModel)
model = BagModel(BagConfig(width=6))
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    loaded = AutoModel.from_pretrained(folder)
assert type(loaded) is BagModel and loaded.config.width == 6
ids = torch.tensor([[1, 2, 3]])
assert torch.equal(loaded(ids), model.eval()(ids))
