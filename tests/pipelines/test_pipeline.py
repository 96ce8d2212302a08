"""pipeline(): which task, which model, which tokenizer, which device; and what is taken when no model is named."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import huggingface_hub.constants
import huggingface_hub.file_download
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import nabi
from nabi import hub, pipeline
from nabi.embedded import SENTIMENT
from nabi.pipelines.tasks import TASKS

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
DEFAULT = TASKS["text-classification"].default


def save_classifier(folder: Path, **config: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    sizes = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 16}
    settings = transformers.DistilBertConfig(vocab_size=len(WORDS), **sizes, **config)
    transformers.DistilBertForSequenceClassification(settings).save_pretrained(folder)
    words = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]").save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("classifier"), id2label={0: "bad", 1: "good"})


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, which is returned, and a Hub that refuses connections."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_ETAG_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    point_to("http://127.0.0.1:9", monkeypatch)
    return tmp_path


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What HF_ENDPOINT does when it is set before huggingface_hub is imported."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    for module in (huggingface_hub.constants, huggingface_hub.file_download):  # the second in old versions
        monkeypatch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
    monkeypatch.setattr(hub, "_looks", {})


def cached_folder(cache: Path, name: str, commit: str) -> Path:
    repository = cache / ("models--" + name.replace("/", "--"))
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    return repository / "snapshots" / commit


# ---------------------------------------------------------------- the task


def test_importing_pipeline_loads_no_torch() -> None:
    script = (
        "import sys; from nabi import pipeline; from nabi.pipelines import tasks\n"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_both_names_of_the_task_make_the_same_pipeline(folder: Path) -> None:
    for task in ("sentiment-analysis", "text-classification"):
        pipe = pipeline(task, model=str(folder), device="cpu")
        assert type(pipe) is nabi.TextClassificationPipeline
        assert pipe.task == task
    assert "DistilBertForSequenceClassification" in repr(pipe)


def test_an_unknown_task_names_the_near_one_and_all() -> None:
    with pytest.raises(KeyError, match=r"no task 'sentiment-analisys'.*Did you mean 'sentiment-analysis'.*text-class"):
        pipeline("sentiment-analisys")
    with pytest.raises(TypeError, match="task is a int"):
        pipeline(3)  # type: ignore[arg-type]


def test_with_no_task_the_model_says_it(folder: Path) -> None:
    assert pipeline(model=folder, device="cpu").task == "text-classification"
    loaded = pipeline(model=folder, device="cpu")
    again = pipeline(model=loaded.model, tokenizer=loaded.tokenizer, device="cpu")
    assert again("good") == loaded("good")


def test_a_model_that_says_no_task_is_an_error_that_lists_them(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["BertForNothing"]}')
    with pytest.raises(ValueError, match=r"does not say its task .*BertForNothing.*pipeline\(task, model=…\).*vqa"):
        pipeline(model=tmp_path)
    with pytest.raises(ValueError, match="needs a task"):
        pipeline()


# ---------------------------------------------------------------- model and tokenizer


def test_the_tokenizer_of_a_model_object_is_found_by_where_it_came_from(folder: Path) -> None:
    model = nabi.AutoModelForSequenceClassification.from_pretrained(folder)
    named = pipeline("text-classification", model=folder, device="cpu")
    assert pipeline("text-classification", model=model, device="cpu")("good film") == named("good film")
    assert pipeline("text-classification", model=model, tokenizer=folder, device="cpu")("bad") == named("bad")


def test_a_model_object_of_unknown_origin_needs_its_tokenizer() -> None:
    config = nabi.BertConfig(
        vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    model = nabi.BertForSequenceClassification(config)
    with pytest.raises(ValueError, match=r"BertForSequenceClassification does not say where it came from.*tokenizer=…"):
        pipeline("text-classification", model=model)
    with pytest.raises(ValueError, match="needs the tokenizer"):
        nabi.TextClassificationPipeline(model=model)
    with pytest.raises(TypeError, match=r"takes a loaded model.*pipeline"):
        nabi.TextClassificationPipeline(model="some/name", tokenizer=object())


@pytest.mark.parametrize("name", ["./no-such-folder", "a/b/c"])
def test_a_missing_folder_is_one_clear_error(name: str) -> None:
    with pytest.raises(OSError, match=f"'{name}' is neither a folder"):
        pipeline("text-classification", model=name)


def test_v4_and_v5_arguments_are_taken(folder: Path) -> None:
    plain = pipeline("sentiment-analysis", model=folder, device="cpu")("good film")
    old = pipeline("sentiment-analysis", folder, device=-1, framework="pt", use_fast=True, torch_dtype=torch.float32)
    new = pipeline("sentiment-analysis", model=folder, device_map="cpu", dtype="float32", trust_remote_code=True)
    assert old("good film") == new("good film", num_workers=2) == plain
    half = pipeline("sentiment-analysis", model=folder, dtype=torch.bfloat16, device="cpu")
    assert half.dtype is half.torch_dtype is torch.bfloat16
    assert half("good film")[0]["score"] == pytest.approx(plain[0]["score"], abs=0.02)


def test_subfolder_and_config_keys_go_through_model_kwargs(folder: Path, tmp_path: Path) -> None:
    save_classifier(tmp_path / "inner", id2label={0: "bad", 1: "good"})
    pipe = pipeline(
        "sentiment-analysis", model=tmp_path, model_kwargs={"subfolder": "inner", "id2label": {0: "no", 1: "yes"}}
    )
    assert pipe("good")[0]["label"] in {"no", "yes"}


def test_a_class_of_ones_own_takes_the_place_of_the_tasks(folder: Path) -> None:
    class Shouting(nabi.TextClassificationPipeline):
        def postprocess(self, model_outputs: Any, **settings: Any) -> Any:
            return super().postprocess(model_outputs, **settings)["label"].upper()

    pipe = pipeline("text-classification", model=folder, pipeline_class=Shouting, device="cpu")
    assert set(pipe(["good", "bad film"])) <= {"GOOD", "BAD"}


# ---------------------------------------------------------------- device


@pytest.mark.parametrize("device", ["cpu", -1, torch.device("cpu")])
def test_a_device_is_a_number_a_name_or_a_torch_device(folder: Path, device: Any) -> None:
    pipe = pipeline("text-classification", model=folder, device=device)
    assert pipe.device == pipe.model.device == torch.device("cpu")


def test_an_impossible_device_is_a_clear_error(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"device='gpu' is no device: expected 'cpu', 'cuda'"):
        pipeline("text-classification", model=folder, device="gpu")
    with pytest.raises(TypeError, match="device is a float"):
        pipeline("text-classification", model=folder, device=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="device='cpu' and device_map='auto'"):
        pipeline("text-classification", model=folder, device="cpu", device_map="auto")
    with pytest.raises(ValueError, match="one device"):
        pipeline("text-classification", model=folder, device_map={"a": "cpu", "b": "meta"})
    with pytest.raises(ValueError, match="device='cuda:99' cannot be used here"):
        pipeline("text-classification", model=folder, device="cuda:99")


# ---------------------------------------------------------------- no model named


class OneRepository(BaseHTTPRequestHandler):
    """A Hub with nothing but the task's usual model, which is the files of `folder`."""

    folder: ClassVar[Path]
    requests: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.requests.append(self.path)
        found = self.path.startswith(f"/{DEFAULT.name}/resolve/{DEFAULT.revision}/")
        file = self.folder / self.path.rpartition("/")[2]
        content = file.read_bytes() if found and file.is_file() else b""
        self.send_response(200 if content else 404)
        self.send_header("X-Repo-Commit", DEFAULT.revision)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        if not content:
            self.send_header("X-Error-Code", "EntryNotFound" if found else "RepoNotFound")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *arguments: object) -> None:
        pass


