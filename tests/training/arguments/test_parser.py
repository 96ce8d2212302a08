"""A command line, a dict and files become dataclasses, as with the incumbent's parser."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Optional, Union

import pytest
from transformers import HfArgumentParser as Theirs

from nabi.training.arguments.parser import HfArg, HfArgumentParser
from nabi.training.arguments.training_arguments import Seq2SeqTrainingArguments, TrainingArguments


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Settings:
    """One field of each kind that a parser may meet."""

    model: str
    layers: int
    ratio: float = 0.5
    cased: bool = False
    lower: bool = True
    maybe: Optional[bool] = None  # noqa: UP045 - as people write it
    count: Optional[int] = None  # noqa: UP045
    either: Union[int, None] = None  # noqa: UP007
    modern: float | None = None
    colour: Colour = Colour.RED
    mode: Literal["a", "b", 3] = "a"
    names: list[str] = field(default_factory=lambda: ["x"])
    sizes: Optional[list[int]] = None  # noqa: UP045
    batch_size: int = HfArg(default=8, aliases=["-b", "--bs"], help="examples")
    made: int = field(init=False, default=3)


REQUIRED = ["--model", "나비", "--layers", "3"]
LINES = [
    [],
    ["--ratio", "1e-3", "--cased", "--no_lower", "--maybe", "true", "--count", "4"],
    ["--cased", "false", "--lower", "no", "--either", "1", "--modern", "2"],
    ["--colour", "blue", "--mode", "3", "--names", "가", "나", "--sizes", "1", "2", "-b", "5"],
    ["--batch-size", "7", "--no-lower", "--cased", "yes"],
    ["--mode=b", "--bs=2", "--cased", "t"],
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: " ".join(line) or "defaults")
def test_a_command_line_is_read_as_the_incumbent_reads_it(line: list[str]) -> None:
    @dataclass
    class Copy(Settings):  # the incumbent writes into the fields of what it is given
        pass

    (made,) = HfArgumentParser(Settings).parse_args_into_dataclasses([*REQUIRED, *line], look_for_args_file=False)
    (expected,) = Theirs(Copy).parse_args_into_dataclasses([*REQUIRED, *line], look_for_args_file=False)
    assert dataclasses.asdict(made) == dataclasses.asdict(expected)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["--layers", "3"], "--model"),
        ([*REQUIRED, "--ratio", "halb"], "--ratio"),
        ([*REQUIRED, "--mode", "c"], "'a', 'b', 3"),
        ([*REQUIRED, "--colour", "green"], "red"),
        ([*REQUIRED, "--cased", "vielleicht"], "vielleicht"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_ends_with_what_is_wrong(
    line: list[str], says: str, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        HfArgumentParser(Settings).parse_args_into_dataclasses(line, look_for_args_file=False)
    assert says in capsys.readouterr().err


def test_several_dataclasses_and_what_is_left_over() -> None:
    parser = HfArgumentParser((Settings, TrainingArguments), description="mine")
    parser.add_argument("--extra", type=int)
    line = [*REQUIRED, "--output_dir", "out", "--learning-rate", "2e-5", "--fp16", "--extra", "5"]
    settings, args, more = parser.parse_args_into_dataclasses(line, look_for_args_file=False)
    assert (settings.layers, args.learning_rate, args.fp16, more.extra) == (3, 2e-5, True, 5)
    *_, rest = parser.parse_args_into_dataclasses([*line, "--bogus", "1"], True, look_for_args_file=False)
    assert rest == ["--bogus", "1"]
    with pytest.raises(ValueError, match=r"--learnig_rate \(did you mean learning_rate\?\)"):
        parser.parse_args_into_dataclasses([*REQUIRED, "--learnig_rate", "1"], look_for_args_file=False)


def test_the_command_line_of_a_v4_example_runs() -> None:
    line = """--output_dir out --overwrite_output_dir --do_train --evaluation_strategy epoch
    --per_gpu_train_batch_size 4 --no_cuda --warmup_ratio 0.1 --logging_dir logs --report_to tensorboard
    --fp16_opt_level O1 --save_safetensors true
    --label_names start end --lr_scheduler_type cosine --debug underflow_overflow --fsdp_min_num_params 0
    --include_num_input_tokens_seen true --group_by_length --predict_with_generate --no_remove_unused_columns"""
    (args,) = HfArgumentParser(Seq2SeqTrainingArguments).parse_args_into_dataclasses(
        line.split(), look_for_args_file=False
    )
    assert (args.overwrite_output_dir, args.do_train, args.eval_strategy, args.use_cpu) == (True, True, "epoch", True)
    assert (args.per_device_train_batch_size, args.warmup_ratio, args.logging_dir) == (4, 0.1, "logs")
    assert (args.report_to, args.label_names, args.debug) == (["tensorboard"], ["start", "end"], ["underflow_overflow"])
    assert (args.lr_scheduler_type, args.train_sampling_strategy) == ("cosine", "group_by_length")
    assert (args.include_num_input_tokens_seen, args.remove_unused_columns) == ("all", False)


def test_sharding_and_json_on_a_command_line() -> None:
    def read(*line: str) -> TrainingArguments:
        return HfArgumentParser(TrainingArguments).parse_args_into_dataclasses(list(line), look_for_args_file=False)[0]

    assert read("--fsdp").fsdp is True
    assert read("--fsdp", "full_shard auto_wrap").fsdp_config == {"reshard_after_forward": True}
    assert read("--lr_scheduler_kwargs", '{"power": 2}').lr_scheduler_kwargs == {"power": 2}
    assert read("--optim_target_modules", "all-linear").optim_target_modules == "all-linear"
    assert read("--optim_target_modules", "q", "v").optim_target_modules == ["q", "v"]


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_a_file_or_a_dict_instead_of_a_command_line(ending: str, tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "model": "나비",
        "layers": 3,
        "mode": "b",
        "output_dir": "out",
        "evaluation_strategy": "epoch",
    }
    file = tmp_path / f"설정.{ending}"
    lines = "\n".join(f"{name}: {value}" for name, value in values.items()) + "\nlearning_rate: 2e-5\n"
    file.write_text(json.dumps({**values, "learning_rate": 2e-5}) if ending == "json" else lines, encoding="utf-8")
    parser = HfArgumentParser((Settings, TrainingArguments))
    read = parser.parse_json_file if ending == "json" else parser.parse_yaml_file
    for settings, args in (
        read(file),
        parser.parse_args_into_dataclasses([str(file)]),
        parser.parse_dict({**values, "learning_rate": "2e-5"}),
    ):
        assert (settings, args.eval_strategy) == (Settings("나비", 3, mode="b"), "epoch")
        assert args.learning_rate == 2e-5


def test_a_key_that_no_dataclass_has_is_an_error_unless_allowed(tmp_path: Path) -> None:
    parser = HfArgumentParser(Settings)
    values = {"model": "m", "layers": 1, "layer": 2}
    with pytest.raises(ValueError, match=r"layer \(did you mean layers\?\)"):
        parser.parse_dict(values)
    assert parser.parse_dict(values, allow_extra_keys=True) == (Settings("m", 1),)


def test_options_from_a_file_come_before_those_of_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.args"
    file.write_text("--model m --layers 1\n--names 가 나", encoding="utf-8")
    parser = HfArgumentParser(Settings)
    for way in ({"args_filename": str(file), "args": []}, {"args_file_flag": "--from", "args": ["--from", str(file)]}):
        (made,) = parser.parse_args_into_dataclasses(**{**way, "args": [*way["args"], "--layers", "2"]})
        assert (made.model, made.layers, made.names) == ("m", 2, ["가", "나"])


def test_types_that_a_command_line_cannot_tell_apart_are_an_error() -> None:
    @dataclass
    class Odd:
        value: int | float = 1

    with pytest.raises(TypeError, match="cannot tell the types"):
        HfArgumentParser(Odd)


def test_help_explains_every_training_argument_and_the_parser_loads_no_torch() -> None:
    code = """
import sys
from nabi.training.arguments.parser import HfArgumentParser
from nabi.training.arguments.training_arguments import Seq2SeqTrainingArguments
parser = HfArgumentParser(Seq2SeqTrainingArguments)
assert all(action.help for action in parser._actions)
parser.print_help()
print("torch" in sys.modules)"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "the highest learning rate (default: 5e-05)" in shown
    assert shown.endswith("False\n")
    assert "evaluation_strategy" not in shown
