"""Both languages say the same things, and the locale chooses between them."""

from __future__ import annotations

import re
import string

import pytest

from nabi.cli.messages import MESSAGES, language, say

LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


@pytest.mark.parametrize("key", MESSAGES)
def test_both_languages_have_the_same_names_to_fill_in(key: str) -> None:
    names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in MESSAGES[key]]
    assert names[0] == names[1]


@pytest.mark.parametrize("key", sorted(set(MESSAGES) - {"error"}))
def test_the_korean_message_is_korean(key: str) -> None:
    english, korean = MESSAGES[key]
    assert re.search("[가-힣]", re.sub(r"\{.*?\}", "", korean))
    assert "이 영화" in english or not re.search("[가-힣]", english)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.eucKR"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "en_US.UTF-8", "LC_ALL": "ko_KR"}, "ko"),
        ({"LC_ALL": "", "LANG": "ko_KR.UTF-8"}, "ko"),
        ({}, "en"),
    ],
    ids=str,
)
def test_the_locale_decides_as_posix_says(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in LOCALE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", "linux")
    assert language() == expected
    assert say("did_you_mean", name="x") == MESSAGES["did_you_mean"][expected == "ko"].format(name="x")


@pytest.mark.parametrize(("number", "expected"), [(0x412, "ko"), (0x409, "en")])
def test_windows_without_a_locale_is_asked_for_its_language(
    monkeypatch: pytest.MonkeyPatch, number: int, expected: str
) -> None:
    import ctypes

    class Windows:
        class kernel32:
            @staticmethod
            def GetUserDefaultUILanguage() -> int:
                return number

    for name in LOCALE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(ctypes, "windll", Windows, raising=False)
    assert language() == expected
