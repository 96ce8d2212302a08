"""TrainingArguments: the incumbent's fields, defaults and meanings, and an error for every contradiction."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import json
import logging
import pickle
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
import transformers

from nabi.training.arguments.accelerator_config import AcceleratorConfig
from nabi.training.arguments.checks import REPORTERS
from nabi.training.arguments.choices import IntervalStrategy, ParallelMode
from nabi.training.arguments.training_arguments import Seq2SeqTrainingArguments, TrainingArguments
from nabi.training.callbacks.reporting import CALLBACKS

OURS_ALONE = {"warmup_ratio", "logging_dir", "overwrite_output_dir"}
THEIRS_ALONE = {"gradient_checkpointing", "gradient_checkpointing_kwargs"}
# disable_tqdm follows each library's own log level; what is not given of FSDP is false and empty here.
OTHERWISE = {"disable_tqdm", "fsdp", "fsdp_config"}


def shared(ours: TrainingArguments, theirs: transformers.TrainingArguments) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of both under the names that both have."""
    made, expected = ours.to_dict(), theirs.to_dict()
    expected["accelerator_config"].setdefault("use_configured_state", False)  # they take it out once it was read
    names = made.keys() & expected.keys() - OTHERWISE
    return {name: made[name] for name in names}, {name: expected[name] for name in names}


@pytest.mark.parametrize("name", ["TrainingArguments", "Seq2SeqTrainingArguments"])
def test_every_field_has_the_incumbents_name_place_and_default(name: str) -> None:
    ours = {"TrainingArguments": TrainingArguments, "Seq2SeqTrainingArguments": Seq2SeqTrainingArguments}[name]
    theirs = getattr(transformers, name)
    names = [one.name for one in dataclasses.fields(ours) if one.name not in OURS_ALONE]
    assert names == [one.name for one in dataclasses.fields(theirs) if one.name not in THEIRS_ALONE]
    made, expected = shared(ours("out"), theirs("out"))
    assert made == expected
    assert made.keys() | OTHERWISE == set(names)


