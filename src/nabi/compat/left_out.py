"""Names that nabi leaves out on purpose: a pattern, why, and what to use instead. The first that matches is said."""

from __future__ import annotations

import re

_NO_TENSORFLOW = "TensorFlow and Flax classes are left out: nabi runs on PyTorch alone"
_CONVERT = "`nabi convert SOURCE TARGET` reads TensorFlow and Flax weights"
_AGENTS = r"Agent|HfAgent|ReactCodeAgent|ReactJsonAgent|CodeAgent|Tool|Toolbox|load_tool|HfApiEngine|PipelineTool"
_OLD_FAMILIES = """AdaptiveEmbedding Bort Deta EfficientFormer ErnieM GPTSanJapanese Graphormer Jukebox MCTCT MMBT Mega
Nat Nezha OpenLlama QDQBert Realm RetriBert Speech2Text2 Tapex TrajectoryTransformer TransfoXL Tvlt Van ViTHybrid
XLMProphetNet""".split()

# Pattern of a whole name -> (why, what to use).
NAMES: dict[str, tuple[str, str]] = {
    r"(TF|Flax)(?=[A-Z])(?P<rest>\w+)": (
        _NO_TENSORFLOW,
        f"use {{rest}}; {_CONVERT}",
    ),
    r"TF_WEIGHTS_NAME|TF2_WEIGHTS_NAME": (_NO_TENSORFLOW, "`nabi convert SOURCE TARGET` reads these files"),
    r"(TF_|FLAX_)(?P<rest>MODEL_\w*)": (_NO_TENSORFLOW, "use {rest}"),
    r"load_(tf2?_|flax_|pytorch_)\w+|convert_tf_weight_name_to_pt_weight_name": (
        _NO_TENSORFLOW,
        _CONVERT,
    ),
    r"AdamWeightDecay|WarmUp|create_optimizer|GradientAccumulator|KerasMetricCallback|PushToHubCallback|shape_list": (
        "it belongs to TensorFlow, and nabi runs on PyTorch alone",
        "use Trainer, torch.optim.AdamW and get_linear_schedule_with_warmup",
    ),
    r"\w+OnnxConfig|OnnxConfig\w*": (
        "export to ONNX is left out: nabi is as quick without an export step",
        "use torch.onnx.export on the model",
    ),
    _AGENTS: (
        "agents and tools left transformers in version 4.52",
        "use the library smolagents",
    ),
    r"Bark\w+|SynthID\w+|Watermark\w+|BayesianDetector\w+": ("watermarks and speech synthesis are left out", ""),
    r"\w*(Quanto|HQQ|Quantized|Offloaded|Sink)\w*Cache|\w+QuantizedLayer": (
        "quantised and offloaded caches are left out",
        "use DynamicCache, StaticCache or SlidingWindowCache",
    ),
    r"(BitsAndBytes|Aqlm|AutoRound|Awq|BitNetQuant|CompressedTensors|Eetq|FPQuant|FbgemmFp8|FineGrainedFP8|GPTQ|Gguf|Hqq"
    r"|Higgs|Mxfp4|Quanto|Quark|SpQR|TorchAo|Vptq|Sinq|Metal|NVFP4|FourOverSix|GemmaQuantization)Config": (
        "nabi loads float checkpoints only",
        "load the float checkpoint; torch.ao.quantization.quantize_dynamic makes its Linear layers int8",
    ),
    r"Benchmark\w*|PyTorchBenchmark\w*": ("benchmarks left transformers in version 4.47", "use torch.utils.benchmark"),
    r"AutoModelFor\w+|AutoVideoProcessor|(MODEL_FOR_|VIDEO_PROCESSOR_)\w*MAPPING|BaseVideoProcessor"
    r"|(AnyToAny|Decision|DepthEstimation|DocumentQuestionAnswering|ImageToImage|KeypointMatching"
    r"|MaskGeneration|TableQuestionAnswering|TextToAudio|VideoClassification|ZeroShotAudioClassification"
    r"|ZeroShotObjectDetection)Pipeline": ("nabi has no family for this task", ""),
    r"\w*PipelineDataFormat": ("files are read by a command", "run `nabi run TASK FILE`"),
    r"Gemma3\w+": ("of Gemma 3 nabi has the models of text", "use Gemma3ForCausalLM and Gemma3TextConfig"),
    r"\w+(Layer|Attention|SelfOutput|Intermediate|MLP|Encoder)": (
        "this part of a model computes nothing by itself here",
        "use the model's own, such as model.encoder.layer[0]; or write your own",
    ),
    r"Wav2Vec2ForMaskedLM": ("no checkpoint has it", "use Wav2Vec2ForCTC"),
    r"(Audio|Images|Processing|Text|Videos)Kwargs": ("processors name their arguments themselves", ""),
    r"ImageFeatureExtractionMixin|\w*(Pil|Torchvision)Backend": (
        "image processors need no such base",
        "use AutoImageProcessor",
    ),
    r"(AlternatingCodebooks|ClassifierFreeGuidance)LogitsProcessor|TextDiffusionStreamer": (
        "generation of sound, and by diffusion, is left out",
        "",
    ),
    r"(ConstrainedBeamSearch|Beam)Scorer": ("beam search is a part of generate", "use model.generate(num_beams=…)"),
    r"Continuous\w+": ("nabi has an engine of its own", "use nabi.generation.engine.Engine"),
    r"CompileConfig|KernelConfig|kernelize|TorchExportable\w+|convert_and_export_with_cache": (
        "compiling and exporting are torch's",
        "use torch.compile or torch.export on the model",
    ),
    r"HybridChunkedCache|\w*IndexedLayer": ("caches that are cut into chunks are left out", "use SlidingWindowCache"),
    r"Attention(Mask)?Interface|ROPE_INIT_FUNCTIONS|RopeParameters|dynamic_rope_update|Backbone(Config)?Mixin": (
        "it is a way to put code into the models of transformers",
        "write a family of your own: docs/own-family.md",
    ),
    r"Chunk|Concatenate|ConversionOps|GroupWeightRename|MergeModulelist|PermuteForRope|SplitModulelist|WeightConverter"
    r"|Vision(Fuse|Unfuse)And\w+|DistributedConfig|DecisionConfig|model_addition_debugger_context": (
        "it is an internal of transformers 5, whose models have other names in memory than on disk; nabi's have not",
        "",
    ),
    "SLOW_TO_FAST_CONVERTERS": ("tokenizers are fast ones from the start", "use convert_slow_tokenizer(tokenizer)"),
    rf"({'|'.join(_OLD_FAMILIES)})\w*": (
        "the family was deprecated, and left transformers in version 5",
        "use a newer model; AutoModel lists the families that nabi has",
    ),
}
# The same for submodules, by their path below `transformers`.
MODULES: dict[str, tuple[str, str]] = {
    r"(.*\.)?modeling_(tf|flax)_\w+|optimization_tf|tf_utils|training_args_tf|keras_callbacks|trainer_tf|generation(_|\.)(tf|flax)_\w+"
    r"|activations_tf": (_NO_TENSORFLOW, "import from the module without tf or flax in its name"),
    r"onnx(\..+)?|convert_graph_to_onnx": NAMES[r"\w+OnnxConfig|OnnxConfig\w*"],
    r"(agents|tools)(\..+)?": NAMES[_AGENTS],
    r"commands(\..+)?|cli(\..+)?": ("the command line is nabi's own", "run `nabi --help`"),
    r"models\.deprecated(\..+)?": NAMES[rf"({'|'.join(_OLD_FAMILIES)})\w*"],
    r"sagemaker(\..+)?": ("SageMaker's own trainer is left out", "use Trainer"),
    r"quantizers(\..+)?|integrations\.(bitsandbytes|awq|aqlm|gptq|ggml|hqq|quanto|eetq|higgs|tensor_parallel)": (
        "nabi loads float checkpoints only, on one device",
        "load the float checkpoint",
    ),
    r"benchmark(\..+)?": NAMES[r"Benchmark\w*|PyTorchBenchmark\w*"],
    r"(conversion_mapping|core_model_loading|distributed(\..+)?|exporters(\..+)?)": (
        "it is an internal of transformers 5, whose models have other names in memory than on disk; nabi's have not",
        "",
    ),
    r"convert_\w+|models\.\w+\.convert_\w+": (
        "checkpoints are converted by a command",
        "run `nabi convert SOURCE TARGET`",
    ),
}


def why(name: str) -> str | None:
    """The reason why nabi has no such public name on purpose, or None."""
    return _said(NAMES, name, name)


def why_module(path: str) -> str | None:
    """The same for a submodule of transformers."""
    return _said(MODULES, path, f"transformers.{path}")


def _said(table: dict[str, tuple[str, str]], name: str, shown: str) -> str | None:
    for pattern, (reason, instead) in table.items():
        if match := re.fullmatch(pattern, name):
            remedy = f": {instead.format(**match.groupdict())}" if instead else ""
            return f"nabi has no {shown}: {reason}{remedy}"
    return None
