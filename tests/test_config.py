"""Configurations: every key is a field, harmless, or refused by name; files are read and written as they are."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import BartConfig, BertConfig, DebertaV2Config, GPT2Config, LlamaConfig, T5Config, Wav2Vec2Config
from nabi.config import Config

from .parity.cases import CASES, Case

every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def config_class(case: Case) -> type[Config]:
    return type(case.config(nabi))


def write(folder: Path, content: Any) -> Path:
    (folder / "config.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


# --- fields and names -------------------------------------------------------------------------------------------------


def test_keys_override_defaults_and_defaults_are_not_shared() -> None:
    one, other = BertConfig(hidden_size=32), BertConfig()
    assert (one.hidden_size, other.hidden_size, one.num_hidden_layers) == (32, 768, 12)
    first, second = GPT2Config(), GPT2Config()
    first.id2label[0] = "changed"
    assert second.id2label[0] == "LABEL_0"


def test_a_common_name_reads_and_writes_the_familys_own() -> None:
    config = GPT2Config(hidden_size=64)
    assert config.n_embd == config.hidden_size == 64
    config.num_hidden_layers = 3
    assert config.n_layer == 3 and "num_hidden_layers" not in config.to_dict()


def test_a_name_that_is_no_key_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="BertConfig has no key 'hiden_size'"):
        _ = BertConfig().hiden_size


def test_an_unknown_key_is_refused_with_its_value_a_guess_and_the_remedy() -> None:
    with pytest.raises(
        ValueError, match=r"'hiden_size' = 5 \(did you mean 'hidden_size'\?\).*ignore_unknown_keys=True"
    ):
        BertConfig(hiden_size=5)


def test_all_unknown_keys_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"'first'.*'second'"):
        BertConfig(first=1, second=2)


def test_dtype_and_torch_dtype_are_one_key() -> None:
    assert BertConfig(dtype="float16").torch_dtype == BertConfig(torch_dtype="float16").dtype == "float16"


# --- labels -----------------------------------------------------------------------------------------------------------


def test_labels_and_their_number_agree_whichever_is_given() -> None:
    assert BertConfig(num_labels=3).id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    config = BertConfig(id2label={"0": "bad", "1": "good", "2": "so-so"})
    assert config.num_labels == 3 and config.id2label[1] == "good" and config.label2id["good"] == 1
    config.num_labels = 1
    assert config.id2label == {0: "LABEL_0"} and config.label2id == {"LABEL_0": 0}
    config.id2label = {0: "a", 1: "b"}
    assert config.num_labels == 2


def test_an_override_of_num_labels_drops_the_names_in_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"model_type": "bert", "id2label": {"0": "bad", "1": "good"}, "label2id": {"bad": 0, "good": 1}})
    assert BertConfig.from_pretrained(tmp_path).id2label == {0: "bad", 1: "good"}
    assert BertConfig.from_pretrained(tmp_path, num_labels=5).label2id["LABEL_4"] == 4
    named = BertConfig.from_pretrained(tmp_path, num_labels=2, id2label={0: "x", 1: "y"}, label2id={"x": 0, "y": 1})
    assert named.id2label == {0: "x", 1: "y"} and named.label2id == {"x": 0, "y": 1}


def test_a_familys_own_number_of_labels_is_its_default() -> None:
    assert BartConfig().num_labels == 3 and len(BartConfig().id2label) == 3


# --- files ------------------------------------------------------------------------------------------------------------


def keys_of(config: Config) -> dict[str, Any]:
    """All but where it was read from."""
    return {name: value for name, value in vars(config).items() if name != "_name_or_path"}


@every_case
def test_a_config_is_the_same_after_saving_copying_and_pickling(case: Case, tmp_path: Path) -> None:
    config = config_class(case)(**case.keys, id2label={0: "부정", 1: "긍정", 2: "중립"}, problem_type="regression")
    config.save_pretrained(tmp_path)
    for again in (
        config_class(case).from_pretrained(tmp_path),
        nabi.AutoConfig.from_pretrained(tmp_path),
        config_class(case).from_json_file(tmp_path / "config.json"),
        copy.deepcopy(config),
        pickle.loads(pickle.dumps(config)),
    ):
        assert type(again) is type(config) and again == config
        assert keys_of(again) == keys_of(config)


@every_case
def test_a_default_config_is_the_same_after_saving(case: Case, tmp_path: Path) -> None:
    config = config_class(case)()
    config.save_pretrained(tmp_path)
    assert keys_of(config_class(case).from_pretrained(tmp_path)) == keys_of(config)


def test_a_saved_file_names_its_family_and_keeps_korean_readable(tmp_path: Path) -> None:
    BertConfig(id2label={0: "부정", 1: "긍정"}).save_pretrained(tmp_path / "new" / "folder")
    text = (tmp_path / "new" / "folder" / "config.json").read_text(encoding="utf-8")
    assert json.loads(text)["model_type"] == "bert" and "긍정" in text


def test_a_harmless_key_is_kept_and_written_back(tmp_path: Path) -> None:
    write(tmp_path, {"model_type": "bert", "task_specific_params": {"a": 1}, "num_beams": 4})
    config = BertConfig.from_pretrained(tmp_path)
    assert config.num_beams == 4 and config.to_dict()["task_specific_params"] == {"a": 1}


def test_the_short_form_holds_only_what_differs() -> None:
    assert BertConfig(hidden_size=32, num_attention_heads=4).to_diff_dict() == {
        "model_type": "bert",
        "hidden_size": 32,
        "num_attention_heads": 4,
    }


def test_keywords_override_keys_and_the_rest_is_refused_or_given_back(tmp_path: Path) -> None:
    write(tmp_path, {"model_type": "bert", "hidden_size": 32})
    assert BertConfig.from_pretrained(tmp_path, hidden_size=48, num_beams=2).hidden_size == 48
    with pytest.raises(TypeError, match="unknown arguments: nonsense"):
        BertConfig.from_pretrained(tmp_path, nonsense=1)
    config, rest = BertConfig.from_pretrained(tmp_path, return_unused_kwargs=True, nonsense=1, hidden_size=16)
    assert config.hidden_size == 16 and rest == {"nonsense": 1}


def test_a_subfolder_of_a_local_folder_is_read_and_hub_options_are_taken(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    write(tmp_path / "inner", {"model_type": "bert", "hidden_size": 48})
    options: dict[str, Any] = {"revision": "main", "cache_dir": tmp_path, "token": False, "local_files_only": True}
    assert BertConfig.from_pretrained(tmp_path, subfolder="inner", **options).hidden_size == 48


def test_unknown_keys_of_a_file_are_refused_with_the_file_unless_told_otherwise(tmp_path: Path) -> None:
    write(tmp_path, {"model_type": "bert", "attention_window": 5, "hidden_size": 32})
    with pytest.raises(ValueError, match="'attention_window' = 5") as caught:
        BertConfig.from_pretrained(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert BertConfig.from_pretrained(tmp_path, ignore_unknown_keys=True).hidden_size == 32


# --- files that cannot be read ----------------------------------------------------------------------------------------


def test_a_missing_file_is_named_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").touch()
    with pytest.raises(OSError, match=r"'config\.json'.*vocab\.txt") as caught:
        BertConfig.from_pretrained(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is neither a folder"):
        BertConfig.from_pretrained(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[1]", "JSON list"),
        ('"bert"', "JSON str"),
        ("null", "NoneType"),
    ],
)
def test_a_file_that_is_no_object_is_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        BertConfig.from_pretrained(write(tmp_path, content))
    assert str(tmp_path / "config.json") in str(caught.value)


def test_bytes_that_are_no_text_and_nesting_without_end_are_named(tmp_path: Path) -> None:
    for content in (b"\xff\xfe{}", b'{"a": ' + b"[" * 200_000):
        (tmp_path / "config.json").write_bytes(content)
        with pytest.raises(ValueError) as caught:
            BertConfig.from_pretrained(tmp_path)
        assert str(tmp_path / "config.json") in str(caught.value)


def test_a_byte_order_mark_of_a_windows_editor_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"\xef\xbb\xbf" + b'{"model_type": "bert", "hidden_size": 48}')
    assert BertConfig.from_pretrained(tmp_path).hidden_size == 48


def test_another_familys_file_is_refused_with_both_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model_type is 'gpt2', but BertConfig reads 'bert'.*AutoModel"):
        BertConfig.from_pretrained(write(tmp_path, {"model_type": "gpt2"}))


def test_a_file_without_a_model_type_is_read_by_its_familys_class(tmp_path: Path) -> None:
    assert BertConfig.from_pretrained(write(tmp_path, {"hidden_size": 48})).hidden_size == 48


# --- values -----------------------------------------------------------------------------------------------------------

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}


@pytest.mark.parametrize(
    ("family", "keys", "message"),
    [
        (BertConfig, {"position_embedding_type": "relative_key"}, "'position_embedding_type' is 'relative_key'"),
        (BertConfig, {"tie_encoder_decoder": True}, "'tie_encoder_decoder' is True"),
        (BertConfig, {"hidden_size": "768"}, "'hidden_size' is '768'; expected a whole number"),
        (BertConfig, {"hidden_size": 768.5}, "'hidden_size' is 768.5; expected a whole number"),
        (BertConfig, {"hidden_size": True}, "'hidden_size' is True"),
        (BertConfig, {"hidden_size": None}, "'hidden_size' is None"),
        (BertConfig, {"vocab_size": 0}, "'vocab_size' is 0; expected a whole number from 1"),
        (BertConfig, {"type_vocab_size": -1}, "'type_vocab_size' is -1"),
        (BertConfig, {"num_hidden_layers": -1}, "'num_hidden_layers' is -1; expected a whole number from 0"),
        (BertConfig, {"hidden_dropout_prob": 1.5}, "'hidden_dropout_prob' is 1.5; expected a number from 0 to 1"),
        (BertConfig, {"layer_norm_eps": -1e-12}, "'layer_norm_eps' is -1e-12; expected a number from 0"),
        (BertConfig, {"layer_norm_eps": "small"}, "'layer_norm_eps' is 'small'; expected a number"),
        (BertConfig, {"hidden_act": 3}, "'hidden_act' is 3; expected text"),
        (BertConfig, {"use_cache": "yes"}, "'use_cache' is 'yes'; expected true or false"),
        (BertConfig, {"eos_token_id": "</s>"}, "'eos_token_id' is '</s>'; expected a whole number or a list"),
        (BertConfig, {"id2label": ["bad", "good"]}, "'id2label' is .*by their number"),
        (BertConfig, {"id2label": {"bad": 0}}, "'id2label' is .*by their number"),
        (BertConfig, {"num_labels": "two"}, "'num_labels' is 'two'"),
        (GPT2Config, {"attn_pdrop": -0.1}, "'attn_pdrop' is -0.1"),
        (DebertaV2Config, {"pos_att_type": "c2p|p2p"}, "'pos_att_type' holds .*p2p"),
        (T5Config, {"feed_forward_proj": "double-gated-gelu"}, "'feed_forward_proj' is 'double-gated-gelu'"),
        (Wav2Vec2Config, {"conv_dim": [4, 4]}, "conv_dim, conv_stride and conv_kernel.*2, 7 and 7"),
        (Wav2Vec2Config, {"conv_dim": 4}, "'conv_dim' is 4; expected a list with a whole number"),
        (Wav2Vec2Config, {"adapter_attn_dim": 16}, "'adapter_attn_dim' is 16"),
        (LlamaConfig, {"rope_scaling": {"rope_type": "spiral"}}, "unknown rope type 'spiral'.*linear"),
        (LlamaConfig, {"rope_scaling": {"rope_type": "linear"}}, "rope type 'linear' needs factor"),
        (LlamaConfig, {"rope_scaling": {"type": "dynamic"}}, "rope type 'dynamic' needs factor"),
        (LlamaConfig, {"rope_scaling": LLAMA3}, "rope type 'llama3' needs original_max_position_embeddings"),
        (LlamaConfig, {"rope_parameters": {"rope_type": "yarn"}}, "rope type 'yarn' needs factor"),
        (LlamaConfig, {"rope_scaling": "linear"}, "'rope_scaling' is 'linear'"),
    ],
)
def test_a_value_that_nabi_does_not_compute_is_refused_by_key_and_file(
    tmp_path: Path, family: type[Config], keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        family(**keys)
    with pytest.raises(ValueError, match=message) as caught:
        family.from_pretrained(write(tmp_path, {"model_type": family.model_type, **keys}))
    assert str(tmp_path) in str(caught.value)


def test_null_stands_for_false_and_a_whole_number_for_a_number() -> None:
    config = BertConfig(use_cache=None, layer_norm_eps=1, position_embedding_type=None)
    assert not config.use_cache and config.layer_norm_eps == 1


@pytest.mark.parametrize("pad", [-1, 31999, None])
def test_an_id_may_be_negative_as_old_files_have_it(pad: int | None) -> None:
    assert LlamaConfig(pad_token_id=pad).pad_token_id == pad


# --- anything ---------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**10), 10**10) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_a_file_holds_the_result_is_a_config_or_an_error_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    case = data.draw(st.sampled_from(CASES))
    keys = st.sampled_from([*config_class(case).defaults(), "model_type", "dtype", "rope_parameters", "anything"])
    changes = data.draw(st.dictionaries(keys, json_values, min_size=1, max_size=3))
    folder = tmp_path_factory.getbasetemp() / "any-config"
    folder.mkdir(exist_ok=True)
    write(folder, {"model_type": config_class(case).model_type, **case.keys, **changes})
    for reads in (config_class(case), nabi.AutoConfig):
        try:
            config = reads.from_pretrained(folder)
        except ValueError as error:
            assert str(folder) in str(error)
        else:
            assert isinstance(config, Config)
            json.loads(config.to_json_string())


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_text_as_a_file_is_an_error_that_names_it(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-text"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ValueError, match=str(folder)):
        nabi.AutoConfig.from_pretrained(folder)


# --- a configuration inside another -----------------------------------------------------------------------------------


class Pair(Config):
    model_type = "pair"
    nested = {"text_config": BertConfig.from_dict}

    text_config: Config | None = None


class Tower(BertConfig):
    inside = "text_config"


def test_a_configuration_inside_another_is_made_of_its_keys_and_written_back(tmp_path: Path) -> None:
    config = Pair(text_config={"hidden_size": 32})
    assert isinstance(config.text_config, BertConfig) and config.text_config.hidden_size == 32
    assert Pair().text_config == BertConfig() and Pair(text_config=None).text_config == BertConfig()
    config.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["text_config"]["hidden_size"] == 32
    assert Pair.from_pretrained(tmp_path) == config == copy.deepcopy(config)
    config.update({"text_config": {"hidden_size": 64}})
    assert config.text_config.hidden_size == 64


def test_an_unknown_key_of_a_configuration_inside_another_is_named_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, {"model_type": "pair", "text_config": {"hidden_size": 32, "some_new_scaling": 2}})
    with pytest.raises(ValueError, match="in 'text_config': BertConfig does not know the key 'some_new_scaling' = 2"):
        Pair.from_pretrained(tmp_path)
    assert Pair.from_pretrained(tmp_path, ignore_unknown_keys=True).text_config.hidden_size == 32
    with pytest.raises(ValueError, match="'text_config' is 'bert'; expected an object with keys or null"):
        Pair(text_config="bert")


def test_the_class_of_a_part_reads_its_keys_out_of_the_file_of_the_whole(tmp_path: Path) -> None:
    write(tmp_path, {"model_type": "pair", "text_config": {"hidden_size": 32}})
    assert Tower.from_pretrained(tmp_path).hidden_size == 32


def test_a_config_says_where_it_was_read_from_and_does_not_write_it_down(tmp_path: Path) -> None:
    assert BertConfig().name_or_path == ""
    BertConfig().save_pretrained(tmp_path)
    config = nabi.AutoConfig.from_pretrained(tmp_path)
    assert config.name_or_path == str(tmp_path)
    assert "name_or_path" not in config.to_json_string()


def test_a_config_names_the_configs_inside_it_and_the_one_of_its_text() -> None:
    clip = nabi.CLIPConfig()
    assert clip.sub_configs == {"text_config": nabi.CLIPTextConfig, "vision_config": nabi.CLIPVisionConfig}
    assert clip.get_text_config() is clip.text_config
    pair = nabi.EncoderDecoderConfig.from_encoder_decoder_configs(BertConfig(), GPT2Config())
    assert pair.get_text_config() is pair.decoder and pair.get_text_config(encoder=True) is pair
    config = BertConfig()
    assert config.sub_configs == {} and config.get_text_config(decoder=True) is config


def test_a_gguf_file_is_refused_and_none_is_none(tmp_path: Path) -> None:
    BertConfig().save_pretrained(tmp_path)
    assert nabi.AutoConfig.from_pretrained(tmp_path, gguf_file=None) == BertConfig()
    with pytest.raises(ValueError, match=r"gguf_file='a\.gguf': nabi reads no GGUF"):
        nabi.AutoConfig.from_pretrained(tmp_path, gguf_file="a.gguf")


def test_what_a_user_set_on_a_configuration_is_saved_and_read_again(tmp_path: Path) -> None:
    config = BertConfig(num_hidden_layers=3)
    config.update({"threshold": 0.7})
    config.save_pretrained(tmp_path)
    again = BertConfig.from_pretrained(tmp_path)
    assert again.threshold == 0.7 and again.num_hidden_layers == 3 and again == config
    (tmp_path / "config.json").write_text('{"model_type": "bert", "threshold": 0.7}')
    with pytest.raises(ValueError, match="threshold"):
        BertConfig.from_pretrained(tmp_path)


def test_a_misspelled_attribute_is_told_of_and_a_note_of_ones_own_is_not(caplog: pytest.LogCaptureFixture) -> None:
    config = BertConfig()
    config.author, config.hidden_size, config.n_words = "me", 32, 7
    assert not caplog.records
    config.hiden_size = 16
    assert "BertConfig has no key 'hiden_size': did you mean 'hidden_size'?" in caplog.text

    class Own(BertConfig):
        def __init__(self, hiden_size: int = 8, **keys: Any) -> None:
            super().__init__(**keys)
            self.hiden_size = hiden_size

    caplog.clear()
    Own()
    assert not caplog.records
