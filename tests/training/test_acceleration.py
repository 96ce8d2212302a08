"""Settings of processes and sharding: what is taken, what is translated, what is refused and how."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from nabi.training.acceleration import make_accelerator, sharding_plugin

from . import tiny

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"fp16": True}, "fp16=True needs a GPU: on the CPU say bf16=True"),
    ({"fsdp": True}, "there is one: start the script by torchrun"),
    ({"deepspeed": {"zero_optimization": {"stage": 2}}}, "deepspeed needs a launcher, for one process too"),
    ({"accelerator_config": {"split_batches": True}}, "divide per_device_train_batch_size"),
    ({"accelerator_config": {"even_batches": False}}, "even_batches=False"),
    ({"accelerator_config": {"gradient_accumulation_kwargs": {"num_steps": 2}}}, "say gradient_accumulation_steps"),
]


@pytest.mark.parametrize(("settings", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_cannot_be_done_is_refused_with_a_remedy(settings: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says):
        make_accelerator(tiny.quiet(tmp_path, **settings))


def test_old_and_new_words_of_sharding_mean_the_same(tmp_path: Path) -> None:
    config = {"fsdp_transformer_layer_cls_to_wrap": "BertLayer", "backward_prefetch": "backward_pre", "version": 1}
    for word, resharded in (("full_shard", True), ("shard_grad_op", False)):
        old = sharding_plugin(tiny.quiet(tmp_path, fsdp=f"{word} auto_wrap offload", fsdp_config=dict(config)))
        assert old.fsdp_version == 2 and old.reshard_after_forward is resharded
        assert old.transformer_cls_names_to_wrap == ["BertLayer"]
        assert type(old.cpu_offload).__name__ == "CPUOffloadPolicy"
    new = sharding_plugin(tiny.quiet(tmp_path, fsdp=True))
    assert new.fsdp_version == 2 and new.reshard_after_forward is True


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"wrapp": 1}, "wrapp, which is not known"),
        ({"xla": True}, "for TPUs"),
        ({"auto_wrap_policy": "ALL"}, "auto_wrap_policy='ALL'"),
        ({"version": 1, "reshard_after_forward": "hybrid_shard"}, "reshard_after_forward='hybrid_shard'"),
    ],
    ids=lambda value: str(value),
)
def test_a_wrong_setting_of_sharding_is_named(config: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says):
        sharding_plugin(tiny.quiet(tmp_path, fsdp=True, fsdp_config=config))


def test_one_trainers_settings_do_not_reach_the_next(tmp_path: Path) -> None:
    assert make_accelerator(tiny.quiet(tmp_path, bf16=True)).mixed_precision == "bf16"
    assert make_accelerator(tiny.quiet(tmp_path)).mixed_precision == "no"
    assert "ACCELERATE_USE_FSDP" not in os.environ
