"""Everything that the command line says, in English and Korean side by side."""

from __future__ import annotations

import os
import sys

KOREAN_WINDOWS_LANGUAGE = 0x12

# key: (English, Korean). Names in braces are filled in, and stand in both.
MESSAGES: dict[str, tuple[str, str]] = {
    # ------------------------------------------------------------ help
    "about": (
        "nabi runs language models on this machine.\n\n"
        'Try it:  nabi run sentiment-analysis "I loved every minute of it."',
        '나비는 언어 모델을 이 컴퓨터에서 실행합니다.\n\n써 보기:  nabi run sentiment-analysis "이 영화는 최고예요!"',
    ),
    "about_run": (
        "Run TASK on texts and print one result per text.\n\n"
        "Texts come from the command line, from a file, or line by line from standard input:\n\n"
        "\b\n"
        '  nabi run sentiment-analysis "Great film." "What a bore."\n'
        "  nabi run sentiment-analysis --file reviews.txt --json > results.jsonl\n"
        "  cat reviews.txt | nabi run sentiment-analysis\n\n"
        "Tasks: {tasks}\n\n"
        "Without --model the small Korean and English model inside nabi is used: no download, no network.",
        "텍스트에 작업(TASK)을 실행하고, 텍스트마다 결과를 한 줄씩 출력합니다.\n\n"
        "텍스트는 명령줄, 파일, 또는 표준 입력에서 한 줄씩 읽습니다.\n\n"
        "\b\n"
        '  nabi run sentiment-analysis "정말 재미있어요." "지루했어요."\n'
        "  nabi run sentiment-analysis --file reviews.txt --json > results.jsonl\n"
        "  cat reviews.txt | nabi run sentiment-analysis\n\n"
        "작업: {tasks}\n\n"
        "--model을 쓰지 않으면 나비 안에 든 작은 한국어·영어 모델을 씁니다. 내려받기도 네트워크도 필요 없습니다.",
    ),
    "about_explain": (
        "Show how a family or a checkpoint is built: wiring, roles, names on disk, shapes, sizes.\n\n"
        "\b\n"
        "  nabi explain bert                 # a family, with its default configuration\n"
        "  nabi explain ./my-model           # a folder: its config.json is enough\n"
        "  nabi explain klue/bert-base       # a repository of the Hub\n"
        "  nabi explain bert --tree          # every module",
        "모델 계열이나 체크포인트의 구조를 보여 줍니다: 배선, 역할, 디스크의 이름, 모양, 크기.\n\n"
        "\b\n"
        "  nabi explain bert                 # 계열, 기본 설정으로\n"
        "  nabi explain ./my-model           # 폴더: config.json만 있으면 됩니다\n"
        "  nabi explain klue/bert-base       # 허브의 저장소\n"
        "  nabi explain bert --tree          # 모든 모듈",
    ),
    "about_family": (
        "A family's model_type, such as bert; a folder; or a repository of the Hub.",
        "계열의 model_type(예: bert), 폴더, 또는 허브의 저장소.",
    ),
    "about_tree": ("Print every module.", "모든 모듈을 출력합니다."),
    "at": ("at", "위치"),
    "around": ("around them", "그 밖의 가중치"),
    "parameters": ("{count} parameters", "파라미터 {count}개"),
    "memory": ("memory of the weights: {sizes}", "가중치의 메모리: {sizes}"),
    "context": ("a text may have {length} tokens", "텍스트의 최대 길이: 토큰 {length}개"),
    "rotary": (
        "rotary positions: {kind}, theta {theta}, {size} dimensions of a head turn",
        "회전 위치: {kind}, theta {theta}, 헤드마다 {size}차원이 회전합니다",
    ),
    "window": (
        "{count} of {total} layers see the last {window} tokens only",
        "{total}개 층 가운데 {count}개는 마지막 토큰 {window}개만 봅니다",
    ),
    "tokenizer": (
        "tokenizer: {name}, {kind} with {count} tokens; special: {special}",
        "토크나이저: {name}, {kind}, 토큰 {count}개, 특수 토큰: {special}",
    ),
    "no_tokenizer": ("tokenizer: none that nabi reads is there", "토크나이저: 나비가 읽을 수 있는 것이 없습니다"),
    "classes": ("classes: {names}", "클래스: {names}"),
    "read_on": ("read on: {file}", "소스: {file}"),
    "about_task": ("What to do, such as sentiment-analysis.", "할 작업. 예: sentiment-analysis"),
    "about_texts": (
        "The texts. Left out, lines are read from standard input.",
        "텍스트. 쓰지 않으면 표준 입력에서 한 줄씩 읽습니다.",
    ),
    "about_model": (
        "A folder, or a repository of the Hugging Face Hub.",
        "모델 폴더, 또는 Hugging Face Hub의 저장소 이름.",
    ),
    "about_json": (
        "Print one JSON object per line.",
        "결과를 한 줄에 JSON 하나씩 출력합니다.",
    ),
    "about_file": (
        "Read texts from this file, one per line (UTF-8, UTF-16 with a mark, or cp949).",
        "이 파일에서 텍스트를 한 줄에 하나씩 읽습니다(UTF-8, BOM이 있는 UTF-16, cp949).",
    ),
    "about_top_k": ("Print the N best labels of each text.", "텍스트마다 점수가 높은 레이블 N개를 출력합니다."),
    "about_batch_size": (
        "How many texts run together. It changes the speed, not the results.",
        "한 번에 처리할 텍스트 수. 속도만 바뀌고 결과는 같습니다.",
    ),
    "about_device": (
        "cpu, cuda, cuda:1, mps or a number. Left out, an accelerator if there is one.",
        "cpu, cuda, cuda:1, mps 또는 번호. 쓰지 않으면 가속기가 있을 때 가속기를 씁니다.",
    ),
    "about_revision": (
        "A branch, tag or commit of the repository.",
        "저장소의 브랜치, 태그 또는 커밋.",
    ),
    "about_truncate": (
        "Cut texts that are too long for the model. Left out, they are errors.",
        "모델에 너무 긴 텍스트를 잘라서 처리합니다. 쓰지 않으면 오류로 알립니다.",
    ),
    "about_offline": ("Use only files that are already here.", "이미 내려받은 파일만 씁니다."),
    "about_version": ("Print the version and exit.", "버전을 출력하고 끝냅니다."),
    "about_help": ("Show this text and exit.", "이 도움말을 출력하고 끝냅니다."),
    "Usage": ("Usage", "사용법"),
    "Arguments": ("Arguments", "인자"),
    "Options": ("Options", "옵션"),
    "Commands": ("Commands", "명령"),
    "required": ("required", "필수"),
    # ------------------------------------------------------------ while running
    "keyboard": (
        "Type one text per line; end with {key}.",
        "한 줄에 텍스트 하나씩 입력하세요. 끝내려면 {key}를 누르세요.",
    ),
    "line": ("line {number} of {name}", "{name} {number}번째 줄"),
    "text": ("text {number}", "{number}번째 텍스트"),
    "standard_input": ("standard input", "표준 입력"),
    "blank_lines": ("Blank lines skipped: {count}", "건너뛴 빈 줄: {count}개"),
    # ------------------------------------------------------------ errors
    "error": ("nabi: {message}", "nabi: {message}"),
    "see_help": ("See: {command} --help", "도움말: {command} --help"),
    "unknown_task": (
        "there is no task {name!r}.{hint} The tasks are: {tasks}",
        "{name!r}라는 작업은 없습니다.{hint} 작업: {tasks}",
    ),
    "did_you_mean": (" Did you mean {name!r}?", " 혹시 {name!r}인가요?"),
    "unknown_family": (
        "there is no family {name!r}, and no folder or Hub repository of that name that can be read. The families are: "
        "{known}",
        "{name!r}라는 계열은 없고, 그런 이름의 폴더나 허브 저장소도 읽을 수 없습니다. 계열: {known}",
    ),
    "texts_and_file": (
        "give texts or --file, not both.",
        "텍스트와 --file 가운데 하나만 쓰세요.",
    ),
    "no_file": ("the file {path!r} cannot be read: {reason}", "파일 {path!r}을(를) 읽을 수 없습니다: {reason}"),
    "no_texts": ("there is no text in {name}.", "{name}에 텍스트가 없습니다."),
    "empty_text": ("the text is empty.", "텍스트가 비어 있습니다."),
    "undecodable": (
        "this is neither UTF-8 nor cp949: {bytes}. Save the text as UTF-8.",
        "UTF-8도 cp949도 아닙니다: {bytes}. UTF-8로 저장하세요.",
    ),
    "too_long": (
        "the text has {tokens} tokens, but the model takes {most} at most. --truncate cuts such texts.",
        "텍스트가 {tokens}토큰인데 모델은 {most}토큰까지만 받습니다. --truncate를 쓰면 잘라서 처리합니다.",
    ),
    "no_model": (
        "there is no folder {name!r}, and it is no id of the Hub ('name' or 'owner/name'). Check --model.",
        "{name!r}라는 폴더가 없고, Hub의 저장소 이름('name' 또는 'owner/name')도 아닙니다. --model을 확인하세요.",
    ),
    "not_reached": (
        "the model {name!r} is not on this machine and cannot be fetched. {reason}",
        "모델 {name!r}이(가) 이 컴퓨터에 없고 내려받을 수도 없습니다. {reason}",
    ),
    "no_option": ("there is no option {name}.{hint}", "{name}라는 옵션은 없습니다.{hint}"),
    "no_command": (
        "there is no command {name!r}. The commands are: {known}",
        "{name!r}라는 명령은 없습니다. 명령: {known}",
    ),
    "missing": ("{name} is missing.", "{name}이(가) 빠졌습니다."),
    "bad_value": ("{name}: {reason}", "{name}의 값이 맞지 않습니다: {reason}"),
    "unexpected": (
        "unexpected {kind}: {message} (NABI_DEBUG=1 shows where)",
        "예상하지 못한 {kind}: {message} (NABI_DEBUG=1로 실행하면 위치를 보여 줍니다)",
    ),
}


def language() -> str:
    """ "ko" where the locale is Korean, else "en". Without a locale's variables, Windows says its own language."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    if sys.platform == "win32":
        import ctypes

        if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == KOREAN_WINDOWS_LANGUAGE:
            return "ko"
    return "en"


def say(key: str, /, **values: object) -> str:
    """The message in the user's language, its names filled in."""
    english, korean = MESSAGES[key]
    return (korean if language() == "ko" else english).format(**values)
