"""Names of the files of a checkpoint and of a training run, as constants."""

from __future__ import annotations

from ..config import CONFIG_NAME as CONFIG_NAME
from ..hub import ADAPTER as ADAPTER_CONFIG_NAME  # noqa: F401

ADAPTER_WEIGHTS_NAME = "adapter_model.bin"
ADAPTER_SAFE_WEIGHTS_NAME = "adapter_model.safetensors"
AUDIO_TOKENIZER_NAME = "audio_tokenizer_config.json"
CHAT_TEMPLATE_DIR = "additional_chat_templates"
CHAT_TEMPLATE_FILE = "chat_template.jinja"
FEATURE_EXTRACTOR_NAME = IMAGE_PROCESSOR_NAME = "preprocessor_config.json"
GENERATION_CONFIG_NAME = "generation_config.json"
MODEL_CARD_NAME = "modelcard.json"
PROCESSOR_NAME = "processor_config.json"
SAFE_WEIGHTS_NAME = "model.safetensors"
SAFE_WEIGHTS_INDEX_NAME = "model.safetensors.index.json"
WEIGHTS_NAME = "pytorch_model.bin"
WEIGHTS_INDEX_NAME = "pytorch_model.bin.index.json"
# of tokenizers
ADDED_TOKENS_FILE = "added_tokens.json"
FULL_TOKENIZER_FILE = "tokenizer.json"
SPECIAL_TOKENS_MAP_FILE = "special_tokens_map.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
SPIECE_UNDERLINE = SENTENCEPIECE_UNDERLINE = "▁"
# of a training run
OPTIMIZER_NAME = "optimizer.pt"
OPTIMIZER_NAME_BIN = "optimizer.bin"
PREFIX_CHECKPOINT_DIR = "checkpoint"
SCALER_NAME = "scaler.pt"
SCHEDULER_NAME = "scheduler.pt"
TRAINER_STATE_NAME = "trainer_state.json"
TRAINING_ARGS_NAME = "training_args.bin"
