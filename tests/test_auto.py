"""Auto classes: from the model_type in a config.json to the family's class."""

from __future__ import annotations

import importlib.util
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nabi
from nabi import AutoConfig, AutoModel, auto, auto_mappings
from nabi.models import FAMILIES

from .parity.cases import CASES, IDS, PAIRS, Case

# What a class's name ends in -> the Auto class that gives it.
AUTO_OF = {
    "Model": "AutoModel",
    "ForMaskedLM": "AutoModelForMaskedLM",
    "ForCausalLM": "AutoModelForCausalLM",
    "LMHeadModel": "AutoModelForCausalLM",
    "WithLMHeadModel": "AutoModelForMaskedLM",
    "ForConditionalGeneration": "AutoModelForSeq2SeqLM",
    "ForSequenceClassification": "AutoModelForSequenceClassification",
    "ForTokenClassification": "AutoModelForTokenClassification",
    "ForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ForQuestionAnsweringSimple": "AutoModelForQuestionAnswering",
    "ForMultipleChoice": "AutoModelForMultipleChoice",
    "ForNextSentencePrediction": "AutoModelForNextSentencePrediction",
    "ForPreTraining": "AutoModelForPreTraining",
    "EncoderModel": "AutoModelForTextEncoding",
    "ForCTC": "AutoModelForCTC",
    "ForAudioFrameClassification": "AutoModelForAudioFrameClassification",
    "ForXVector": "AutoModelForAudioXVector",
    "MTModel": "AutoModelForSeq2SeqLM",
    "ForImageClassification": "AutoModelForImageClassification",
    "ForMaskedImageModeling": "AutoModelForMaskedImageModeling",
    "ForObjectDetection": "AutoModelForObjectDetection",
    "ForSegmentation": "AutoModelForImageSegmentation",
    "Backbone": "AutoBackbone",
}
OF_SPEECH = {  # heads of other names, or names that other heads have too
    "ForConditionalGeneration": "AutoModelForSpeechSeq2Seq",
    "ForSequenceClassification": "AutoModelForAudioClassification",
    "ForAudioClassification": "AutoModelForAudioClassification",
}
ALONE = {"DoubleHeadsModel", "ForImageClassificationWithTeacher", "ModelWithProjection"}  # have no Auto class


def config_of(case: Case) -> Any:
    return case.config(nabi)


def saved(folder: Path, case: Case = CASES[0], head: str = "Model") -> Path:
    getattr(nabi, case.prefix + head)(config_of(case)).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("case", "head"), PAIRS, ids=IDS)
def test_every_class_is_given_by_its_auto_class_from_a_folder_and_from_a_config(
    case: Case, head: str, tmp_path: Path
) -> None:
    if head in ALONE:
        return
    if f"{case.prefix}{head}Simple" in FAMILIES[case.family]:
        return  # of two heads for answers the simple one is given
    speech = OF_SPEECH if case.kind == "speech" else {}
    images = {"ForConditionalGeneration": "AutoModelForImageTextToText"} if case.family == "llava" else {}
    wanted, chooser = getattr(nabi, case.prefix + head), getattr(nabi, {**AUTO_OF, **speech, **images}[head])
    model = chooser.from_config(config_of(case))
    assert type(model) is wanted
    if case is not next(other for other, its_head in PAIRS if its_head == head):
        return  # one of each kind goes through files here, all of them in nn/test_loading.py
    model.save_pretrained(tmp_path)
    loaded = chooser.from_pretrained(tmp_path)
    assert type(loaded) is wanted and not loaded.training
    assert AutoConfig.from_pretrained(tmp_path).architectures == [case.prefix + head]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_found_by_its_model_type(family: str) -> None:
    config_class = getattr(nabi, FAMILIES[family][0])
    assert type(AutoConfig.for_model(config_class.model_type)) is config_class
    assert auto.family_of(config_class.model_type) == family


def test_keywords_reach_the_config_and_the_model(tmp_path: Path) -> None:
    saved(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path, num_labels=7).num_labels == 7
    model, info = nabi.AutoModelForSequenceClassification.from_pretrained(
        tmp_path, num_labels=7, dtype="bfloat16", output_loading_info=True
    )
    assert model.classifier.out_features == 7 and str(model.dtype) == "torch.bfloat16"
    assert info["missing_keys"] == ["classifier.bias", "classifier.weight"]


