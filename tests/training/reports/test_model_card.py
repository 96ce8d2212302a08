"""The model card: its head can be read back, its tables hold, its facts are the trainer's, the user's page stays."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard

from nabi.training.reports.model_card import (
    ModelFacts,
    Split,
    framework_versions,
    model_card,
    notable_arguments,
    save_model_card,
)

from ..callbacks.pretended_training import Pretended, arguments

TITLE = '영화평: "감성" | #1 - yes'


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> ModelFacts:
    history = Pretended(arguments(tmp_path_factory.mktemp("out")), []).run()
    history[2]["eval_정확도"] = 0.9375  # the evaluation at step 4 is the best
    return ModelFacts(
        *(TITLE, "user/nsmc-bert", "text-classification", "ko", "cc-by-sa-4.0", ["감성"], "klue/bert-base"),
        splits=[
            Split("train", 150000, "/home/someone/ratings_train.txt", {"긍정|+": 100000, "부정": 50000}),
            Split("validation", 3, "/home/someone/ratings_test.txt", {"부정": 2, "중립\n0": 1}),
        ],
        history=history,
        best_step=4,
        arguments={"learning_rate": 3e-5, "seed": 42},
        versions={"torch": "2.9"},
    )


def head_of(card: str) -> Any:
    return yaml.safe_load(card.split("---\n")[1])


def test_the_head_says_what_the_hub_reads(facts: ModelFacts) -> None:
    head = head_of(model_card(facts))
    assert head["language"] == ["ko"] and head["license"] == "cc-by-sa-4.0" and head["base_model"] == "klue/bert-base"
    assert head["tags"] == ["감성", "nabi", "generated_from_trainer"] and head["metrics"] == ["정확도", "f1_macro"]
    assert head["pipeline_tag"] == "text-classification"
    [index] = head["model-index"]
    assert index["name"] == TITLE
    [result] = index["results"]
    assert result["task"]["type"] == "text-classification" and result["dataset"]["name"] == "ratings_test.txt"
    assert {one["type"]: one["value"] for one in result["metrics"]} == {"loss": 0.25, "정확도": 0.9375, "f1_macro": 0.5}
    assert f"# {TITLE}" in model_card(facts).splitlines()


@pytest.mark.parametrize("text", ["no", "1.0", "a: b", "'\"", "한글 # 주석", "- x", "{}", "@", "줄\n바꿈", "null"])
def test_any_string_survives_the_head(text: str) -> None:
    head = head_of(
        model_card(ModelFacts(text, task="fill-mask", language=text, license=text, tags=text, datasets=text))
    )
    assert (head["language"], head["license"], head["datasets"]) == ([text], text, [text])


def test_the_hubs_own_reader_accepts_the_card(facts: ModelFacts) -> None:
    data = ModelCard(model_card(facts)).data
    assert data.model_name == TITLE
    assert [one.metric_value for one in data.eval_results] == [0.25, 0.9375, 0.5]


def test_the_body_says_what_happened_and_no_folder_of_this_machine(facts: ModelFacts) -> None:
    card = model_card(facts)
    assert "fine-tuned from [klue/bert-base](https://huggingface.co/klue/bert-base) on `ratings_train.txt`." in card
    for line in [
        "- 정확도: 0.9375",
        "| train | ratings_train.txt | 150,000 |",
        "| 긍정\\|+ | 100,000 (66.7%) | 0 (0.0%) |",
        "| 중립 0 | 0 (0.0%) | 1 (33.3%) |",
        "| `learning_rate` | 3e-05 |",
        "| Epoch | Step | Training Loss | Validation Loss | 정확도 | F1 Macro |",
        "| 2 | 8 | 0.1250 | 0.2500 | 0.8750 | 0.5000 |",
        "- torch 2.9",
    ]:
        assert line in card.splitlines()
    assert "someone" not in card
    assert 'pipeline("text-classification", "user/nsmc-bert")' in card and "박물관" in card


def test_little_is_known_and_little_is_said(tmp_path: Path) -> None:
    card = model_card(ModelFacts("mine", base_model=str(tmp_path), history=[{"eval_loss": float("nan"), "step": 1}]))
    assert head_of(card) == {"library_name": "transformers", "tags": ["nabi", "generated_from_trainer"]}
    assert f"fine-tuned from `{tmp_path.name}`." in card and str(tmp_path) not in card
    assert "None" not in card and "## Data" not in card
    assert "| Split | Rows |\n| --- | --- |\n| train | 5 |" in model_card(
        ModelFacts("mine", splits=[Split("train", 5)])
    )


def test_without_a_best_step_the_last_evaluation_counts(facts: ModelFacts) -> None:
    card = model_card(dataclasses.replace(facts, best_step=None))
    assert "- 정확도: 0.8750" in card.splitlines()


def test_arguments_are_the_essential_ones_and_those_that_differ(tmp_path: Path) -> None:
    args = arguments(tmp_path, learning_rate=3e-5, hub_token="hf_secret", num_train_epochs=7, adam_beta2=0.98)
    notable = notable_arguments(args)
    assert notable["learning_rate"] == 3e-5 and notable["seed"] == 42 and notable["adam_beta2"] == 0.98
    assert notable["eval_strategy"] == "epoch" and notable["num_train_epochs"] == 7
    assert not {"hub_token", "output_dir", "logging_dir", "adam_beta1", "fsdp_config", "report_to"} & set(notable)
    assert str(tmp_path) not in str(notable) and "hf_secret" not in str(notable)


def test_versions_are_of_what_is_installed() -> None:
    import torch

    versions = framework_versions()
    assert versions["torch"] == torch.__version__ and "nabi" in versions and versions["Python"].startswith("3.")


def test_a_card_is_written_anew_but_a_page_of_the_users_own_stays(
    facts: ModelFacts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = save_model_card(facts, tmp_path / "new")
    assert path.name == "README.md" and "training_curves.png" not in path.read_text(encoding="utf-8")
    (path.parent / "training_curves.png").touch()
    assert save_model_card(facts, path.parent) == path
    assert "![Curves of the training](training_curves.png)" in path.read_text(encoding="utf-8")
    assert not caplog.records

    own = path.read_text(encoding="utf-8").replace("<!-- nabi", "<!-- I")
    path.write_text(own, encoding="utf-8")
    other = save_model_card(facts, path.parent)
    assert other.name == "MODEL_CARD.md" and path.read_text(encoding="utf-8") == own
    assert "README.md that is not nabi's" in caplog.text
