"""`nabi run TASK` for every task, on tiny random models: arguments, a file in, a file out, alone and among others."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from PIL import Image

import nabi
from nabi import pipeline
from nabi.batch.items import Items
from nabi.batch.results import output_record
from nabi.cli import main
from nabi.data.records import Record
from nabi.pipelines.tasks import TASKS
from nabi.tokenization.training import train

from ..pipelines import record_writing
from ..pipelines.image_models import DETR, LABELS, SMALL, TEMPLATE, TEXT, YOLOS, llava, saved
from ..pipelines.record_images import CAPTIONERS, VIT, write_captioner, write_words
from ..pipelines.record_text import build, labels
from ..pipelines.speech_models import noise, save_ctc, save_speech_classifier

Maker = Callable[[Path], Path]


def text_model(head: str, names: list[str] | None = None) -> Maker:
    return lambda folder: build(transformers, "bert", head, folder, **(labels(names) if names else {}))


def writer(folder: Path) -> Path:
    tokenizer = train("bpe", ["나비가 꽃에 앉았다. The butterfly sat."] * 20, vocab_size=300, show_progress=False)
    tokenizer.save_pretrained(folder)
    end = tokenizer.eos_token_id
    torch.manual_seed(3)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128}
    config = transformers.GPT2Config(vocab_size=len(tokenizer), eos_token_id=end, bos_token_id=end, **sizes)
    return saved(transformers.GPT2LMHeadModel(config), folder)


def captioner(folder: Path) -> Path:
    return write_captioner(nabi, next(iter(CAPTIONERS)), folder)


def looker(kind: str, processor: str, **config: Any) -> Maker:
    def make(folder: Path) -> Path:
        torch.manual_seed(0)
        sizes = {"size": {"shortest_edge": 32, "longest_edge": 192}} if kind.startswith(("Detr", "Yolos")) else SMALL
        base = kind.partition("For")[0].removesuffix("Model")
        model = getattr(transformers, kind)(getattr(transformers, f"{base}Config")(**config))
        return saved(model, folder, images=getattr(transformers, processor)(**sizes))

    return make


def clip(folder: Path) -> Path:
    write_words(folder, end="</s>")
    config = transformers.CLIPConfig(text_config=TEXT, vision_config={**VIT, "hidden_size": 20})
    return saved(transformers.CLIPModel(config), folder, images=transformers.CLIPImageProcessor(**SMALL, crop_size=8))


def translator(folder: Path) -> Path:
    return record_writing.save(transformers, "bart", folder)


TEXTS = [{"text": "Wolfgang lives in Berlin."}, {"text": "김민수는 서울에서 살고 있다.", "id": 7}, {"text": "game"}]
IMAGES = [{"image": "a.png"}, {"image": "b.png", "id": 7}, {"image": "no-such.png"}]
SOUNDS = [{"audio": "a.wav"}, {"audio": "b.wav", "id": 7}, {"audio": "no-such.wav"}]
ASKED = [
    {"question": "Where does Anna live?", "context": "Anna lives in Berlin and works in Paris."},
    {"question": "누가 이겼나요?", "context": "축구 경기에서 팀이 이겼다.", "id": 7},
    {"question": "Who?"},
]
SHORT = ["--max-new-tokens", "5"]
GREEDY = [*SHORT, "--set", "do_sample=false"]
CANDIDATES = ["--candidate-labels", "Berlin, 축구"]
# task -> (its model, its records, options). The last record of some is one that cannot be worked on.
CASES: dict[str, tuple[Maker, list[dict[str, Any]], list[str]]] = {
    "text-classification": (text_model("ForSequenceClassification"), TEXTS, ["--top-k", "2"]),
    "token-classification": (text_model("ForTokenClassification", ["B-PER", "B-LOC"]), TEXTS, []),
    "question-answering": (text_model("ForQuestionAnswering"), ASKED, []),
    "fill-mask": (text_model("ForMaskedLM"), [{"text": f"{each['text']} [MASK]"} for each in TEXTS], ["--top-k", "2"]),
    "text-generation": (writer, TEXTS, GREEDY),
    "conversational": (writer, TEXTS, GREEDY),
    "text2text-generation": (translator, TEXTS, SHORT),
    "summarization": (translator, TEXTS, SHORT),
    "translation": (translator, TEXTS, [*SHORT, "--set", "src_lang=en", "--set", "tgt_lang=ko"]),
    "zero-shot-classification": (
        text_model("ForSequenceClassification", ["contradiction", "neutral", "entailment"]),
        TEXTS,
        [*CANDIDATES, "--hypothesis-template", "about {}", "--multi-label"],
    ),
    "feature-extraction": (text_model("Model"), TEXTS, []),
    "sentence-similarity": (
        text_model("Model"),
        [{"source_sentence": "Berlin", "sentences": ["Paris", "서울"]}, {"source_sentence": "game", "sentences": "a"}],
        [],
    ),
    "image-classification": (
        looker("ViTForImageClassification", "ViTImageProcessor", **VIT, id2label=LABELS),
        IMAGES,
        ["--top-k", "2"],
    ),
    "image-feature-extraction": (looker("ViTModel", "ViTImageProcessor", **VIT), IMAGES, ["--set", "pool=true"]),
    "object-detection": (
        looker("YolosForObjectDetection", "YolosImageProcessor", **YOLOS, id2label=LABELS),
        IMAGES,
        ["--set", "threshold=0.3"],
    ),
    "image-segmentation": (
        looker("DetrForSegmentation", "DetrImageProcessor", **DETR, id2label=LABELS),
        IMAGES,
        ["--set", "threshold=0.2", "--set", "subtask=instance"],
    ),
    "image-to-text": (captioner, IMAGES, SHORT),
    "zero-shot-image-classification": (clip, IMAGES, ["--candidate-labels", "cat,dog"]),
    "image-text-to-text": (
        lambda folder: llava(folder, TEMPLATE),
        [{"image": "a.png", "text": "USER: <image>\ncat"}, {"image": "b.png", "text": "<image> dog", "id": 7}],
        SHORT,
    ),
    "visual-question-answering": (
        lambda folder: llava(folder, TEMPLATE),
        [{"image": "a.png", "question": "cat"}, {"image": "b.png", "question": "dog", "id": 7}],
        SHORT,
    ),
    "automatic-speech-recognition": (save_ctc, SOUNDS, []),
    "audio-classification": (save_speech_classifier, SOUNDS, ["--top-k", "1"]),
}


@pytest.fixture(scope="module", autouse=True)
def media(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with pictures and sounds, in which the commands run."""
    soundfile = pytest.importorskip("soundfile")
    folder = tmp_path_factory.mktemp("media")
    for number, name in enumerate("ab"):
        Image.effect_noise((40, 30 + 10 * number), 80).convert("RGB").save(folder / f"{name}.png")
        soundfile.write(folder / f"{name}.wav", noise(4000 + 2000 * number, number), 16000)
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LC_ALL", "C.UTF-8")
        torch.set_num_threads(1)
        yield folder
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Any, list[str]]:
    make, records, options = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    make(folder)
    return request.param, folder, records, ["--model", str(folder), "--device", "cpu", *options]


