"""`nabi explain FAMILY` shows every family's plan as its files have it."""

from __future__ import annotations

import pytest

from nabi.cli import main
from nabi.models import FAMILIES

OWN_LAYERS = ("xlm", "xlnet", "seq2seq_lstm")  # stored as lists of parts; two streams; LSTMs


@pytest.mark.parametrize("family", FAMILIES)
def test_the_plan_of_every_family_names_its_wiring_its_roles_and_their_place_on_disk(
    family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", family]) == 0
    shown = capsys.readouterr().out
    if family not in OWN_LAYERS:
        assert "wiring     p" in shown
        assert "norm_mlp" in shown
    assert FAMILIES[family][0] in shown


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
