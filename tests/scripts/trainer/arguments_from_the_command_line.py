"""HfArgumentParser: dataclasses become options."""

import sys
from dataclasses import dataclass, field

from transformers import HfArgumentParser, TrainingArguments


@dataclass
class ModelArguments:
    model_name_or_path: str = field(metadata={"help": "which checkpoint"})
    freeze: bool = field(default=False)


sys.argv = ["run.py", "--model_name_or_path", "gpt2", "--freeze", "--output_dir", "out", "--learning_rate", "3e-5"]
sys.argv += ["--num_train_epochs", "2", "--do_train", "--report_to", "none"]
parser = HfArgumentParser((ModelArguments, TrainingArguments))
model_args, training_args = parser.parse_args_into_dataclasses()
assert model_args.model_name_or_path == "gpt2" and model_args.freeze is True
assert training_args.learning_rate == 3e-5 and training_args.num_train_epochs == 2 and training_args.do_train
(parsed,) = HfArgumentParser(ModelArguments).parse_dict({"model_name_or_path": "t5-small"})
assert parsed == ModelArguments("t5-small")
