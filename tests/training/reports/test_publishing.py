"""What goes to the Hub: the model and its card, never the checkpoints, when the arguments say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nabi.training.trainer import Trainer

from ... import test_hub
from ...test_hub import FakeHub
from ..tiny import bert, padded, quiet, rows

fake_hub = test_hub.fake_hub  # its fixture


def trainer(folder: Path, **settings: Any) -> Trainer:
    args = quiet(folder, max_steps=4, hub_model_id="owner/new", hub_token="hf_good", **settings)
    return Trainer(bert(), args, train_dataset=rows(16), eval_dataset=rows(6), data_collator=padded)


def commits(hub: FakeHub) -> Iterator[tuple[str, set[str]]]:
    """Message and files of the last commit of each branch."""
    for path, body in hub.bodies.items():
        if "/commit/" in path:
            lines = [json.loads(line) for line in body.splitlines()]
            yield lines[0]["value"]["summary"], {line["value"]["path"] for line in lines[1:]}


def test_a_push_carries_model_and_card_and_no_checkpoint(fake_hub: FakeHub, tmp_path: Path) -> None:
    mine = trainer(tmp_path, save_strategy="steps", save_steps=2)
    mine.train()
    mine.evaluate()
    url = mine.push_to_hub("다 됐어요", language="ko", license="cc0-1.0", tags=["nsmc"])
    assert url is not None and "owner/new/commit" in url
    [(message, files)] = commits(fake_hub)
    assert message == "다 됐어요"
    assert {"README.md", "config.json", "model.safetensors", "training_args.json"} <= files
    assert not [name for name in files if "checkpoint" in name]
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "license: cc0-1.0" in card and "text-classification" in card and "hf_good" not in card
    assert "| 0.0000" not in card.split("## Training arguments")[0]


@pytest.mark.parametrize(("strategy", "pushed"), [("end", False), ("every_save", True), ("checkpoint", True)])
def test_a_strategy_says_when_to_push(
    strategy: str,
    pushed: bool,
    fake_hub: FakeHub,
    tmp_path: Path,
) -> None:
    mine = trainer(tmp_path, save_strategy="steps", save_steps=2, push_to_hub=True, hub_strategy=strategy)
    mine.train()
    found = list(commits(fake_hub))
    assert bool(found) is pushed
    if strategy == "checkpoint":
        assert any("last-checkpoint/optimizer.pt" in files for _, files in found)


def test_a_card_takes_hfs_names_and_refuses_others(tmp_path: Path) -> None:
    mine = trainer(tmp_path)
    mine.create_model_card(finetuned_from="klue/bert-base", tasks="text-classification", dataset="nsmc")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "base_model: klue/bert-base" in card and "nsmc" in card
    with pytest.raises(TypeError, match="no_such_fact"):
        mine.create_model_card(no_such_fact=1)
