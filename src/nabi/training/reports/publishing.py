"""A trained model shown to others: its card, and its way to the Hub."""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...hub import upload
from ..arguments.choices import HubStrategy
from ..batches import length_of
from ..checkpoints import PREFIX, UNFINISHED
from ..columns import LABELS, unwrapped
from .model_card import ModelFacts, Split, framework_versions, notable_arguments, save_model_card

if TYPE_CHECKING:
    from ..hooks.saving import SavingHooks

logger = logging.getLogger(__name__)

# The ending of a model's class -> the task of its pipeline.
TASKS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForMultipleChoice": "multiple-choice",
    "ForImageClassification": "image-classification",
    "ForAudioClassification": "audio-classification",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "MTModel": "translation",
}
LARGEST_COUNTED = 1_000_000  # examples of which the card counts the labels


def create_model_card(trainer: SavingHooks, **facts: Any) -> Path:
    """README.md in the output folder. facts: fields of ModelFacts that win over what the trainer knows itself."""
    known = facts_of(trainer)
    known.update({name: value for name, value in facts.items() if value is not None})
    if "finetuned_from" in known:  # HF's names of some
        known["base_model"] = known.pop("finetuned_from")
    if "tasks" in known:
        tasks = known.pop("tasks")
        known["task"] = tasks if isinstance(tasks, str) else tasks[0]
    named, ids = known.pop("dataset", None), known.pop("dataset_tags", None)
    if named or ids:
        known["datasets"] = ids or named
    known.pop("dataset_args", None)
    unknown = set(known) - set(ModelFacts.__dataclass_fields__)
    if unknown:
        raise TypeError(
            f"create_model_card takes no {', '.join(sorted(unknown))}; it takes "
            f"{', '.join(ModelFacts.__dataclass_fields__)}"
        )
    return save_model_card(ModelFacts(**known), trainer.output_dir)


def facts_of(trainer: SavingHooks) -> dict[str, Any]:
    """What a trainer knows of the model that it has trained."""
    model = unwrapped(trainer.model)
    base = getattr(getattr(model, "config", None), "_name_or_path", None)
    folder = Path(trainer.output_dir)
    name = trainer.args.hub_model_id or folder.resolve().name
    splits = [split_of("train", trainer.train_dataset, model)]
    evaluated = trainer.eval_dataset if isinstance(trainer.eval_dataset, dict) else {"": trainer.eval_dataset}
    splits += [split_of(f"evaluation {key}".strip(), data, model) for key, data in evaluated.items()]
    return {
        "model_name": name.rpartition("/")[2],
        "model_id": trainer.args.hub_model_id or str(folder),
        "task": next((task for ending, task in TASKS.items() if type(model).__name__.endswith(ending)), None),
        "base_model": base or None,
        "splits": [split for split in splits if split is not None],
        "history": trainer.state.log_history,
        "best_step": trainer.state.best_global_step if trainer.args.load_best_model_at_end else None,
        "arguments": notable_arguments(trainer.args),
        "versions": framework_versions(),
    }


def split_of(name: str, dataset: Any, model: Any) -> Split | None:
    """Rows, file and, of a classifier's data, how often each label occurs."""
    if dataset is None:
        return None
    rows = length_of(dataset)
    source = getattr(dataset, "source", None)
    columns = getattr(dataset, "column_names", None) or getattr(dataset, "columns", None) or []
    column = next((label for label in LABELS if label in columns), None)
    counts: Counter[Any] = Counter()
    if column is not None and rows is not None and rows <= LARGEST_COUNTED:
        values = list(dataset[column])
        if all(isinstance(value, (int, str)) for value in values):
            names = getattr(getattr(model, "config", None), "id2label", None) or {}
            counts = Counter(str(names.get(value, value)) for value in values)
    return Split(name, rows, str(source) if source else None, dict(counts.most_common()))


def push_to_hub(trainer: SavingHooks, commit_message: str, blocking: bool, **options: Any) -> str | None:
    """Save model and card into the output folder and upload it, without its checkpoints."""
    for name in ("model_name", "tags", "language", "license", "finetuned_from", "tasks", "dataset"):
        if options.get(name) is None:
            options.pop(name, None)
    token, revision = options.pop("token", None), options.pop("revision", None)
    trainer.save_model(_internal_call=True)
    if not trainer.is_world_process_zero():
        return None
    wait_for_push(trainer)
    create_model_card(trainer, **options)
    future = start_push(trainer, commit_message, token=token, revision=revision)
    return future.result() if blocking else None


def push_checkpoint(trainer: SavingHooks, folder: Path) -> None:
    """After a checkpoint was saved: upload in the background what args.hub_strategy asks for."""
    args = trainer.args
    strategy = HubStrategy(args.hub_strategy)
    if strategy is HubStrategy.END or not trainer.is_world_process_zero():
        return
    running = trainer.push_in_progress
    if running is not None and not running.done() and not args.hub_always_push:
        return  # the next one will carry it
    wait_for_push(trainer)
    trainer.save_model(_internal_call=True)
    start_push(trainer, f"Training in progress, step {trainer.state.global_step}")
    if strategy in (HubStrategy.CHECKPOINT, HubStrategy.ALL_CHECKPOINTS):
        wait_for_push(trainer)
        place = "last-checkpoint" if strategy is HubStrategy.CHECKPOINT else folder.name
        upload(folder, repository(trainer), token=args.hub_token, path_in_repo=place)


def start_push(trainer: SavingHooks, message: str, **options: Any) -> Future[str]:
    args = trainer.args
    settings: dict[str, Any] = {
        "token": options.pop("token", None) or args.hub_token,
        "revision": options.pop("revision", None) or args.hub_revision,
        "private": args.hub_private_repo,
        "commit_message": message,
        "ignore": ["_*", f"{PREFIX}-*", f"{UNFINISHED}*", "runs/*"],
    }
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nabi-upload")
    trainer.push_in_progress = worker.submit(upload, trainer.output_dir, repository(trainer), **settings)
    worker.shutdown(wait=False)
    return trainer.push_in_progress


def wait_for_push(trainer: SavingHooks) -> None:
    if trainer.push_in_progress is not None:
        trainer.push_in_progress.result()
        trainer.push_in_progress = None


def repository(trainer: SavingHooks) -> str:
    return trainer.args.hub_model_id or Path(trainer.output_dir).resolve().name