def test_hub_options_and_a_subfolder_are_taken(tmp_path: Path) -> None:
    saved(tmp_path / "inner")
    options: dict[str, Any] = {"revision": "main", "cache_dir": tmp_path, "token": False, "local_files_only": True}
    model = AutoModel.from_pretrained(tmp_path, subfolder="inner", trust_remote_code=True, **options)
    assert type(model) is nabi.BertModel


def test_a_config_given_as_object_or_folder_decides(tmp_path: Path) -> None:
    saved(tmp_path / "model")
    config = config_of(CASES[0])
    config.output_hidden_states = True
    config.save_pretrained(tmp_path / "other")
    for given in (config, tmp_path / "other"):
        assert AutoModel.from_pretrained(tmp_path / "model", config=given).config.output_hidden_states
    assert not AutoModel.from_pretrained(tmp_path / "model").config.output_hidden_states


def test_old_names_of_one_layout_load_each_others_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """XLM-R and CamemBERT checkpoints are loaded with RoBERTa's classes in many tutorials."""
    case = next(case for case in CASES if case.name == "xlm-roberta")
    with caplog.at_level(logging.WARNING):
        model = nabi.RobertaModel.from_pretrained(saved(tmp_path, case))
    assert type(model) is nabi.RobertaModel


# --- errors -----------------------------------------------------------------------------------------------------------


def test_an_unknown_family_is_named_with_those_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mamba9"}))
    for chooser in (AutoConfig, AutoModel):
        with pytest.raises(
            ValueError, match=r"no family for model_type 'mamba9'. It has albert, .*gpt_neo, .*xlm-roberta"
        ) as caught:
            chooser.from_pretrained(tmp_path)
        assert str(tmp_path) in str(caught.value)
    with pytest.raises(ValueError, match="'mamba9'"):
        AutoConfig.for_model("mamba9")
    with pytest.raises(ValueError, match="'berd'; did you mean 'bert'"):
        AutoConfig.for_model("berd")


def test_what_is_no_name_no_configuration_or_stands_in_the_wrong_place_is_refused() -> None:
    for name in (None, 5, {"model_type": "bert"}):
        with pytest.raises(TypeError, match="expected the name of a repository, or the path of a folder"):
            AutoModel.from_pretrained(name)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="from_config takes a configuration, got str"):
        AutoModel.from_config("folder")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a configuration class, then a model class"):
        AutoModel.register("bert", nabi.BertConfig)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a model_type, then a configuration class"):
        AutoConfig.register(nabi.BertConfig, "bert")  # type: ignore[arg-type]


@pytest.mark.parametrize("model_type", [5, ["bert"], {"a": 1}, None, "", "os", "__init__", "../bert"])
def test_a_model_type_that_is_none_is_refused(tmp_path: Path, model_type: Any) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    with pytest.raises(ValueError) as caught:
        AutoModel.from_pretrained(tmp_path)
    assert str(tmp_path) in str(caught.value) and "model_type" in str(caught.value)


def test_a_config_without_a_model_type_says_to_use_the_familys_class(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 16}))
    with pytest.raises(ValueError, match=r"has no model_type.*BertModel"):
        AutoModel.from_pretrained(tmp_path)


def test_a_task_that_the_family_has_not_lists_what_it_has(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "gpt2")
    with pytest.raises(
        ValueError,
        match=r"AutoModelForMaskedLM: the family 'gpt2' has no ForMaskedLM or WithLMHeadModel for this task; .*GPT2LM",
    ):
        nabi.AutoModelForMaskedLM.from_pretrained(saved(tmp_path, case))


def test_an_auto_class_is_not_made_directly() -> None:
    with pytest.raises(TypeError, match="AutoModel is not made directly"):
        AutoModel()


def test_an_unknown_keyword_is_a_type_error_that_names_it(tmp_path: Path) -> None:
    saved(tmp_path)
    for reads in (AutoConfig, AutoModel, nabi.BertModel):
        with pytest.raises(TypeError, match="unknown arguments: nonsense"):
            reads.from_pretrained(tmp_path, nonsense=1)


def test_a_missing_folder_config_or_weights_file_is_an_os_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="neither a folder"):
        AutoModel.from_pretrained(tmp_path / "no where")
    with pytest.raises(OSError, match=r"'config\.json'"):
        AutoModel.from_pretrained(tmp_path)
    config_of(CASES[0]).save_pretrained(tmp_path)
    with pytest.raises(OSError, match=r"no weights in .*model\.safetensors"):
        AutoModel.from_pretrained(tmp_path)


