"""`nabi convert SOURCE TARGET` as people use it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from nabi import BertConfig, BertForMaskedLM
from nabi.cli import main

SIZES = dict(vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    BertForMaskedLM(BertConfig(**SIZES)).save_pretrained(tmp_path / "old", safe_serialization=False)
    return tmp_path / "old"


def test_the_table_says_what_was_there_and_what_is(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["convert", str(source), str(tmp_path / "new"), "--dtype", "float16", "--max-shard-size", "5KB"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    rows = {line.split("  ")[0]: line.split("  ")[1:] for line in out.splitlines()}
    cells = {name: [cell.strip() for cell in row if cell.strip()] for name, row in rows.items()}
    assert cells["dtype"] == ["float32", "float16"]
    assert cells["files"][0] == "pytorch_model.bin"
    assert cells["files"][1].startswith("model-00001-of-0000")
    assert cells["parameters"][0] == cells["parameters"][1]
    assert cells["size"][0].endswith("kB")
    assert f"Every weight was read back from {tmp_path / 'new'} and is the source's, rounded to float16." in out
    assert not err


def test_tied_weights_that_were_stored_twice_are_named(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(BertForMaskedLM(BertConfig(**SIZES)).state_dict(), source / "pytorch_model.bin")
    assert main(["convert", str(source), str(tmp_path / "new")]) == 0
    out = capsys.readouterr().out
    assert "Tied weights, stored once: cls.predictions.decoder.weight, cls.predictions.decoder.bias" in out


def test_the_language_is_the_users(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert main(["convert", str(source), str(tmp_path / "new")]) == 0
    assert "다시 읽어 같음을 확인했습니다" in capsys.readouterr().out
    assert main(["convert", str(source), str(tmp_path / "new")]) == 1
    assert "이미 체크포인트가 있습니다(config.json)" in capsys.readouterr().err


def test_errors_are_one_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = str(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    keras = tmp_path / "keras"
    keras.mkdir()
    (keras / "tf_model.h5").write_bytes(b"no HDF5")
    (keras / "config.json").write_text(json.dumps({"model_type": "bert"}))
    cases = {
        ("no such/folder here", new): (1, "there is no folder 'no such/folder here'"),
        (str(tmp_path / "empty"), new): (1, "no weights in"),
        (str(source), new, "--dtype", "int4"): (2, "there is no dtype 'int4'. Use one of float16, bfloat16, float32."),
        (str(source), new, "--max-shard-size", "big"): (2, "--max-shard-size is 'big'. Write it as 2GB"),
        (str(source), new, "--model-class", "T5Model"): (1, "model_class (--model-class) is 'T5Model'; the family"),
        (str(source), str(source)): (1, "holds a checkpoint already (config.json)"),
        (str(source), str(source), "--overwrite"): (1, "the source and the target are the same folder"),
        (str(keras), new): (1, "is not a whole HDF5 file"),
        (str(source), ""): (1, "the target is empty: name a folder to write into"),
        ("", new): (1, "there is no folder ''"),
        (str(source), str(source / "config.json" / "new")): (1, "config.json', a file: name another place"),
    }
    for arguments, (code, message) in cases.items():
        assert main(["convert", *arguments]) == code, arguments
        err = capsys.readouterr().err
        assert message in err and err.count("\n") == 1, err
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert main(["convert", str(keras), new]) == 1
    assert capsys.readouterr().err == "nabi: h5py is needed to read tf_model.h5: pip install h5py\n"
    assert not Path(new).exists()


def test_overwrite_replaces_what_is_there(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "new"
    assert main(["convert", str(source), str(target), "--max-shard-size", "5KB"]) == 0
    assert main(["convert", str(source), str(target), "--max-shard-size", "all-in-one", "--overwrite"]) == 0
    assert sorted(file.name for file in target.iterdir()) == ["config.json", "model.safetensors"]
