"""from_pretrained and save_pretrained: the round trip, memory, dtypes, shapes, options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nabi import BertForMaskedLM, BertForSequenceClassification, BertModel, GPT2LMHeadModel

from ..parity.cases import IDS, PAIRS, Case
from .tiny import assert_same_weights, checkpoint, class_of, config_of, make, state_of, warnings

# --- the round trip ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "head"), PAIRS, ids=IDS)
def test_a_saved_model_is_loaded_exactly_with_nothing_to_report(
    case: Case, head: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = make(case, head)
    model.save_pretrained(tmp_path)
    loaded, info = class_of(case, head).from_pretrained(tmp_path, output_loading_info=True)
    assert_same_weights(loaded, model)
    assert loaded.config == model.config or loaded.config._name_or_path == str(tmp_path)
    assert not loaded.training and not any(info.values()) and not warnings(caplog)
    learned = [parameter.requires_grad for parameter in model.parameters()]
    assert [parameter.requires_grad for parameter in loaded.parameters()] == learned
    assert not any(tensor.is_meta for tensor in [*loaded.parameters(), *loaded.buffers()])
    for alias, origin in loaded.tied_weights().items():
        assert loaded.get_parameter(alias) is loaded.get_parameter(origin)


@pytest.mark.parametrize("options", [{"max_shard_size": "3KB"}, {"safe_serialization": False}])
@pytest.mark.parametrize("both", [False, True])
def test_shards_and_pickles_are_loaded_exactly(tmp_path: Path, options: dict[str, Any], both: bool) -> None:
    model = make("bert", "ForMaskedLM")
    options = {"max_shard_size": "3KB", "safe_serialization": False} if both else options
    model.save_pretrained(tmp_path, **options)
    assert "max_shard_size" not in options or len(list(tmp_path.glob("*-of-*"))) > 3
    assert_same_weights(BertForMaskedLM.from_pretrained(tmp_path), model)


def test_a_model_may_be_saved_over_the_folder_that_it_was_loaded_from(tmp_path: Path) -> None:
    model = make("gpt2", "LMHeadModel")
    model.save_pretrained(tmp_path, max_shard_size="3KB")
    loaded = GPT2LMHeadModel.from_pretrained(tmp_path)
    with torch.no_grad():
        loaded.transformer.wpe.weight.add_(1)
    loaded.save_pretrained(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
    ]
    again = GPT2LMHeadModel.from_pretrained(tmp_path)
    assert_same_weights(again, loaded)
    assert torch.equal(again.transformer.wpe.weight, model.transformer.wpe.weight + 1)


def test_training_a_loaded_model_does_not_change_its_file(tmp_path: Path) -> None:
    make("bert").save_pretrained(tmp_path)
    before = (tmp_path / "model.safetensors").read_bytes()
    model = BertModel.from_pretrained(tmp_path)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_a_state_dict_may_be_given_for_the_weights(tmp_path: Path) -> None:
    model = make("bert")
    state = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    model.config.save_pretrained(tmp_path)
    for loaded in (
        BertModel.from_pretrained(tmp_path, state_dict=state),
        BertModel.from_pretrained(None, config=model.config, state_dict=state),
    ):
        assert torch.equal(loaded.pooler.dense.weight, model.pooler.dense.weight + 1)
    model.save_pretrained(tmp_path, state_dict=state)
    assert torch.equal(BertModel.from_pretrained(tmp_path).pooler.dense.weight, model.pooler.dense.weight + 1)


def test_saving_to_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="that is a file, expected a folder"):
        make("bert").save_pretrained(tmp_path / "file")


# --- memory -----------------------------------------------------------------------------------------------------------


def mapped_ranges(file: Path) -> list[tuple[int, int]]:
    lines = [line.split()[0] for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(str(file))]
    return [(int(line.split("-")[0], 16), int(line.split("-")[1], 16)) for line in lines]


@pytest.mark.parametrize(
    ("name", "head"), [("bert", "ForMaskedLM"), ("gpt2", "LMHeadModel"), ("t5", "Model"), ("wav2vec2", "ForCTC")]
)
def test_weights_are_the_files_own_pages_and_no_copy(tmp_path: Path, name: str, head: str) -> None:
    make(name, head).save_pretrained(tmp_path)
    model = class_of(name, head).from_pretrained(tmp_path)
    ranges = mapped_ranges(tmp_path / "model.safetensors")
    for weight, parameter in model.named_parameters():
        assert any(first <= parameter.data_ptr() < last for first, last in ranges), weight


def test_no_weight_is_made_before_it_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body makes its parameters on the meta device, and draws no random number."""
    make("bert").save_pretrained(tmp_path)
    made = []
    monkeypatch.setattr(BertModel, "post_init", lambda self: made.extend(p.device.type for p in self.parameters()))
    state = torch.get_rng_state()
    BertModel.from_pretrained(tmp_path)
    assert set(made) == {"meta"} and torch.equal(torch.get_rng_state(), state)