@pytest.mark.parametrize(
    "settings",
    [
        {"eval_strategy": "steps", "logging_steps": 7},
        {"eval_strategy": "epoch", "save_strategy": "epoch", "load_best_model_at_end": True},
        {"eval_strategy": "steps", "eval_steps": 0.1, "save_steps": 0.3, "load_best_model_at_end": True},
        {"metric_for_best_model": "eval_loss"},
        {"metric_for_best_model": "f1"},
        {"eval_strategy": "epoch", "lr_scheduler_type": "reduce_lr_on_plateau"},
        {"eval_strategy": "epoch", "lr_scheduler_type": "greedy"},
        {"torch_compile_mode": "default"},
        {
            "use_cpu": True,
            "activation_checkpointing": True,
            "activation_checkpointing_kwargs": '{"use_reentrant": false}',
        },
        {"logging_steps": 10.0, "save_steps": 20.0, "eval_strategy": "steps", "eval_steps": 5.0},
        {"include_num_input_tokens_seen": True, "debug": "underflow_overflow", "output_dir": "~/나비"},
        {
            "accelerator_config": {"split_batches": True},
            "report_to": ["tensorboard"],
            "lr_scheduler_kwargs": '{"power": 2}',
        },
        {"report_to": "none", "hub_token": "secret", "push_to_hub": True, "hub_model_id": "a/b"},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_what_follows_from_the_arguments_follows_as_in_the_incumbent(settings: dict) -> None:
    settings = {"output_dir": "out", **settings}
    made, expected = shared(TrainingArguments(**settings), transformers.TrainingArguments(**settings))
    assert made == expected


def test_output_dir_is_trainer_output_if_left_out() -> None:
    assert TrainingArguments().output_dir == "trainer_output"
    assert Path(TrainingArguments("a").logging_dir or "").parent == Path("a/runs")


def test_text_and_numpy_numbers_become_numbers() -> None:
    args = TrainingArguments(
        "out",
        learning_rate="2e-5",
        per_device_train_batch_size="16",
        fp16="false",
        do_train="True",
        save_total_limit="2",
    )
    assert (args.learning_rate, args.per_device_train_batch_size, args.fp16) == (2e-5, 16, False)
    assert (args.do_train, args.save_total_limit) == (True, 2)
    args = TrainingArguments("out", learning_rate=numpy.float32(0.5), seed=numpy.int64(3), max_steps=10.0)
    assert json.loads(args.to_json_string())["seed"] == 3
    assert type(args.max_steps) is int and type(args.learning_rate) is float


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"learnig_rate": 1}, TypeError, "no argument 'learnig_rate'; did you mean learning_rate"),
        ({"evaluation_stratgy": "epoch"}, TypeError, "evaluation_strategy or eval_strategy"),
        ({"fp16": True, "bf16": True}, ValueError, "fp16=True and bf16=True"),
        ({"fp16_full_eval": True, "bf16_full_eval": True}, ValueError, "fp16_full_eval"),
        ({"load_best_model_at_end": True}, ValueError, "load_best_model_at_end=True needs evaluation"),
        ({"load_best_model_at_end": True, "eval_strategy": "epoch"}, ValueError, "save_strategy='steps'"),
        (
            {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 200},
            ValueError,
            "multiple of eval_steps, but save_steps=500 and eval_steps=200",
        ),
        (
            {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 500, "save_steps": 100},
            ValueError,
            "save_steps=100 and eval_steps=500",
        ),
        (
            {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 0.1},
            ValueError,
            "part of all steps",
        ),
        ({"save_strategy": "best"}, ValueError, "needs evaluation"),
        ({"lr_scheduler_type": "reduce_lr_on_plateau"}, ValueError, "needs evaluation"),
        ({"logging_steps": 0}, ValueError, 'logging_steps is more than 0, not 0; for never, say logging_strategy="no"'),
        ({"save_steps": -1}, ValueError, "save_steps is more than 0"),
        ({"save_steps": 2.5}, ValueError, "save_steps is a whole number of steps"),
        ({"eval_strategy": "steps", "eval_steps": -3}, ValueError, "eval_steps is more than 0"),
        ({"per_device_train_batch_size": 0}, ValueError, "per_device_train_batch_size is 1 or more, not 0"),
        ({"per_device_eval_batch_size": -8}, ValueError, "per_device_eval_batch_size"),
        ({"per_device_train_batch_size": 2.5}, ValueError, "whole number, not 2.5"),
        ({"per_device_train_batch_size": True}, TypeError, "is a number, not True"),
        ({"per_device_train_batch_size": None}, TypeError, "is a number, not None"),
        ({"learning_rate": -1e-5}, ValueError, "learning_rate is 0 or more"),
        ({"learning_rate": float("nan")}, ValueError, "no finite number"),
        ({"learning_rate": "schnell"}, ValueError, "learning_rate is a number, not 'schnell'"),
        ({"num_train_epochs": -1}, ValueError, "num_train_epochs"),
        ({"max_steps": -5}, ValueError, "max_steps is -1 or more"),
        ({"gradient_accumulation_steps": 0}, ValueError, "gradient_accumulation_steps is 1 or more"),
        ({"label_smoothing_factor": 2}, ValueError, "label_smoothing_factor is 0 to 1"),
        ({"warmup_ratio": 1.5}, ValueError, "warmup_ratio is 0 to 1"),
        ({"warmup_steps": -2}, ValueError, "warmup_steps"),
        ({"adam_beta1": 1}, ValueError, "adam_beta1"),
        ({"seed": -1}, ValueError, "seed"),
        ({"torch_empty_cache_steps": 0}, ValueError, "torch_empty_cache_steps"),
        ({"do_train": "maybe"}, ValueError, "do_train is true or false, not 'maybe'"),
        ({"do_train": 3}, TypeError, "do_train is True or False"),
        ({"lr_scheduler_type": "lineer"}, ValueError, "did you mean 'linear'"),
        ({"optim": "adamw_toch"}, ValueError, "did you mean 'adamw_torch'"),
        ({"eval_strategy": "epochs"}, ValueError, "did you mean 'epoch'"),
        ({"train_sampling_strategy": "group_by_lenght"}, ValueError, "did you mean 'group_by_length'"),
        ({"log_level": "warn"}, ValueError, "did you mean 'warning'"),
        ({"include_for_metrics": ["input"]}, ValueError, "did you mean 'inputs'"),
        ({"dataloader_multiprocessing_context": "spwan"}, ValueError, "did you mean 'spawn'"),
        ({"debug": "overflow"}, ValueError, "underflow_overflow"),
        ({"report_to": "tensorbord"}, ValueError, "report_to='tensorbord' is not known"),
        ({"dataloader_prefetch_factor": 2}, ValueError, "dataloader_num_workers=1"),
        ({"dataloader_persistent_workers": True}, ValueError, "dataloader_num_workers=1"),
        ({"lr_scheduler_kwargs": "{power: 2}"}, ValueError, "lr_scheduler_kwargs is no valid JSON"),
        ({"deepspeed": "no_such.json"}, FileNotFoundError, "deepspeed='no_such.json'"),
        ({"accelerator_config": {"split_batch": True}}, TypeError, "did you mean 'split_batches'"),
        ({"fsdp": "full_shard offlod"}, ValueError, "fsdp='offlod' is not known"),
        ({"fsdp": "offload"}, ValueError, "full_shard offload"),
        ({"fsdp": "hybrid_shard"}, ValueError, "FSDP 1"),
    ],
    ids=lambda value: "-".join(f"{key}={value[key]}" for key in value) if isinstance(value, dict) else "",
)
def test_a_wrong_value_is_an_error_that_names_it(settings: dict, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        TrainingArguments(**{"output_dir": "out", **settings})


def test_the_services_to_report_to_are_those_that_have_a_callback() -> None:
    assert list(REPORTERS) == list(CALLBACKS)
    assert TrainingArguments("out", report_to="all").report_to == [
        name for name, library in REPORTERS.items() if importlib.util.find_spec(library)
    ]
    assert (
        TrainingArguments("out", report_to=None).report_to == TrainingArguments("out", report_to="none").report_to == []
    )


def test_an_argument_twice_or_one_too_many_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="output_dir is given twice"):
        TrainingArguments("out", output_dir="other")
    with pytest.raises(TypeError, match="but 200 are given"):
        TrainingArguments(*range(200))


