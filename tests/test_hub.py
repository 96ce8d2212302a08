"""hub.py against a small server that speaks the Hub's wire format, and against networks that are dead."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import huggingface_hub.constants
import huggingface_hub.file_download
import pytest

import nabi
from nabi import hub
from nabi.hub import HubUnreachable, Repository

OLD_COMMIT, NEW_COMMIT = "a" * 40, "b" * 40
FILES = {"config.json": b'{"model_type": "bert"}', "onnx/model.bin": b"weights" * 1000}


class FakeHub(ThreadingHTTPServer):
    """Serves `files[commit]` of the repository owner/model; owner/gated and owner/private are closed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeHubHandler)
        self.refs = {"main": OLD_COMMIT, "v1": OLD_COMMIT}
        self.files: dict[str, dict[str, bytes]] = {OLD_COMMIT: dict(FILES)}
        self.requests: list[tuple[str, str, str | None]] = []  # method, path, Authorization
        self.bodies: dict[str, bytes] = {}
        self.status: int | None = None  # answer everything so

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class FakeHubHandler(BaseHTTPRequestHandler):
    server: FakeHub

    def log_message(self, *arguments: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.requests.append((self.command, self.path, self.headers.get("Authorization")))
        if self.server.status is not None:
            return self.answer(self.server.status)
        if self.path.startswith("/api/models/owner/new/revision/"):  # older clients look before they commit
            reply = {"id": "owner/new", "sha": OLD_COMMIT, "private": True, "siblings": []}
            return self.answer(200, json.dumps(reply).encode(), Content_Type="application/json")
        repository, _, rest = self.path.strip("/").partition("/resolve/")
        if repository == "owner/gated":
            return self.answer(403, X_Error_Code="GatedRepo", X_Error_Message="ask the authors")
        if repository != "owner/model" and self.headers.get("Authorization") != "Bearer hf_good":
            return self.answer(401, X_Error_Code="RepoNotFound")
        revision, _, filename = rest.partition("/")
        commit = self.server.refs.get(unquote(revision), unquote(revision))
        if commit not in self.server.files:
            return self.answer(404, X_Error_Code="RevisionNotFound")
        content = self.server.files[commit].get(filename)
        if content is None:
            return self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
        etag = f'"{hashlib.sha1(content).hexdigest()}"'
        return self.answer(200, content, ETag=etag, X_Repo_Commit=commit)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.requests.append((self.command, self.path, self.headers.get("Authorization")))
        self.server.bodies[self.path] = body
        if self.headers.get("Authorization") != "Bearer hf_good":
            return self.answer(401, X_Error_Message="Invalid credentials in Authorization header")
        url = f"{self.server.url}/owner/new"
        reply: dict[str, Any] = {}
        if self.path == "/api/repos/create":
            reply = {"url": url}
        elif "/preupload/" in self.path:
            names = [entry["path"] for entry in json.loads(body)["files"]]
            reply = {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
        elif "/commit/" in self.path:
            reply = {"commitUrl": f"{url}/commit/{NEW_COMMIT}", "commitOid": NEW_COMMIT}
        return self.answer(200, json.dumps(reply).encode(), Content_Type="application/json")


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    server = FakeHub()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    point_to(server.url, monkeypatch)
    yield server
    server.shutdown()
    server.server_close()


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What HF_ENDPOINT does when it is set before huggingface_hub is imported."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "HF_HUB_ETAG_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    for module in (huggingface_hub.constants, huggingface_hub.file_download):  # the second in old versions
        monkeypatch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
    monkeypatch.setattr(hub, "_looks", {})
    hub._warn_once.cache_clear()


def opened(name: str, cache: Path, **options: Any) -> Repository:
    return Repository.open(name, {"cache_dir": cache, **options})


# ---------------------------------------------------------------- local folders


def test_open_takes_its_own_options_and_leaves_the_others() -> None:
    options = {
        "revision": "v1",
        "use_auth_token": "hf_old",
        "resume_download": True,
        "proxies": {},
        "dtype": 1,
    }
    repository = Repository.open("owner/model", options)
    assert options == {"dtype": 1}
    assert (repository.revision, repository.token) == ("v1", "hf_old")


def test_a_folder_gives_its_files_without_importing_the_hub_library(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "config.json").write_text("{}")
    script = (
        "import sys; from nabi.hub import Repository\n"
        f"r = Repository.open({str(tmp_path)!r}, {{'subfolder': 'sub'}})\n"
        "print(r.file('config.json').name, r.find('a', 'config.json').name, r.find('a', 'b'))\n"
        "print([m for m in sys.modules if m.startswith(('huggingface_hub', 'torch', 'transformers'))])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["config.json config.json None", "[]"]


def test_a_path_object_and_a_tilde_are_folders_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "model").mkdir()
    assert Repository.open(tmp_path / "model", {}).is_local
    assert Repository.open("~/model", {}).is_local


def test_a_missing_file_is_named_with_its_folder_and_what_that_holds(tmp_path: Path) -> None:
    (tmp_path / "weights.txt").touch()
    with pytest.raises(OSError, match=r"no 'config\.json' in the folder .*which holds: weights\.txt"):
        Repository.open(tmp_path, {}).file("config.json")
    with pytest.raises(OSError, match=r"no folder .*nothing.*subfolder"):
        Repository.open(tmp_path, {"subfolder": "nothing"}).file("config.json")


@pytest.mark.parametrize("name", ["./my-model", "a/b/c", "/no/such/folder", "C:\\models\\bert", "owner/na me", ""])
def test_a_name_that_is_neither_folder_nor_id_is_refused_at_once(name: str) -> None:
    with pytest.raises(OSError, match=r"neither a folder .* nor an id of the Hub"):
        Repository.open(name, {})


def test_a_file_given_as_the_model_is_told_from_a_missing_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(NotADirectoryError, match=r"is a file"):
        Repository.open(tmp_path / "model.safetensors", {})


@pytest.mark.parametrize("filename", ["../secret", "/etc/passwd", "a/../../b", "..\\secret", "C:\\secret"])
def test_no_file_name_leads_out_of_the_repository(tmp_path: Path, filename: str) -> None:
    for name in (tmp_path, "owner/model"):
        with pytest.raises(OSError, match=r"leads out of"):
            Repository.open(name, {}).find(filename)


# ---------------------------------------------------------------- the Hub


def test_a_downloaded_file_is_never_asked_for_again(
    fake_hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened("owner/model", tmp_path)
    assert first.file("config.json").read_bytes() == FILES["config.json"]
    assert first.find("missing.json", "onnx/model.bin") is not None
    assert first.find("missing.json") is None
    asked = len(fake_hub.requests)

    connections: list[object] = []

    def refuse(self: socket.socket, address: object) -> None:
        connections.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    second = opened("owner/model", tmp_path)
    assert second.file("config.json").read_bytes() == FILES["config.json"]
    assert second.find("missing.json", "onnx/model.bin") == first.file("onnx/model.bin")
    assert second.find("missing.json") is None
    assert connections == []
    assert len(fake_hub.requests) == asked
    hub._looks.clear()
    with pytest.raises(HubUnreachable):  # the guard does see the connections of a file that is not cached
        opened("owner/model", tmp_path, revision="v2").file("config.json")
    assert len(connections) == 1


def test_force_download_asks_again_and_gets_the_news(fake_hub: FakeHub, tmp_path: Path) -> None:
    opened("owner/model", tmp_path).file("config.json")
    fake_hub.refs["main"] = NEW_COMMIT
    fake_hub.files[NEW_COMMIT] = {"config.json": b"new"}
    assert opened("owner/model", tmp_path).file("config.json").read_bytes() == FILES["config.json"]
    assert opened("owner/model", tmp_path, force_download=True).file("config.json").read_bytes() == b"new"


def test_the_files_of_one_load_belong_to_one_commit(fake_hub: FakeHub, tmp_path: Path) -> None:
    opened("owner/model", tmp_path).file("config.json")
    fake_hub.refs["main"] = NEW_COMMIT
    fake_hub.files[NEW_COMMIT] = {"config.json": b"new", "onnx/model.bin": b"new"}
    weights = opened("owner/model", tmp_path).file("onnx/model.bin")
    assert weights.read_bytes() == FILES["onnx/model.bin"]


def test_a_commit_that_the_hub_has_dropped_gives_way_to_the_branch(fake_hub: FakeHub, tmp_path: Path) -> None:
    opened("owner/model", tmp_path).file("config.json")
    fake_hub.refs["main"] = NEW_COMMIT
    fake_hub.files = {NEW_COMMIT: {"onnx/model.bin": b"new"}}
    assert opened("owner/model", tmp_path).file("onnx/model.bin").read_bytes() == b"new"


def test_revision_and_subfolder_choose_the_file(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.refs["main"] = NEW_COMMIT
    fake_hub.files[NEW_COMMIT] = {"config.json": b"new"}
    assert opened("owner/model", tmp_path, revision="v1").file("config.json").read_bytes() == FILES["config.json"]
    by_commit = opened("owner/model", tmp_path, revision=OLD_COMMIT, subfolder="onnx")
    assert by_commit.file("model.bin").read_bytes() == FILES["onnx/model.bin"]


def test_an_adapter_leads_to_the_model_that_it_was_made_for(fake_hub: FakeHub, tmp_path: Path) -> None:
    adapter = {"base_model_name_or_path": "owner/model", "revision": "v1"}
    fake_hub.files[NEW_COMMIT] = {"adapter_config.json": json.dumps(adapter).encode()}
    base = opened("owner/model", tmp_path, revision=NEW_COMMIT, token=False).base()
    assert base == opened("owner/model", tmp_path, revision="v1", token=False)
    assert base.file("config.json").read_bytes() == FILES["config.json"]
    assert base.base() is None


def test_the_token_is_sent_and_false_sends_none(fake_hub: FakeHub, tmp_path: Path) -> None:
    opened("owner/private", tmp_path / "a", token="hf_good").file("config.json")
    assert {sent for _, _, sent in fake_hub.requests} == {"Bearer hf_good"}
    fake_hub.requests.clear()
    opened("owner/model", tmp_path / "b", token=False).file("config.json")
    assert {sent for _, _, sent in fake_hub.requests} == {None}


def test_each_refusal_has_its_own_message(fake_hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(PermissionError, match=r"'owner/gated' is gated.*config\.json.*hf auth login"):
        opened("owner/gated", tmp_path).file("config.json")
    with pytest.raises(FileNotFoundError, match=r"'owner/private' is no folder here.*config\.json.*token"):
        opened("owner/private", tmp_path).file("config.json")
    with pytest.raises(OSError, match=r"'owner/model' has no revision 'v9'.*config\.json"):
        opened("owner/model", tmp_path, revision="v9").file("config.json")
    with pytest.raises(FileNotFoundError, match=r"'owner/model' \(revision 'main'\) has no file 'vocab\.txt'"):
        opened("owner/model", tmp_path).file("vocab.txt")


def test_find_tells_a_missing_file_from_a_missing_repository(fake_hub: FakeHub, tmp_path: Path) -> None:
    assert opened("owner/model", tmp_path).find("vocab.txt") is None
    with pytest.raises(OSError, match=r"no folder here"):
        opened("owner/private", tmp_path).find("vocab.txt")


def test_a_failing_hub_is_an_error_without_retries(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.status = 503
    with pytest.raises(HubUnreachable, match=r"503"):
        opened("owner/model", tmp_path).file("config.json")
    assert len(fake_hub.requests) == 1


@pytest.mark.parametrize("switch", ["local_files_only", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_uses_the_cache_and_nothing_else(
    fake_hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    opened("owner/model", tmp_path).file("config.json")
    fake_hub.requests.clear()
    options = {"local_files_only": True} if switch == "local_files_only" else {}
    if not options:
        monkeypatch.setenv(switch, "1")
    cached = opened("owner/model", tmp_path, **options)
    assert cached.file("config.json").read_bytes() == FILES["config.json"]
    assert cached.find("onnx/model.bin") is None
    with pytest.raises(HubUnreachable, match=rf"'onnx/model\.bin' of 'owner/model'.*not in the cache.*{switch}"):
        cached.file("onnx/model.bin")
    with pytest.raises(HubUnreachable, match=r"'config.json' of 'owner/other'"):
        opened("owner/other", tmp_path, **options).find("config.json")
    assert fake_hub.requests == []


def test_a_network_that_died_leaves_the_cached_files_and_says_so_once(
    fake_hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened("owner/model", tmp_path).file("config.json")
    point_to("http://127.0.0.1:9", monkeypatch)
    repository = opened("owner/model", tmp_path)
    assert repository.find("config.json") is not None
    assert repository.find("vocab.txt", "merges.txt") is None
    assert [record.message for record in caplog.records if record.name == "nabi.hub"] == [
        "The Hub does not answer, so 'owner/model' (revision 'main') has only the files in the cache."
    ]


def test_upload_creates_the_repository_and_commits_every_file(fake_hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    url = hub.upload(tmp_path, "new", token="hf_good", commit_message="First", private=True)
    assert url == f"{fake_hub.url}/owner/new/commit/{NEW_COMMIT}"
    created = json.loads(fake_hub.bodies["/api/repos/create"])
    assert created["name"] == "new"
    assert created.get("private") is True or created["visibility"] == "private"
    commit = [json.loads(line) for line in fake_hub.bodies["/api/models/owner/new/commit/main"].splitlines()]
    assert commit[0]["value"]["summary"] == "First"
    assert sorted(entry["value"]["path"] for entry in commit[1:]) == sorted(FILES)


def things_to_push() -> dict[str, Any]:
    """What has push_to_hub, by what it is."""
    from nabi.embedded import SENTIMENT

    pipe = nabi.pipeline("sentiment-analysis", model=SENTIMENT)
    return {
        "config": nabi.BertConfig(),
        "generation config": nabi.GenerationConfig(max_length=9),
        "image processor": nabi.ViTImageProcessor(),
        "model": pipe.model,
        "pipeline": pipe,
        "tokenizer": pipe.tokenizer,
    }


@pytest.mark.parametrize(
    ("what", "files"),
    [
        ("config", "config.json"),
        ("generation config", "generation_config.json"),
        ("image processor", "preprocessor_config.json"),
        ("model", "config.json model.safetensors"),
        ("pipeline", "config.json model.safetensors special_tokens_map.json tokenizer.json tokenizer_config.json"),
        ("tokenizer", "special_tokens_map.json tokenizer.json tokenizer_config.json"),
    ],
)
def test_what_can_be_saved_can_be_pushed(fake_hub: FakeHub, what: str, files: str) -> None:
    options = {"organization": "owner", "use_auth_token": "hf_good", "use_temp_dir": True}
    url = things_to_push()[what].push_to_hub("new", commit_message="A butterfly", **options)
    assert url == f"{fake_hub.url}/owner/new/commit/{NEW_COMMIT}"
    commit = [json.loads(line) for line in fake_hub.bodies["/api/models/owner/new/commit/main"].splitlines()]
    assert commit[0]["value"]["summary"] == "A butterfly"
    assert sorted(entry["value"]["path"] for entry in commit[1:]) == files.split()


def test_a_refused_upload_names_folder_repository_and_remedy(fake_hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"to 'owner/new' was refused.*hf auth login"):
        hub.upload(tmp_path, "owner/new", token="hf_bad")
    with pytest.raises(FileNotFoundError, match=r"no folder '.*nothing'"):
        hub.upload(tmp_path / "nothing", "owner/new", token="hf_good")


# ---------------------------------------------------------------- dead networks

ASK = """
import socket, sys, time
if sys.argv[1] == "hanging-name-server":
    socket.getaddrinfo = lambda *a, **k: time.sleep(30)
from nabi.hub import HubUnreachable, Repository
start = time.monotonic()
for filename in ("config.json", "tokenizer.json", "vocab.txt"):
    try:
        Repository.open("owner/model", {"cache_dir": sys.argv[2]}).find(filename)
    except HubUnreachable as error:
        print(error)
print(time.monotonic() - start)
"""


@pytest.mark.parametrize("kind", ["refused", "black-hole", "unknown-name", "hanging-name-server"])
def test_a_dead_network_is_noticed_within_three_seconds_in_total(tmp_path: Path, kind: str) -> None:
    with socket.socket() as listener:  # accepts in the kernel's queue and never answers
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        urls = {
            "refused": "http://127.0.0.1:9",
            "black-hole": f"http://127.0.0.1:{listener.getsockname()[1]}",
        }
        endpoint = urls.get(kind, "http://no-such-hub.invalid")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_") and "proxy" not in k.lower()}
        start = time.monotonic()
        run = subprocess.run(
            [sys.executable, "-c", ASK, kind, str(tmp_path)],
            capture_output=True,
            text=True,
            env={**environment, "HF_ENDPOINT": endpoint},
            timeout=20,
        )
        whole = time.monotonic() - start
    assert run.returncode == 0, run.stderr
    *errors, seconds = run.stdout.splitlines()
    assert len(errors) == 3
    assert all("owner/model" in error and "cannot be reached" in error for error in errors)
    assert float(seconds) < 3.0
    assert whole < float(seconds) + 3.0  # and nothing holds up the exit
