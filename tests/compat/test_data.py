"""Data sets and trainer parts of version 4 give the numbers of 4.57.1; text files of 2019 become rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import nabi

HERE = Path(__file__).parent


def test_examples_features_and_metrics_are_those_of_4_57_1(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    command = [sys.executable, "-m", "nabi.drop_in", str(HERE / "record_data.py"), str(made)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    recorded = json.loads((HERE / "old_data.json").read_text(encoding="utf-8"))
    found = json.loads(made.read_text(encoding="utf-8"))
    assert set(found) == set(recorded)
    for name in recorded:
        assert found[name] == recorded[name], name


@pytest.fixture
def tokenizer(tmp_path: Path) -> nabi.BertTokenizer:
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] 나 비 가 난 다"
    (tmp_path / "vocab.txt").write_text("\n".join(words.split()), encoding="utf-8")
    return nabi.BertTokenizer(str(tmp_path / "vocab.txt"))


def test_text_files_become_blocks_lines_and_pairs(tokenizer: nabi.BertTokenizer, tmp_path: Path) -> None:
    file = tmp_path / "texts" / "a.txt"
    file.parent.mkdir()
    file.write_text("나 비 가\n난 다\n\n비 가 난 다\n나\n", encoding="utf-8")
    blocks = nabi.TextDataset(tokenizer, str(file), block_size=6)
    assert [block.tolist() for block in blocks] == [[2, 5, 6, 7, 8, 3], [2, 9, 6, 7, 8, 3]]
    lines = nabi.LineByLineTextDataset(tokenizer, str(file), block_size=4)
    assert lines[0]["input_ids"].tolist() == [2, 5, 6, 3] and len(lines) == 4
    pairs = nabi.TextDatasetForNextSentencePrediction(tokenizer, str(file), block_size=16)
    assert len(pairs) and all(row["next_sentence_label"] in (0, 1) for row in pairs)
    ordered = nabi.LineByLineWithSOPTextDataset(tokenizer, str(file.parent), block_size=16)
    row = ordered[0]
    first = row["input_ids"][1:4].tolist() == [5, 6, 7]
    assert row["sentence_order_label"] == int(first) and int(row["token_type_ids"].sum()) == (3 if first else 4)


def test_a_file_that_is_not_there_is_named(tokenizer: nabi.BertTokenizer) -> None:
    with pytest.raises(ValueError, match=r"no\.txt is no file"):
        nabi.TextDataset(tokenizer, "no.txt", block_size=8)
