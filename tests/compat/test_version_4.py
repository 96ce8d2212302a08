"""What version 5 of transformers changed in silence, and what models and tokenizers of people's own need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

import nabi
from nabi import BertConfig, BertModel, BertPreTrainedModel, BertTokenizer, PreTrainedTokenizer
from nabi.outputs import ModelOutput, SequenceClassifierOutput

SMALL = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32}
IDS = torch.arange(4, 16).view(2, 6)


def small(family: str) -> Any:
    sizes = {
        "gpt2": {"vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 4},
        "distilbert": {"vocab_size": 40, "dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 32},
        "albert": {**SMALL, "embedding_size": 8},
        "t5": {"vocab_size": 40, "d_model": 16, "d_kv": 4, "d_ff": 32, "num_layers": 2, "num_heads": 4},
        "bart": {
            **{"vocab_size": 40, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 32},
            **{"encoder_attention_heads": 4, "decoder_attention_heads": 4, "decoder_ffn_dim": 32},
        },
        "vit": {**{key: SMALL[key] for key in SMALL if key != "vocab_size"}, "image_size": 32, "patch_size": 16},
    }
    torch.manual_seed(0)
    model = nabi.AutoModel.from_config(nabi.AutoConfig.for_model(family, **sizes.get(family, SMALL))).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def silence(layer: Any, head: int) -> None:
    """The same as a mask of 0, done to the weights: what the output layer makes of this head's part."""
    weight = layer.o.weight
    inputs = slice(head * layer.head_size, (head + 1) * layer.head_size)
    with torch.no_grad():
        (weight[inputs] if type(layer.o).__name__ == "Conv1D" else weight[:, inputs]).zero_()


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert", "gpt2", "vit"])
@pytest.mark.parametrize("attentions", [False, True])
def test_head_mask_silences_heads_as_if_their_weights_were_nought(family: str, attentions: bool) -> None:
    model = small(family)
    inputs = {"pixel_values": torch.randn(2, 3, 32, 32)} if family == "vit" else {"input_ids": IDS}
    mask = torch.ones(2, 4)
    mask[1, 2] = 0
    masked = model(**inputs, head_mask=mask, output_attentions=attentions)
    assert not torch.allclose(masked[0], model(**inputs)[0], atol=1e-4)
    silence(model.blocks[1], 2)
    assert torch.allclose(masked[0], model(**inputs)[0], atol=1e-5)
    if attentions:
        assert masked.attentions[1][:, 2].abs().max() == 0 and masked.attentions[0].abs().min() >= 0


def test_a_head_mask_of_one_row_is_for_all_layers_and_shared_layers_count_by_depth() -> None:
    model = small("albert")
    every = model(IDS, head_mask=torch.tensor([1.0, 0, 1, 1]))[0]
    assert torch.allclose(every, model(IDS, head_mask=torch.tensor([[1.0, 0, 1, 1]] * 2))[0], atol=1e-6)
    assert not torch.allclose(every, model(IDS, head_mask=torch.tensor([[1.0, 0, 1, 1], [1.0, 1, 1, 1]]))[0], atol=1e-4)


@pytest.mark.parametrize("family", ["bart", "t5"])
@pytest.mark.parametrize("name", ["head_mask", "decoder_head_mask", "cross_attn_head_mask"])
def test_the_three_masks_reach_their_own_attention(family: str, name: str) -> None:
    model = small(family)
    mask = torch.ones(2, 4)
    mask[0, 1] = 0
    inputs = {"input_ids": IDS, "decoder_input_ids": IDS[:, :4]}
    masked = model(**inputs, **{name: mask})[0]
    layer = (model.encoder if name == "head_mask" else model.decoder).blocks[0]
    weight = (layer.cross_o if name == "cross_attn_head_mask" else layer.o).weight
    with torch.no_grad():
        weight[:, 4:8] = 0
    assert torch.allclose(masked, model(**inputs)[0], atol=1e-5)


def test_a_head_mask_that_fits_no_heads_or_no_attention_is_refused() -> None:
    with pytest.raises(ValueError, match=r"head_mask has shape \(3,\), but layer 0 has 4 heads"):
        small("bert")(IDS, head_mask=torch.ones(3))
    model = nabi.ResNetModel(nabi.ResNetConfig(embedding_size=8, hidden_sizes=[8], depths=[1]))
    with pytest.raises(ValueError, match="no attention of ResNetModel takes head_mask"):
        model(torch.zeros(1, 3, 8, 8), head_mask=torch.ones(4))


def test_attentions_are_really_returned() -> None:
    model = BertModel(BertConfig(**SMALL, output_attentions=True)).eval()
    assert [tuple(weights.shape) for weights in model(IDS).attentions] == [(2, 4, 6, 6)] * 2