# --- dtypes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keyword", ["dtype", "torch_dtype"])
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, torch.float32),
        ("auto", torch.float16),
        (torch.bfloat16, torch.bfloat16),
        ("bfloat16", torch.bfloat16),
        ("torch.float64", torch.float64),
    ],
)
def test_the_dtype_is_float32_unless_the_caller_says_otherwise(
    tmp_path: Path, keyword: str, wanted: Any, expected: torch.dtype
) -> None:
    make("bert", "ForMaskedLM").half().save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["torch_dtype"] == "float16"
    model = BertForMaskedLM.from_pretrained(tmp_path, **{keyword: wanted})
    assert {parameter.dtype for parameter in model.parameters()} == {expected} == {model.dtype}


def test_auto_reads_the_weights_where_the_config_says_nothing(tmp_path: Path) -> None:
    state = {name: tensor.bfloat16() for name, tensor in state_of(make("bert")).items()}
    assert BertModel.from_pretrained(checkpoint(tmp_path, "bert", state), dtype="auto").dtype == torch.bfloat16


def test_new_weights_have_the_dtype_of_the_others(tmp_path: Path) -> None:
    make("bert").save_pretrained(tmp_path)
    model = BertForSequenceClassification.from_pretrained(tmp_path, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("wanted", ["float17", "Tensor", "nn"])
def test_a_dtype_that_is_none_is_refused(tmp_path: Path, wanted: str) -> None:
    make("bert").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"dtype is '{wanted}'; expected 'auto'"):
        BertModel.from_pretrained(tmp_path, dtype=wanted)
    with pytest.raises(TypeError, match="dtype is a int"):
        BertModel.from_pretrained(tmp_path, dtype=16)


# --- shapes -----------------------------------------------------------------------------------------------------------


def test_other_shapes_are_refused_with_name_both_shapes_and_remedy(tmp_path: Path) -> None:
    make("bert", "ForSequenceClassification").save_pretrained(tmp_path)
    with pytest.raises(ValueError) as caught:
        BertForSequenceClassification.from_pretrained(tmp_path, num_labels=5)
    message = str(caught.value)
    assert "classifier.weight: (2, 16) in the checkpoint, (5, 16) in the model" in message
    assert str(tmp_path) in message and "ignore_mismatched_sizes=True" in message


def test_ignored_mismatches_are_made_anew_named_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = make("bert", "ForSequenceClassification")
    old.save_pretrained(tmp_path)
    model, info = BertForSequenceClassification.from_pretrained(
        tmp_path, num_labels=5, ignore_mismatched_sizes=True, output_loading_info=True
    )
    assert model.classifier.weight.shape == (5, 16) and torch.isfinite(model.classifier.weight).all()
    assert ("classifier.weight", (2, 16), (5, 16)) in info["mismatched_keys"] and not info["missing_keys"]
    assert all(name in warnings(caplog)[0] for name in ("classifier.weight", "classifier.bias"))
    assert torch.equal(model.bert.pooler.dense.weight, old.bert.pooler.dense.weight)


def test_code_for_transformers_catches_the_error_of_wrong_shapes(tmp_path: Path) -> None:
    make("bert", "ForSequenceClassification").save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match=r"classifier\.weight"):
        BertForSequenceClassification.from_pretrained(tmp_path, num_labels=5)


