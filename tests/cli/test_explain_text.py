"""`nabi explain TASK TEXT` prints a look inside and writes its page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nabi.cli import main
from nabi.embedded import SENTIMENT
from nabi.tokenization import train

TEXT = "이 영화는 최고예요!"


def test_a_text_is_explained_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "sentiment-analysis", TEXT]) == 0
    shown = capsys.readouterr().out
    for word in ("positive", "최고", "bert.encoder.layer.1", "BertBlock", "1×7×192", "integrated gradients", "softmax"):
        assert word in shown
    assert "\x1b[" not in shown  # no colours where nobody sees them


def test_the_page_is_written_and_its_place_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "new" / "why.html"
    assert main(["explain", "sentiment-analysis", TEXT, "--html", str(page), "--method", "input-x-gradient"]) == 0
    assert f"The page is in {page}." in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert "input x gradient" in text and "최고" in text


def test_the_data_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "explain",
        "sentiment-analysis",
        "좋아요",
        "싫어요",
        "--json",
        "--method",
        "none",
        "--target",
        "positive",
    ]
    assert main(arguments) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["input"], second["input"]) == ("좋아요", "싫어요") and first["parts"][0]["attribution"] is None


def test_settings_of_the_task_reach_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "text-classification", TEXT, "--json", "--set", "top_k=2", "--top-k", "1"]) == 0
    assert len(json.loads(capsys.readouterr().out)["result"][0]) == 2


def test_several_texts_make_one_item_where_the_task_takes_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from nabi.models.bert import BertConfig, BertForQuestionAnswering

    words = train("wordpiece", ["나비가 꽃에 앉았다"] * 9, vocab_size=60, show_progress=False)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertForQuestionAnswering(BertConfig(vocab_size=len(words), **sizes)).save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    arguments = ["explain", "question-answering", "어디에 앉았다", "나비가 꽃에 앉았다", "-m", str(tmp_path), "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parts"][0]["sequences"][0]["texts"] == ["어디에 앉았다", "나비가 꽃에 앉았다"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["sentiment-analysis"], 2, "give the text that sentiment-analysis is to be explained with"),
        (["no-such-task", "text"], 2, "there is no task 'no-such-task'"),
        (["sentiment-analysis", TEXT, "--method", "lime"], 2, "there is no method 'lime'"),
        (["sentiment-analysis", TEXT, TEXT, "--html", "x.html"], 2, "--html writes the page of one text, and 2"),
        (["sentiment-analysis", TEXT, "--target", "happy"], 1, "the model's labels are 'negative', 'positive'"),
        (["sentiment-analysis", ""], 1, "text 1: the text is empty."),
        (["sentiment-analysis", TEXT, "-m", "no/such/model"], 1, "there is no folder 'no/such/model'"),
        (["sentiment-analysis", TEXT, "--set", "top_q=1"], 1, "has no argument 'top_q'"),
        (
            ["sentiment-analysis", TEXT, "--html", "/dev/null/x.html"],
            1,
            "the page '/dev/null/x.html' cannot be written",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_is_one_clear_line(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", *arguments]) == code
    assert message in capsys.readouterr().err


def test_families_and_folders_are_explained_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "bert"]) == 0 and "wiring" in capsys.readouterr().out
    assert main(["explain", str(SENTIMENT)]) == 0 and "wiring" in capsys.readouterr().out


def test_it_speaks_korean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert main(["explain", "sentiment-analysis", TEXT, "--html", str(tmp_path / "why.html")]) == 0
    assert "썼습니다" in capsys.readouterr().out
    assert main(["explain", "sentiment-analysis"]) == 2 and "쓰세요" in capsys.readouterr().err
