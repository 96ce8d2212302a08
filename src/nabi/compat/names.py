"""Public names of `transformers` that are only renamings, or small things of this room: name -> its home in nabi.

`module`, or `module:name` where it is called otherwise there. nabi itself offers them too.
"""

from __future__ import annotations

from .absent import NAMES as ABSENT

HOMES: dict[str, str] = {
    # tokenizers
    **dict.fromkeys(["PreTrainedTokenizerBase", "TokenizersBackend"], "tokenization.fast:PreTrainedTokenizerFast"),
    "PreTrainedTokenizer": "tokenization.in_python",
    **dict.fromkeys(["PythonBackend", "SentencePieceBackend"], "tokenization.in_python:PreTrainedTokenizer"),
    **dict.fromkeys(
        ["BloomTokenizerFast", "MPNetTokenizer", "MPNetTokenizerFast"], "tokenization.fast:PreTrainedTokenizerFast"
    ),
    "BertTokenizerLegacy": "tokenization.families.bert:BertTokenizer",
    "Wav2Vec2Tokenizer": "tokenization.families.ctc:Wav2Vec2CTCTokenizer",
    "SpecialTokensMixin": "tokenization.vocabulary",
    **dict.fromkeys(["CharSpan", "TokenSpan"], "tokenization"),
    **dict.fromkeys(["BasicTokenizer", "WordpieceTokenizer"], "tokenization.characters"),
    "TensorType": "compat.choices",
    "convert_slow_tokenizer": "compat.engines",
    # models
    **dict.fromkeys(["Conv1D", "apply_chunking_to_forward", "prune_layer"], "compat.layers"),
    "GradientCheckpointingLayer": "compat.layers",
    **dict.fromkeys(["BertLayer", "BigBirdLayer", "GPTNeoXLayer", "MPNetLayer"], "compat.parts"),
    "Qwen2RMSNorm": "nn.norms:RMSNorm",
    **dict.fromkeys(["BartPretrainedModel", "PretrainedBartModel"], "models.bart:BartPreTrainedModel"),
    **dict.fromkeys(ABSENT, "compat.absent"),
    "HybridCache": "nn.cache:StaticCache",
    **dict.fromkeys(["CacheLayerMixin", "DynamicLayer", "SlidingWindowLayer", "StaticLayer"], "nn.cache:Layer"),
    # mappings
    **dict.fromkeys(
        """FEATURE_EXTRACTOR_MAPPING IMAGE_PROCESSOR_MAPPING MODEL_NAMES_MAPPING PROCESSOR_MAPPING
        TOKENIZER_MAPPING""".split(),
        "compat.auto_tables",
    ),
    "get_values": "compat.auto_tables",
    # generation
    "top_k_top_p_filtering": "compat.generation_outputs",
    "BeamSearchScorer": "compat.beam_scorers",
    # training
    "torch_distributed_zero_first": "compat.trainer_parts",
    "DataCollator": "compat.collating",
    "ModelCard": "compat.model_cards",
    # data of 2019
    **dict.fromkeys(
        "DataProcessor InputExample InputFeatures SingleSentenceClassificationProcessor".split(), "compat.data.examples"
    ),
    **dict.fromkeys(
        """glue_convert_examples_to_features glue_output_modes glue_processors glue_tasks_num_labels xnli_output_modes
        xnli_processors xnli_tasks_num_labels""".split(),
        "compat.data.glue",
    ),
    **dict.fromkeys(["glue_compute_metrics", "xnli_compute_metrics"], "compat.data.metrics"),
    **dict.fromkeys(
        "SquadFeatures SquadV1Processor SquadV2Processor squad_convert_examples_to_features".split(),
        "compat.data.squad",
    ),
    **dict.fromkeys(
        """LineByLineTextDataset LineByLineWithRefDataset LineByLineWithSOPTextDataset TextDataset
        TextDatasetForNextSentencePrediction""".split(),
        "compat.data.text_files",
    ),
    **dict.fromkeys(
        "GlueDataTrainingArguments GlueDataset SquadDataTrainingArguments SquadDataset".split(), "compat.data.folders"
    ),
    # pipelines
    "NerPipeline": "pipelines.token_classification:TokenClassificationPipeline",
    # files, versions, what is installed
    **dict.fromkeys(
        """ADAPTER_CONFIG_NAME ADAPTER_SAFE_WEIGHTS_NAME ADAPTER_WEIGHTS_NAME CONFIG_NAME MODEL_CARD_NAME
        SPIECE_UNDERLINE SAFE_WEIGHTS_NAME WEIGHTS_NAME""".split(),
        "compat.file_names",
    ),
    **dict.fromkeys(
        "PYTORCH_PRETRAINED_BERT_CACHE PYTORCH_TRANSFORMERS_CACHE PushToHubMixin TRANSFORMERS_CACHE".split(),
        "compat.cached_files",
    ),
    **dict.fromkeys(["add_end_docstrings", "add_start_docstrings"], "compat.docstrings"),
    **dict.fromkeys(["infer_device", "requires_backends", "get_torch_version"], "compat.installed"),
    **dict.fromkeys(["is_tensorboard_available", "is_deepspeed_zero3_enabled"], "compat.integrations"),
    **{
        f"is_{package}_available": "compat.installed"
        for package in """accelerate apex av bitsandbytes clearml comet datasets deepspeed dvclive faiss flax
        keras_nlp librosa matplotlib mlflow mlx neptune onnx optuna pandas peft phonemizer psutil py3nvml pyctcdecode
        pytesseract ray ray_tune sacremoses safetensors scipy sentencepiece sigopt sklearn soundfile spacy speech
        swanlab tensorflow_text tf timm tokenizers torch torch_cuda torch_hpu torch_mlu torch_musa torch_neuroncore
        torch_npu
        torch_xla torch_xpu torchaudio torchvision trackio vision wandb""".split()
    },
}
