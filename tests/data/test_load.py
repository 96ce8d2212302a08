"""The files that people train on are read as they are, and what is wrong in one is told with its place."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from nabi.data.load import load_data

NSMC = 'id\tdocument\tlabel\n1\t최고\t1\n2\t\t0\n3\t"지루\t0\n'
SQUAD: dict[str, Any] = {
    "version": "v2",
    "data": [
        {
            "title": "서울",
            "paragraphs": [
                {
                    "context": "서울은 한국의 수도다.",
                    "qas": [
                        {"id": "q1", "question": "수도는?", "answers": [{"text": "서울", "answer_start": 0}]},
                        {"guid": "q2", "question": "왜?", "is_impossible": True, "answers": [], "plausible_answers": 1},
                    ],
                }
            ],
        }
    ],
}
KLUE_NER = (
    "## klue-ner-v1_train_00000-nsmc\t<서울:LC> 참\n서\tB-LC\n울\tI-LC\n \tO\n참\tO\n\n"
    "## klue-ner-v1_train_00001-nsmc\t네\n네\tO\n"
)
KLUE_DP = "## klue-dp-v1_train_00000\t해 진다\n1\t해\t해\tNNG\t2\tNP_SBJ\n2\t진다\t지 ㄴ다\tVV+EC\t0\tVP\n\n"
CONLL = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\n. . O O\n"
NAVER = "1\t비토리오\tPER_B\n2\t양일\tDAT_I\n3\t만에\t-\n\n1\t네\t-\n"
KMOU = "## 1\n## 네 서울은\n## 네 <서울:LOC>은\n네\t네\tIC\tO\n_\t_\t_\tO\n서울\t서울\tNNP\tB-LOC\n은\t은\tJX\tO\n\n"

FILES: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
    "SQuAD": (
        "dev-v2.0.json",
        json.dumps(SQUAD),
        [
            {
                "id": "q1",
                "title": "서울",
                "context": "서울은 한국의 수도다.",
                "question": "수도는?",
                "answers": {"text": ["서울"], "answer_start": [0]},
                "is_impossible": False,
            },
            {
                "id": "q2",
                "title": "서울",
                "context": "서울은 한국의 수도다.",
                "question": "왜?",
                "answers": {"text": [], "answer_start": []},
                "is_impossible": True,
            },
        ],
    ),
    "KLUE-STS": (
        "klue-sts-v1.1_dev.json",
        json.dumps([{"sentence1": "a", "sentence2": "b", "labels": {"label": 3.7, "binary-label": 1}}], indent=1),
        [{"sentence1": "a", "sentence2": "b", "label": 3.7, "binary-label": 1}],
    ),
    "a JSON list of texts": ("a.json", '["가", "나"]', [{"text": "가"}, {"text": "나"}]),
    "JSON lines called .json": ("a.json", '{"text": "가"}\n{"text": "나"}\n', [{"text": "가"}, {"text": "나"}]),
    "records under data": ("a.json", '{"data": [{"x": 1}]}', [{"x": 1}]),
    "KLUE-NER": (
        "klue-ner-v1.1_train.tsv",
        KLUE_NER,
        [
            {
                "id": "klue-ner-v1_train_00000-nsmc",
                "sentence": "<서울:LC> 참",
                "tokens": ["서", "울", " ", "참"],
                "ner_tags": ["B-LC", "I-LC", "O", "O"],
            },
            {"id": "klue-ner-v1_train_00001-nsmc", "sentence": "네", "tokens": ["네"], "ner_tags": ["O"]},
        ],
    ),
    "KLUE-DP": (
        "klue-dp-v1.1_train.tsv",
        KLUE_DP,
        [
            {
                "id": "klue-dp-v1_train_00000",
                "sentence": "해 진다",
                "tokens": ["해", "진다"],
                "lemmas": ["해", "지 ㄴ다"],
                "pos_tags": ["NNG", "VV+EC"],
                "head": [2, 0],
                "deprel": ["NP_SBJ", "VP"],
            }
        ],
    ),
    "CoNLL-2003": (
        "eng.train.txt",
        CONLL,
        [
            {
                "tokens": ["EU", "rejects"],
                "pos_tags": ["NNP", "VBZ"],
                "chunk_tags": ["B-NP", "B-VP"],
                "ner_tags": ["B-ORG", "O"],
            },
            {"tokens": ["."], "pos_tags": ["."], "chunk_tags": ["O"], "ner_tags": ["O"]},
        ],
    ),
    "two columns": ("a.conll", "서울\tB-LC\n은\tO\n", [{"tokens": ["서울", "은"], "ner_tags": ["B-LC", "O"]}]),
    "Naver NER": (
        "train_data.tsv",
        NAVER,
        [
            {"tokens": ["비토리오", "양일", "만에"], "ner_tags": ["B-PER", "I-DAT", "O"]},
            {"tokens": ["네"], "ner_tags": ["O"]},
        ],
    ),
    "Naver NER without blank lines": (
        "train_data.tsv",
        NAVER.replace("\n\n", "\n"),
        [
            {"tokens": ["비토리오", "양일", "만에"], "ner_tags": ["B-PER", "I-DAT", "O"]},
            {"tokens": ["네"], "ner_tags": ["O"]},
        ],
    ),
    "KMOU": (
        "kmou.txt",
        KMOU,
        [
            {
                "id": "1",
                "sentence": "네 서울은",
                "tokens": ["네", "_", "서울", "은"],
                "lemmas": ["네", "_", "서울", "은"],
                "pos_tags": ["IC", "_", "NNP", "JX"],
                "ner_tags": ["O", "O", "B-LOC", "O"],
            }
        ],
    ),
    "KoBERT-NER": (
        "train.tsv",
        "서울은 한국의 수도다\tLOC-B LOC-I O\n네\tO\n",
        [
            {"tokens": ["서울은", "한국의", "수도다"], "ner_tags": ["B-LOC", "I-LOC", "O"]},
            {"tokens": ["네"], "ner_tags": ["O"]},
        ],
    ),
    "NSMC, a table called .txt": (
        "ratings_train.txt",
        NSMC,
        [
            {"id": "1", "document": "최고", "label": "1"},
            {"id": "2", "document": "", "label": "0"},
            {"id": "3", "document": '"지루', "label": "0"},
        ],
    ),
    "Markdown": ("a.txt", "## 제목\n본문\n", [{"text": "## 제목"}, {"text": "본문"}]),
    "csv of pandas": ("a.csv", ',text\n0,"a, b"\n', [{"": "0", "text": "a, b"}]),
    "a text a line": (
        "a.txt",
        "첫 줄\n\nsecond line with B-52\n",
        [{"text": "첫 줄"}, {"text": "second line with B-52"}],
    ),
}


def write(folder: Path, name: str, content: str, encoding: str = "utf-8") -> Path:
    (folder / name).write_bytes(content.encode(encoding))
    return folder / name


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_read_by_what_is_in_it(tmp_path: Path, kind: str) -> None:
    name, content, expected = FILES[kind]
    assert list(load_data(write(tmp_path, name, content))) == expected


@pytest.mark.parametrize("encoding", ["cp949", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("kind", ["SQuAD", "KLUE-NER", "NSMC, a table called .txt", "a JSON list of texts"])
def test_encodings_of_korean_windows_are_read(tmp_path: Path, kind: str, encoding: str) -> None:
    name, content, expected = FILES[kind]
    if kind == "SQuAD":
        content = json.dumps(SQUAD, ensure_ascii=False)
    assert list(load_data(write(tmp_path, name, content, encoding))) == expected


def test_parquet_is_read(tmp_path: Path) -> None:
    import pandas

    pandas.DataFrame({"text": ["가", "나"], "label": [0, 1]}).to_parquet(tmp_path / "a.parquet")
    assert list(load_data(tmp_path / "a.parquet")) == [{"text": "가", "label": 0}, {"text": "나", "label": 1}]


def test_a_missing_text_is_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, "ratings_train.txt", NSMC)
    with caplog.at_level(logging.WARNING):
        rows = load_data(path, text="document", label="label")
    assert [(row["text"], row["label"]) for row in rows] == [("최고", 1), ('"지루', 0)]
    assert rows.label_names == ["0", "1"]
    assert caplog.messages == [f"{path}: 1 row has no document and will be left out (line 3)"]


def test_a_pair_of_texts_and_given_labels(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"premise": "p", "hypothesis": "h", "gold": "neutral"}')
    rows = load_data(path, text=("premise", "hypothesis"), label="gold", labels=["entailment", "neutral"])
    assert list(rows) == [{"text": "p", "text_pair": "h", "label": 1}]


def test_a_table_without_a_header_needs_names(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", '3,"Wall St., falls"\n4,b\n')
    assert list(load_data(path, columns=["label", "text"])) == [
        {"label": "3", "text": "Wall St., falls"},
        {"label": "4", "text": "b"},
    ]
    with pytest.raises(ValueError, match=r"the first line should name the columns, but it is '3', .*columns=\["):
        load_data(path)


# ---------------------------------------------------------------- splits


def folder_of(path: Path, names: list[str]) -> Path:
    for place, name in enumerate(names):
        label = ["b", "a", "b"][place % 3]
        write(path, name, f"text\tlabel\n문장{place}\ta\n문장\t{label}\n")
    return path


def test_a_folder_gives_its_splits_with_labels_that_mean_the_same(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ["nli-v1.1_train.tsv", "nli-v1.1_dev.tsv", "test.tsv"])
    (tmp_path / "README.md").write_text("about")
    splits = load_data(folder, label="label")
    assert list(splits) == ["train", "validation", "test"]
    assert {name: rows["label"] for name, rows in splits.items()} == {
        "train": [0, 1],
        "validation": [0, 0],  # "a" alone occurs
        "test": [0, 1],
    }
    assert load_data(folder, label="label", split="validation") == splits["validation"]
    # The names are those of the whole training split, also if only a part is asked for.
    assert load_data(folder, label="label", limit=1)["train"].label_names == ["a", "b"]
    assert load_data({"train": folder / "test.tsv"}, label="label") == {"train": splits["test"]}


def test_several_files_are_read_one_after_another(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ["train-00000-of-00002.tsv", "train-00001-of-00002.tsv"])
    assert load_data(folder)["train"]["text"] == ["문장0", "문장", "문장1", "문장"]
    assert len(load_data(sorted(folder.iterdir()), limit=3)) == 3


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["data.tsv"], r"no file in .* is called train, validation \(dev\) or test .*there are data\.tsv"),
        (["train.tsv", "old_train.tsv"], r"several files are the split 'train': old_train\.tsv, train\.tsv"),
    ],
)
def test_a_folder_that_does_not_say_what_is_what_is_an_error(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_data(folder_of(tmp_path, names))


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.tsv", "text\tlabel\na\t1\nb\t1\tc\n", {}, r"a\.tsv, line 3: the row has 3 cells"),
        ("a.csv", "text,label\n", {}, "has no rows"),
        ("a.csv", "text,label\na,1\n", {"text": "document"}, "no column 'document'; its columns are text, label"),
        ("a.csv", "text,label\na,1\nb,\n", {"label": "label"}, r"a\.csv: row 1 has no label"),
        ("a.csv", "text,label\na,1\n", {"label": "label", "labels": ["0"]}, "row 0 has the label '1', which is none"),
        ("a.csv", "text,label\na,1\n", {"columns": ["text"]}, "has 2 columns, but 1 are named: text"),
        ("a.csv", "text,label\na,1\n", {"split": "train"}, "no split 'train'"),
        ("a.csv", "text,label\na,1\n", {"limit": 0}, "limit is 0"),
        ("a.csv", "text,label\na,1\n", {"labels": ["a"]}, "say which one with label="),
        ("a.jsonl", '{"text": 1}\n{"text"\n', {}, r"a\.jsonl, line 2: the line is no JSON"),
        ("a.json", '[\n{"text": 1},\n]', {}, r"a\.json, line 3, column 1: no JSON"),
        ("a.json", '[{"text": 1}, 2]', {}, r"a\.json: \[1\] is a int \('2'\); expected a record"),
        ("a.json", "3", {}, r"a\.json holds a int \('3'\)"),
        ("a.json", "[]", {}, "has no rows"),
        ("a.json", "[{}]", {"columns": ["text"]}, r"a \.json file has its names"),
        (
            "a.json",
            json.dumps({"data": [{"paragraphs": [{"qas": []}]}]}),
            {},
            r"paragraphs\[0\] lacks 'context'; it has qas",
        ),
        ("a.txt", "EU B-ORG\nrejects O x\n" + "a O\n" * 300, {}, ""),
        ("a.conll", "EU\tB-ORG\n" * 201 + "rejects\tO\tx\n", {}, r"line 202: .* has 3 columns, but .* have 2"),
        ("a.tsv", "서울 은\tB-LC O\n" * 201 + "네 네\tO\n", {}, "line 202: 2 words have 1 tags"),
        ("a.txt", "a\tb c d e f g h i j k l m n o p q r s t u v w x y z\nc\td\n", {}, "should name the columns"),
        ("a.txt", "\0\1\2\n", {}, "is no text file; expected one of the endings"),
    ],
)
def test_what_is_malformed_is_told_with_its_file_and_line(
    tmp_path: Path, name: str, content: str, options: dict[str, Any], message: str
) -> None:
    path = write(tmp_path, name, content)
    if not message:  # a text in which one line alone looks tagged stays a text
        assert load_data(path)[0] == {"text": "EU B-ORG"}
        return
    with pytest.raises(ValueError, match=message):
        load_data(path, **options)


def test_a_file_that_is_not_there_is_told_with_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "train.tsv", NSMC)
    with pytest.raises(FileNotFoundError, match=r"trian\.tsv'; .* has train\.tsv"):
        load_data(tmp_path / "trian.tsv")


def test_answers_that_do_not_stand_where_they_should_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    moved = json.loads(json.dumps(SQUAD))
    moved["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] = 1
    with caplog.at_level(logging.WARNING):
        load_data(write(tmp_path, "train.json", json.dumps(moved)))
    assert "the answers of 1 questions (first: q1) do not stand" in caplog.text
