"""Everything that the command line says, in English and Korean side by side."""

from __future__ import annotations

import os
import sys

from .help_texts import HELP
from .train.texts import TRAIN

KOREAN_WINDOWS_LANGUAGE = 0x12

# key: (English, Korean). Names in braces are filled in, and stand in both.
MESSAGES: dict[str, tuple[str, str]] = {
    **HELP,
    **TRAIN,
    # ------------------------------------------------------------ while running
    "keyboard": (
        "Type one text per line; end with {key}.",
        "한 줄에 텍스트 하나씩 입력하세요. 끝내려면 {key}를 누르세요.",
    ),
    "line": ("line {number} of {name}", "{name} {number}번째 줄"),
    "text": ("text {number}", "{number}번째 텍스트"),
    "standard_input": ("standard input", "표준 입력"),
    "written": ("Records in {path}: {count}", "{path}의 레코드: {count}개"),
    "resumed": ("Records that were there before: {count}", "전에 끝낸 레코드: {count}개"),
    "written_errors": (
        'Records that could not be used: {count}. Why stands in their "error".',
        '처리하지 못한 레코드: {count}개. 이유는 각 레코드의 "error"에 있습니다.',
    ),
    "interrupted": (
        "Interrupted. What is done stands in {path}; --resume goes on with it.",
        "중단했습니다. 끝낸 것은 {path}에 있고, --resume으로 이어서 할 수 있습니다.",
    ),
    "blank_lines": ("Blank lines skipped: {count}", "건너뛴 빈 줄: {count}개"),
    "reading": ("reading, writing, checking", "읽기, 쓰기, 검사"),
    "before": ("before", "변환 전"),
    "after": ("after", "변환 후"),
    "files": ("files", "파일"),
    "files_counted": ("{count} files", "파일 {count}개"),
    "weights": ("weights", "가중치"),
    "parameters_row": ("parameters", "파라미터"),
    "size": ("size", "크기"),
    "tied_left_out": (
        "Tied weights, stored once: {names}",
        "공유되는 가중치라 한 번만 저장했습니다: {names}",
    ),
    "unused_left_out": (
        "Left out, for the model class does not use them: {names}",
        "모델 클래스가 쓰지 않아 저장하지 않았습니다: {names}",
    ),
    "checked": (
        "Every weight was read back from {target} and is the same.",
        "{target}에 쓴 모든 가중치를 다시 읽어 같음을 확인했습니다.",
    ),
    "checked_cast": (
        "Every weight was read back from {target} and is the source's, rounded to {dtype}.",
        "{target}에 쓴 모든 가중치를 다시 읽어, 원본을 {dtype}(으)로 바꾼 값과 같음을 확인했습니다.",
    ),
    # ------------------------------------------------------------ while talking
    "chat_begins": (
        "Type a message. /help lists the commands, {key} leaves.",
        "메시지를 입력하세요. 명령은 /help, 끝내려면 {key}를 누르세요.",
    ),
    "chat_help": (
        "/save FILE    write the conversation: JSON, or text for people if FILE ends in .md\n"
        "/reset        forget the conversation, keep the instructions\n"
        "/system TEXT  new instructions for the model; without TEXT, none\n"
        "/undo         take your last message and its answer back\n"
        "/exit         leave\n"
        "Ctrl-C        stop the answer that is being written\n"
        "A message that begins with / needs a space before it.",
        "/save FILE    대화를 저장합니다: JSON, FILE이 .md로 끝나면 읽기 좋은 글로\n"
        "/reset        대화를 잊습니다. 지시문은 남습니다\n"
        "/system TEXT  모델에게 새 지시문을 줍니다. TEXT가 없으면 지시문을 없앱니다\n"
        "/undo         마지막 메시지와 그 대답을 되돌립니다\n"
        "/exit         끝냅니다\n"
        "Ctrl-C        쓰고 있는 대답을 멈춥니다\n"
        "/로 시작하는 메시지는 앞에 빈칸을 두세요.",
    ),
    "no_template": (
        "{name} has no chat template, so it is probably no chat model: it goes on with a text of the form User: … "
        "Assistant: …",
        "{name}에는 대화 템플릿이 없어 대화 모델이 아닌 듯합니다. User: … Assistant: … 꼴의 글을 이어 쓰게 합니다.",
    ),
    "left_out": (
        "The conversation has become too long for the model. Oldest messages left out: {count}",
        "대화가 모델에 너무 길어졌습니다. 뺀 오래된 메시지: {count}개",
    ),
    "stopped": ("The answer was stopped.", "대답을 멈췄습니다."),
    "empty_answer": ("The answer is empty.", "대답이 비어 있습니다."),
    "forgotten": ("The conversation is forgotten.", "대화를 잊었습니다."),
    "taken_back": (
        "Your last message and its answer are taken back.",
        "마지막 메시지와 그 대답을 되돌렸습니다.",
    ),
    "nothing_said": ("There is no message to take back.", "되돌릴 메시지가 없습니다."),
    "system_set": ("The instructions are set.", "지시문을 정했습니다."),
    "system_gone": ("There are no instructions any more.", "지시문을 없앴습니다."),
    "saved": ("The conversation is in {path}.", "대화를 {path}에 저장했습니다."),
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
    "unknown_method": (
        "there is no method {name!r}. The methods are: {known}",
        "{name!r}라는 방법은 없습니다. 방법: {known}",
    ),
    "explain_what": (
        "give the text that {task} is to be explained with, behind its name.",
        "{task} 뒤에 설명할 텍스트를 쓰세요.",
    ),
    "page_of_one": (
        "--html writes the page of one text, and {count} were given.",
        "--html은 텍스트 하나의 페이지를 씁니다. 받은 텍스트: {count}개",
    ),
    "page_written": ("The page is in {path}.", "페이지를 {path}에 썼습니다."),
    "no_page": ("the page {path!r} cannot be written: {reason}", "페이지 {path!r}을(를) 쓸 수 없습니다: {reason}"),
    "texts_and_file": (
        "give texts or --file, not both.",
        "텍스트와 --file 가운데 하나만 쓰세요.",
    ),
    "column_of_no_file": (
        "--column names a column of a --file.",
        "--column은 --file로 읽는 파일의 열 이름입니다.",
    ),
    "no_engine": (
        "there is no engine {name!r}. Use local or ray.",
        "{name!r}라는 엔진은 없습니다. local 또는 ray를 쓰세요.",
    ),
    "workers_of_ray": ("--workers needs --engine ray.", "--workers는 --engine ray와 함께 씁니다."),
    "needs_out": ("{name} needs --out.", "{name}에는 --out이 필요합니다."),
    "kind_of_out": (
        "--out is {path!r}. The name must end in .jsonl or .csv.",
        "--out이 {path!r}입니다. 이름이 .jsonl 또는 .csv로 끝나야 합니다.",
    ),
    "resume_and_overwrite": (
        "use --resume or --overwrite, not both.",
        "--resume과 --overwrite 가운데 하나만 쓰세요.",
    ),
    "out_held": (
        "{path!r} is there already. --resume goes on with it, --overwrite writes it anew.",
        "{path!r} 파일이 이미 있습니다. 이어서 쓰려면 --resume, 새로 쓰려면 --overwrite를 쓰세요.",
    ),
    "bad_setting": (
        "--set is {text!r}. Write it as name=value.",
        "--set이 {text!r}입니다. 이름=값처럼 쓰세요.",
    ),
    "needs_setting": ("{task} needs {name}.", "{task}에는 {name}가 필요합니다."),
    "parts_of_item": (
        "this task takes one item of the command line, in its parts: {parts}. Texts given: {count}",
        "이 작업은 명령줄에서 하나를 부분별로 받습니다: {parts}. 받은 텍스트: {count}개",
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
    "no_source": (
        "there is no folder {name!r}, and it is no id of the Hub ('name' or 'owner/name'). Check SOURCE.",
        "{name!r}라는 폴더가 없고, Hub의 저장소 이름('name' 또는 'owner/name')도 아닙니다. SOURCE를 확인하세요.",
    ),
    "no_chat_model": (
        "there is no folder {name!r}, and it is no id of the Hub ('name' or 'owner/name'). Check MODEL.",
        "{name!r}라는 폴더가 없고, Hub의 저장소 이름('name' 또는 'owner/name')도 아닙니다. MODEL을 확인하세요.",
    ),
    "greedy_and_sampling": (
        "{names} and --greedy exclude each other: with --greedy nothing is drawn by chance.",
        "{names}와(과) --greedy는 함께 쓸 수 없습니다. --greedy에서는 확률에 따라 뽑지 않습니다.",
    ),
    "message_too_long": (
        "the message comes to {tokens} tokens with all that goes around it, and the model has room for {most} beside "
        "an answer. Shorten it.",
        "메시지가 덧붙는 것까지 {tokens}토큰인데, 대답할 자리를 빼면 모델은 {most}토큰까지 받습니다. 줄여 주세요.",
    ),
    "no_chat_command": (
        "there is no command {name!r}.{hint} The commands are: {known}. A message that begins with / needs a space "
        "before it.",
        "{name!r}라는 명령은 없습니다.{hint} 명령: {known}. /로 시작하는 메시지는 앞에 빈칸을 두세요.",
    ),
    "save_where": ("/save needs the name of a file.", "/save 뒤에 파일 이름을 쓰세요."),
    "bad_conversation": (
        "{path!r} is no conversation to go on with: {reason}",
        "{path!r}은(는) 이어 갈 수 있는 대화가 아닙니다: {reason}",
    ),
    "no_messages": (
        'it must be JSON with a list of "messages", as /save writes it.',
        '/save가 쓰는 것처럼 "messages" 목록이 있는 JSON이어야 합니다.',
    ),
    "bad_message": (
        'message {place} must have a "role", one of {roles}, and a text as "content".',
        '메시지 {place}에는 "role"({roles} 가운데 하나)과 글인 "content"가 있어야 합니다.',
    ),
    "target_held": (
        "the folder {target!r} holds a checkpoint already ({file}). Name another, or use --overwrite.",
        "폴더 {target!r}에 이미 체크포인트가 있습니다({file}). 다른 폴더를 쓰거나 --overwrite를 쓰세요.",
    ),
    "unknown_dtype": (
        "there is no dtype {name!r}. Use one of {known}.",
        "{name!r}라는 형식은 없습니다. 다음 가운데 하나를 쓰세요: {known}",
    ),
    "bad_size": (
        "--max-shard-size is {size!r}. Write it as 2GB, 500MB or all-in-one.",
        "--max-shard-size가 {size!r}입니다. 2GB, 500MB 또는 all-in-one처럼 쓰세요.",
    ),
    "lacks_library": (
        "{library} is needed to read {file}: pip install {library}",
        "{file}을(를) 읽으려면 {library}이(가) 필요합니다: pip install {library}",
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
