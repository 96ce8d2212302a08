"""Distillation (arXiv:1503.02531): a student learns the labels, and how sure its teacher is of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...nn.losses import IGNORED
from ...nn.pretrained import PreTrainedModel
from ..columns import accepted_columns, unwrapped
from ..losses import shifts_labels
from ..trainer import Trainer

SCORES = ("logits", "start_logits", "end_logits")
NEVER = -1e4  # a logit that no probability is left of


def distillation_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels_or_mask: Tensor | None = None,
    temperature: float = 2.0,
) -> Tensor:
    """KL(teacher || student) of softmax(logits / temperature), times temperature², the mean over what counts.

    logits (…, classes). labels_or_mask (…): labels, of which -100 do not count, or a mask of booleans (an attention
    mask as attention_mask.bool()); None: all count. 0 if nothing does.
    """
    check_shapes(student_logits, teacher_logits)
    check_temperature(temperature)
    student = (student_logits.float() / temperature).log_softmax(-1)
    teacher = (teacher_logits.float() / temperature).log_softmax(-1)
    divergence = (teacher.exp() * (teacher - student)).sum(-1)
    return mean_where(divergence, counted(labels_or_mask)) * temperature**2


def hidden_state_loss(student: Tensor, teacher: Tensor, mask: Tensor | None = None) -> Tensor:
    """DistilBERT's third loss (arXiv:1910.01108): 1 - cosine of hidden states (batch, length, hidden), the mean over
    the tokens where the mask (batch, length) is 1."""
    distances = 1 - F.cosine_similarity(student.float(), teacher.float(), dim=-1)
    return mean_where(distances, None if mask is None else mask == 1)


def counted(labels_or_mask: Tensor | None) -> Tensor | None:
    if labels_or_mask is None or labels_or_mask.dtype is torch.bool:
        return labels_or_mask
    return labels_or_mask != IGNORED


def mean_where(values: Tensor, counts: Tensor | None) -> Tensor:
    if counts is None:
        return values.mean()
    if counts.shape != values.shape:
        raise ValueError(
            f"labels_or_mask has shape {tuple(counts.shape)}, but there are logits for {tuple(values.shape)}: one each"
        )
    return torch.where(counts, values, 0.0).sum() / counts.sum().clamp(min=1)


def check_temperature(temperature: float) -> None:
    if temperature <= 0:
        raise ValueError(f"temperature is {temperature}; it divides logits: give a number above 0, 1 to leave them")


def check_shapes(student: Tensor, teacher: Tensor) -> None:
    if student.shape != teacher.shape:
        raise ValueError(
            f"the student's logits have shape {tuple(student.shape)}, the teacher's {tuple(teacher.shape)}: both must "
            "score the same labels or tokens"
        )


class DistillationTrainer(Trainer):
    """A Trainer whose loss is alpha * the model's own + (1 - alpha) * distillation_loss, against a teacher.

    teacher: a model for the same task, with the same labels or tokens; it runs without gradients, in eval mode.
    temperature: softens both models' scores. hidden_weight: adds so much of hidden_state_loss of the last layers.
    Classification, token classification, question answering, masked, causal and seq2seq language models. ValueError
    at construction for a teacher of other labels or another vocabulary, and where nothing is classified.
    """

    def __init__(
        self,
        *args: Any,
        teacher: Any,
        temperature: float = 2.0,
        alpha: float = 0.5,
        hidden_weight: float = 0.0,
        **settings: Any,
    ) -> None:
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha is {alpha}; it is the share of the labels' loss, from 0 to 1")
        check_temperature(temperature)
        if hidden_weight < 0:
            raise ValueError(f"hidden_weight is {hidden_weight}; give 0 (no such loss) or more")
        super().__init__(*args, **settings)
        check_teacher(unwrapped(self.model), unwrapped(teacher), hidden_weight > 0)
        self.teacher = teacher.to(self.args.device).eval().requires_grad_(False)
        self.teacher_takes = accepted_columns(teacher)
        self.temperature, self.alpha, self.hidden_weight = temperature, alpha, hidden_weight

    def compute_loss(
        self, model: nn.Module, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The weighted sum of the losses; (loss, the student's outputs) if asked for."""
        asked = {**inputs, "output_hidden_states": True} if self.hidden_weight else inputs
        answers = self.ask_teacher(asked)
        loss, outputs = super().compute_loss(model, asked, return_outputs=True, num_items_in_batch=num_items_in_batch)
        taught = (1 - self.alpha) * self.scores_loss(outputs, answers, inputs)
        if self.hidden_weight:
            last, goal = outputs.pop("hidden_states")[-1], answers["hidden_states"][-1]
            taught = taught + self.hidden_weight * hidden_state_loss(last, goal, inputs.get("attention_mask"))
        if num_items_in_batch is not None:  # a part of the update's mean, as the labels' loss is already
            taught = taught * self.share_of_update
        loss = self.alpha * loss + taught
        return (loss, outputs) if return_outputs else loss

    def ask_teacher(self, inputs: Mapping[str, Any]) -> Any:
        """The teacher's outputs for a batch; it sees labels only where it needs them to write on (T5, BART)."""
        takes = self.teacher_takes
        kept = {name: value for name, value in inputs.items() if takes is None or name in takes}
        if not hasattr(unwrapped(self.teacher), "prepare_decoder_input_ids_from_labels"):
            kept = {name: value for name, value in kept.items() if name not in self.label_names}
        if takes is not None and "use_cache" in takes:
            kept["use_cache"] = False
        with torch.no_grad():
            return self.teacher(**kept)

    def scores_loss(self, student: Mapping[str, Any], teacher: Mapping[str, Any], inputs: Mapping[str, Any]) -> Tensor:
        """distillation_loss of all scores that a task has (of a question's start and end: their mean)."""
        names = [name for name in SCORES if name in student]
        if not names or any(name not in teacher for name in names):
            raise ValueError(
                f"the student's outputs are {', '.join(student)}, the teacher's {', '.join(teacher)}: both need the "
                f"same of {', '.join(SCORES)}, so take two models for one task"
            )
        losses = [self.score_loss(student[name], teacher[name], inputs, of_places=name != "logits") for name in names]
        return torch.stack(losses).mean()

    def score_loss(self, student: Tensor, teacher: Tensor, inputs: Mapping[str, Any], of_places: bool) -> Tensor:
        check_shapes(student, teacher)
        mask, labels = inputs.get("attention_mask"), inputs.get(self.label_names[0])
        if of_places:  # (batch, length): how likely each token is the start; padding is none of the choices
            if mask is not None:
                student, teacher = (scores.masked_fill(mask == 0, NEVER) for scores in (student, teacher))
            return distillation_loss(student, teacher, None, self.temperature)
        counts = labels if labels is not None or student.dim() < 3 else None if mask is None else mask.bool()
        if counts is not None and shifts_labels(self.model):
            student, teacher, counts = student[:, :-1], teacher[:, :-1], counts[:, 1:]
        return distillation_loss(student, teacher, counts, self.temperature)


