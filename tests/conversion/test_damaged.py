"""TensorFlow's and Flax's files that are damaged, of another kind, or made to do harm: one error, and no target."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import msgpack
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nabi
from nabi.conversion import convert_checkpoint
from nabi.conversion.flax import read_flax
from nabi.conversion.tensorflow import read_tensorflow

from .test_recorded import unpack

FILES = {"tf-bert-masked": "tf_model.h5", "flax-bert-masked": "flax_model.msgpack"}


@pytest.fixture(params=FILES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    folder = unpack(request.param, tmp_path / "source")
    return folder, folder / FILES[request.param]


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_was_cut_off_says_so(source: tuple[Path, Path], keep: float, tmp_path: Path) -> None:
    folder, file = source
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(OSError, match=r"is not a whole (HDF5|msgpack) file.*truncated or corrupt"):
        nabi.convert_checkpoint(folder, tmp_path / "target")
    assert [entry.name for entry in tmp_path.iterdir()] == ["source"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_changed_bytes_give_weights_or_one_error(
    source: tuple[Path, Path], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, file = source
    content = bytearray(file.read_bytes())
    whole = bytes(content)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    target = tmp_path_factory.mktemp("changed") / "target"
    try:
        nabi.convert_checkpoint(folder, target)
        assert (target / "model.safetensors").is_file()
    except (OSError, ValueError):
        assert not target.exists()
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("name", ["tf_model.h5", "flax_model.msgpack"])
def test_a_pointer_of_git_lfs_is_told_from_weights(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 440473133\n")
    with pytest.raises(OSError, match="git lfs pull"):
        convert_checkpoint(tmp_path, tmp_path / "new")


def test_a_whole_keras_model_is_told_from_a_checkpoint(tmp_path: Path) -> None:
    folder = unpack("tf-bert-masked", tmp_path / "source")
    with h5py.File(folder / "tf_model.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        file.create_group("model_weights")
    with pytest.raises(ValueError, match="is a whole Keras model"):
        nabi.convert_checkpoint(folder, tmp_path / "target")


def test_an_hdf5_file_without_weights_is_no_checkpoint(tmp_path: Path) -> None:
    h5py.File(tmp_path / "tf_model.h5", "w").close()
    with pytest.raises(ValueError, match="holds no weights"):
        read_tensorflow([tmp_path / "tf_model.h5"])


def test_an_hdf5_file_may_not_read_other_files_of_the_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(64))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = np.zeros(4, "float32")
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file.create_dataset("m/w:0", (16,), "float32", external=[(str(secret), 0, 64)])
    with h5py.File(tmp_path / "link.h5", "w") as file:
        group = file.create_group("m")
        group["m/w:0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "data")
        file.attrs["keras_version"] = "2"
    with pytest.raises(ValueError, match="from another file, which nabi refuses"):
        read_tensorflow([tmp_path / "raw.h5"])
    with pytest.raises(ValueError, match="holds no weights"):
        read_tensorflow([tmp_path / "link.h5"])


def packed(array: np.ndarray, dtype: str | None = None) -> msgpack.ExtType:
    return msgpack.ExtType(1, msgpack.packb((array.shape, dtype or array.dtype.name, array.tobytes())))


def write(file: Path, tree: Any) -> list[Path]:
    file.write_bytes(msgpack.packb(tree, strict_types=False))
    return [file]


def test_an_array_that_flax_cut_into_chunks_is_joined(tmp_path: Path) -> None:
    whole = np.arange(12, dtype="float32").reshape(3, 4)
    chunked = {
        "__msgpack_chunked_array__": True,
        "shape": {"0": 3, "1": 4},
        "chunks": {str(i): packed(part) for i, part in enumerate(np.split(whole.ravel(), 3))},
    }
    found = read_flax(write(tmp_path / "flax_model.msgpack", {"dense": {"kernel": chunked}}))
    assert torch.equal(found["dense.weight"].read(), torch.from_numpy(whole.T.copy()))


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ([1, 2], "holds a list"),
        ({"a": "text"}, "a is a str, not an array"),
        ({"a": msgpack.ExtType(2, b"")}, "code 2 is no array"),
        ({"a": packed(np.zeros(3, "float32"), "object")}, "the dtype b'object'"),
        ({"a": msgpack.ExtType(1, msgpack.packb(((4,), "float32", b"123")))}, "has 3 bytes"),
        ({"a": {"__msgpack_chunked_array__": 1, "shape": {"0": 5}, "chunks": {}}}, "do not add up"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_msgpack_file_that_is_no_tree_of_arrays_says_what_it_is(tree: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=reason):
        read_flax(write(tmp_path / "flax_model.msgpack", tree))


def test_a_library_that_is_missing_is_named_with_the_command_that_brings_it(
    source: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file = source
    library = "h5py" if file.suffix == ".h5" else "msgpack"
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=f"pip install {library}"):
        nabi.convert_checkpoint(folder, tmp_path / "target")


def test_a_family_that_nabi_does_not_have_is_named(source: tuple[Path, Path], tmp_path: Path) -> None:
    config = source[0] / "config.json"
    config.write_text(config.read_text().replace('"model_type": "bert"', '"model_type": "funnel"'))
    with pytest.raises(ValueError, match="no family for model_type 'funnel'"):
        nabi.convert_checkpoint(source[0], tmp_path / "target")
    config.unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no config\.json"):
        nabi.convert_checkpoint(source[0], tmp_path / "target")


def test_two_different_weights_that_the_config_ties_are_refused(tmp_path: Path) -> None:
    folder = unpack("flax-bert-masked", tmp_path / "source")
    file = folder / "flax_model.msgpack"
    tree = msgpack.unpackb(file.read_bytes(), strict_map_key=False)
    tree["cls"]["predictions"]["decoder"] = {"kernel": packed(np.ones((8, 24), "float32"))}
    write(file, tree)
    with pytest.raises(ValueError, match=r"ties cls\.predictions\.decoder\.weight to .* two different ones"):
        nabi.convert_checkpoint(folder, tmp_path / "target")


def test_an_array_that_layers_share_must_be_the_same_in_each(tmp_path: Path) -> None:
    folder = unpack("tf-t5", tmp_path / "source")
    with h5py.File(folder / "tf_model.h5", "r+") as file:
        file["decoder/shared/shared/embeddings:0"][0, 0] += 1
    with pytest.raises(ValueError, match=r"two different arrays for shared\.weight"):
        nabi.convert_checkpoint(folder, tmp_path / "target")


@pytest.mark.parametrize("name", ["tf-bert-shards", "flax-bert-shards"])
def test_shards_must_all_be_there_and_named(name: str, tmp_path: Path) -> None:
    folder = unpack(name, tmp_path / "source")
    [index] = folder.glob("*.index.json")
    shard = sorted(folder.glob("*-00002-of-*"))[0]
    shard.rename(folder / "elsewhere")
    with pytest.raises(FileNotFoundError, match=f"There is no '{shard.name}'"):
        nabi.convert_checkpoint(folder, tmp_path / "target")
    index.write_text('{"weight_map": {"a": "../../secret"}}')
    with pytest.raises(OSError, match=r"leads out of"):
        nabi.convert_checkpoint(folder, tmp_path / "target")
    index.write_text("{}")
    with pytest.raises(ValueError, match="has no weight_map"):
        nabi.convert_checkpoint(folder, tmp_path / "target")


def test_the_older_names_of_shared_embeddings_are_read(tmp_path: Path) -> None:
    folder = unpack("tf-bart", tmp_path / "source")
    with h5py.File(folder / "tf_model.h5", "r+") as file:
        shared = file["model/model.shared/model.shared"]
        shared.move("embeddings:0", "weight:0")
    nabi.convert_checkpoint(folder, tmp_path / "target")
    assert (tmp_path / "target" / "model.safetensors").is_file()
