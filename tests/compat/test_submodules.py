"""Each name that libraries and tutorials import stands where they look for it; what is left out says why."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import nabi
from nabi.compat.names import HOMES
from nabi.compat.submodules import SUBMODULES

# As peft, sentence-transformers, setfit, keybert, lm-eval, bertviz, evaluate, accelerate and tutorials import them.
IMPORTED = {
    "": "logging AdamW TextDataset SpecialTokensMixin PreTrainedTokenizerBase top_k_top_p_filtering TRANSFORMERS_CACHE",
    "activations": "ACT2FN gelu get_activation NewGELUActivation",
    "cache_utils": "Cache DynamicCache EncoderDecoderCache StaticCache",
    "configuration_utils": "PretrainedConfig",
    "data.data_collator": "DataCollatorMixin default_data_collator DataCollatorForTokenClassification",
    "data.metrics.squad_metrics": "compute_exact compute_f1 squad_evaluate normalize_answer",
    "data.processors.glue": "glue_processors MrpcProcessor",
    "data.processors.squad": "SquadExample SquadResult SquadV2Processor",
    "data.processors.utils": "DataProcessor InputExample InputFeatures",
    "deepspeed": "is_deepspeed_zero3_enabled",
    "dynamic_module_utils": "get_class_from_dynamic_module get_relative_import_files",
    "feature_extraction_utils": "BatchFeature FeatureExtractionMixin",
    "file_utils": "ModelOutput WEIGHTS_NAME CONFIG_NAME is_torch_available add_start_docstrings cached_property",
    "generation": "StoppingCriteriaList LogitsProcessorList GenerationConfig",
    "generation.utils": "GenerationMixin GreedySearchDecoderOnlyOutput SampleOutput",
    "generation_utils": "GenerationMixin",
    "hf_argparser": "HfArgumentParser",
    "image_utils": "load_image ChannelDimension IMAGENET_DEFAULT_MEAN",
    "integrations": "is_wandb_available WandbCallback deepspeed_config HfDeepSpeedConfig",
    "integrations.integration_utils": "default_logdir get_available_reporting_integrations",
    "masking_utils": "create_masks_for_generate",
    "modelcard": "make_markdown_table ModelCard",
    "modeling_attn_mask_utils": "_prepare_4d_causal_attention_mask AttentionMaskConverter",
    "modeling_bert": "BertModel BertConfig BertForMaskedLM",
    "modeling_layers": "GradientCheckpointingLayer",
    "modeling_outputs": "SequenceClassifierOutput BaseModelOutputWithNoAttention Seq2SeqLMOutput",
    "modeling_utils": "PreTrainedModel unwrap_model no_init_weights",
    "models.auto.configuration_auto": "CONFIG_MAPPING_NAMES",
    "models.auto.modeling_auto": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES MODEL_MAPPING AutoModel",
    "models.auto.tokenization_auto": "TOKENIZER_MAPPING AutoTokenizer",
    "models.bert.configuration_bert": "BertConfig",
    "models.bert.modeling_bert": "BertModel BertPreTrainedModel BertForPreTrainingOutput",
    "models.bert.tokenization_bert": "BertTokenizer BasicTokenizer WordpieceTokenizer load_vocab",
    "models.bert.tokenization_bert_fast": "BertTokenizerFast",
    "models.clip.modeling_clip": "CLIPModel CLIPTextModel",
    "models.gpt2.modeling_gpt2": "Conv1D GPT2LMHeadModel",
    "models.gpt2.tokenization_gpt2": "GPT2Tokenizer bytes_to_unicode",
    "models.vit.image_processing_vit": "ViTImageProcessor",
    "models.vit.feature_extraction_vit": "ViTFeatureExtractor",
    "models.wav2vec2.processing_wav2vec2": "Wav2Vec2Processor",
    "models.whisper.feature_extraction_whisper": "WhisperFeatureExtractor",
    "models.xlm_roberta.modeling_xlm_roberta": "XLMRobertaModel",
    "optimization": "AdamW Adafactor get_scheduler get_linear_schedule_with_warmup",
    "pipelines": "pipeline Pipeline SUPPORTED_TASKS TASK_ALIASES check_task PIPELINE_REGISTRY",
    "pipelines.base": "Pipeline KeyDataset",
    "pipelines.pt_utils": "KeyDataset",
    "pytorch_utils": "Conv1D ALL_LAYERNORM_LAYERS prune_linear_layer find_pruneable_heads_and_indices",
    "tokenization_utils": "PreTrainedTokenizer AddedToken _is_punctuation TruncationStrategy",
    "tokenization_utils_base": "BatchEncoding PaddingStrategy PreTrainedTokenizerBase",
    "trainer": "Trainer TRAINER_STATE_NAME OPTIMIZER_NAME",
    "trainer_callback": "TrainerCallback TrainerState IntervalStrategy",
    "trainer_pt_utils": "get_parameter_names nested_concat LabelSmoother IterableDatasetShard LengthGroupedSampler",
    "trainer_utils": "set_seed EvalPrediction get_last_checkpoint HPSearchBackend EvaluationStrategy",
    "training_args": "TrainingArguments ParallelMode OptimizerNames default_logdir",
    "utils": "logging is_peft_available cached_file PushToHubMixin ExplicitEnum copy_func WEIGHTS_NAME ModelOutput",
    "utils.chat_template_utils": "get_json_schema",
    "utils.generic": "ModelOutput ExplicitEnum PaddingStrategy",
    "utils.hub": "cached_file get_checkpoint_shard_files is_offline_mode",
    "utils.import_utils": "is_nltk_available NLTK_IMPORT_ERROR is_torch_greater_or_equal",
    "utils.logging": "get_logger set_verbosity_error disable_progress_bar",
    "utils.versions": "require_version",
}
ASKS = """
import importlib, json, sys, nabi.drop_in
answers = {}
for path, names in json.load(sys.stdin).items():
    for name in names.split():
        try:
            exec(f"from transformers{'.' + path if path else ''} import {name}")
        except Exception as error:
            answers[f"{path}.{name}"] = f"{type(error).__name__}: {error}"
