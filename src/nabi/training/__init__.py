"""Training: arguments, the trainer and its callbacks, collators, metrics, schedules. Names are imported when used."""

from __future__ import annotations

# Public name -> the module of this room that defines it.
HOMES: dict[str, str] = {
    "Trainer": "trainer",
    "Seq2SeqTrainer": "seq2seq",
    **dict.fromkeys(["TrainingArguments", "Seq2SeqTrainingArguments"], "arguments"),
    **dict.fromkeys(["HfArg", "HfArgumentParser"], "arguments.parser"),
    "AcceleratorConfig": "arguments.accelerator_config",
    **dict.fromkeys(
        """EvaluationStrategy HubStrategy IntervalStrategy OptimizerNames ParallelMode SaveStrategy
        SchedulerType""".split(),
        "arguments.choices",
    ),
    **dict.fromkeys(["EvalLoopOutput", "PredictionOutput", "TrainOutput"], "results"),
    **dict.fromkeys(["enable_full_determinism", "set_seed"], "seeds"),
    "get_last_checkpoint": "checkpoints",
    **dict.fromkeys(["ExportableState", "TrainerControl", "TrainerState"], "callbacks.state"),
    **dict.fromkeys(
        ["DefaultFlowCallback", "EarlyStoppingCallback", "PrinterCallback", "TrainerCallback"], "callbacks.callback"
    ),
    "CallbackHandler": "callbacks.handler",
    "ProgressCallback": "callbacks.progress",
    "NotebookProgressCallback": "callbacks.notebook",
    **dict.fromkeys(["MLflowCallback", "TensorBoardCallback", "WandbCallback"], "callbacks.reporting"),
    **dict.fromkeys(
        """DataCollatorForCompletionOnlyLM DataCollatorForLanguageModeling DataCollatorForMultipleChoice
        DataCollatorForPermutationLanguageModeling DataCollatorForSOP DataCollatorForSeq2Seq
        DataCollatorForSpanCorruption DataCollatorForTokenClassification DataCollatorForWholeWordMask
        DataCollatorWithFlattening DataCollatorWithPadding DefaultDataCollator default_data_collator""".split(),
        "collators",
    ),
    **dict.fromkeys(
        """get_constant_schedule get_constant_schedule_with_warmup get_cosine_schedule_with_warmup
        get_cosine_with_hard_restarts_schedule_with_warmup get_cosine_with_min_lr_schedule_with_warmup
        get_cosine_with_min_lr_schedule_with_warmup_lr_rate get_greedy_schedule get_inverse_sqrt_schedule
        get_linear_schedule_with_warmup get_polynomial_decay_schedule_with_warmup get_reduce_on_plateau_schedule
        get_scheduler get_wsd_schedule""".split(),
        "optimization.schedules",
    ),
    "GreedyLR": "optimization.greedy",
    **dict.fromkeys(["Adafactor", "AdafactorSchedule", "get_adafactor_schedule"], "optimization.adafactor"),
    "AdamW": "optimization.adamw",
    "layerwise_groups": "optimization.decay",
    "EvalPrediction": "metrics",
    **dict.fromkeys(["DistillationTrainer", "distillation_loss"], "objectives.distillation"),
    "student_of": "objectives.students",
    "ReplacedTokenDetection": "objectives.replaced_tokens",
}