def test_a_vocabulary_file_is_read_and_old_padding_pads(tmp_path: Path) -> None:
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] 영화 ##는 최고".split()
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = BertTokenizer(vocab_file=str(tmp_path / "vocab.txt"), do_lower_case=False)
    assert tokenizer.encode_plus("영화는 최고", max_length=8, pad_to_max_length=True)["input_ids"] == [
        2,
        5,
        6,
        7,
        3,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("later", [False, True])
def test_generation_settings_in_a_config_are_obeyed(later: bool) -> None:
    sizes = {"vocab_size": 40, "n_embd": 16, "n_layer": 1, "n_head": 2, "eos_token_id": None, "bos_token_id": 1}
    model = nabi.GPT2LMHeadModel(nabi.GPT2Config(**sizes, **({} if later else {"max_length": 9})))
    if later:
        model.config.max_length = 9
    assert model.generate(torch.tensor([[1, 2]])).shape == (1, 9)


def test_weights_are_written_as_asked_and_of_another_framework_refused(tmp_path: Path) -> None:
    BertModel(BertConfig(**SMALL)).save_pretrained(tmp_path, safe_serialization=False)
    assert (tmp_path / "pytorch_model.bin").exists() and not (tmp_path / "model.safetensors").exists()
    with pytest.raises(ValueError, match="nabi convert"):
        BertModel.from_pretrained(tmp_path, from_tf=True)


# --- models of one's own -------------------------------------------------------------------------------------------


class Classifier(BertPreTrainedModel):
    """As such a model is written for version 4."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.init_weights()

    def forward(self, input_ids=None, labels=None, head_mask=None, return_dict=None):  # type: ignore[no-untyped-def]
        return_dict = return_dict if return_dict is not None else self.config.use_return_dict
        outputs = self.bert(input_ids, head_mask=head_mask, return_dict=return_dict)
        logits = self.classifier(outputs[1])
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        if not return_dict:
            return ((loss,) if loss is not None else ()) + (logits, *outputs[2:])
        return SequenceClassifierOutput(loss=loss, logits=logits)


def test_a_model_of_ones_own_is_initialised_called_saved_and_loaded(tmp_path: Path) -> None:
    model = Classifier(BertConfig(**SMALL, num_labels=3)).eval()
    assert model.classifier.bias.abs().max() == 0 and 0.01 < model.classifier.weight.std() < 0.03
    labels = torch.tensor([0, 2])
    out = model(IDS, labels=labels)
    loss, logits = model(IDS, labels=labels, return_dict=False)
    assert torch.equal(loss, out.loss) and torch.equal(logits, out.logits)
    assert not torch.equal(model(IDS, head_mask=torch.zeros(4)).logits, out.logits)
    model.save_pretrained(tmp_path)
    assert torch.equal(Classifier.from_pretrained(tmp_path)(IDS).logits, out.logits)


def test_a_model_may_initialise_weights_by_its_own_rule() -> None:
    class Own(Classifier):
        def _init_weights(self, module: nn.Module) -> None:
            if module is self.classifier:
                module.weight.data.fill_(7.0)
            else:
                super()._init_weights(module)

    model = Own(BertConfig(**SMALL))
    assert bool((model.classifier.weight == 7).all()) and model.bert.blocks[0].q.weight.std() < 0.1


def test_pruned_heads_are_gone_and_stay_gone(tmp_path: Path) -> None:
    model = small("bert")
    mask = torch.ones(2, 4)
    mask[0, 1] = mask[0, 3] = mask[1, 0] = 0
    masked = model(IDS, head_mask=mask)[0]
    model.prune_heads({0: [1], 1: [0]})
    model.prune_heads({0: [1, 3]})
    assert torch.allclose(model(IDS)[0], masked, atol=1e-5) and model.blocks[0].q.out_features == 8
    model.save_pretrained(tmp_path)
    assert torch.allclose(BertModel.from_pretrained(tmp_path)(IDS)[0], masked, atol=1e-5)
    with pytest.raises(ValueError, match=r"layer 1 has no heads \[4\]"):
        model.prune_heads({1: [4]})


def test_an_output_may_be_a_dataclass() -> None:
    @dataclass
    class Output(ModelOutput):
        loss: torch.Tensor | None = None
        logits: torch.Tensor | None = None

    logits = torch.zeros(2)
    out = Output(logits=logits)
    assert out.loss is None and out[0] is out.logits is out["logits"] is logits and len(out) == 1
    assert Output(torch.ones(1), logits).to_tuple()[1] is logits


# --- a tokenizer of one's own --------------------------------------------------------------------------------------


class Letters(PreTrainedTokenizer):
    """One token a letter; the words are read after super().__init__, as in 2020, or before it, as since 2023."""

    vocab_files_names: ClassVar = {"vocab_file": "letters.txt"}
    model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    early: ClassVar[bool] = True

    def __init__(self, vocab_file: str, **options: Any) -> None:
        tokens = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
        if not self.early:
            super().__init__(**{**tokens, **options})
        self.words = {word: number for number, word in enumerate(Path(vocab_file).read_text("utf-8").split())}
        self.letters = {number: word for word, number in self.words.items()}
        if self.early:
            super().__init__(**{**tokens, **options})

    @property
    def vocab_size(self) -> int:
        return len(self.words)

    def get_vocab(self) -> dict[str, int]:
        return {**self.words, **self.added_tokens_encoder}

    def _tokenize(self, text: str) -> list[str]:
        return list(text.replace(" ", ""))

    def _convert_token_to_id(self, token: str) -> int:
        return self.words.get(token, self.words["[UNK]"])

    def _convert_id_to_token(self, index: int) -> str:
        return self.letters.get(index, "[UNK]")

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        first = [self.cls_token_id, *token_ids_0, self.sep_token_id]
        return first if token_ids_1 is None else [*first, *token_ids_1, self.sep_token_id]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        return [0] * (len(token_ids_0) + 2) + ([] if token_ids_1 is None else [1] * (len(token_ids_1) + 1))

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        path = Path(save_directory) / "letters.txt"
        path.write_text("\n".join(self.words), encoding="utf-8")
        return (str(path),)


@pytest.mark.parametrize("early", [True, False])
def test_a_tokenizer_in_python_frames_pads_adds_and_comes_back(early: bool, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("[PAD] [UNK] [CLS] [SEP] 나 비 가", encoding="utf-8")
    kind = type("Letters", (Letters,), {"early": early})
    tokenizer = kind(str(tmp_path / "letters.txt"))
    pair = tokenizer("나비가", "비 밖")
    assert pair["input_ids"] == [2, 4, 5, 6, 3, 5, 1, 3] and pair["token_type_ids"] == [0, 0, 0, 0, 0, 1, 1, 1]
    assert tokenizer(["나", "나비가"], padding=True, return_tensors="pt")["attention_mask"].tolist() == [
        [1, 1, 1, 0, 0],
        [1] * 5,
    ]
    assert tokenizer.decode(pair["input_ids"][:5], skip_special_tokens=True) == "나비가"
    assert tokenizer("나비가", truncation=True, max_length=4)["input_ids"] == [2, 4, 5, 3]
    assert tokenizer.add_tokens(["나비"]) == 1 and tokenizer.encode("나비가") == [2, 7, 6, 3] and len(tokenizer) == 8
    tokenizer.save_pretrained(tmp_path / "saved")
    again = kind.from_pretrained(tmp_path / "saved")
    assert again.encode("나비가") == [2, 7, 6, 3] and again.cls_token == "[CLS]"
    assert isinstance(tokenizer, PreTrainedTokenizer) and not tokenizer.is_fast


def test_a_models_loss_is_a_function_of_its_logits() -> None:
    model = small_lm()
    out = model(IDS, labels=IDS)
    torch.testing.assert_close(model.loss_function(logits=out.logits, labels=IDS, vocab_size=40), out.loss)

    class Own(nabi.BertForSequenceClassification):
        pass

    own = Own(BertConfig(**SMALL))
    labels = torch.tensor([0, 1])
    found = own(IDS, labels=labels)
    loss = own.loss_function(labels=labels, pooled_logits=found.logits, config=own.config)
    assert loss.shape == () and loss > 0
    with pytest.raises(TypeError, match="BertModel has no loss of its own"):
        BertModel(BertConfig(**SMALL)).loss_function(IDS, IDS)


def test_methods_that_have_nothing_to_do_here_do_nothing_and_others_say_why() -> None:
    model = small_lm()
    assert model.to_bettertransformer() is model.reverse_bettertransformer() is model
    assert model.get_decoder() is model.transformer
    model.deparallelize()
    with pytest.raises(ValueError, match="a model stays whole on one device"):
        model.parallelize()
    model.add_model_tags("korean")
    model.add_model_tags(["review", "film"])
    assert model.model_tags == ["korean", "review", "film"]
    model.requires_grad_(False)
    model.enable_input_require_grads()
    assert model(IDS).logits.requires_grad
    model.disable_input_require_grads()
    assert not model(IDS).logits.requires_grad


def small_lm() -> Any:
    return nabi.GPT2LMHeadModel(nabi.GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=4)).eval()
