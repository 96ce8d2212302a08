"""The whole way from a Hub name to a label, twice: the second time nothing touches the network."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import torch

import nabi
from nabi.embedded import SENTIMENT

from .test_hub import OLD_COMMIT, FakeHub, fake_hub

__all__ = ["fake_hub"]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every connection that is tried from now on."""
    tried: list[Any] = []
    connect = socket.socket.connect

    def counted(self: socket.socket, address: Any) -> None:
        tried.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", counted)
    return tried


def test_model_tokenizer_and_pipeline_ask_the_hub_once_and_never_again(
    fake_hub: FakeHub, connections: list[Any], tmp_path: Path
) -> None:
    fake_hub.files[OLD_COMMIT] = {file.name: file.read_bytes() for file in SENTIMENT.iterdir()}

    def once() -> list[dict[str, Any]]:
        tokenizer = nabi.AutoTokenizer.from_pretrained("owner/model", cache_dir=tmp_path)
        model = nabi.AutoModelForSequenceClassification.from_pretrained("owner/model", cache_dir=tmp_path)
        nabi.AutoConfig.from_pretrained("owner/model", cache_dir=tmp_path)
        by_name = nabi.pipeline("sentiment-analysis", model="owner/model", model_kwargs={"cache_dir": tmp_path})
        result = nabi.pipeline("sentiment-analysis", model=model, tokenizer=tokenizer)("최고예요!")
        assert by_name("최고예요!") == result
        return result

    first = once()
    assert connections, "the first time the files must come from somewhere"
    downloads = len(fake_hub.requests)
    connections.clear()
    assert once() == first
    assert connections == []
    assert len(fake_hub.requests) == downloads


def test_a_sharded_checkpoint_comes_from_the_hub_whole(fake_hub: FakeHub, tmp_path: Path) -> None:
    model = nabi.AutoModelForSequenceClassification.from_pretrained(SENTIMENT)
    model.save_pretrained(tmp_path / "sharded", max_shard_size="5MB")
    fake_hub.files[OLD_COMMIT] = {file.name: file.read_bytes() for file in (tmp_path / "sharded").iterdir()}
    assert len(fake_hub.files[OLD_COMMIT]) > 3
    back = nabi.AutoModelForSequenceClassification.from_pretrained("owner/model", cache_dir=tmp_path / "cache")
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, back.state_dict()[name]), name