@pytest.mark.parametrize(
    ("settings", "of_100"),
    [
        ({}, 0),
        ({"warmup_steps": 7}, 7),
        ({"warmup_steps": 0.055}, 6),
        ({"warmup_ratio": 0.1}, 10),
        ({"warmup_ratio": 0.1, "warmup_steps": 7}, 7),
        ({"warmup_ratio": 0.1, "warmup_steps": 0.05}, 5),
        ({"warmup_steps": 1.0}, 1),
    ],
    ids=str,
)
def test_warmup_is_said_in_steps_or_as_a_part(settings: dict, of_100: int) -> None:
    assert TrainingArguments("out", **settings).get_warmup_steps(100) == of_100


def test_a_dict_argument_is_a_dict_json_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "설정.json"
    file.write_text('{"split_batches": true}', encoding="utf-8")
    for given in ({"split_batches": True}, '{"split_batches": true}', str(file), AcceleratorConfig(split_batches=True)):
        args = TrainingArguments("out", accelerator_config=given)
        assert args.accelerator_config == AcceleratorConfig(split_batches=True)
    args = TrainingArguments("out", fsdp="full_shard auto_wrap offload", fsdp_config={"fsdp_min_num_params": 5})
    assert args.fsdp is True
    assert args.fsdp_config == {"min_num_params": 5, "reshard_after_forward": True, "cpu_offload": True}
    args = TrainingArguments("out", fsdp="shard_grad_op", fsdp_config={"transformer_layer_cls_to_wrap": "BertLayer"})
    assert args.fsdp_config == {"reshard_after_forward": False, "transformer_layer_cls_to_wrap": ["BertLayer"]}
    assert TrainingArguments("out", fsdp=True).fsdp is TrainingArguments("out", fsdp="true").fsdp is True
    assert TrainingArguments("out", fsdp="").fsdp is TrainingArguments("out", fsdp=[]).fsdp is False