def test_importing_the_auto_classes_loads_no_torch() -> None:
    code = "import sys; from nabi import AutoModel, AutoConfig; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- families from outside, and the mappings --------------------------------------------------------------------------


@pytest.fixture
def own_family(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example's module, and the registers as they were afterwards."""
    for chooser in (AutoModel, nabi.AutoModelForSequenceClassification, nabi.AutoModelForMaskedLM):
        monkeypatch.setattr(chooser, "registered", {})
    monkeypatch.setattr(AutoConfig, "registered", {})
    example = Path(__file__).parent.parent / "examples" / "own_family.py"
    spec = importlib.util.spec_from_file_location("own_family", example)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "own_family", module)
    spec.loader.exec_module(module)
    return module


def test_a_family_from_outside_is_trained_saved_and_loaded_through_the_auto_classes(
    own_family: Any, tmp_path: Path
) -> None:
    own_family.register()
    assert own_family.train(str(tmp_path)) > 0.95
    assert type(AutoConfig.from_pretrained(tmp_path)) is own_family.FourierConfig
    assert type(AutoModel.from_pretrained(tmp_path)) is own_family.FourierModel
    assert type(nabi.AutoModelForMaskedLM.from_config(AutoConfig.for_model("fourier"))) is own_family.FourierForMaskedLM
    assert own_family.FourierConfig in nabi.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
    with pytest.raises(ValueError, match=r"AutoModelForCausalLM: no class is registered for FourierConfig"):
        nabi.AutoModelForCausalLM.from_pretrained(tmp_path)


def test_a_family_is_registered_once_under_its_own_model_type_with_its_own_config(own_family: Any) -> None:
    with pytest.raises(ValueError, match=r"FourierConfig\.model_type is 'fourier'"):
        AutoConfig.register("fnet", own_family.FourierConfig)
    own_family.register()
    with pytest.raises(ValueError, match="'fourier' is known already"):
        own_family.register()
    AutoConfig.register("fourier", own_family.FourierConfig, exist_ok=True)
    with pytest.raises(ValueError, match=r"the config_class of BertModel is .*BertConfig.*, not FourierConfig"):
        AutoModel.register(own_family.FourierConfig, nabi.BertModel, exist_ok=True)
    with pytest.raises(ValueError, match="AutoModel has a class for BertConfig already"):
        AutoModel.register(nabi.BertConfig, nabi.BertModel)


def test_the_mappings_are_those_that_scripts_look_models_up_in() -> None:
    mapping = nabi.MODEL_FOR_CAUSAL_LM_MAPPING
    assert mapping[nabi.GPT2Config] is nabi.GPT2LMHeadModel and nabi.T5Config not in mapping
    types = tuple(config.model_type for config in mapping)
    assert "llama" in types and "xlm-roberta" in types and "t5" not in types and len(types) == len(mapping)
    assert nabi.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES["gpt2"] == "GPT2LMHeadModel"
    assert nabi.CONFIG_MAPPING["bert"] is nabi.BertConfig and nabi.CONFIG_MAPPING_NAMES["t5"] == "T5Config"
    for name in auto_mappings.AUTO_CLASSES:
        assert len(getattr(nabi, name)) > 0, name
    with pytest.raises(AttributeError, match="nabi has no mapping MODEL_FOR_DREAMS_MAPPING; it has CONFIG_MAPPING"):
        nabi.MODEL_FOR_DREAMS_MAPPING  # noqa: B018


def test_one_ending_serves_text_in_one_auto_class_and_sound_in_another() -> None:
    speech, text = nabi.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING, nabi.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
    assert speech[nabi.Wav2Vec2Config] is nabi.Wav2Vec2ForSequenceClassification
    assert nabi.Wav2Vec2Config not in text and nabi.BertConfig not in speech


def test_the_old_auto_class_for_language_modelling_chooses_as_it_did() -> None:
    for config, wanted in (
        (nabi.BertConfig, nabi.BertForMaskedLM),
        (nabi.GPT2Config, nabi.GPT2LMHeadModel),
        (nabi.T5Config, nabi.T5ForConditionalGeneration),
        (nabi.XLMConfig, nabi.XLMWithLMHeadModel),
    ):
        assert nabi.AutoModelWithLMHead.of(config) is wanted
