"""Weights in and out of files: mapped and not copied, sharded, replaced safely, and never executed."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from nabi import checkpoint
from nabi.checkpoint import Weights, find_weights, save_weights
from nabi.hub import Repository

pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
SIZES = {"a.weight": (40, 30), "a.bias": (40,), "b.weight": (50, 40), "b.bias": (50,)}


def make_tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {name: torch.randn(shape, generator=generator) for name, shape in SIZES.items()}


def read(folder: Path, **options: Any) -> Weights:
    return find_weights(Repository.open(folder, {}), **options)


def assert_equal(weights: Any, tensors: dict[str, Tensor]) -> None:
    assert set(weights) == set(tensors)
    assert all(torch.equal(weights[name], tensors[name]) for name in tensors)


def files(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def is_mapped_from(tensor: Tensor, file: Path) -> bool:
    """Whether the tensor's memory is the file's own pages (Linux)."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(str(file)):
            first, last = (int(number, 16) for number in line.split()[0].split("-"))
            if first <= tensor.data_ptr() < last:
                return True
    return False


# --- reading and writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("safetensors", [True, False])
@pytest.mark.parametrize("limit", ["50GB", "9KB", 1])
def test_what_is_saved_is_read_back(tmp_path: Path, safetensors: bool, limit: str | int) -> None:
    save_weights(make_tensors(), tmp_path, max_shard_size=limit, safetensors=safetensors)
    weights = read(tmp_path)
    assert_equal(weights, make_tensors())
    assert len(weights) == len(SIZES) and "a.bias" in weights and "c" not in weights


def test_shards_keep_below_the_limit_and_the_index_names_each_tensor_and_the_total(tmp_path: Path) -> None:
    save_weights(make_tensors(), tmp_path, max_shard_size="9KB")
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(4 * t.numel() for t in make_tensors().values())
    assert list(index["weight_map"]) == list(SIZES)
    shards = sorted(set(index["weight_map"].values()))
    assert shards == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert files(tmp_path) == [*shards, "model.safetensors.index.json"]
    assert all((tmp_path / shard).stat().st_size < 9000 for shard in shards)


@pytest.mark.parametrize(
    ("text", "size"), [("5GB", 5 * 10**9), ("200mb", 2 * 10**8), ("1.5KiB", 1536), ("7B", 7), (7, 7)]
)
def test_sizes_are_read_as_people_write_them(text: str | int, size: int) -> None:
    assert checkpoint.size_in_bytes(text) == size


def test_a_size_that_is_none_is_refused_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"max_shard_size is 'big'.*'5GB'"):
        save_weights(make_tensors(), tmp_path, max_shard_size="big")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.bool])
