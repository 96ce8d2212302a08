"""Lines of text in every encoding that a Korean machine writes: none is lost, none is guessed wrong in silence."""

from __future__ import annotations

import codecs
import io

import pytest

from nabi.cli.lines import Line, of_arguments, of_stream

TEXTS = ["이 영화는 최고예요!", "plain ascii", "", "뷁 똠방각하", "끝"]


def read(raw: bytes) -> list[Line]:
    return list(of_stream(io.BytesIO(raw), "reviews.txt"))


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("last_end", [True, False])
def test_every_usual_encoding_is_read(encoding: str, end: str, last_end: bool) -> None:
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    raw = mark + (end.join(TEXTS) + (end if last_end else "")).encode(encoding)
    assert [(line.text, line.problem) for line in read(raw)] == [(text, "") for text in TEXTS]


def test_a_line_knows_its_number_and_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert [line.place for line in read(b"a\nb\n")] == ["line 1 of reviews.txt", "line 2 of reviews.txt"]


def test_a_cp949_file_whose_first_korean_line_comes_late_is_read() -> None:
    raw = b"ascii only\n" * 20_000 + "최고예요\n".encode("cp949") * 3
    assert [line.text for line in read(raw)][-3:] == ["최고예요"] * 3


def test_short_cp949_lines_that_could_be_utf8_follow_their_file() -> None:
    """The bytes of this syllable in cp949 are a letter in UTF-8 too; its neighbours tell which is meant."""
    syllable = b"\xc7\xa1"
    assert syllable.decode("utf-8") != syllable.decode("cp949")
    raw = "최고예요\n".encode("cp949") + syllable + b"\n"
    assert [line.text for line in read(raw)] == ["최고예요", syllable.decode("cp949")]


def test_a_utf8_character_cut_by_the_look_ahead_is_no_cp949() -> None:
    raw = b"a" * 8191 + "한글".encode() + b"\n"
    assert [line.text for line in read(raw)] == ["a" * 8191 + "한글"]


def test_bytes_that_are_no_text_are_reported_and_the_rest_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    first, bad, last = read(b"good\n\xff\xfe\x00\x81\nbad\n")
    assert (first.text, last.text) == ("good", "bad")
    assert bad.problem == "this is neither UTF-8 nor cp949: ff fe 00 81. Save the text as UTF-8."


def test_an_empty_stream_has_no_lines() -> None:
    assert read(b"") == []


def test_arguments_are_numbered_and_empty_ones_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    lines = list(of_arguments(["good", "  "]))
    assert [(line.text, line.place, line.problem) for line in lines] == [
        ("good", "text 1", ""),
        ("  ", "text 2", "the text is empty."),
    ]


def test_an_argument_that_python_could_not_decode_is_read_as_cp949() -> None:
    raw = "최고예요".encode("cp949").decode("utf-8", "surrogateescape")
    assert [line.text for line in of_arguments([raw])] == ["최고예요"]
