"""Every name that v4 had is taken, does what it did, and is refused where it cannot; it can be read and set."""

from __future__ import annotations

import inspect
import json
import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from nabi.training.arguments import old_names
from nabi.training.arguments.old_names import OLD_NAMES
from nabi.training.arguments.training_arguments import Seq2SeqTrainingArguments, TrainingArguments

from .record_arguments import FILE

RECORDED = json.loads(Path(FILE).read_text(encoding="utf-8"))
# v4's default -> what the attribute shows today where that is another thing.
SHOWN_OTHERWISE = {
    **{"output_dir": "trainer_output", "report_to": [], "debug": [], "disable_tqdm": False, "fsdp": False},
    **{"fsdp_config": {}, "include_num_input_tokens_seen": "no", "gradient_checkpointing": False},
    **{"per_gpu_train_batch_size": 8, "per_gpu_eval_batch_size": 8},
}
MADE = {"logging_dir", "accelerator_config"}

# name, value, what it sets today
MEANS: list[tuple[str, Any, dict[str, Any]]] = [
    ("evaluation_strategy", "epoch", {"eval_strategy": "epoch", "do_eval": True}),
    ("evaluate_during_training", True, {"eval_strategy": "steps", "eval_steps": 500}),
    ("no_cuda", True, {"use_cpu": True}),
    ("gradient_checkpointing", True, {"activation_checkpointing": True}),
    (
        "gradient_checkpointing_kwargs",
        {"use_reentrant": False},
        {"activation_checkpointing_kwargs": {"use_reentrant": False}},
    ),
    ("per_gpu_train_batch_size", 4, {"per_device_train_batch_size": 4}),
    ("per_gpu_eval_batch_size", "2", {"per_device_eval_batch_size": 2}),
    ("group_by_length", True, {"train_sampling_strategy": "group_by_length"}),
    ("adafactor", True, {"optim": "adafactor"}),
    ("push_to_hub_token", "secret", {"hub_token": "secret"}),
    ("push_to_hub_model_id", "kcbert-nsmc", {"hub_model_id": "kcbert-nsmc"}),
    ("push_to_hub_organization", "beomi", {"hub_model_id": "beomi/out"}),
    ("include_inputs_for_metrics", True, {"include_for_metrics": ["inputs"]}),
    ("include_tokens_per_second", True, {"include_num_input_tokens_seen": "all"}),
    ("tpu_metrics_debug", True, {"debug": ["tpu_metrics_debug"]}),
    ("fsdp_min_num_params", 7, {"fsdp_config": {"min_num_params": 7}}),
    (
        "fsdp_transformer_layer_cls_to_wrap",
        "BertLayer",
        {"fsdp_config": {"transformer_layer_cls_to_wrap": ["BertLayer"]}},
    ),
    ("torchdynamo", "eager", {"torch_compile_backend": "eager", "torch_compile": True}),
    ("xpu_backend", "gloo", {"ddp_backend": "gloo"}),
    ("half_precision_backend", "cuda_amp", {"fp16": False}),
    ("fp16_backend", "amp", {"fp16": False}),
]
# name, value: taken without effect, with a warning
WITHOUT_EFFECT: list[tuple[str, Any]] = [
    ("fp16_opt_level", "O2"),
    ("save_safetensors", False),
    ("use_mps_device", True),
    ("use_ipex", True),
    ("jit_mode_eval", True),
    ("use_legacy_prediction_loop", True),
    ("mp_parameters", "x"),
    ("ray_scope", "all"),
    ("tpu_num_cores", 8),
]
REFUSED: list[tuple[str, Any, str]] = [
    ("past_index", 0, "compute_loss"),
    ("sharded_ddp", "simple", "full_shard"),
    ("half_precision_backend", "apex", "fp16=True"),
    ("fp16_backend", "apex", "fp16=True"),
]


@pytest.fixture(autouse=True)
def _warn_anew() -> None:
    old_names.warn_once.cache_clear()


def test_every_argument_of_v4_can_be_given_its_default_in_silence_and_read_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    args = Seq2SeqTrainingArguments(**{name: value for name, value in RECORDED.items() if name != "_n_gpu"})
    assert not caplog.records
    shown = {name: getattr(args, name) for name in RECORDED if name not in MADE}
    assert shown == {name: SHOWN_OTHERWISE.get(name, RECORDED[name]) for name in shown}
    assert args == Seq2SeqTrainingArguments(
        logging_dir=args.logging_dir, lr_scheduler_kwargs={}, trackio_space_id="trackio"
    )