def check_teacher(student: Any, teacher: Any, hidden: bool) -> None:
    """ValueError for two models that cannot be compared; modules of other kinds are not looked at."""
    if not (isinstance(student, PreTrainedModel) and isinstance(teacher, PreTrainedModel)):
        return
    own, other = student.config, teacher.config
    if hidden and (own.hidden_size != other.hidden_size or own.is_encoder_decoder):
        raise ValueError(
            f"hidden_weight compares the last hidden states, of size {own.hidden_size} in the student and "
            f"{other.hidden_size} in the teacher: they must be of one size and one stack, else leave hidden_weight at 0"
        )
    if student.get_output_embeddings() is not None:
        if own.vocab_size != other.vocab_size:
            raise ValueError(
                f"the student knows {own.vocab_size} tokens, the teacher {other.vocab_size}: both must use one "
                "tokenizer"
            )
        return
    if own.num_labels == 1 or own.problem_type in ("regression", "multi_label_classification"):
        raise ValueError(
            f"distillation compares probabilities of labels of which one is right, but this is a "
            f"{own.problem_type or 'regression'} of {own.num_labels} label(s): train with a Trainer, with the "
            "teacher's scores as labels"
        )
    if own.num_labels != other.num_labels:
        raise ValueError(
            f"the student has {own.num_labels} labels, the teacher {other.num_labels}: make the student with "
            "num_labels (or id2label) of the teacher's config"
        )
    if named(own) and named(other) and own.id2label != other.id2label:
        raise ValueError(
            f"the student's labels are {own.id2label}, the teacher's {other.id2label}: give the student the teacher's "
            "id2label and label2id, or if they mean the same, set teacher.config.id2label"
        )


def named(config: Any) -> bool:
    """Whether labels have names of their own."""
    return any(name != f"LABEL_{number}" for number, name in config.id2label.items())
