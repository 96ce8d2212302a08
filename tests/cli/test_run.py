"""`nabi run` as people and programs use it, on a tiny random model."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from nabi import pipeline
from nabi.cli import main

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] good bad film 영화 최고 지루".split()
LABELS = {0: "negative", 1: "긍정"}
TEXTS = ["good film", "영화 최고", "bad bad film", "지루"]
RUN = [sys.executable, "-c", "import sys; from nabi.cli import main; sys.exit(main())", "run", "sentiment-analysis"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(11)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=20, id2label=LABELS, **sizes)
    model = transformers.BertForSequenceClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    model.save_pretrained(folder)
    words = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, dict[str, Any]]:
    pipe = pipeline("sentiment-analysis", model=folder, device="cpu")
    return {text: pipe(text)[0] for text in TEXTS}


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)  # the command chooses them for its process, which is ours here


def run(*arguments: object, task: str = "sentiment-analysis") -> int:
    return main(["run", task, *map(str, arguments)])


def give(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


def as_printed(one: dict[str, Any], text: str) -> str:
    padding = " " * (8 - len(one["label"]) * (2 if one["label"] == "긍정" else 1))
    return f"{one['label']}{padding}  {one['score']:.3f}  {text}"


# ---------------------------------------------------------------- texts and results


def test_texts_of_the_command_line_are_printed_aligned(
    folder: Path, expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*TEXTS, "--model", folder) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [as_printed(expected[text], text) for text in TEXTS]
    assert printed.err == ""
    assert {one["label"] for one in expected.values()} == set(LABELS.values())  # so both widths were seen


def test_json_is_one_object_per_line_with_korean_as_it_is(
    folder: Path, expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*TEXTS, "--model", folder, "--json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == TEXTS
    assert [json.loads(line)["label"] for line in lines] == [expected[text]["label"] for text in TEXTS]
    assert json.loads(lines[0])["score"] == pytest.approx(expected[TEXTS[0]]["score"], abs=1e-6)
    assert '"영화 최고"' in lines[1]


def test_top_k_prints_the_other_labels_below(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("good film", "--model", folder, "--top-k", 2) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("  good film")
    assert {first.split()[0], second.split()[0]} == set(LABELS.values())
    assert float(first.split()[1]) + float(second.split()[1]) == pytest.approx(1, abs=2e-3)
    assert run("good film", "--model", folder, "--top-k", 2, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert [set(one) for one in record["labels"]] == [{"label", "score"}] * 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_file_is_read_line_by_line_in_its_encoding(
    folder: Path, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    (tmp_path / "reviews.txt").write_bytes("\r\n".join(TEXTS).encode(encoding))
    assert run("--file", tmp_path / "reviews.txt", "--model", folder, "--batch-size", 3) == 0
    assert capsys.readouterr().out.splitlines() == [as_printed(expected[text], text) for text in TEXTS]


@pytest.mark.parametrize("arguments", [[], ["--file", "-"]], ids=str)
def test_standard_input_is_read_line_by_line(
    folder: Path,
    expected: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    give("\n".join(["", *TEXTS, "  ", ""]).encode(), monkeypatch)
    assert run("--model", folder, *arguments) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [as_printed(expected[text], text) for text in TEXTS]
    assert printed.err == "Blank lines skipped: 2\n"


def test_control_characters_of_a_text_do_not_reach_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("good\x1b[31m\nfilm", "--model", folder) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("  good [31m film")


def test_without_a_model_the_embedded_checkpoint_answers_in_both_languages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert (
        run("이 영화는 최고예요!", "정말 지루하고 재미없다", "What a wonderful film!", "A terrible, boring mess.") == 0
    )
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == ["positive", "negative"] * 2
    assert printed.err == ""


# ---------------------------------------------------------------- bad input


def test_an_unknown_task_names_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("x", task="sentimant-analysis") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(
        "nabi: there is no task 'sentimant-analysis'. Did you mean 'sentiment-analysis'? The tasks are: audio-class"
    )
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["x", "--model", "./no-such-folder"], 1, "there is no folder './no-such-folder'.*Check --model"),
        (["x", "--model", "no/such", "--offline"], 1, "'no/such' is not on this machine.*local_files_only=True"),
        (["x", "--device", "gpu"], 1, "device='gpu' is no device: expected 'cpu'"),
        (["--file", "no-such-file.txt"], 2, "the file 'no-such-file.txt' cannot be read: No such file"),
        (["x", "--file", "reviews.txt"], 2, "give texts or --file, not both"),
        (["x", "--top-k", "0"], 2, "--top-k: .*1"),
        (["x", "--batch-size", "many"], 2, "--batch-size: .*integer"),
        (["x", "--modle", "y"], 2, "there is no option --modle. Did you mean '--model'?"),
    ],
    ids=str,
)
def test_a_mistake_is_one_message_and_no_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    import re

    if "--model" not in arguments:
        arguments = [*arguments, "--model", str(folder)]
    assert run(*arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("nabi: ")
    assert len(printed.err.splitlines()) <= 2
    assert re.search(said, printed.err)


def test_a_missing_task_and_an_unknown_command_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--json"]) == 2
    assert "TASK is missing" in capsys.readouterr().err
    assert main(["rum"]) == 2
    assert "there is no command 'rum'. The commands are: run" in capsys.readouterr().err


def test_a_bad_line_is_named_and_the_others_are_answered(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reviews.txt"
    file.write_bytes(b"good film\n" + b"good " * 30 + b"\n\xff\xff\xff\nbad film\n")
    assert run("--file", file, "--model", folder, "--json") == 1
    printed = capsys.readouterr()
    records = [json.loads(line) for line in printed.out.splitlines()]
    assert [set(record) - {"text"} for record in records] == [
        {"label", "score"},
        {"error"},
        {"error"},
        {"label", "score"},
    ]
    assert records[1]["text"] == "good " * 30
    too_long, no_text = printed.err.splitlines()
    assert too_long == (
        "nabi: line 2 of reviews.txt: the text has 32 tokens, but the model takes 20 at most. "
        "--truncate cuts such texts."
    )
    assert no_text == "nabi: line 3 of reviews.txt: this is neither UTF-8 nor cp949: ff ff ff. Save the text as UTF-8."
    assert run("good " * 30, "--model", folder, "--truncate") == 0


@pytest.mark.parametrize("raw", [b"", b"\n \n"], ids=repr)
def test_no_text_at_all_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, raw: bytes
) -> None:
    give(raw, monkeypatch)
    assert run("--model", folder) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "nabi: there is no text in standard input.\n")


def test_an_empty_argument_is_told_and_the_others_are_answered(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("", "good film", "--model", folder) == 1
    printed = capsys.readouterr()
    assert printed.err == "nabi: text 1: the text is empty.\n"
    assert printed.out.endswith("  good film\n")


def test_an_unexpected_error_is_one_line_unless_debugging(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("out of\nluck")

    monkeypatch.setattr("nabi.pipelines.pipeline", broken)
    assert run("x", "--model", folder) == 1
    assert capsys.readouterr().err == "nabi: unexpected RuntimeError: out of luck (NABI_DEBUG=1 shows where)\n"
    monkeypatch.setenv("NABI_DEBUG", "1")
    with pytest.raises(RuntimeError):
        run("x", "--model", folder)


# ---------------------------------------------------------------- files in and out


def records_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_column_of_a_file_goes_to_another_file(
    folder: Path, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("id,review\n" + "".join(f"{n},{text}\n" for n, text in enumerate(TEXTS)), encoding="utf-8")
    command = ["--file", source, "--column", "review", "--out", out, "--model", folder]
    assert run(*command) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"Records in {out}: 4\n")
    assert [(one["id"], one["review"], one["label"]) for one in records_of(out)] == [
        (str(n), text, expected[text]["label"]) for n, text in enumerate(TEXTS)
    ]
    assert run(*command) == 2
    assert "is there already. --resume goes on with it, --overwrite writes it anew." in capsys.readouterr().err
    assert run(*command, "--resume") == 0
    assert capsys.readouterr().err == f"Records that were there before: 4\nRecords in {out}: 4\n"
    assert run(*command, "--overwrite", "--top-k", 2) == 0
    assert len(records_of(out)[0]["labels"]) == 2


def test_columns_are_printed_too_and_a_wrong_one_is_told(
    folder: Path, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.tsv"
    source.write_text("id\treview\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(TEXTS)), encoding="utf-8")
    assert run("--file", source, "--column", "review", "--model", folder) == 0
    assert capsys.readouterr().out.splitlines() == [as_printed(expected[text], text) for text in TEXTS]
    assert run("--file", source, "--column", "document", "--model", folder) == 1
    printed = capsys.readouterr()
    assert (printed.out, len(printed.err.splitlines())) == ("", 1)
    assert "there is no column 'document' for the text. The columns are 'id', 'review': name it" in printed.err


def test_a_job_reports_its_errors_and_goes_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.csv"
    give(b"good film\n\n\xff\xff\xff\n" + b"good " * 30 + b"\nbad film\n", monkeypatch)
    assert run("--model", folder, "--out", out) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("Records that could not be used: 2.")
    rows = out.read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == "text,label,score,error"
    assert "neither UTF-8 nor cp949" in rows[2] and "32 tokens" in rows[3]
    assert rows[1].startswith("good film,") and rows[4].startswith("bad film,")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--resume"], "--resume needs --out."),
        (["x", "--overwrite"], "--overwrite needs --out."),
        (["x", "--engine", "ray"], "--engine needs --out."),
        (["x", "--engine", "spark", "--out", "o.csv"], "there is no engine 'spark'. Use local or ray."),
        (["x", "--workers", "2", "--out", "o.csv"], "--workers needs --engine ray."),
        (["x", "--out", "o.txt"], "--out is 'o.txt'. The name must end in .jsonl or .csv."),
        (["x", "--out", "o.csv", "--resume", "--overwrite"], "use --resume or --overwrite, not both."),
        (["x", "--column", "a"], "--column names a column of a --file."),
        (["x", "--set", "top_k"], "--set is 'top_k'. Write it as name=value."),
        (["x", "--context", "y"], "text-classification takes no context; it takes text and text_pair"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(*arguments, "--model", folder) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"nabi: {said}\n")


def test_what_a_task_needs_is_told_before_a_model_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("x", "--model", ".", task="zero-shot-classification") == 2
    assert capsys.readouterr().err == "nabi: zero-shot-classification needs --candidate-labels.\n"
    assert run("Who?", "--model", ".", task="question-answering") == 2
    assert "in its parts: question, context. Texts given: 1" in capsys.readouterr().err


def test_any_setting_can_be_set(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["top_k=null", "function-to-apply=sigmoid", "max_length=4", "truncation=True"]
    more = [argument for setting in settings for argument in ("--set", setting)]
    assert run("good film " * 30, "--model", folder, "--json", *more) == 0
    labels = json.loads(capsys.readouterr().out)["labels"]
    assert len(labels) == 2 and sum(one["score"] for one in labels) != pytest.approx(1, abs=1e-4)
    assert run("good film", "--model", folder, "--set", "top_q=1") == 1
    assert "has no argument 'top_q'" in capsys.readouterr().err


# ---------------------------------------------------------------- help and language


def test_help_is_in_the_users_language(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["run", "--help"]) == 0
    english_help = capsys.readouterr().out
    assert english_help.startswith("Usage: nabi run [OPTIONS] TASK [TEXT]...")
    for option in ("--model", "--json", "--file", "--top-k", "--batch-size", "--device", "--revision", "--offline"):
        assert option in english_help
    for task in ("sentiment-analysis", "zero-shot-classification", "automatic-speech-recognition"):
        assert task in english_help
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert main(["run", "--help"]) == 0
    korean_help = capsys.readouterr().out
    assert korean_help.startswith("사용법: nabi run")
    for word in ("Usage", "Options", "Arguments", "Show this", "required"):
        assert word not in korean_help


def test_errors_are_in_the_users_language(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert run("x", task="sentiment") == 2
    assert "'sentiment'라는 작업은 없습니다. 혹시 'sentiment-analysis'인가요?" in capsys.readouterr().err
    assert run("x", "--model", "./없는-폴더") == 1
    assert "'./없는-폴더'라는 폴더가 없고" in capsys.readouterr().err
    assert run("good " * 30, "--model", folder) == 1
    assert "1번째 텍스트: 텍스트가 32토큰인데 모델은 20토큰까지만 받습니다" in capsys.readouterr().err


def test_the_command_alone_shows_help_and_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    import nabi

    assert main([]) == 0
    assert "nabi run sentiment-analysis" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nabi {nabi.__version__}\n"


def test_help_and_mistyped_commands_load_no_torch() -> None:
    script = (
        "import sys; from nabi.cli import main\n"
        "main(['--help']); main(['run', '--help']); main(['run', 'sentimant', 'x'])\n"
        "main(['run', 'sentiment-analysis', 'x', '--model', './no-such-folder'])\n"
        "assert not {'torch', 'tokenizers', 'rich', 'transformers', 'httpx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


# ---------------------------------------------------------------- processes and terminals


def process(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **options.pop("env", {})}
    command = [*RUN, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options)


def test_a_console_that_lacks_the_letters_gets_question_marks_and_whole_json(folder: Path) -> None:
    plain = process("영화 최고", "--model", folder, env={"PYTHONIOENCODING": "ascii"})
    out, err = plain.communicate(timeout=60)
    assert (plain.returncode, err) == (0, b"")
    assert out.strip().endswith(b"?? ??")
    whole = process("영화 최고", "--model", folder, "--json", env={"PYTHONIOENCODING": "ascii"})
    assert json.loads(whole.communicate(timeout=60)[0])["text"] == "영화 최고"


def test_a_closed_pipe_and_an_interrupt_end_quietly(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "many.txt"
    file.write_text("good film\n" * 200_000)
    for leave in ("close", "interrupt"):
        running = process("--file", file, "--model", folder)
        assert running.stdout is not None and running.stderr is not None
        assert running.stdout.readline().rstrip().endswith(b"good film")
        if leave == "close":
            running.stdout.close()
        else:
            running.send_signal(signal.SIGINT)
            running.stdout.read()
        assert running.stderr.read() == b""
        assert running.wait(timeout=30) == (1 if leave == "close" else 130)


@pytest.mark.parametrize("command", ["", "run", "train", "train --help"], ids=lambda words: f"nabi {words}")
def test_help_that_nobody_reads_ends_quietly_too(command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([*RUN[:3], *command.split()], stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_results_stream_while_the_input_is_still_open(folder: Path) -> None:
    running = process("--model", folder, stdin=subprocess.PIPE)
    assert running.stdin is not None and running.stdout is not None
    for _ in range(3):
        running.stdin.write(b"good film\n")
        running.stdin.flush()
        assert running.stdout.readline().rstrip().endswith(b"good film")
    running.stdin.close()
    assert running.wait(timeout=30) == 0


def test_a_terminal_gets_a_progress_bar_on_long_input_and_a_pipe_does_not(folder: Path, tmp_path: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    file = tmp_path / "many.txt"
    file.write_text("good film\n" * 100_000)
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    bar = subprocess.Popen([*RUN, "--file", str(file), "--model", str(folder)], stdout=subprocess.DEVNULL, stderr=end)
    os.close(end)
    seen = b""
    start = time.monotonic()
    while b"%|" not in seen and time.monotonic() - start < 60:
        seen += os.read(terminal, 1024)
    bar.kill()
    bar.wait()
    os.close(terminal)
    assert b"%|" in seen
    piped = process(*TEXTS, "--model", folder)
    assert piped.communicate(timeout=60)[1] == b""


def test_a_single_prompt_grows_in_a_terminal_and_a_pipe_gets_the_same_text(tmp_path: Path) -> None:
    import pty

    end = WORDS.index("[SEP]")
    config = transformers.GPT2Config(
        vocab_size=len(WORDS), n_positions=40, n_embd=16, n_layer=1, n_head=2, bos_token_id=end, eos_token_id=end
    )
    torch.manual_seed(3)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="[SEP]").save_pretrained(tmp_path)
    command = [*RUN[:-1], "text-generation", "good film", "--model", str(tmp_path), "--max-new-tokens", "6"]
    command += ["--set", "do_sample=false"]
    terminal, inside = pty.openpty()
    shown = subprocess.Popen(command, stdout=inside, stderr=subprocess.DEVNULL)
    os.close(inside)
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 1024)
        except OSError:  # as Linux ends a terminal
            break
        if not piece:
            break
        seen += piece
    os.close(terminal)
    assert shown.wait(timeout=60) == 0
    piped = subprocess.run(command, capture_output=True, check=True)
    # Like the incumbent, the pipeline joins prompt and text without the space of tokenizers that have no decoder.
    assert "".join(seen.decode().split()) == "".join(piped.stdout.decode().split())
    assert seen.startswith(b"good film ")