def test_the_hubs_default_is_taken_from_the_hub_and_then_from_the_cache_without_a_request(
    no_network: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    OneRepository.folder = save_classifier(tmp_path / "origin", id2label={0: "NEGATIVE", 1: "POSITIVE"})
    with ThreadingHTTPServer(("127.0.0.1", 0), OneRepository) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        point_to(f"http://127.0.0.1:{server.server_port}", monkeypatch)
        first = pipeline("sentiment-analysis", device="cpu")("good film")
        server.shutdown()
    assert first[0]["label"] in {"NEGATIVE", "POSITIVE"}
    assert OneRepository.requests

    connections: list[object] = []

    def refuse(self: socket.socket, address: object) -> None:
        connections.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(hub, "_looks", {})
    with caplog.at_level(logging.WARNING, "nabi.pipelines"):
        caplog.clear()
        assert pipeline("sentiment-analysis", device="cpu")("good film") == first
    assert connections == []
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("nabi.pipelines")]
    assert line == f"No model was named for sentiment-analysis: {DEFAULT.name} is used. Name a model with model=…"


@pytest.mark.parametrize("cached", ["nothing", "a part"])
def test_without_a_network_the_embedded_checkpoint_is_taken_and_named_once(
    no_network: Path, caplog: pytest.LogCaptureFixture, cached: str
) -> None:
    if cached == "a part":
        part = save_classifier(cached_folder(no_network, DEFAULT.name, DEFAULT.revision))
        (part / "model.safetensors").unlink()
    with caplog.at_level(logging.WARNING, "nabi"):
        pipe = pipeline("sentiment-analysis", device="cpu")
    assert Path(pipe.model.config._name_or_path) == SENTIMENT
    assert [one["label"] for one in pipe(["이 영화는 최고예요!", "This film is awful."])] == ["positive", "negative"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert "nabi's own small checkpoint for Korean and English is used" in line


def test_without_a_network_the_decision_takes_less_than_three_seconds(tmp_path: Path) -> None:
    script = (
        "import time; from nabi.pipelines.tasks import TASKS, default_model\n"
        "start = time.monotonic()\n"
        "print(default_model(TASKS['text-classification'], 'sentiment-analysis', {})[0])\n"
        "print(time.monotonic() - start)"
    )
    with socket.socket() as black_hole:
        black_hole.bind(("127.0.0.1", 0))
        black_hole.listen(8)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        environment |= {
            "HF_ENDPOINT": f"http://127.0.0.1:{black_hole.getsockname()[1]}",
            "HF_HUB_CACHE": str(tmp_path),
        }
        start = time.monotonic()
        run = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
    taken, seconds = run.stdout.splitlines()
    assert taken == str(SENTIMENT)
    assert float(seconds) < 3.0
    assert time.monotonic() - start < 10.0


def test_version_4s_other_names_of_a_call() -> None:
    pipe = nabi.pipeline("sentiment-analysis", model=SENTIMENT)
    texts = ["좋아요", "별로예요"]
    expected = pipe(texts)
    assert pipe.predict(texts) == pipe.transform(texts) == expected
    settings = pipe._sanitize_parameters()
    assert [found for found in pipe.iterate(texts, *settings)] == pipe.run_multi(texts, *settings)
    with pipe.device_placement():
        assert pipe.ensure_tensor_on_device(x=torch.ones(1))["x"].device == pipe.device
    pipe.check_model_type(nabi.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING)
    with pytest.raises(
        ValueError, match="BertForSequenceClassification is none of the models for this: GPT2LMHeadModel"
    ):
        pipe.check_model_type(["GPT2LMHeadModel"])