def test_arguments_come_back_from_json_without_their_token(tmp_path: Path) -> None:
    args = Seq2SeqTrainingArguments(
        "결과", hub_token="hf_secret", eval_strategy="epoch", optim="sgd", generation_num_beams=4, warmup_ratio=0.1
    )
    text = args.to_json_string()
    assert "hf_secret" not in text + str(args) + repr(args)
    file = tmp_path / "training_args.json"
    file.write_text(text, encoding="utf-8")
    back = Seq2SeqTrainingArguments.from_json(file)
    assert back.to_dict() == args.to_dict()
    assert back.hub_token is None and args.hub_token == "hf_secret"
    assert dataclasses.replace(args, seed=7).hub_token == "hf_secret"
    assert pickle.loads(pickle.dumps(args)) == copy.deepcopy(args) == args


def test_arguments_of_the_incumbent_are_read() -> None:
    theirs = transformers.Seq2SeqTrainingArguments("out", eval_strategy="epoch", learning_rate=1e-3, seed=3)
    ours = Seq2SeqTrainingArguments.from_dict(json.loads(theirs.to_json_string()))
    assert (ours.eval_strategy, ours.learning_rate, ours.seed) == (IntervalStrategy.EPOCH, 1e-3, 3)


def test_a_sanitized_dict_is_plain() -> None:
    plain = TrainingArguments("out", use_cpu=True).to_sanitized_dict()
    theirs = transformers.TrainingArguments("out", use_cpu=True).to_sanitized_dict()
    assert {type(value) for value in plain.values()} <= {bool, int, float, str}
    assert (plain["train_batch_size"], plain["lr_scheduler_type"]) == (8, "linear")
    assert plain.keys() >= theirs.keys() - THEIRS_ALONE


def test_this_process_alone_has_rank_0_and_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    args = TrainingArguments("out", use_cpu=True, per_device_train_batch_size=3)
    assert (args.device, args.n_gpu, args.world_size) == (torch.device("cpu"), 0, 1)
    assert (args.process_index, args.local_process_index, args.train_batch_size, args.eval_batch_size) == (0, 0, 3, 8)
    assert args.parallel_mode is ParallelMode.NOT_PARALLEL
    assert args.should_save and args.should_log and args.place_model_on_device
    assert args.ddp_timeout_delta == timedelta(seconds=1800)
    with args.main_process_first(desc="map"):
        pass


def test_the_launcher_says_which_process_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    args = TrainingArguments("out", use_cpu=True)
    assert (args.world_size, args.process_index, args.local_process_index, args.local_rank) == (4, 3, 1, 1)
    assert args.parallel_mode is ParallelMode.DISTRIBUTED
    assert not args.should_save and not args.should_log
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert args.should_log and not args.should_save
    assert TrainingArguments("out", save_on_each_node=True).should_save


def test_several_gpus_make_a_batch_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    args = TrainingArguments("out")
    assert (args.n_gpu, args.train_batch_size, args.device) == (2, 16, torch.device("cuda", 0))
    assert args.parallel_mode is ParallelMode.NOT_DISTRIBUTED
    args._n_gpu = 1
    assert args.train_batch_size == 8
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert TrainingArguments("out").device == torch.device("cuda", 1)
    assert TrainingArguments("out").n_gpu == 1


def test_the_log_level_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    args = TrainingArguments("out", log_level="info", log_level_replica="error")
    assert args.get_process_log_level() == logging.INFO
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert args.get_process_log_level() == logging.ERROR
    args.log_level_replica = "passive"
    assert args.get_process_log_level() == logging.getLogger("nabi").getEffectiveLevel()


def test_there_is_no_progress_bar_where_only_errors_are_shown() -> None:
    house = logging.getLogger("nabi")
    before = house.level
    try:
        house.setLevel(logging.ERROR)
        assert TrainingArguments("out").disable_tqdm is True
        house.setLevel(logging.WARNING)
        assert TrainingArguments("out").disable_tqdm is False
    finally:
        house.setLevel(before)