print(json.dumps(answers))
"""


ALL = """
import importlib, nabi.drop_in
from nabi.compat.lending import MODULES
for path in MODULES:
    dir(importlib.import_module(f"transformers.{path}".rstrip(".")))
"""


def asked(names: dict[str, str]) -> dict[str, str]:
    """`path.name` -> the error, of those that cannot be imported."""
    done = subprocess.run([sys.executable, "-c", ASKS], input=json.dumps(names), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_people_import_is_there() -> None:
    assert asked(IMPORTED) == {}


def test_all_modules_can_be_imported_and_list_their_names() -> None:
    done = subprocess.run([sys.executable, "-c", ALL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_left_out_says_why_and_a_wrong_name_names_the_nearest() -> None:
    expected = {
        ".TFBertModel": "use BertModel",
        ".BertOnnxConfig": "torch.onnx",
        ".TransfoXLModel": "deprecated",
        ".HfAgent": "smolagents",
        ".AutoModelForDepthEstimation": "no family for this task",
        ".BertModle": "did you mean transformers.BertModel?",
        "models.bert.modelling_bert.BertModel": "did you mean transformers.models.bert.modeling_bert?",
        "models.brt.X": "did you mean transformers.models.bert?",
        "models.bert.modeling_tf_bert.TFBertModel": "without tf or flax",
    }
    names: dict[str, str] = {}
    for key in expected:
        path, _, name = key.rpartition(".")
        names[path] = f"{names.get(path, '')} {name}"
    answers = asked(names)
    assert set(answers) == set(expected)
    for key, message in expected.items():
        assert answers[key].startswith(("ImportError", "ModuleNotFoundError")) and message in answers[key]


@pytest.mark.parametrize("name", sorted(HOMES))
def test_nabi_itself_offers_the_other_names(name: str) -> None:
    assert getattr(nabi, name) is not None


def test_an_attribute_that_is_left_out_says_why() -> None:
    with pytest.raises(AttributeError, match="PyTorch alone"):
        nabi.TFBertModel  # noqa: B018


def test_a_submodule_stands_for_modules_that_there_are() -> None:
    import importlib

    for homes in SUBMODULES.values():
        for home in homes:
            importlib.import_module(f"nabi.{home}")
