"""The options of `nabi train`, as the command line takes them. What is left out is None: a YAML file may say it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..messages import say


def opt(*names: str, about: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, show_default=False, help=say(about), **more)


def train_command(
    model: Annotated[str | None, opt("--model", "-m", metavar="NAME", about="about_trained")] = None,
    data: Annotated[list[str] | None, opt("--data", "-d", metavar="FILE", about="about_data")] = None,
    output: Annotated[str | None, opt("--output", "-o", metavar="FOLDER", about="about_output")] = None,
    task: Annotated[str | None, opt("--task", "-t", metavar="TASK", about="about_trained_task")] = None,
    eval: Annotated[list[str] | None, opt("--eval", metavar="FILE", about="about_eval")] = None,
    eval_share: Annotated[float | None, opt("--eval-share", metavar="PART", about="about_eval_share")] = None,
    config: Annotated[Path | None, opt("--config", "-c", metavar="FILE", about="about_train_config")] = None,
    resume: Annotated[bool, opt("--resume", about="about_train_resume")] = False,
    overwrite: Annotated[bool, opt("--overwrite", about="about_train_overwrite")] = False,
    text: Annotated[str | None, opt("--text", metavar="COLUMN", about="about_text_column")] = None,
    label: Annotated[str | None, opt("--label", metavar="COLUMN", about="about_label_column")] = None,
    column: Annotated[list[str] | None, opt("--column", metavar="ROLE=COLUMN", about="about_roles")] = None,
    label_names: Annotated[str | None, opt("--label-names", metavar="A,B", about="about_label_names")] = None,
    multi_label: Annotated[bool | None, opt("--multi-label", about="about_several_labels")] = None,
    regression: Annotated[bool | None, opt("--regression", about="about_regression")] = None,
    limit: Annotated[int | None, opt("--limit", metavar="N", about="about_limit")] = None,
    epochs: Annotated[float | None, opt("--epochs", metavar="N", about="about_epochs")] = None,
    batch_size: Annotated[int | None, opt("--batch-size", metavar="N", about="about_train_batch")] = None,
    lr: Annotated[float | None, opt("--lr", metavar="RATE", about="about_lr")] = None,
    max_length: Annotated[int | None, opt("--max-length", metavar="N", about="about_max_length")] = None,
    max_target_length: Annotated[
        int | None, opt("--max-target-length", metavar="N", about="about_max_target_length")
    ] = None,
    prefix: Annotated[str | None, opt("--prefix", metavar="TEXT", about="about_prefix")] = None,
    pack: Annotated[bool | None, opt("--pack/--no-pack", about="about_pack")] = None,
    whole_words: Annotated[bool | None, opt("--whole-words", about="about_whole_words")] = None,
    patience: Annotated[int | None, opt("--patience", metavar="N", about="about_patience")] = None,
    seed: Annotated[int | None, opt("--seed", metavar="N", about="about_train_seed")] = None,
    device: Annotated[str | None, opt("--device", metavar="D", about="about_device")] = None,
    fp16: Annotated[bool | None, opt("--fp16", about="about_fp16")] = None,
    bf16: Annotated[bool | None, opt("--bf16", about="about_bf16")] = None,
    lora: Annotated[bool | None, opt("--lora", about="about_lora")] = None,
    lora_rank: Annotated[int | None, opt("--lora-rank", metavar="N", about="about_lora_rank")] = None,
    lora_alpha: Annotated[int | None, opt("--lora-alpha", metavar="N", about="about_lora_alpha")] = None,
    teacher: Annotated[str | None, opt("--teacher", metavar="NAME", about="about_teacher")] = None,
    from_scratch: Annotated[bool | None, opt("--from-scratch", about="about_from_scratch")] = None,
    freeze_body: Annotated[bool | None, opt("--freeze-body", about="about_freeze_body")] = None,
    set: Annotated[list[str] | None, opt("--set", metavar="NAME=VALUE", about="about_train_set")] = None,
    keep_checkpoints: Annotated[
        int | None, opt("--keep-checkpoints", metavar="N", about="about_keep_checkpoints")
    ] = None,
    offline: Annotated[bool | None, opt("--offline", about="about_offline")] = None,
    revision: Annotated[str | None, opt("--revision", metavar="R", about="about_revision")] = None,
) -> None:
    from .flow import train

    given = dict(locals())
    for name in ("train", "config", "resume", "overwrite", "text", "label"):
        given.pop(name)
    roles = [f"{role}={name}" for role, name in (("text", text), ("label", label)) if name is not None]
    given["column"] = [*roles, *(column or [])] or None
    given = {name: value for name, value in given.items() if value is not None and value != []}
    raise typer.Exit(train(given, config=config, resume=resume, overwrite=overwrite))
