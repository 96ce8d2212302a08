"""A configuration with its own __init__: what that names may be overridden when it is read again."""

from transformers import BertConfig, PretrainedConfig


class StackConfig(PretrainedConfig):
    model_type = "stack-of-ones-own"

    def __init__(self, hidden=3, layers=2, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.layers = hidden, layers


StackConfig(hidden=9, num_labels=4).save_pretrained("own")
config = StackConfig.from_pretrained("own", layers=8)
assert (config.hidden, config.layers, config.num_labels) == (9, 8, 4)
assert config.to_dict()["model_type"] == "stack-of-ones-own"
bert = BertConfig.from_pretrained("klue/bert-base", num_labels=7)
bert.pre_seq_len = 4
bert.save_pretrained("bert")
assert BertConfig.from_pretrained("bert").pre_seq_len == 4
