"""`nabi chat` as people use it: history, commands, interruptions; on tiny random models that know a little Korean."""

from __future__ import annotations

import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch

from nabi import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM
from nabi.cli import main
from nabi.cli.chat import Terminal, visible
from nabi.cli.conversation import Conversation, Reply
from nabi.tokenization import train

CHAT = [sys.executable, "-c", "import sys; from nabi.cli import main; sys.exit(main())", "chat"]
CORPUS = ["이 영화는 정말 최고예요! 나비가 꽃밭 위를 날아다닙니다.", "안녕하세요, 반갑습니다.", "hello there"] * 3
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
MARKS = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
POSITIONS = 256


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """By name: a chat model, one that never ends ("endless"), one with learned positions, one with no template."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name in made:
            return made[name]
        tokenizer = train("bpe", CORPUS, 400, special_tokens=MARKS)
        tokenizer.chat_template = None if name == "plain" else TEMPLATE
        end = None if name == "endless" else tokenizer.convert_tokens_to_ids("<|end|>")
        size = dict(vocab_size=len(tokenizer), bos_token_id=None, eos_token_id=end, pad_token_id=1)
        torch.manual_seed(5)
        model: Any
        if name == "learned positions":
            model = GPT2LMHeadModel(GPT2Config(n_positions=POSITIONS, n_embd=16, n_layer=2, n_head=2, **size))
        else:
            positions = 1_000_000 if name == "endless" else POSITIONS
            layers = dict(num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, intermediate_size=32)
            model = LlamaForCausalLM(
                LlamaConfig(hidden_size=16, max_position_embeddings=positions, **layers, **size)  # type: ignore[arg-type]
            )
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        made[name] = tmp_path_factory.mktemp(name.replace(" ", "-"))
        model.save_pretrained(made[name])
        tokenizer.save_pretrained(made[name])
        return made[name]

    return make


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    yield


def conversation(folder: Path, max_new_tokens: int = 12, **settings: Any) -> Conversation:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    return Conversation(model, tokenizer, max_new_tokens=max_new_tokens, **settings)


def talk(one: Conversation, text: str) -> str:
    one.ask(text)
    return one.answer(lambda piece: None, Event())


def give(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


def chat(folder: Path, *arguments: object) -> int:
    return main(["chat", str(folder), *map(str, arguments)])


# ---------------------------------------------------------------- the conversation


@pytest.mark.parametrize("name", ["chat", "learned positions", "plain"])
def test_each_answer_is_what_generate_writes_for_the_whole_conversation(
    folders: Callable[[str], Path], name: str
) -> None:
    one = conversation(folders(name))
    one.system = "한국어로"
    for text in ("안녕하세요", "나비가 꽃밭", "hello"):
        shown: list[str] = []
        one.ask(text)
        ids = torch.tensor([one._prompt])
        fresh = one.model.generate(ids, max_new_tokens=12)[0, ids.shape[1] :]
        answer = one.answer(shown.append, Event())
        assert answer == "".join(shown)
        assert one.tokenizer.decode(fresh, skip_special_tokens=True).startswith(answer)
        assert one.messages[-1] == {"role": "assistant", "content": answer}
    assert [message["role"] for message in one.messages] == ["system", *["user", "assistant"] * 3]


def test_only_what_is_new_goes_through_the_model(folders: Callable[[str], Path]) -> None:
    one = conversation(folders("chat"))
    fed: list[int] = []
    one.model.get_input_embeddings().register_forward_hook(lambda module, inputs, out: fed.append(inputs[0].shape[1]))
    talk(one, "안녕하세요, 반갑습니다.")
    # What the model wrote may be cut into other tokens when it is read again, so it is given words to have written.
    answer = "나비가 꽃밭 위를 날아다닙니다."
    one.turns[-1]["content"] = answer
    known = len(one._prompt)
    one.ask("hello")
    new = len(one._prompt) - known
    fed.clear()
    one.answer(lambda piece: None, Event())
    assert fed[0] <= new, "the first question was read again"
    assert set(fed[1:]) <= {1}
    one.undo()
    one.ask("hello there")
    fed.clear()
    one.answer(lambda piece: None, Event())
    assert fed[0] < new, "what stays after /undo was read again"
    one.system = "한국어로"
    one.ask("hello")
    fed.clear()
    one.answer(lambda piece: None, Event())
    assert fed[0] > known, "another beginning was taken for the old one"


def test_the_oldest_turns_are_left_out_when_the_conversation_no_longer_fits(folders: Callable[[str], Path]) -> None:
    one = conversation(folders("learned positions"), max_new_tokens=40)
    one.system = "한국어로"
    left_out = 0
    for _ in range(8):
        left_out += one.ask("나비가 꽃밭 위를 날아다닙니다. 안녕하세요")
        one.answer(lambda piece: None, Event())
        assert len(one._prompt) + 40 <= POSITIONS
        assert one.tokenizer.decode(one._prompt).startswith("<|system|>한국어로<|end|><|user|>나비가")
    assert left_out > 0 and left_out % 2 == 0
    assert len(one.messages) == 1 + 16, "they are still there to be saved"


def test_a_message_too_long_by_itself_is_an_error_and_changes_nothing(folders: Callable[[str], Path]) -> None:
    one = conversation(folders("chat"))
    talk(one, "안녕하세요")
    before = one.messages
    with pytest.raises(ValueError, match=r"comes to \d{4} tokens .* room for 244 beside an answer"):
        one.ask("꿹" * 1000)
    assert one.messages == before
    talk(one, "hello")


def test_what_the_template_refuses_is_told_and_not_kept(folders: Callable[[str], Path]) -> None:
    one = conversation(folders("chat"))
    one.tokenizer.chat_template = "{{ raise_exception('no system role here') }}"
    with pytest.raises(ValueError, match="no system role here"):
        one.ask("hello")
    assert one.messages == []


def test_stopping_keeps_the_part_that_was_written(folders: Callable[[str], Path]) -> None:
    one = conversation(folders("endless"), max_new_tokens=100_000)
    stop = Event()
    shown = ""

    def show(piece: str) -> None:
        nonlocal shown
        shown += piece
        if len(shown) > 20:
            stop.set()

    one.ask("안녕하세요")
    assert one.answer(show, stop) == shown
    assert 20 < len(shown) < 60
    assert one.messages[-1]["content"] == shown
    assert one._cache is not None


def test_an_interrupt_in_the_midst_of_a_pass_keeps_the_part_and_drops_the_cache(folders: Callable[[str], Path]) -> None:
    one = conversation(folders("endless"), max_new_tokens=100_000)
    passes = 0

    def interrupt(*_: Any) -> None:
        nonlocal passes
        passes += 1
        if passes == 30:
            raise KeyboardInterrupt

    hook = one.model.get_input_embeddings().register_forward_hook(interrupt)
    one.ask("안녕하세요")
    answer = one.answer(lambda piece: None, Event())
    hook.remove()
    assert answer and one.messages[-1]["content"] == answer
    assert one._cache is None
    one.max_new_tokens = 5
    talk(one, "hello")


def test_a_failing_model_takes_the_message_back(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = conversation(folders("chat"))
    one.ask("안녕")

    def fail(**_: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(one.model, "generate", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        one.answer(lambda piece: None, Event())
    assert one.messages == []


def test_undo_and_reset_take_back(folders: Callable[[str], Path]) -> None:
    one = conversation(folders("chat"))
    one.system = "한국어로"
    first = talk(one, "안녕하세요")
    talk(one, "hello")
    assert one.undo()
    assert [message["content"] for message in one.messages] == ["한국어로", "안녕하세요", first]
    assert one.undo() and not one.undo()
    talk(one, "hello")
    one.reset()
    assert one.messages == [{"role": "system", "content": "한국어로"}]


def test_what_is_saved_is_loaded_equal(folders: Callable[[str], Path], tmp_path: Path) -> None:
    one = conversation(folders("chat"))
    one.system = "한국어로"
    talk(one, "안녕하세요 👩\u200d🚀")
    one.save(tmp_path / "talk.json")
    assert "안녕하세요" in (tmp_path / "talk.json").read_text(encoding="utf-8")
    another = conversation(folders("chat"))
    another.load(tmp_path / "talk.json")
    assert another.messages == one.messages
    assert talk(another, "hello") == talk(one, "hello")
    one.save(tmp_path / "talk.md")
    assert (
        (tmp_path / "talk.md").read_text(encoding="utf-8").startswith("## system\n\n한국어로\n\n## user\n\n안녕하세요")
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("안녕", "Expecting value"),
        ('{"turns": []}', 'a list of "messages"'),
        ('[{"role": "user"}]', 'message 0 must have a "role", one of system, user, assistant'),
        ('[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]', "message 1 must have"),
        ('["안녕"]', "message 0 must have"),
    ],
)
def test_a_file_that_is_no_conversation_is_named(
    folders: Callable[[str], Path],
    tmp_path: Path,
    content: str,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "talk.json"
    path.write_text(content, encoding="utf-8")
    assert chat(folders("chat"), "--load", path) == 1
    told = capsys.readouterr().err
    assert f"{str(path)!r} is no conversation to go on with: " in told and reason in told
    assert chat(folders("chat"), "--load", tmp_path / "none.json") == 1
    assert "No such file" in capsys.readouterr().err


# ---------------------------------------------------------------- a model without a chat template


def test_without_a_template_the_model_goes_on_with_a_plain_text(folders: Callable[[str], Path]) -> None:
    one = conversation(folders("plain"))
    one.system = "A talk."
    one.turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": " hello"}]
    one.ask("there")
    text = "A talk.\nUser: hi\nAssistant: hello\nUser: there\nAssistant:"
    assert one.tokenizer.decode(one._prompt) == text
    one.tokenizer.bos_token = "<|user|>"
    one.undo()
    one.ask("there")
    assert one.tokenizer.decode(one._prompt) == "<|user|>" + text


def test_that_there_is_no_template_is_said_once(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give("hello\nhello\n", monkeypatch)
    assert chat(folders("plain"), "--max-new-tokens", 4) == 0
    assert capsys.readouterr().err.count("has no chat template, so it is probably no chat model") == 1


def test_a_plain_answer_ends_where_the_model_begins_to_speak_for_the_user(folders: Callable[[str], Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders("plain"))
    shown: list[str] = []
    reply = Reply(tokenizer, shown.append, "\nUser:")
    ids = tokenizer(" hello\nUse it.\nUser: hello")["input_ids"]
    reply.put(torch.tensor([[0]]))  # the prompt
    for token_id in ids:
        reply.put(torch.tensor([token_id]))
        assert reply.is_complete or not reply.text.startswith("".join(shown) + "\nUser:")
    reply.end()
    assert reply.is_complete
    assert "".join(shown) == reply.text == " hello\nUse it."
    unended = Reply(tokenizer, shown.append, "\nUser:")
    unended.put(torch.tensor([[0]]))
    unended.put(torch.tensor(tokenizer("a\nUser")["input_ids"]))
    unended.end()
    assert shown[-2:] == ["a", "\nUser"]


# ---------------------------------------------------------------- the command


def test_a_pipe_gives_one_message_per_line_and_gets_plain_answers(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give("안녕하세요\n\nhello\n", monkeypatch)
    assert chat(folders("chat"), "--max-new-tokens", 8, "--greedy", "--system", "한국어로") == 0
    out, err = capsys.readouterr()
    one = conversation(folders("chat"), 8, do_sample=False)
    one.system = "한국어로"
    assert out == "".join(visible(talk(one, text)) + "\n" for text in ("안녕하세요", "hello"))
    assert "\x1b" not in out + err


def test_commands_do_what_help_says(
    folders: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = ["hello", "/undo", "/undo", "안녕", "/system  짧게 써 ", f"/save {tmp_path / 'talk.json'}"]
    lines += ["/reset", " /hi", f"/save {tmp_path / 'after.json'}", "/system", "/help", "/exit", "hello"]
    give("\n".join(lines), monkeypatch)
    assert chat(folders("chat"), "--max-new-tokens", 4) == 0
    told = capsys.readouterr().err
    for text in (
        "Your last message and its answer are taken back.",
        "There is no message to take back.",
        "The instructions are set.",
        f"The conversation is in {tmp_path / 'talk.json'}.",
        "The conversation is forgotten.",
        "There are no instructions any more.",
        "/system TEXT",
    ):
        assert text in told
    saved = json.loads((tmp_path / "talk.json").read_text(encoding="utf-8"))["messages"]
    assert [message["content"] for message in saved[:2]] == ["짧게 써", "안녕"]
    after = json.loads((tmp_path / "after.json").read_text(encoding="utf-8"))["messages"]
    assert [message["content"] for message in after[:2]] == ["짧게 써", " /hi"]
    assert len(after) == 3


def test_a_mistake_is_told_and_the_conversation_goes_on(
    folders: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    give(f"/rest\n/save\n/save {tmp_path}\n" + "꿹" * 1000 + "\nhello\n", monkeypatch)
    assert chat(folders("chat"), "--max-new-tokens", 4) == 1
    out, err = capsys.readouterr()
    assert "there is no command '/rest'. Did you mean '/reset'?" in err
    assert "/save needs the name of a file." in err
    assert "Is a directory" in err or "Permission" in err
    assert "the model has room for" in err
    assert out


def test_the_seed_settles_what_is_drawn(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = []
    for arguments in (["--seed", 1], ["--seed", 1], ["--seed", 2]):
        give("안녕하세요\n", monkeypatch)
        assert chat(folders("chat"), "--temperature", 1.5, "--top-k", 50, "--top-p", 0.9, *arguments) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1] != answers[2]


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ([], {}),
        (["--greedy"], {"do_sample": False}),
        (["--temperature", "0", "--top-p", "1"], {"do_sample": False}),
        (["--sample"], {"do_sample": True}),
        (["--top-k", "3"], {"do_sample": True, "top_k": 3}),
        (["--temperature", "0.5", "--top-p", "0.9"], {"do_sample": True, "temperature": 0.5, "top_p": 0.9}),
    ],
)
def test_options_become_settings_of_generate(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, arguments: list[str], settings: dict[str, Any]
) -> None:
    seen: list[dict[str, Any]] = []

    def note(self: Terminal) -> int:
        seen.append(self.conversation.settings)
        return 0

    monkeypatch.setattr(Terminal, "talk", note)
    assert chat(folders("chat"), *arguments) == 0
    assert seen == [settings]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["no/such/folder"], 1, "there is no folder 'no/such/folder', and it is no id of the Hub"),
        (["MODEL", "--greedy", "--top-k", "3"], 2, "--top-k and --greedy exclude each other"),
        (["MODEL", "--temperature", "-1"], 2, "--temperature"),
        (["MODEL", "--dtype", "float23"], 1, "dtype is 'float23'"),
        (["MODEL", "--device", "tpu9"], 1, "device='tpu9'"),
    ],
)
def test_a_wrong_command_is_one_message(
    folders: Callable[[str], Path],
    arguments: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [str(folders("chat")) if argument == "MODEL" else argument for argument in arguments]
    assert main(["chat", *arguments]) == code
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err


def test_what_steers_a_terminal_does_not_reach_it(
    folders: Callable[[str], Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    give("", monkeypatch)
    Terminal(conversation(folders("chat")), "model").show("a\x1b[31m\r[b]b[/b]\t:smile: 한글\n\x9b👩\u200d🚀")
    assert capsys.readouterr().out == "a[31m[b]b[/b]\t:smile: 한글\n👩\u200d🚀"


def test_a_closed_pipe_ends_quietly(folders: Callable[[str], Path]) -> None:
    pipes: dict[str, Any] = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running = subprocess.Popen([*CHAT, str(folders("endless")), "--max-new-tokens", "500000"], **pipes)
    assert running.stdin is not None and running.stdout is not None and running.stderr is not None
    running.stdin.write("안녕하세요\n".encode())
    running.stdin.flush()
    assert running.stdout.read(1)
    running.stdout.close()
    assert running.wait(timeout=60) == 1
    assert running.stderr.read() == b""


# ---------------------------------------------------------------- in a terminal


class Screen:
    """The command in a terminal of its own: what it prints, and what is typed."""

    def __init__(self, *arguments: object) -> None:
        import pty

        self.terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            [*CHAT, *map(str, arguments)], stdin=end, stdout=end, stderr=end, start_new_session=True
        )
        os.close(end)
        self.raw = b""

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def wait_for(self, pattern: str, seconds: float = 60) -> str:
        """All up to what matches; it is not looked at again."""
        until = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.raw.decode(errors="ignore"))
            if found:
                seen = self.raw.decode(errors="ignore")[: found.end()]
                self.raw = self.raw[len(seen.encode()) :]
                return seen
            assert time.monotonic() < until, f"{pattern!r} never came: {self.raw.decode(errors='replace')!r}"
            if select.select([self.terminal], [], [], 0.2)[0]:
                try:
                    self.raw += os.read(self.terminal, 4096)
                except OSError:  # the program has ended
                    assert re.search(pattern, self.raw.decode(errors="ignore")), self.raw
            elif self.process.poll() is not None:
                assert re.search(pattern, self.raw.decode(errors="ignore")), self.raw

    def close(self) -> int:
        code = self.process.wait(timeout=30)
        os.close(self.terminal)
        return code


def test_ctrl_c_stops_the_answer_and_the_conversation_goes_on(folders: Callable[[str], Path], tmp_path: Path) -> None:
    screen = Screen(folders("endless"), "--max-new-tokens", 500_000)
    screen.wait_for("Type a message")
    screen.wait_for("> ")
    screen.type("안녕하세요, 나비\n")
    screen.wait_for(r"안녕하세요, 나비[^>]{40}")
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("The answer was stopped.")
    screen.wait_for("> ")
    screen.type(f"/save {tmp_path / 'talk.json'}\n")
    screen.wait_for("The conversation is in")
    user, assistant = json.loads((tmp_path / "talk.json").read_text(encoding="utf-8"))["messages"]
    assert user == {"role": "user", "content": "안녕하세요, 나비"}
    assert assistant["role"] == "assistant" and len(assistant["content"]) > 20
    screen.wait_for("> ")
    screen.type("hello\n")  # with the cache of what was stopped
    screen.wait_for(r"hello[^>]{40}")
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("The answer was stopped.")
    screen.wait_for("> ")
    screen.type("\x04")
    assert screen.close() == 0


def test_ctrl_c_at_the_prompt_leaves(folders: Callable[[str], Path]) -> None:
    screen = Screen(folders("chat"))
    screen.wait_for("> ")
    time.sleep(0.5)  # readline sees no signal that comes between its prompt and its wait
    screen.process.send_signal(signal.SIGINT)
    assert screen.close() == 0