def test_every_old_name_of_the_table_has_a_case_here() -> None:
    inside = {"dispatch_batches", "split_batches"}
    assert {*(case[0] for case in [*MEANS, *WITHOUT_EFFECT, *REFUSED]), *inside} == set(OLD_NAMES)
    assert not {one.name for one in fields(Seq2SeqTrainingArguments)} & set(OLD_NAMES)


@pytest.mark.parametrize(("name", "value", "today"), MEANS, ids=[case[0] for case in MEANS])
def test_an_old_name_does_what_it_did(name: str, value: Any, today: dict[str, Any]) -> None:
    args = TrainingArguments(output_dir="models/out", **{name: value})
    assert {new: getattr(args, new) for new in today} == today
    by_hand = TrainingArguments(output_dir="models/out", logging_dir=args.logging_dir)
    setattr(by_hand, name, value)
    assert by_hand == args
    if name not in (
        "fsdp_transformer_layer_cls_to_wrap",
        "half_precision_backend",
        "fp16_backend",
        "per_gpu_eval_batch_size",
    ):
        assert getattr(args, name) == value


@pytest.mark.parametrize(("name", "value"), WITHOUT_EFFECT, ids=[case[0] for case in WITHOUT_EFFECT])
def test_what_has_no_effect_is_taken_with_one_warning(name: str, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        made = [TrainingArguments("out", logging_dir="logs", **{name: value}) for _ in range(2)]
    assert [record.message.split(" has no effect")[0] for record in caplog.records] == [f"{name}={value!r}"]
    assert made[0] == TrainingArguments("out", logging_dir="logs")


@pytest.mark.parametrize(("name", "value", "remedy"), REFUSED, ids=[f"{case[0]}={case[1]}" for case in REFUSED])
def test_what_would_change_the_training_is_refused_with_a_remedy(name: str, value: Any, remedy: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: .*{remedy}"):
        TrainingArguments("out", **{name: value})


def test_batches_of_accelerate_were_arguments_of_their_own() -> None:
    args = TrainingArguments(
        "out", split_batches=True, dispatch_batches=False, accelerator_config={"even_batches": False}
    )
    config: Any = args.accelerator_config
    assert (config.split_batches, config.dispatch_batches, config.even_batches) == (True, False, False)
    assert args.split_batches is True
    args.split_batches = "false"
    args.dispatch_batches = True
    assert (args.accelerator_config.dispatch_batches, args.dispatch_batches) == (True, True)


def test_organization_and_model_id_make_one_name_in_any_order() -> None:
    for given in ({"push_to_hub_organization": "org", "push_to_hub_model_id": "m"}, {"hub_model_id": "org/m"}):
        assert TrainingArguments("out", **given).hub_model_id == "org/m"


def test_an_old_and_a_new_name_that_contradict_each_other_are_an_error() -> None:
    with pytest.raises(TypeError, match="evaluation_strategy is the old name of eval_strategy"):
        TrainingArguments("out", eval_strategy="epoch", evaluation_strategy="steps")
    assert TrainingArguments("out", eval_strategy="epoch", evaluation_strategy="epoch").eval_strategy == "epoch"
    assert TrainingArguments(
        "out", include_for_metrics=["loss"], include_inputs_for_metrics=True
    ).include_for_metrics == [*("loss", "inputs")]


def test_a_default_that_is_set_by_hand_is_set() -> None:
    args = TrainingArguments("out", evaluation_strategy="epoch", no_cuda=True)
    args.evaluation_strategy = "no"
    args.no_cuda = False
    assert (args.eval_strategy, args.use_cpu) == ("no", False)


def test_an_old_switch_is_true_or_false() -> None:
    assert TrainingArguments("out", no_cuda="true").use_cpu is True
    with pytest.raises(TypeError, match="no_cuda is True or False, not 'ja'"):
        TrainingArguments("out", no_cuda="ja")


def test_an_attribute_that_never_was_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'evaluation'"):
        TrainingArguments("out").evaluation  # noqa: B018
    assert not hasattr(TrainingArguments("out"), "hf_deepspeed_config")


def test_a_notebook_shows_the_real_signature() -> None:
    parameters = list(inspect.signature(TrainingArguments).parameters)
    assert parameters[:2] == ["output_dir", "per_device_train_batch_size"]
