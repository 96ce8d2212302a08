"""`nabi train` as people use it, on a tiny random model."""

from __future__ import annotations

import json
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from nabi import PreTrainedTokenizerFast, pipeline
from nabi.auto import AutoConfig, AutoModelForSequenceClassification
from nabi.checkpoint import find_weights
from nabi.cli import main
from nabi.cli.train.run_folder import StopAfterStep
from nabi.hub import Repository

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] good bad film plot 영화 최고 지루".split()
GOOD, BAD = ["good film", "최고 영화", "good plot", "최고 plot"], ["bad film", "지루 영화", "bad bad plot", "지루 plot"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(11)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    names = {"id2label": {0: "나쁨", 1: "좋음"}, "label2id": {"나쁨": 0, "좋음": 1}}
    config = AutoConfig.for_model("bert", vocab_size=len(WORDS), max_position_embeddings=20, **sizes, **names)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    words = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NSMC in small, and the same with five classes."""
    folder = tmp_path_factory.mktemp("data")
    rows = [
        (text, label)
        for _ in range(6)
        for pair in zip(GOOD, BAD, strict=True)
        for label, text in ((1, pair[0]), (0, pair[1]))
    ]
    lines = ["id\tdocument\tlabel", *(f"{number}\t{text}\t{label}" for number, (text, label) in enumerate(rows))]
    (folder / "train.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "dev.tsv").write_text("\n".join(lines[:13]) + "\n", encoding="utf-8")
    stars = ["리뷰,별점", *(f"{text},{number % 5 + 1}" for number, (text, _) in enumerate(rows))]
    (folder / "stars.csv").write_text("\n".join(stars) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nabi.training.loop.save_curves", lambda history, folder: None)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    stored = find_weights(Repository.open(folder, {}))
    return {name: stored[name] for name in stored}


def test_the_folder_is_ready_for_use_and_the_last_line_is_a_command_that_works(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "내 모델"
    options = f"--task sentiment-analysis -m {model} -d {data / 'train.tsv'} --eval {data / 'dev.tsv'} --epochs 3"
    code = main(["train", *options.split(), *"--lr 3e-2 --batch-size 8 --device cpu -o".split(), str(out)])
    screen = capsys.readouterr().out
    assert code == 0
    for told in (
        "columns    text: document, label: label\n",
        "labels     0 = 나쁨, 1 = 좋음  (2)\n",  # the checkpoint's names for what the file calls 0 and 1
        "rows       48 to train on, 12 to evaluate on (dev.tsv)\n",
        "3 epochs, batches of 8, learning rate 0.03, on cpu\n",
    ):
        assert told in screen
    files = {file.name for file in out.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md", "training_curves.png"} <= files
    assert "checkpoints" not in files

    pipe = pipeline("sentiment-analysis", model=out, device="cpu")
    rows = [line.split("\t")[1:] for line in (data / "dev.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    right = sum(pipe(text)[0]["label"] == ("나쁨", "좋음")[int(label)] for text, label in rows)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["evaluation"]["accuracy"] == right / len(rows) == 1.0

    assert main(shlex.split(screen.splitlines()[-1])[1:]) == 0
    assert capsys.readouterr().out.split()[0] in ("나쁨", "좋음")


def test_an_interrupted_training_goes_on_to_the_same_weights(
    model: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    no_pictures: None,
) -> None:
    command = f"train -m {model} -d {data / 'train.tsv'} --epochs 2 --batch-size 8 --lr 1e-2 --device cpu -o".split()
    assert main([*command, str(tmp_path / "whole")]) == 0

    def press_ctrl_c(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 2:
            signal.raise_signal(signal.SIGINT)

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(StopAfterStep, "on_step_begin", press_ctrl_c)
        assert main([*command, str(tmp_path / "parts")]) == 130
    said = capsys.readouterr().err
    assert f"checkpoint-3. Go on with:\n  nabi train --output {tmp_path / 'parts'} --resume" in said

    assert main([*command, str(tmp_path / "parts")]) == 1
    assert "holds an interrupted training" in capsys.readouterr().err
    assert main(["train", "-o", str(tmp_path / "parts"), "--resume", "--lr", "2e-2"]) == 1
    assert "lr was 0.01, is 0.02" in capsys.readouterr().err

    assert main(["train", "-o", str(tmp_path / "parts"), "--resume"]) == 0
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert main(["train", "-o", str(tmp_path / "parts"), "--resume"]) == 1
    assert "is done" in capsys.readouterr().err


def test_other_data_are_not_gone_on_with(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "train.tsv"
    file.write_bytes((data / "train.tsv").read_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(StopAfterStep, "on_step_begin", lambda *_, **__: signal.raise_signal(signal.SIGINT))
        patch.setattr(StopAfterStep, "heard", lambda self, *_: setattr(self, "asked", True))
        assert main(f"train -m {model} -d {file} -o {tmp_path / 'out'} --epochs 1 --device cpu".split()) == 130
    file.write_text(file.read_text(encoding="utf-8").replace("good", "bad"), encoding="utf-8")
    capsys.readouterr()
    assert main(["train", "-o", str(tmp_path / "out"), "--resume"]) == 1
    assert "the data have changed since the training began: train.tsv" in capsys.readouterr().err


def test_a_head_for_other_labels_is_new_and_adapters_are_worked_in(
    model: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    no_pictures: None,
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    out = tmp_path / "out"
    options = f"-m {model} -d {data / 'stars.csv'} -o {out} --lora --lora-rank 2 --keep-checkpoints 1 --epochs 1"
    assert main(["train", *options.split(), "--device", "cpu"]) == 0
    screen = capsys.readouterr().out
    assert "열         text: 리뷰, label: 별점\n" in screen
    assert "레이블     0 = 1, 1 = 2, 2 = 3, 3 = 4, 4 = 5  (5)\n" in screen
    assert "머리(head)가 레이블 2개용이라 5개용으로 새로 만들었습니다" in screen
    assert (out / "adapter" / "adapter_config.json").exists()
    assert [one.name for one in (out / "checkpoints").iterdir()] == ["checkpoint-2"]
    before, after = weights(model), weights(out)
    assert after["classifier.weight"].shape == (5, 16)
    moved = [
        name
        for name in before
        if before[name].shape == after[name].shape and not torch.equal(before[name], after[name])
    ]
    assert moved and all(name.endswith(".weight") and "LayerNorm" not in name for name in moved)


def test_a_yaml_file_says_the_same_and_the_command_line_goes_before_it(
    model: Path, data: Path, tmp_path: Path, no_pictures: None
) -> None:
    file, out = tmp_path / "run.yaml", tmp_path / "out"
    file.write_text(
        f"model: {model}\ndata: [{data / 'train.tsv'}]\noutput: {out}\nlr: 1e-4\nbatch-size: 4\nepochs: 1\nlimit: 20\n"
        "set: {weight_decay: 0.5}\ncolumn: {text: document}\ndevice: cpu\n",
        encoding="utf-8",
    )
    assert main(["train", "--config", str(file), "--batch-size", "6", "--set", "max_grad_norm=2"]) == 0
    used = json.loads((out / "training_args.json").read_text(encoding="utf-8"))
    assert used["learning_rate"] == 1e-4 and used["per_device_train_batch_size"] == 6 and used["max_grad_norm"] == 2
    assert main(["train", "--config", str(out / "train.yaml"), "--overwrite"]) == 0
    again = json.loads((out / "training_args.json").read_text(encoding="utf-8"))
    assert {**used, "logging_dir": ""} == {**again, "logging_dir": ""}


ERRORS: dict[str, tuple[str, int, str]] = {
    "no model": ("-d {data}/train.tsv", 2, "--model is missing"),
    "no data": ("-m {model} -d {data}/trian.tsv", 1, "there is no file or folder"),
    "a folder that is no model": ("-m ./no/such/model -d {data}/train.tsv", 1, "there is no folder"),
    "a task that is none": ("-m {model} -d {data}/train.tsv --task nerr", 2, "Did you mean 'ner'?"),
    "a task that the columns are not of": ("-m {model} -d {data}/train.tsv --task ner", 2, "--column ROLE=NAME"),
    "a column that is none": ("-m {model} -d {data}/train.tsv --text review", 2, "there is no column 'review'"),
    "an argument that is none": (
        "-m {model} -d {data}/train.tsv --set lerning_rate=1",
        2,
        "did you mean learning_rate",
    ),
    "an option of another task": ("-m {model} -d {data}/train.tsv --whole-words", 2, "--whole-words means nothing for"),
    "labels that are others": ("-m {model} -d {data}/stars.csv --label-names a,b", 1, "which are none of a, b"),
    "more than the model reads": ("-m {model} -d {data}/train.tsv --max-length 99", 1, "the model reads 20 tokens"),
    "two that exclude each other": ("-m {model} -d {data}/train.tsv --lora --freeze-body", 2, "exclude each other"),
    "a share that is none": ("-m {model} -d {data}/train.tsv --eval-share 2", 2, "--eval-share is 2"),
    "evaluation rows of another kind": (
        "-m {model} -d {data}/train.tsv --eval {data}/stars.csv",
        1,
        "it has 리뷰, 별점",
    ),
    "a label of the evaluation alone": (
        "-m {model} -d {data}/train.tsv --eval {data}/other.tsv",
        1,
        "in the evaluation rows: row 1 has the label '7'",
    ),
    "nothing to go on with": ("-m {model} -d {data}/train.tsv --resume", 1, "holds no interrupted training"),
    "a YAML key that is none": ("--config {data}/bad.yaml", 2, "bad.yaml has 'epoch'"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_is_wrong_is_told_in_one_line_before_anything_is_written(
    case: str, model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options, code, words = ERRORS[case]
    (data / "bad.yaml").write_text("epoch: 3\n", encoding="utf-8")
    (data / "other.tsv").write_text("document\tlabel\ngood\t1\nbad\t7\n", encoding="utf-8")
    out = tmp_path / "out"
    assert main(["train", "-o", str(out), *options.format(model=model, data=data).split()]) == code
    said = capsys.readouterr().err
    assert words in said and said.startswith("nabi: ") and said.count("\n") == 1
    assert not out.exists()


def test_a_folder_with_a_model_is_not_written_over_unasked(
    model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(f"train -m {model} -d {data / 'train.tsv'} -o {model}".split()) == 1
    assert "holds a model already" in capsys.readouterr().err