# --- options ----------------------------------------------------------------------------------------------------------


def test_options_of_older_code_are_taken_and_a_subfolder_is_heeded(tmp_path: Path) -> None:
    make("bert").save_pretrained(tmp_path / "inner")
    options: dict[str, Any] = {"revision": "main", "cache_dir": tmp_path, "token": False, "local_files_only": True}
    options |= {"low_cpu_mem_usage": True, "attn_implementation": "eager", "use_safetensors": True, "device_map": "cpu"}
    assert type(BertModel.from_pretrained(tmp_path, subfolder="inner", **options)) is BertModel


def test_a_given_config_is_used_and_not_changed(tmp_path: Path) -> None:
    make("bert").save_pretrained(tmp_path)
    config = config_of("bert", hidden_dropout_prob=0.25)
    before = config.to_dict()
    model = BertModel.from_pretrained(tmp_path, config=config, output_attentions=True)
    assert model.config.hidden_dropout_prob == 0.25 and model.config.output_attentions
    assert config.to_dict() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"load_in_8bit": True}, "load_in_8bit"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"from_tf": True}, "from_tf"),
        ({"attn_implementation": "magic"}, "attn_implementation is 'magic'"),
    ],
)
def test_an_option_that_is_not_supported_is_refused_by_name(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    make("bert").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        BertModel.from_pretrained(tmp_path, **options)


def test_a_quantised_checkpoint_is_refused_with_its_method(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "bert", state_of(make("bert")))
    keys = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**keys, "quantization_config": {"quant_method": "gptq"}}))
    with pytest.raises(ValueError, match=r"quantised .*'gptq'.*float checkpoint"):
        BertModel.from_pretrained(folder)


def test_no_name_and_no_weights_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="needs a name or folder, or a state_dict"):
        BertModel.from_pretrained(None, config=config_of("bert"))


def test_a_model_is_made_of_a_config_only() -> None:
    with pytest.raises(TypeError, match=r"takes a BertConfig, got dict.*from_pretrained"):
        BertModel({"hidden_size": 16})


# --- anything ---------------------------------------------------------------------------------------------------------

VALUES = st.sampled_from([None, True, -1, 0, 1, 7, 2.5, float("nan"), float("inf"), "", "gelu", [], [3], {}, {"a": 1}])
HUGE = st.sampled_from([10**6, 10**12])  # but not of layers and labels, which take time to count
MODELS = [("bert", "ForMaskedLM"), ("gpt2", "Model"), ("t5", "Model"), ("llama", "Model")]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_a_config_holds_loading_gives_a_model_or_an_error_that_names_the_folder(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name, head = data.draw(st.sampled_from(MODELS))
    key = data.draw(st.sampled_from([*config_of(name).defaults()]))
    changes = {key: data.draw(VALUES if "layer" in key or key == "num_labels" else VALUES | HUGE)}
    folder = tmp_path_factory.getbasetemp() / f"any-{name}"
    if not folder.exists():
        make(name, head).save_pretrained(folder)
    keys = {**config_of(name).to_dict(), **changes}
    (folder / "config.json").write_text(json.dumps(keys))
    try:
        class_of(name, head).from_pretrained(folder)
    except (ValueError, OSError) as error:
        assert str(folder) in str(error) or "quantised" in str(error)


def test_what_the_class_itself_is_made_with_is_passed_on(tmp_path: Path) -> None:
    class Scored(BertModel):
        def __init__(self, config: Any, scores: int, add_pooling_layer: bool = True) -> None:
            super().__init__(config, add_pooling_layer)
            self.scores = scores

    make("bert", "Model").save_pretrained(tmp_path)
    assert BertModel.from_pretrained(tmp_path, add_pooling_layer=False).pooler is None
    own = Scored.from_pretrained(tmp_path, scores=3)
    assert own.scores == 3 and own.pooler is not None
    with pytest.raises(TypeError, match="add_poling_layer"):
        BertModel.from_pretrained(tmp_path, add_poling_layer=False)