def settings_of(task: str, options: list[str]) -> dict[str, Any]:
    from nabi.cli.options import setting

    given = dict(setting(text) for option, text in itertools.pairwise(options) if option == "--set")
    for name in ("top_k", "max_new_tokens", "candidate_labels", "hypothesis_template"):
        option = f"--{name.replace('_', '-')}"
        if option in options:
            text = options[options.index(option) + 1]
            given[name] = int(text) if text.isdigit() else text
    return given | ({"multi_label": True} if "--multi-label" in options else {})


def alike(ours: Any, theirs: Any) -> bool:
    """Equal but for the last digits of numbers, which depend on what ran together."""
    if isinstance(ours, dict):
        return list(ours) == list(theirs) and all(alike(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    return ours == (pytest.approx(theirs, abs=1e-4) if isinstance(ours, float) else theirs)


def test_every_task_has_its_case() -> None:
    assert set(CASES) == set(TASKS)


def test_a_file_of_records_gives_the_pipelines_results(
    case: tuple[str, Path, Any, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task, folder, records, options = case
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    code = main(["run", task, "--file", str(source), "--out", str(out), *options])
    printed = capsys.readouterr()
    written = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    pipe = pipeline(task, model=folder, device="cpu", **settings_of(task, options))
    assert len(written) == len(records), printed.err
    for record, one in zip(records, written, strict=True):
        bad = "no-such" in str(record) or (task == "question-answering" and "context" not in record)
        assert ("error" in one) == bad, one
        if not bad:
            item = Items.of(task, None).item_of(Record(record, 1))
            (result,) = pipe(iter([item]))
            assert alike(one, json.loads(json.dumps(output_record(record, task, result))))
    assert code == int(any("error" in one for one in written))
    if code:
        assert "no-such" in written[-1]["error"] or "context" in written[-1]["error"]
    # A batch of one, then the rest: the same answers.
    whole = out.read_bytes()
    out.write_bytes(whole.splitlines(keepends=True)[0])
    main(["run", task, "--file", str(source), "--out", str(out), "--resume", *options])
    assert out.read_bytes() == whole
    again = ["run", task, "--file", str(source), "--out", str(out), "--overwrite", "--batch-size", "1", *options]
    main(again)
    alone = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert alike(alone, written)


def test_arguments_of_the_command_line_give_results_for_people_and_for_programs(
    case: tuple[str, Path, Any, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    task, _, records, options = case
    first = [text for value in records[0].values() for text in (value if isinstance(value, list) else [value])]
    assert main(["run", task, *first, *options]) == 0
    people = capsys.readouterr()
    assert people.out.strip() or task in ("text2text-generation", "automatic-speech-recognition")
    assert not people.out.startswith(("{", "[")), "for people, not JSON"
    assert main(["run", task, *first, *options, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert {key: record[key] for key in records[0]} == records[0]
    assert set(record) > set(records[0])


def test_a_csv_file_in_and_out(case: tuple[str, Path, Any, list[str]], tmp_path: Path) -> None:
    import csv

    task, _, records, options = case
    records = [record for record in records[:2] if all(isinstance(value, str) for value in records[0].values())]
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    with source.open("w", encoding="utf-8", newline="") as text:
        table = csv.DictWriter(text, dict.fromkeys(key for record in records for key in record))
        table.writeheader()
        table.writerows(records)
    columns = [option for part in Items(task).parts for option in ("--column", part)]
    code = main(["run", task, "--file", str(source), "--out", str(out), *columns, *options])
    assert code == (0 if records else 1)
    with out.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["error"] for row in rows] == [""] * len(records)
    for row, record in zip(rows, records, strict=True):
        assert {key: row[key] for key in record if key != "id"} == {key: record[key] for key in record if key != "id"}
