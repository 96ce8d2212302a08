"""The losses are the papers' formulas, and a trainer with a teacher adds them to its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import nabi
from nabi.training.arguments.training_arguments import TrainingArguments
from nabi.training.objectives.distillation import DistillationTrainer, distillation_loss, hidden_state_loss

from .small_models import make

RNG = torch.Generator().manual_seed(0)


def logits(*shape: int) -> Tensor:
    return torch.randn(shape, generator=RNG) * 3


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_the_loss_is_torchs_divergence_of_softened_scores(temperature: float) -> None:
    student, teacher = logits(6, 4), logits(6, 4)
    softened = (student / temperature).log_softmax(-1), (teacher / temperature).softmax(-1)
    expected = F.kl_div(*softened, reduction="batchmean") * temperature**2
    torch.testing.assert_close(distillation_loss(student, teacher, temperature=temperature), expected)
    assert distillation_loss(teacher, teacher).abs() < 1e-6


def test_at_a_high_temperature_it_is_the_distance_of_logits() -> None:
    """Section 2.1 of the paper: the gradient goes to (student - teacher) / classes for logits of mean 0."""
    student, teacher = (values - values.mean(-1, keepdim=True) for values in (logits(1, 5), logits(1, 5)))
    student.requires_grad_()
    distillation_loss(student, teacher, temperature=300.0).backward()
    torch.testing.assert_close(student.grad, (student.detach() - teacher) / 5, atol=0.02, rtol=0)


@pytest.mark.parametrize("as_mask", [True, False])
def test_only_what_counts_is_in_the_mean(as_mask: bool) -> None:
    student, teacher = logits(2, 3, 4), logits(2, 3, 4)
    counts = torch.tensor([[True, False, True], [False, False, True]])
    given = counts if as_mask else torch.where(counts, 1, -100)
    expected = distillation_loss(student[counts], teacher[counts])
    torch.testing.assert_close(distillation_loss(student, teacher, given), expected)
    assert distillation_loss(student, teacher, torch.zeros_like(counts)) == 0


def test_hidden_states_are_compared_by_their_angle() -> None:
    student, teacher = logits(2, 3, 8), logits(2, 3, 8)
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    rows = student[mask == 1], teacher[mask == 1]
    expected = F.cosine_embedding_loss(*rows, torch.ones(3))
    torch.testing.assert_close(hidden_state_loss(student, teacher, mask), expected)


def test_logits_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\), the teacher's \(2, 4\)"):
        distillation_loss(logits(2, 3), logits(2, 4))
    with pytest.raises(ValueError, match=r"shape \(2, 3\), but there are logits for \(2,\)"):
        distillation_loss(logits(2, 3), logits(2, 3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="temperature is 0"):
        distillation_loss(logits(2, 3), logits(2, 3), temperature=0)


# --- the trainer -----------------------------------------------------------------------------------------------------

IDS = torch.randint(5, 60, (3, 8), generator=RNG)
MASK = (torch.arange(8) < torch.tensor([[8], [6], [3]])).long()
TOKENS = torch.where((MASK == 1) & (torch.arange(8) % 2 == 1), IDS, -100)
TASKS: dict[str, tuple[str, dict[str, Tensor]]] = {
    "classification": ("BertForSequenceClassification", {"labels": torch.tensor([0, 1, 1])}),
    "tokens": ("BertForTokenClassification", {"labels": torch.where(TOKENS == -100, -100, TOKENS % 2)}),
    "choices": ("BertForMultipleChoice", {"labels": torch.tensor([0])}),
    "masked": ("BertForMaskedLM", {"labels": TOKENS}),
    "causal": ("GPT2LMHeadModel", {"labels": IDS.masked_fill(MASK == 0, -100)}),
    "question": (
        "BertForQuestionAnswering",
        {"start_positions": torch.tensor([1, 2, 0]), "end_positions": torch.tensor([3, 2, 1])},
    ),
}


def batch(task: str) -> dict[str, Tensor]:
    inputs = {"input_ids": IDS, "attention_mask": MASK}
    if task == "choices":
        inputs = {name: value[None] for name, value in inputs.items()}
    return {**inputs, **TASKS[task][1]}


def trainer(folder: Path, student: Any, teacher: Any, **settings: Any) -> DistillationTrainer:
    known = {"temperature", "alpha", "hidden_weight"}
    own = {name: settings.pop(name) for name in known & set(settings)}
    args = TrainingArguments(
        output_dir=str(folder), report_to=[], use_cpu=True, disable_tqdm=True, **settings.pop("args", {})
    )
    return DistillationTrainer(student, args, teacher=teacher, **own, **settings)


def expected_divergence(task: str, student: Any, teacher: Any) -> Tensor:
    """By hand, from whole outputs, for temperature 3."""
    if task == "question":
        real = MASK == 1
        rows = []
        for name in ("start_logits", "end_logits"):
            for own, other, keep in zip(student[name], teacher[name], real, strict=True):
                rows.append(divergence(own[keep], other[keep]))
        return torch.stack(rows).mean()
    own, other = student["logits"], teacher["logits"]
    labels = TASKS[task][1]["labels"]
    if task == "causal":
        own, other, labels = own[:, :-1], other[:, :-1], labels[:, 1:]
    return torch.stack(
        [divergence(*pair) for pair in zip(own[labels != -100], other[labels != -100], strict=True)]
    ).mean()


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    p, q = (teacher / 3).softmax(-1), (student / 3).softmax(-1)
    return (p * (p / q).log()).sum() * 9


@pytest.mark.parametrize("task", TASKS)
def test_the_trainers_loss_is_the_labels_and_the_teachers(task: str, tmp_path: Path) -> None:
    name, _ = TASKS[task]
    student, teacher = make(name, 1), make(name, 2).train()
    inputs = batch(task)
    made = trainer(tmp_path, student, teacher, temperature=3.0, alpha=0.3)
    loss, outputs = made.compute_loss(student, inputs, return_outputs=True)
    with torch.no_grad():
        own, other = student(**inputs), make(name, 2)(**inputs)
    expected = 0.3 * own["loss"] + 0.7 * expected_divergence(task, own, other)
    torch.testing.assert_close(loss.detach(), expected, atol=1e-4, rtol=1e-4)
    assert set(outputs) == set(own) - {"past_key_values"}
    loss.backward()
    assert not teacher.training and all(p.grad is None and not p.requires_grad for p in teacher.parameters())
    assert student.base_model.get_input_embeddings().weight.grad is not None


def test_hidden_states_are_a_third_loss_and_stay_out_of_the_outputs(tmp_path: Path) -> None:
    student, teacher = make("BertForMaskedLM", 1, num_hidden_layers=2), make("BertForMaskedLM", 2)
    inputs = batch("masked")
    plain = trainer(tmp_path, student, teacher).compute_loss(student, inputs)
    loss, outputs = trainer(tmp_path, student, teacher, hidden_weight=0.5).compute_loss(student, inputs, True)
    states = [one(**inputs, output_hidden_states=True).hidden_states[-1] for one in (student, teacher)]
    torch.testing.assert_close(loss, plain + 0.5 * hidden_state_loss(*states, MASK))
    assert "hidden_states" not in outputs


def test_a_teacher_of_another_family_gets_the_inputs_that_it_takes(tmp_path: Path) -> None:
    config = nabi.DistilBertConfig(vocab_size=60, dim=16, hidden_dim=32, n_layers=1, n_heads=2)
    teacher = nabi.DistilBertForSequenceClassification(config).eval()
    inputs = {**batch("classification"), "token_type_ids": torch.zeros_like(IDS)}
    student = make("BertForSequenceClassification")
    assert trainer(tmp_path, student, teacher).compute_loss(student, inputs).isfinite()


def test_a_model_that_writes_learns_from_its_teachers_writing(tmp_path: Path) -> None:
    small = dict(vocab_size=60, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0)
    student, teacher = (nabi.T5ForConditionalGeneration(nabi.T5Config(**small)).eval() for _ in range(2))
    made = trainer(tmp_path, student, teacher, alpha=0.0)
    loss = made.compute_loss(student, {"input_ids": IDS, "attention_mask": MASK, "labels": TOKENS})
    own, other = (one(input_ids=IDS, attention_mask=MASK, labels=TOKENS).logits for one in (student, teacher))
    torch.testing.assert_close(loss, distillation_loss(own, other, TOKENS))


@pytest.mark.parametrize("accumulated", [1, 2])
def test_training_brings_the_student_to_its_teacher(accumulated: int, tmp_path: Path) -> None:
    student, teacher = make("GPT2LMHeadModel", 1, n_layer=1), make("GPT2LMHeadModel", 2)
    rows = [
        {"input_ids": ids, "labels": ids.masked_fill(torch.arange(8) < skip, -100)} for ids in IDS for skip in (0, 5)
    ]
    settings = dict(
        max_steps=30,
        per_device_train_batch_size=6 // accumulated,
        gradient_accumulation_steps=accumulated,
        learning_rate=1e-2,
        save_strategy="no",
        logging_strategy="no",
    )
    made = trainer(tmp_path, student, teacher, alpha=0.0, train_dataset=rows, eval_dataset=rows, args=settings)
    before = made.evaluate()["eval_loss"]
    made.train()
    assert made.evaluate()["eval_loss"] < 0.5 * before


def test_accumulated_batches_give_the_gradients_of_one(tmp_path: Path) -> None:
    rows = [
        {"input_ids": ids, "labels": ids.masked_fill(torch.arange(8) < skip, -100)} for ids in IDS for skip in (0, 6)
    ]
    weights = []
    for accumulated in (1, 3):
        student, teacher = make("GPT2LMHeadModel", 1), make("GPT2LMHeadModel", 2)
        settings = dict(
            max_steps=1,
            per_device_train_batch_size=6 // accumulated,
            gradient_accumulation_steps=accumulated,
            learning_rate=0.1,
            optim="sgd",
            save_strategy="no",
            logging_strategy="no",
        )
        trainer(tmp_path, student, teacher, train_dataset=rows, args=settings).train()
        weights.append(student.get_input_embeddings().weight.detach())
    torch.testing.assert_close(*weights)


def _labels(*names: str) -> dict[str, Any]:
    return {"id2label": dict(enumerate(names)), "label2id": {name: number for number, name in enumerate(names)}}


REFUSED: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "labels": ("BertForSequenceClassification", {"num_labels": 3}, {}, {}, "3 labels, the teacher 2"),
    "names": (
        "BertForSequenceClassification",
        _labels("부정", "긍정"),
        _labels("긍정", "부정"),
        {},
        "the student's labels are",
    ),
    "tokens": ("BertForMaskedLM", {"vocab_size": 61}, {}, {}, "61 tokens, the teacher 60"),
    "a value": ("BertForSequenceClassification", {"num_labels": 1}, {"num_labels": 1}, {}, "regression of 1 label"),
    "several": ("BertForSequenceClassification", {"problem_type": "multi_label_classification"}, {}, {}, "multi_label"),
    "sizes": ("BertForMaskedLM", {"hidden_size": 8}, {}, {"hidden_weight": 1.0}, "size 8 in the student and 16"),
    "alpha": ("BertForMaskedLM", {}, {}, {"alpha": 1.5}, "alpha is 1.5"),
    "temperature": ("BertForMaskedLM", {}, {}, {"temperature": 0.0}, "temperature is 0"),
    "weight": ("BertForMaskedLM", {}, {}, {"hidden_weight": -1.0}, "hidden_weight is -1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_teacher_that_does_not_fit_is_refused_at_once(case: str, tmp_path: Path) -> None:
    name, student, teacher, settings, says = REFUSED[case]
    with pytest.raises(ValueError, match=says):
        trainer(tmp_path, make(name, **student), make(name, **teacher), **settings)


def test_two_models_for_two_tasks_are_refused(tmp_path: Path) -> None:
    student, teacher = make("BertForSequenceClassification"), make("BertForQuestionAnswering")
    with pytest.raises(ValueError, match="both need the same"):
        trainer(tmp_path, student, teacher).compute_loss(student, batch("classification"))
