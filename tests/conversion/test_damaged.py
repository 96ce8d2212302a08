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
        file.attrs["layer_names"], group.attrs["weight_names"] = [b"m"], [b"m/w:0"]
    for name in ("raw.h5", "link.h5"):
        with pytest.raises(ValueError, match="from another file, which nabi refuses"):
            read_tensorflow([tmp_path / name])


def test_a_list_of_names_that_keras_cut_into_pieces_is_joined(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        group = file.create_group("layer")
        for name in ("model/a/kernel:0", "model/b/gamma:0"):
            group[name] = np.arange(6, dtype="float32").reshape(2, 3)
        file.attrs["layer_names0"] = [b"layer"]
        group.attrs["weight_names0"], group.attrs["weight_names1"] = [b"model/a/kernel:0"], ["model/b/gamma:0"]
    found = read_tensorflow([tmp_path / "tf_model.h5"])
    assert {name: array.shape for name, array in found.items()} == {"a.weight": (3, 2), "b.weight": (2, 3)}
    assert found["a.weight"].read().tolist() == [[0, 3], [1, 4], [2, 5]]


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