def test_mixed_precision_is_what_is_said_or_what_the_launcher_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    assert [TrainingArguments("out", **{word: True}).mixed_precision for word in ("fp16", "bf16")] == ["fp16", "bf16"]
    assert TrainingArguments("out").mixed_precision == "no"
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    assert TrainingArguments("out").mixed_precision == "bf16"


THEMES: list[tuple[str, dict[str, Any]]] = [
    ("set_training", {"learning_rate": 1e-3, "batch_size": 2, "max_steps": 5, "activation_checkpointing": True}),
    ("set_evaluate", {"strategy": "steps", "steps": 10, "delay": 1, "loss_only": True}),
    ("set_testing", {"batch_size": 3, "loss_only": True}),
    ("set_save", {"strategy": "epoch", "total_limit": 2}),
    ("set_logging", {"strategy": "epoch", "report_to": ["tensorboard"], "level": "info", "nan_inf_filter": True}),
    ("set_push_to_hub", {"model_id": "a/b", "strategy": "end", "private_repo": True}),
    ("set_optimizer", {"name": "sgd", "learning_rate": 0.1, "args": "momentum=0.9"}),
    ("set_lr_scheduler", {"name": "cosine", "warmup_steps": 0.05, "num_epochs": 2}),
    ("set_dataloader", {"train_batch_size": 4, "num_workers": 2, "prefetch_factor": 3, "sampler_seed": 1}),
]


@pytest.mark.parametrize(("method", "settings"), THEMES, ids=[theme for theme, _ in THEMES])
@pytest.mark.parametrize("said", [True, False], ids=["said", "defaults"])
def test_arguments_are_set_by_theme_as_in_the_incumbent(method: str, settings: dict, said: bool) -> None:
    settings = settings if said else {key: value for key, value in settings.items() if key == "model_id"}
    made = getattr(TrainingArguments("out"), method)(**settings)
    expected = getattr(transformers.TrainingArguments("out"), method)(**settings)
    ours, theirs = shared(made, expected)
    theirs["eval_delay"] = theirs["eval_delay"] or 0
    theirs["report_to"] = [] if theirs["report_to"] == "none" else theirs["report_to"]
    assert ours == theirs


def test_themes_may_come_in_any_order_and_refuse_steps_of_nothing() -> None:
    args = TrainingArguments("out").set_lr_scheduler("reduce_lr_on_plateau").set_evaluate("epoch")
    args.check()
    for method in ("set_evaluate", "set_save", "set_logging"):
        with pytest.raises(ValueError, match="more than 0"):
            getattr(TrainingArguments("out"), method)("steps", steps=0)
    with pytest.raises(ValueError, match="batch_size"):
        TrainingArguments("out").set_training(batch_size=0)


def test_what_was_set_by_hand_is_checked_when_asked() -> None:
    args = TrainingArguments("out")
    args.learning_rate = "1e-3"  # type: ignore[assignment]
    args.eval_strategy = "epoch"
    args.check()
    assert (args.learning_rate, args.eval_strategy, args.do_eval) == (1e-3, IntervalStrategy.EPOCH, True)


def test_a_dataclass_that_inherits_takes_all_names_and_a_constructor_by_hand_its_own() -> None:
    @dataclass
    class Mine(TrainingArguments):
        temperature: float = 2.0

    assert "secret" not in repr(Mine("out", hub_token="secret"))
    assert (Mine("out", temperature=4, evaluation_strategy="epoch").eval_strategy) == "epoch"
    with pytest.raises(TypeError, match="did you mean temperature"):
        Mine("out", temprature=4)

    class ByHand(TrainingArguments):
        def __init__(self, folder: str) -> None:
            super().__init__(output_dir=folder, seed=5)

    assert ByHand("x").seed == 5


def test_making_arguments_loads_no_torch() -> None:
    code = "import sys, nabi; nabi.TrainingArguments('out'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
