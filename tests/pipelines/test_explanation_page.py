"""The page of an explanation: one file, safe, of a bounded size, and alive in a browser.

A Chromium is looked for under its usual names and in NABI_CHROMIUM; Debian has it as the package `chromium`.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nabi import pipeline
from nabi.embedded import SENTIMENT
from nabi.pipelines.explanation.page import MOST_WEIGHTS

from .explanation_models import GREEDY, READERS, WRITERS, bert, decoder

BROWSER = next(
    filter(
        None,
        map(
            shutil.which,
            [os.environ.get("NABI_CHROMIUM") or "chromium", "chromium-browser", "google-chrome", "chrome"],
        ),
    ),
    None,
)
in_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium here: apt-get install chromium, or NABI_CHROMIUM")


class Links(HTMLParser):
    """Everything in a page that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in ("link", "img", "iframe", "object", "embed", "video", "audio", "source", "base"):
            self.found.append(tag)
        self.found += [
            value for name, value in attrs if name in ("src", "action") or (name == "href" and value[:1] != "#")
        ]


@pytest.fixture(scope="module")
def sentiment() -> Any:
    return pipeline("sentiment-analysis", model=str(SENTIMENT))


def rendered(file: Path, hash_: str = "") -> str:
    """The page's elements after its script has run."""
    assert BROWSER is not None
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--virtual-time-budget=4000", "--dump-dom", f"--user-data-dir={file.parent / 'profile'}"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", f"{file.as_uri()}{hash_}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


# ---------------------------------------------------------------- without a browser


@pytest.mark.parametrize("name", ["bert classifies", "bert weighs hypotheses", "bart"])
def test_the_page_fetches_nothing(name: str) -> None:
    make, item, settings = {**READERS, **WRITERS}[name]
    page = make().explain(item, **settings).to_html()
    links = Links()
    links.feed(page)
    assert links.found == [] and "default-src 'none'" in page
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest|\bimport\b", page)


def test_what_a_text_or_label_says_stays_a_text() -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} & \"quoted\" 'too'"
    pipe = bert("SequenceClassification", "text-classification", id2label={0: evil, 1: "<b>bold</b>"})
    explanation = pipe.explain(f"나비가 {evil}")
    page = explanation.to_html()
    assert page.count("<script") == 2 and "<img" not in page and "<b>bold" not in page
    assert "{{ 7*7 }}" in page
    assert html.escape(evil, quote=False).split("&lt;img")[0] in page
    assert "<script" not in explanation._repr_html_().replace("allow-scripts", "")


def test_the_pieces_the_scores_and_the_answer_are_there_without_any_script(sentiment: Any) -> None:
    page = sentiment.explain("이 영화는 최고예요!").to_html()
    body = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    for word in ("최고", "positive", "0.98", "bert.encoder.layer.1", "1 × 7 × 192", "characters 5-8", "attribution +"):
        assert word in body
    assert "The maps need JavaScript" in body


def test_the_weights_in_the_page_are_those_of_the_model_to_three_decimals(sentiment: Any) -> None:
    explanation = sentiment.explain("이 영화는 최고예요!")
    text = re.search(r'id="data">(.*?)</script>', explanation.to_html(), re.DOTALL)
    assert text is not None
    (maps,) = json.loads(text[1])
    whole = np.frombuffer(base64.b64decode(maps[0]["weights"]), dtype="<u2").reshape(maps[0]["shape"])
    assert torch.tensor(whole / 65535) == pytest.approx(explanation.parts[0].attentions[0].weights, abs=5e-4)


def test_a_long_text_and_many_heads_make_no_huge_file_and_what_is_left_out_is_said(sentiment: Any) -> None:
    explanation = sentiment.explain("이 영화는 정말 최고예요! " * 60, truncation=True, max_length=240)
    (attention,) = explanation.parts[0].attentions
    assert attention.weights.shape[2:] == (128, 128) and attention.left_out == "the first 128 of 240 pieces"
    assert len(explanation.parts[0].sequences[0].pieces) == 240
    assert "the first 128 of 240 pieces" in explanation.to_html()
    attention.weights = torch.rand(40, 40, 128, 128)
    page = explanation.to_html()
    assert "the first 35 pieces" in page and len(page) < MOST_WEIGHTS * 3


def test_files_are_written_with_their_folders(sentiment: Any, tmp_path: Path) -> None:
    explanation = sentiment.explain("좋아요", method=None)
    page, data = (explanation.save(tmp_path / "a" / name) for name in ("why.html", "why.json"))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(data.read_text(encoding="utf-8"))["input"] == "좋아요"


# ---------------------------------------------------------------- in a browser


@in_browser
def test_the_picker_shows_a_map_for_each_layer_and_head(sentiment: Any, tmp_path: Path) -> None:
    file = sentiment.explain("이 영화는 최고예요!").save(tmp_path / "why.html")
    shown = rendered(file)
    assert shown.count("<canvas") == 4  # heads
    assert shown.count("<option") == 1 + 2 + 1 + 4  # which map, layers, the mean of all heads, heads
    assert 'data-layer="0" data-head="-1"' in shown and len(re.findall(r"<td [^>]*→", shown)) == 49
    chosen = rendered(file, "#layer=1&head=2")
    assert 'data-layer="1" data-head="2"' in chosen
    weight = sentiment.explain("이 영화는 최고예요!").parts[0].attentions[0].weights[1, 2, 0, 0].item()
    assert f'title="[CLS] → [CLS]: {weight:.3f}"' in chosen


@in_browser
def test_parts_are_shown_one_at_a_time_and_the_theme_can_be_chosen(tmp_path: Path) -> None:
    make, item, settings = READERS["bert weighs hypotheses"]
    shown = rendered(make().explain(item, **settings).save(tmp_path / "why.html"), "#part=1&theme=dark")
    assert re.search(r'<div class="part" id="part0" hidden', shown) and 'data-theme="dark"' in shown
    assert re.search(r'<div class="part" id="part1">', shown) and shown.count('class="on"') == 1


@in_browser
def test_a_writers_page_has_its_maps_its_lens_and_its_tree(tmp_path: Path) -> None:
    make, item, settings = WRITERS["bart"]
    explanation = make().explain(item, **{**settings, "num_beams": 2})
    shown = rendered(explanation.save(tmp_path / "why.html"), "#which=2&head=1")
    part = explanation.parts[0]
    rows, columns = (len(part.sequence(name).pieces) for name in ("written", "source"))
    assert len(re.findall(r"<td [^>]*→", shown)) == rows * columns
    assert "Logit lens" in shown and shown.count('class="fate-') == len(part.beams.branches)


@in_browser
def test_a_notebooks_frame_runs_the_script_too(tmp_path: Path) -> None:
    pipe = decoder("gpt2", "GPT2LMHeadModel", "text-generation")
    frame = pipe.explain("나비가", **GREEDY)._repr_html_()
    file = tmp_path / "notebook.html"
    file.write_text(f'<!doctype html><meta charset="utf-8"><body>{frame}</body>', encoding="utf-8")
    assert BROWSER is not None
    picture = tmp_path / "notebook.png"
    subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--virtual-time-budget=20000", f"--screenshot={picture}", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--window-size=1000,700", file.as_uri()),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    image = pytest.importorskip("PIL.Image").open(picture).convert("RGB")
    assert len(image.getcolors(1 << 20)) > 50  # not a blank frame
