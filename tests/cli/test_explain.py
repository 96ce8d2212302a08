"""`nabi explain FAMILY` shows every family's plan as its files have it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from nabi.cli import main
from nabi.embedded import SENTIMENT
from nabi.models import FAMILIES

OWN_LAYERS = ("xlm", "xlnet", "convnext", "resnet")  # lists of parts, two streams, convolutions: no blocks


@pytest.mark.parametrize("family", FAMILIES)
def test_the_plan_of_every_family_names_its_wiring_its_roles_and_their_place_on_disk(
    family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", family]) == 0
    shown = capsys.readouterr().out
    if family not in OWN_LAYERS:
        assert re.search(r"wiring +[a-z]+", shown) and re.search(r"norm_\w+ +[\w.]+ +\w+ \(\d+,\)", shown)
    assert FAMILIES[family][0] in shown and "memory of the weights: float32" in shown


@pytest.mark.parametrize("family", FAMILIES)
def test_the_parts_add_up_to_the_whole(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", family])
    shown = capsys.readouterr().out
    total = int(re.search(r"^([\d,]+) parameters$", shown, re.MULTILINE)[1].replace(",", ""))
    parts = re.findall(r" ([\d,]+) +[\d.]+%$", shown, re.MULTILINE)
    assert sum(int(part.replace(",", "")) for part in parts) == total > 0


def test_a_folder_is_explained_by_its_config_alone_and_its_tokenizer_where_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(SENTIMENT)]) == 0
    shown = capsys.readouterr().out
    assert "2 x BertBlock  at bert.encoder.layer.0" in shown
    assert "2,985,410 parameters" in shown and "classifier.weight" in shown
    assert "a text may have 256 tokens" in shown
    assert "Unigram with 12,000 tokens; special: [UNK]" in shown
    shutil.copy(Path(SENTIMENT) / "config.json", tmp_path)
    assert main(["explain", str(tmp_path)]) == 0
    alone = capsys.readouterr().out
    assert "2,985,410 parameters" in alone and "tokenizer: none" in alone


def test_windows_and_rotary_positions_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", "gemma2"])
    shown = capsys.readouterr().out
    assert "26 x Gemma2Block" in shown and "mix           mix_capped" in shown
    assert "13 of 26 layers see the last 4,096 tokens only" in shown
    assert "rotary positions: default, theta 10,000, 256 dimensions of a head turn" in shown


def test_the_tree_shows_every_module(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "bert", "--tree"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("  query  Linear  weight (768, 768), bias (768,)") == 12
    assert "  layer  ModuleList" in shown and "109,482,240 parameters" in shown


def test_a_folder_without_a_config_and_a_config_of_no_known_family_are_one_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err
    (tmp_path / "config.json").write_text('{"model_type": "mamba9"}')
    assert main(["explain", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "mamba9" in error and error.count("\n") == 1


def test_the_plan_of_bert_says_what_its_checkpoints_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "bert"]) == 0
    shown = capsys.readouterr().out
    assert "12 x BertBlock  at encoder.layer.0" in shown
    assert "attention.self.query" in shown
    assert "Linear (768, 768)" in shown
    assert "embeddings.word_embeddings.weight" in shown
    assert "(30522, 768)" in shown
    assert "109,482,240" in shown


def test_an_unknown_family_is_one_error_that_lists_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "brt"]) == 2
    assert "there is no family 'brt'" in capsys.readouterr().err