def test_every_dtype_is_kept(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {"x": (torch.arange(6) % 2).to(dtype).view(2, 3)}
    save_weights(tensors, tmp_path)
    assert read(tmp_path)["x"].dtype == dtype
    assert_equal(read(tmp_path), tensors)


def test_tensors_that_share_memory_or_are_transposed_are_stored_each_by_itself(tmp_path: Path) -> None:
    whole = torch.arange(12.0).view(3, 4)
    tensors = {"whole": whole, "same": whole, "part": whole[1:], "turned": whole.T}
    save_weights(tensors, tmp_path)
    assert_equal(read(tmp_path), tensors)


def test_safetensors_and_zipped_pickles_are_mapped_not_copied(tmp_path: Path) -> None:
    save_weights(make_tensors(), tmp_path)
    assert all(is_mapped_from(tensor, tmp_path / "model.safetensors") for tensor in read(tmp_path).values())
    save_weights(make_tensors(), tmp_path, safetensors=False)
    assert all(is_mapped_from(tensor, tmp_path / "pytorch_model.bin") for tensor in read(tmp_path).values())


def test_a_pickle_of_the_old_layout_and_one_with_the_state_dict_inside_are_read(tmp_path: Path) -> None:
    torch.save(make_tensors(), tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    assert_equal(read(tmp_path), make_tensors())
    torch.save({"state_dict": make_tensors()}, tmp_path / "pytorch_model.bin")
    assert_equal(read(tmp_path), make_tensors())


# --- which file -------------------------------------------------------------------------------------------------------


def test_safetensors_come_before_a_pickle_unless_asked_otherwise(tmp_path: Path) -> None:
    save_file({"new": torch.zeros(1)}, tmp_path / "model.safetensors")
    torch.save({"old": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    assert list(read(tmp_path)) == list(read(tmp_path, use_safetensors=True)) == ["new"]
    assert list(read(tmp_path, use_safetensors=False)) == ["old"]


def test_a_pickle_is_not_taken_where_safetensors_are_demanded(tmp_path: Path) -> None:
    torch.save({"old": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match=r"no weights in .*model\.safetensors"):
        read(tmp_path, use_safetensors=True)


def test_a_variant_is_the_middle_name(tmp_path: Path) -> None:
    save_file({"half": torch.zeros(1)}, tmp_path / "model.fp16.safetensors")
    assert list(read(tmp_path, variant="fp16")) == ["half"]
    with pytest.raises(OSError, match="variant 'bf16'"):
        read(tmp_path, variant="bf16")


def test_a_folder_without_weights_is_named_with_the_files_that_were_looked_for(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"model\.safetensors nor pytorch_model\.bin") as caught:
        read(tmp_path)
    assert str(tmp_path) in str(caught.value) and "save_pretrained" in str(caught.value)


# --- replacing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("safetensors", [True, False])
def test_weights_may_be_saved_over_the_file_they_are_mapped_from(tmp_path: Path, safetensors: bool) -> None:
    save_weights(make_tensors(), tmp_path, safetensors=safetensors)
    mapped = dict(read(tmp_path))
    smaller = {name: tensor for name, tensor in mapped.items() if name.startswith("a")}
    save_weights(smaller, tmp_path, safetensors=safetensors)
    assert_equal(mapped, make_tensors())  # the old pages are still there
    assert_equal(read(tmp_path), {name: make_tensors()[name] for name in smaller})


@pytest.mark.parametrize("safetensors", [True, False])
def test_files_that_the_new_ones_replace_are_removed_and_others_are_not(tmp_path: Path, safetensors: bool) -> None:
    save_weights(make_tensors(), tmp_path, max_shard_size=1)
    others = {"README.md", "model-of-a-ship.safetensors", "adapter_model.safetensors", "optimizer.bin"}
    for other in others:
        (tmp_path / other).touch()
    save_weights(make_tensors(), tmp_path, max_shard_size="9KB", safetensors=safetensors)
    assert len(files(tmp_path)) == len(others) + 3
    save_weights(make_tensors(), tmp_path, safetensors=safetensors)
    assert set(files(tmp_path)) == others | {"model.safetensors" if safetensors else "pytorch_model.bin"}


def test_a_save_that_fails_leaves_the_old_weights_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_weights(make_tensors(), tmp_path)

    def fail(tensors: dict[str, Tensor], file: Path, **_: Any) -> None:
        file.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(OSError, match="No space"):
        save_weights({"a": torch.zeros(1)}, tmp_path)
    assert files(tmp_path) == ["model.safetensors"]
    assert_equal(read(tmp_path), make_tensors())


# --- pickles ----------------------------------------------------------------------------------------------------------


class Bomb:
    """Unpickling this makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("layout", ["zip", "old", "plain"])
def test_code_in_a_pickle_does_not_run_and_the_error_says_why(tmp_path: Path, layout: str) -> None:
    trace, file = tmp_path / "it-ran", tmp_path / "pytorch_model.bin"
    content = {"weight": torch.zeros(2), "bomb": Bomb(trace)}
    if layout == "plain":
        file.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=layout == "zip")
    with pytest.raises(OSError, match="could run code") as caught:
        read(tmp_path)
    assert not trace.exists() and (layout == "plain" or "mkdir" in str(caught.value))
    assert str(file) in str(caught.value) and "safetensors" in str(caught.value)
    pickle.loads(pickle.dumps(Bomb(trace)))  # and yet it would have
    assert trace.exists()


def test_a_part_of_a_tensor_is_stored_without_the_rest(tmp_path: Path) -> None:
    large = torch.zeros(1000, 100)
    save_weights({"part": large[:1]}, tmp_path, safetensors=False)
    assert (tmp_path / "pytorch_model.bin").stat().st_size < 5000


@pytest.mark.parametrize(
    "content", [[1, 2], {"a": 3}, torch.zeros(2), {"a": {"b": torch.zeros(1)}}, {1: torch.zeros(1)}]
)
def test_a_pickle_of_something_else_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match=r"pytorch_model\.bin holds .*expected a state dict"):
        read(tmp_path)


def test_a_checkpoint_of_training_names_its_keys_and_the_remedy(tmp_path: Path) -> None:
    torch.save({"epoch": 1, "model": make_tensors(), "optimizer": {"lr": 0.1}}, tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match=r"its keys are 'epoch', 'model', 'optimizer'") as caught:
        read(tmp_path)
    assert "torch.save(checkpoint['model'], 'pytorch_model.bin')" in str(caught.value)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_pointer_of_git_lfs_is_told_from_weights(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 440473133\n")
    with pytest.raises(OSError, match="git lfs pull"):
        read(tmp_path)


# --- broken files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_an_empty_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(OSError, match="truncated or corrupt") as caught:
        read(tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def whole_file(factory: pytest.TempPathFactory, safetensors: bool, zipped: bool) -> tuple[Path, bytes]:
    folder = factory.mktemp("damaged")
    save_weights(make_tensors(), folder, safetensors=safetensors)
    file = folder / ("model.safetensors" if safetensors else "pytorch_model.bin")
    if not zipped:
        torch.save(make_tensors(), file, _use_new_zipfile_serialization=False)
    return file, file.read_bytes()


def read_damaged(file: Path, content: bytes) -> bool:
    """Whether it could be read; an error must be an OSError that names the file."""
    file.unlink()  # what is mapped stays as it was
    file.write_bytes(content)
    try:
        dict(read(file.parent))
    except OSError as error:
        assert str(file) in str(error), error
        return False
    return True


@pytest.mark.parametrize(("safetensors", "zipped"), [(True, True), (False, True), (False, False)])
def test_a_truncated_file_is_an_error_that_names_it_wherever_it_ends(
    tmp_path_factory: pytest.TempPathFactory, safetensors: bool, zipped: bool
) -> None:
    file, whole = whole_file(tmp_path_factory, safetensors, zipped)

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, len(whole) - 1))
    def check(length: int) -> None:
        assert not read_damaged(file, whole[:length])

    check()
    assert read_damaged(file, whole)


@pytest.mark.parametrize(("safetensors", "zipped"), [(True, True), (False, True), (False, False)])
def test_a_file_with_flipped_bytes_is_read_or_is_an_error_that_names_it(
    tmp_path_factory: pytest.TempPathFactory, safetensors: bool, zipped: bool
) -> None:
    file, whole = whole_file(tmp_path_factory, safetensors, zipped)
    head = min(1200, len(whole))  # where names, types and shapes stand

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, head - 1), st.integers(0, 255)), min_size=1, max_size=4))
    def check(changes: list[tuple[int, int]]) -> None:
        content = bytearray(whole)
        for place, value in changes:
            content[place] = value
        read_damaged(file, bytes(content))

    check()


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_any_bytes_are_an_error_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes" / name
    file.parent.mkdir(exist_ok=True)
    for other in file.parent.iterdir():
        other.unlink()
    file.touch()
    assert not read_damaged(file, content)


# --- an index ---------------------------------------------------------------------------------------------------------


def write_index(folder: Path, content: Any) -> Path:
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps(content))
    return index


@pytest.mark.parametrize(
    "name", ["../other.safetensors", "/etc/passwd", "inner/model.safetensors", "..", "", "a\\..\\b"]
)
def test_an_index_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    (folder / "inner").mkdir(parents=True)
    for place in (tmp_path / "other.safetensors", folder / "inner" / "model.safetensors"):
        save_file({"a": torch.zeros(1)}, place)
    write_index(folder, {"weight_map": {"a": name}})
    with pytest.raises((OSError, ValueError), match=r"outside|leads out"):
        read(folder)


@pytest.mark.parametrize("content", [{}, {"weight_map": {}}, {"weight_map": ["a"]}, [], "text"])
def test_an_index_without_a_map_is_named(tmp_path: Path, content: Any) -> None:
    index = write_index(tmp_path, content)
    with pytest.raises(ValueError) as caught:
        read(tmp_path)
    assert str(index) in str(caught.value)


@pytest.mark.parametrize("value", [5, None, ["a"], {"a": 1}])
def test_an_index_with_something_else_than_file_names_is_an_error(tmp_path: Path, value: Any) -> None:
    write_index(tmp_path, {"weight_map": {"a": value}})
    with pytest.raises((OSError, ValueError), match=r"index|There is no"):
        read(tmp_path)


def test_a_missing_shard_is_named_with_its_folder(tmp_path: Path) -> None:
    save_weights(make_tensors(), tmp_path, max_shard_size="9KB")
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(OSError, match=r"'model-00002-of-00002\.safetensors'") as caught:
        read(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_truncated_shard_is_named(tmp_path: Path) -> None:
    save_weights(make_tensors(), tmp_path, max_shard_size="9KB")
    shard = tmp_path / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-5])
    with pytest.raises(OSError, match=r"model-00002-of-00002\.safetensors is not a whole safetensors file"):
        read(tmp_path)


def test_a_shard_without_a_tensor_that_the_index_puts_there_is_an_error(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "model-00001-of-00001.safetensors")
    write_index(tmp_path, {"weight_map": dict.fromkeys(("a", "b"), "model-00001-of-00001.safetensors")})
    with pytest.raises(OSError, match=r"'b' into 'model-00001-of-00001.safetensors', which does not hold it"):
        read(tmp_path)
