"""Parts of models under the names that they have in transformers give the same numbers, called by themselves."""

from __future__ import annotations

import copy
import importlib
import pickle
from typing import Any

import pytest
import torch

import nabi
from nabi.compat import left_out, parts

SIZES = {
    **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48},
    **{"vocab_size": 60, "max_position_embeddings": 40},
}
BART = {
    **{"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "vocab_size": 60},
    **{"decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48},
}
OPTIONS = {"Electra": {**SIZES, "embedding_size": 16}, "Bart": BART}
STATES = torch.randn(2, 7, 32, generator=torch.Generator().manual_seed(0))
IDS = torch.arange(4, 18).view(2, 7)
REAL = torch.tensor([[1.0] * 7, [1.0] * 4 + [0.0] * 3])
ADDED = (1 - REAL[:, None, None]) * torch.finfo(torch.float32).min

WITH_IDS = "BertEmbeddings RobertaEmbeddings ElectraEmbeddings BartEncoder".split()
WITH_A_MASK = "BertEncoder RobertaEncoder ElectraEncoder BertLayer RobertaLayer ElectraLayer".split()
WITH_STATES = """BertPooler RobertaPooler XLMRobertaPooler RobertaClassificationHead XLMRobertaClassificationHead
ElectraClassificationHead RobertaLMHead CamembertLMHead BertOnlyMLMHead BertLMPredictionHead BertPredictionHeadTransform
ElectraGeneratorPredictions ElectraDiscriminatorPredictions""".split()
# Part -> what it is called with.
CALLS: dict[str, tuple[torch.Tensor, ...]] = {
    **{name: (IDS,) for name in WITH_IDS},
    **{name: (STATES, ADDED) for name in WITH_A_MASK},
    **{name: (STATES,) for name in WITH_STATES},
    "BertPreTrainingHeads": (STATES, STATES[:, 0]),
}
FOLDERS = {"XLMRoberta": "xlm_roberta"}


def pair(name: str) -> tuple[Any, Any]:
    """The part of nabi and of transformers, with the same weights."""
    import transformers

    family = next(f for f in ("Bert", "Roberta", "Electra", "XLMRoberta", "Camembert", "Bart") if name.startswith(f))
    folder = FOLDERS.get(family, family.lower())
    module = importlib.import_module(f"transformers.models.{folder}.modeling_{folder}")
    options = OPTIONS.get(family, SIZES)
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**options, attn_implementation="eager")
    theirs = getattr(module, name)(config).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    ours = getattr(parts, name)(getattr(nabi, f"{family}Config")(**options)).eval()
    ours.load_state_dict({key: value for key, value in theirs.state_dict().items() if key in ours.state_dict()})
    return ours, theirs


def tensors(output: Any) -> list[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        return [output]
    return [each for each in (output.to_tuple() if hasattr(output, "to_tuple") else output)]


@pytest.mark.parametrize("name", CALLS)
def test_a_part_by_itself_computes_what_it_does_there(name: str) -> None:
    ours, theirs = pair(name)
    with torch.no_grad():
        found, expected = (tensors(part(*CALLS[name])) for part in (ours, theirs))
    assert len(found) == len(expected)
    for ours_, theirs_ in zip(found, expected, strict=True):
        torch.testing.assert_close(ours_, theirs_, atol=1e-5, rtol=0)


def test_layers_by_themselves_give_what_is_asked_for() -> None:
    encoder = parts.BertEncoder(nabi.BertConfig(**SIZES)).eval()
    wanted = {"output_attentions": True, "output_hidden_states": True}
    out = encoder(STATES, ADDED, [None, None], **wanted)
    assert [x.shape for x in out.attentions] == [(2, 4, 7, 7)] * 2 and len(out.hidden_states) == 3
    assert not out.attentions[0][1, :, :, 4:].any()
    assert isinstance(encoder(STATES, REAL, return_dict=False), tuple)
    one = encoder.layer[1](out.hidden_states[1], ADDED, output_attentions=True)
    torch.testing.assert_close(one[0], out.last_hidden_state)
    torch.testing.assert_close(one[1], out.attentions[1])
    silent = encoder.layer[1](STATES, head_mask=torch.zeros(1, 4, 1, 1))
    assert not torch.allclose(silent[0], encoder.layer[1](STATES)[0])
    torch.testing.assert_close(encoder(STATES, head_mask=torch.ones(2, 1, 4, 1, 1))[0], encoder(STATES)[0])


def test_a_decoders_layers_read_the_encoder() -> None:
    model = nabi.BertModel(nabi.BertConfig(**SIZES, is_decoder=True, add_cross_attention=True)).eval()
    memory = torch.randn(2, 3, 32)
    expected = model(inputs_embeds=STATES, encoder_hidden_states=memory, output_hidden_states=True).hidden_states
    mask = model.get_extended_attention_mask(torch.ones(2, 7), (2, 7))
    found = model.encoder(expected[0], mask, encoder_hidden_states=memory)
    torch.testing.assert_close(found.last_hidden_state, expected[-1], atol=1e-6, rtol=0)


def test_the_rooms_of_a_model_compute_with_their_own_weights_in_a_copy_too() -> None:
    model = nabi.BertForMaskedLM(nabi.BertConfig(**SIZES))
    before = model.cls(STATES)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    with torch.no_grad():
        twin.cls.predictions.bias.add_(1)
    torch.testing.assert_close(twin.cls(STATES), before + 1)
    torch.testing.assert_close(model.cls(STATES), before)


def test_a_subclass_reads_the_label_from_all_hidden_states_as_its_parent_does() -> None:
    config = nabi.RobertaConfig(**SIZES, num_labels=3)
    model = nabi.RobertaForSequenceClassification(config).eval()
    states = model.roberta(IDS).last_hidden_state
    torch.testing.assert_close(model.classifier(states), model(IDS).logits)


def test_a_part_can_be_the_parent_of_a_class() -> None:
    class Wider(parts.BertEmbeddings):  # type: ignore[misc, name-defined]
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.wider = torch.nn.Linear(32, 64)

        def forward(self, *args: Any, **inputs: Any) -> Any:
            return self.wider(super().forward(*args, **inputs))

    made = Wider(nabi.BertConfig(**SIZES))
    assert made(IDS).shape == (2, 7, 64) and "wider.weight" in made.state_dict()


@pytest.mark.parametrize(
    ("name", "family"),
    [("LlamaDecoderLayer", "Llama"), ("Qwen2DecoderLayer", "Qwen2"), ("GPTNeoXLayer", "GPTNeoX"), ("ViTLayer", "ViT")],
)
def test_the_class_of_a_familys_layers(name: str, family: str) -> None:
    with torch.device("meta"):
        model = getattr(nabi, f"{family}Model")(getattr(nabi, f"{family}Config")())
    assert sum(isinstance(module, getattr(parts, name)) for module in model.modules()) == model.config.num_hidden_layers


@pytest.mark.parametrize("name", ["BertSelfAttention", "LlamaMLP", "ViTEncoder", "LongformerSelfAttention"])
def test_a_part_that_cannot_stand_alone_is_not_there_and_says_why(name: str) -> None:
    with pytest.raises(AttributeError):
        getattr(parts, name)
    assert "computes nothing by itself" in str(left_out.why(name))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.encoder(IDS), r"hidden_states is \(2, 7\); expected vectors \(batch, length, hidden\)"),
        (lambda model: model.encoder(STATES, use_cache=True), "keep no cache; call the model"),
        (lambda model: model.encoder(STATES, past_key_values=()), "keep no cache; call the model"),
        (lambda model: model.encoder(STATES, torch.ones(2, 6)), r"attention_mask has shape \(2, 6\)"),
    ],
)
def test_layers_by_themselves_refuse(call: Any, message: str) -> None:
    model = nabi.BertModel(nabi.BertConfig(**SIZES))
    with pytest.raises(ValueError, match=message):
        call(model)


def test_a_module_that_only_holds_others_says_so() -> None:
    model = nabi.BertModel(nabi.BertConfig(**SIZES))
    with pytest.raises(TypeError, match=r"only holds others \(self, output\)"):
        model.encoder.layer[0].attention(STATES)
    with pytest.raises(TypeError, match="MPNetBlock needs more than a mask"):
        parts.MPNetLayer(nabi.MPNetConfig(hidden_size=32, num_attention_heads=4))(STATES)
