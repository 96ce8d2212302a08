"""PyTorch's checkpoints from one container into another: the same weights, checked, in place only when whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

import nabi
from nabi import checkpoint
from nabi.checkpoint import find_weights, save_weights
from nabi.hub import Repository

SIZES: dict[str, Any] = dict(
    vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24
)


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A folder with a .bin file, as the incumbent writes its tensors, and what usually lies beside it."""
    torch.manual_seed(4)
    model = transformers.BertForMaskedLM(transformers.BertConfig(**SIZES))
    folder = tmp_path / "bert"
    model.config.architectures = ["BertForMaskedLM"]
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "vocab.txt").write_text("하나\n둘\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "modeling_own.py").write_text("raise SystemExit")
    (folder / "optimizer.pt").write_bytes(b"state")
    return folder


def read(folder: Path) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in find_weights(Repository(str(folder))).items()}  # not mapped


def test_a_bin_becomes_safetensors_with_its_companions_and_without_code(bert: Path, tmp_path: Path) -> None:
    done = nabi.convert_checkpoint(bert, tmp_path / "new")
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    assert (tmp_path / "new" / "config.json").read_bytes() == (bert / "config.json").read_bytes()
    before, after = read(bert), read(tmp_path / "new")
    assert before.keys() - after.keys() == set(done.tied)
    assert set(done.tied) == {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
    assert all(torch.equal(after[name], before[name]) for name in after)
    ids = torch.tensor([[3, 4, 5]])
    old, new = (nabi.BertForMaskedLM.from_pretrained(folder) for folder in (bert, tmp_path / "new"))
    assert torch.equal(old(ids).logits, new(ids).logits)


def test_shards_and_one_file_hold_the_same_there_and_back(bert: Path, tmp_path: Path) -> None:
    cut = nabi.convert_checkpoint(bert, tmp_path / "cut", max_shard_size="5KB")
    assert len(cut.files[1]) > 3
    assert (tmp_path / "cut" / "model.safetensors.index.json").is_file()
    whole = nabi.convert_checkpoint(tmp_path / "cut", tmp_path / "whole", max_shard_size="all-in-one")
    assert whole.files == (cut.files[1], ("model.safetensors",))
    cut_weights, whole_weights = read(tmp_path / "cut"), read(tmp_path / "whole")
    assert cut_weights.keys() == whole_weights.keys()
    assert all(torch.equal(cut_weights[name], whole_weights[name]) for name in cut_weights)
    assert not (tmp_path / "whole" / "model.safetensors.index.json").exists()


def test_a_sharded_bin_becomes_one_file(bert: Path, tmp_path: Path) -> None:
    weights = read(bert)
    (bert / "pytorch_model.bin").unlink()
    save_weights(weights, bert, max_shard_size="5KB", safetensors=False)
    done = nabi.convert_checkpoint(bert, tmp_path / "new")
    assert len(done.files[0]) > 3
    assert done.files[1] == ("model.safetensors",)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_another_dtype_rounds_once_and_says_so_in_the_config(name: str, bert: Path, tmp_path: Path) -> None:
    done = nabi.convert_checkpoint(bert, tmp_path / "half", dtype=name)
    assert done.dtypes == (("float32",), (name,))
    assert done.bytes[1] < 0.7 * done.bytes[0]
    before, after = read(bert), read(tmp_path / "half")
    assert all(torch.equal(after[key], before[key].to(getattr(torch, name))) for key in after)
    assert json.loads((tmp_path / "half" / "config.json").read_text())["torch_dtype"] == name
    assert nabi.AutoModelForMaskedLM.from_pretrained(tmp_path / "half", dtype="auto").dtype == getattr(torch, name)


def test_whole_numbers_keep_their_dtype(tmp_path: Path) -> None:
    source = made(tmp_path / "old", {"a": torch.ones(3), "steps": torch.tensor(7), "mask": torch.tensor([True])})
    done = nabi.convert_checkpoint(source, tmp_path / "new", dtype="float16")
    assert done.dtypes == (("bool", "float32", "int64"), ("bool", "float16", "int64"))


def test_a_number_that_the_dtype_has_no_room_for_is_refused(tmp_path: Path) -> None:
    source = made(tmp_path / "old", {"big": torch.tensor([1.0, 70000.0])})
    with pytest.raises(ValueError, match="big holds 70000, which float16 has no room for: use bfloat16"):
        nabi.convert_checkpoint(source, tmp_path / "new", dtype="float16")
    assert [entry.name for entry in tmp_path.iterdir()] == ["old"]
    nabi.convert_checkpoint(source, tmp_path / "new", dtype="bfloat16")


def test_nans_infinities_empty_and_strided_tensors_come_through_bit_for_bit(tmp_path: Path) -> None:
    table = torch.randn(6, 4)
    odd = {
        "nan": torch.tensor([float("nan"), float("inf"), -0.0]),
        "empty": torch.zeros(0, 3),
        "turned": table.T,
        "every_second": table[::2],
        "scalar": torch.tensor(2.5),
    }
    nabi.convert_checkpoint(made(tmp_path / "old", odd), tmp_path / "new", dtype=None)
    found = load_file(tmp_path / "new" / "model.safetensors")
    assert found.keys() == odd.keys()
    for name, tensor in odd.items():
        assert torch.equal(found[name].nan_to_num(7), tensor.nan_to_num(7)), name


def test_tensors_that_share_memory_are_kept_apart_in_a_family_that_nabi_does_not_know(tmp_path: Path) -> None:
    table = torch.randn(5, 4)
    source = made(tmp_path / "old", {"a": table, "b": table, "c": table[1:3]}, model_type="no-such-family")
    done = nabi.convert_checkpoint(source, tmp_path / "new")
    assert done.tied == ()
    found = load_file(tmp_path / "new" / "model.safetensors")
    assert torch.equal(found["b"], table) and torch.equal(found["c"], table[1:3])


def test_weights_that_a_config_ties_but_that_differ_are_both_kept(bert: Path, tmp_path: Path) -> None:
    weights = {name: tensor.clone() for name, tensor in read(bert).items()}
    weights["cls.predictions.decoder.weight"] += 1
    torch.save(weights, bert / "pytorch_model.bin")
    done = nabi.convert_checkpoint(bert, tmp_path / "new")
    assert done.tied == ("cls.predictions.decoder.bias",)
    assert "cls.predictions.decoder.weight" in read(tmp_path / "new")


def test_old_spellings_stay_and_are_renewed_in_loading(bert: Path, tmp_path: Path) -> None:
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in read(bert).items()
    }
    torch.save(old, bert / "pytorch_model.bin")
    nabi.convert_checkpoint(bert, tmp_path / "new")
    assert "bert.embeddings.LayerNorm.gamma" in read(tmp_path / "new")
    _, loading = nabi.BertForMaskedLM.from_pretrained(tmp_path / "new", output_loading_info=True)
    assert loading["missing_keys"] == loading["unexpected_keys"] == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    limit=st.integers(1, 400),
    dtype=st.sampled_from([None, "float16", "bfloat16", "float32"]),
)
def test_any_cut_and_dtype_gives_the_same_weights(
    sizes: list[int], limit: int, dtype: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    tensors = {f"w{i}": torch.randn(size) for i, size in enumerate(sizes)}
    seen: list[tuple[int, int]] = []
    nabi.convert_checkpoint(
        made(folder / "old", tensors),
        folder / "new",
        max_shard_size=limit,
        dtype=dtype,
        progress=lambda done, total: seen.append((done, total)),
    )
    found = read(folder / "new")
    assert found.keys() == tensors.keys()
    wanted = getattr(torch, dtype or "float32")
    assert all(torch.equal(found[name], tensor.to(wanted)) for name, tensor in tensors.items())
    assert seen == sorted(seen) and seen[-1][0] <= seen[-1][1]


# --- the target -------------------------------------------------------------------------------------------------


def test_a_target_with_a_checkpoint_is_left_alone_unless_told(bert: Path, tmp_path: Path) -> None:
    target = made(tmp_path / "target", {"other": torch.ones(2)}, name="pytorch_model.bin")
    (target / "notes.md").write_text("mine")
    (target / "merges.txt").write_text("of the old checkpoint")
    with pytest.raises(FileExistsError, match=r"holds a checkpoint already \(config.json\).*--overwrite"):
        nabi.convert_checkpoint(bert, target)
    assert (target / "pytorch_model.bin").is_file()
    nabi.convert_checkpoint(bert, target, overwrite=True)
    assert sorted(file.name for file in target.iterdir()) == [
        "config.json",
        "model.safetensors",
        "notes.md",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    assert read(target).keys() < read(bert).keys()


def test_an_empty_folder_one_with_other_files_and_a_new_path_are_targets(bert: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    for target in (tmp_path / "empty", tmp_path / "other", tmp_path / "new" / "deep"):
        nabi.convert_checkpoint(bert, target)
        assert (target / "model.safetensors").is_file()
    assert (tmp_path / "other" / "notes.txt").read_text() == "mine"


def test_the_folder_that_one_is_in_is_a_target(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    nabi.convert_checkpoint(bert, ".")
    assert Path("model.safetensors").is_file() and len(list(tmp_path.iterdir())) == 2


def test_the_source_itself_and_a_file_are_no_targets(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the same folder"):
        nabi.convert_checkpoint(bert, bert / ".." / "bert", overwrite=True)
    with pytest.raises(NotADirectoryError, match="is a file: name a folder"):
        nabi.convert_checkpoint(bert, bert / "vocab.txt")


def test_a_place_that_cannot_be_written_to_is_no_target(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for target in (bert / "vocab.txt" / "new", bert / "vocab.txt" / "deep" / "new"):
        with pytest.raises(NotADirectoryError, match=r"lies under '.*vocab.txt', a file: name another place"):
            nabi.convert_checkpoint(bert, target)
    (tmp_path / "locked").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr("os.access", lambda path, mode: False)  # the tests may run as one who may write anywhere
        with pytest.raises(OSError, match=r"cannot be made in '.*locked' \(no permission to write\): name a folder in"):
            nabi.convert_checkpoint(bert, tmp_path / "locked" / "deep" / "new")

    def refuse(*args: object, **options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    with pytest.raises(OSError, match=r"cannot be made in '.*locked' \(Read-only file system\): name a folder in"):
        nabi.convert_checkpoint(bert, tmp_path / "locked" / "new")


@pytest.mark.parametrize("nothing", ["", " "])
def test_an_empty_name_is_not_the_current_folder(
    nothing: str, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ValueError, match="the target is empty: name a folder"):
        nabi.convert_checkpoint(bert, nothing)
    assert not list(Path().iterdir())
    monkeypatch.chdir(bert)
    with pytest.raises(ValueError, match="the source is empty: name a folder"):
        nabi.convert_checkpoint(nothing, tmp_path / "new")


def test_a_file_that_did_not_come_out_as_written_leaves_no_target(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = checkpoint.save_file

    def flipped(tensors: dict[str, Tensor], file: Path, **options: Any) -> None:
        save(tensors, file, **options)
        content = bytearray(Path(file).read_bytes())
        content[-1] ^= 1
        Path(file).write_bytes(content)

    monkeypatch.setattr(checkpoint, "save_file", flipped)
    with pytest.raises(OSError, match="1 weights did not come back from the disk as they were written"):
        nabi.convert_checkpoint(bert, tmp_path / "new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["bert"]


def test_an_interrupted_conversion_leaves_nothing(bert: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nabi.convert_checkpoint(bert, tmp_path / "new", progress=interrupt)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bert"]


def test_a_repository_in_the_hubs_cache_is_a_source(bert: Path, tmp_path: Path) -> None:
    repository = tmp_path / "cache" / "models--owner--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc123")
    shutil.copytree(bert, repository / "snapshots" / "abc123")
    nabi.convert_checkpoint("owner/model", tmp_path / "new", cache_dir=tmp_path / "cache")
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer_config.json",
        "vocab.txt",
    ]


def test_folders_inside_come_along_where_they_belong_to_the_checkpoint(bert: Path, tmp_path: Path) -> None:
    for inner in ("1_Pooling", "additional_chat_templates", "runs"):
        (bert / inner).mkdir()
        (bert / inner / "config.json").write_text("{}")
    nabi.convert_checkpoint(bert, tmp_path / "new")
    assert (tmp_path / "new" / "1_Pooling" / "config.json").is_file()
    assert (tmp_path / "new" / "additional_chat_templates" / "config.json").is_file()
    assert not (tmp_path / "new" / "runs").exists()


# --- what cannot be converted -----------------------------------------------------------------------------------


def test_a_source_without_weights_says_what_was_looked_for(bert: Path, tmp_path: Path) -> None:
    (bert / "pytorch_model.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"no weights in .*bert: none of model.safetensors, pytorch_model.bin"):
        nabi.convert_checkpoint(bert, tmp_path / "new")


def test_wrong_options_are_refused_first(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dtype is 'int8'; expected one of float16, bfloat16, float32"):
        nabi.convert_checkpoint(bert, tmp_path / "new", dtype="int8")
    with pytest.raises(ValueError, match="max_shard_size is 'huge'"):
        nabi.convert_checkpoint(bert, tmp_path / "new", max_shard_size="huge")
    with pytest.raises(TypeError, match="unknown arguments: d_type"):
        nabi.convert_checkpoint(bert, tmp_path / "new", d_type="float16")
    with pytest.raises(ValueError, match=r"model_class \(--model-class\) is 'BertForChess'; the family 'bert' has"):
        nabi.convert_checkpoint(bert, tmp_path / "new", model_class="BertForChess")


def test_a_quantised_checkpoint_keeps_its_dtypes(tmp_path: Path) -> None:
    source = made(tmp_path / "old", {"scales": torch.ones(2)}, quantization_config={"quant_method": "gptq"})
    with pytest.raises(ValueError, match="is quantised"):
        nabi.convert_checkpoint(source, tmp_path / "new", dtype="float16")
    nabi.convert_checkpoint(source, tmp_path / "new")


def made(folder: Path, tensors: dict[str, Tensor], name: str = "pytorch_model.bin", **keys: Any) -> Path:
    folder.mkdir()
    torch.save(tensors, folder / name)
    (folder / "config.json").write_text(json.dumps({"model_type": "no-such-family", **keys}))
    return folder
