"""A model made ready to train: weights, switches, optimizer, device, wrapping."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from . import deepspeed
from .acceleration import name_blocks, recomputes, shards
from .checks import check_learning
from .columns import unwrapped
from .evaluation import switch

if TYPE_CHECKING:
    from .trainer import Trainer


def prepare(trainer: Trainer, max_steps: int, resume_from: Path | None) -> None:
    """Restore the weights, switch on what the arguments ask for, make the optimizer, wrap both for the processes."""
    args, model = trainer.args, trainer.model
    if resume_from is not None:
        trainer._load_from_checkpoint(str(resume_from))
    check_learning(model)
    if args.tf32 is not None:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    if recomputes(args):
        if not hasattr(model, "gradient_checkpointing_enable"):
            raise ValueError(f"gradient_checkpointing=True, but {type(model).__name__} cannot do it: set it to False")
        if hasattr(model, "peft_config"):  # gradients must reach the blocks through frozen embeddings
            model.enable_input_require_grads()
        model.gradient_checkpointing_enable(args.gradient_checkpointing_kwargs)
    if args.neftune_noise_alpha:
        trainer.noise = noise_on_embeddings(model, args.neftune_noise_alpha)
    accelerator = trainer.accelerator
    if deepspeed.runs(accelerator):
        deepspeed.start(trainer, max_steps)
        model.train()
        return
    wrapped: Any = model
    if args.torch_compile:
        wrapped = torch.compile(model, backend=args.torch_compile_backend or "inductor", mode=args.torch_compile_mode)
    trainer.create_optimizer_and_scheduler(max_steps)
    if shards(accelerator):
        name_blocks(accelerator, model)
    if args.torch_compile or accelerator.num_processes > 1 or accelerator.mixed_precision != "no":
        wrapped, trainer.optimizer = accelerator.prepare(wrapped, trainer.optimizer)
    else:
        trainer.optimizer = accelerator.prepare(trainer.optimizer)
    trainer.model_wrapped = wrapped
    model.train()
    switch(trainer.optimizer, "train")


def noise_on_embeddings(model: Any, alpha: float) -> Any:
    """NEFTune (arXiv:2310.05914): while training, uniform noise of size alpha / sqrt(length * width) on the vectors of
    the tokens. Returns the hook's handle, which removes it."""

    def add_noise(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        if not module.training:
            return output
        size = alpha / (output.shape[-2] * output.shape[-1]) ** 0.5
        return output + torch.empty_like(output).uniform_(-size, size)

    return unwrapped(model).get_input_embeddings().register_forward_hook(add_noise)
