"""`nabi chat`: a conversation with a model, in a terminal or line by line through a pipe."""

from __future__ import annotations

import difflib
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

from rich.console import Console

from . import lines
from .conversation import Conversation
from .lines import Line
from .messages import say
from .run import Problem, standard_input

COMMANDS = ("/save", "/reset", "/system", "/undo", "/help", "/exit")


def chat(
    name: str,
    *,
    system: str | None,
    load: Path | None,
    seed: int | None,
    sample: bool | None,
    max_new_tokens: int,
    dtype: str | None,
    device: str | None,
    **sampling: float | None,
) -> int:
    """Talk until the user leaves or the input ends. Returns the exit code: 1 if a piped message had no answer."""
    from ..hub import Repository

    settings: dict[str, Any] = {key: value for key, value in sampling.items() if value is not None}
    if settings.get("temperature") == 0:  # as every service takes it
        sample, settings = False, {}
    if sample is False and settings:
        raise Problem(say("greedy_and_sampling", names=", ".join(f"--{key.replace('_', '-')}" for key in settings)))
    if sample is not None or settings:
        settings["do_sample"] = sample is not False
    try:
        Repository.open(name, {})  # find a mistyped folder before torch is loaded, which takes seconds
    except OSError as error:
        raise Problem(say("no_chat_model", name=name), code=1) from error
    conversation = Conversation(*load_model(name, dtype, device), max_new_tokens=max_new_tokens, **settings)
    if load is not None:
        try:
            conversation.load(load.expanduser())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Problem(say("bad_conversation", path=str(load), reason=reason), code=1) from error
    if system is not None:
        conversation.system = system
    if seed is not None:
        import torch

        torch.manual_seed(seed)
    return Terminal(conversation, name).talk()


def load_model(name: str, dtype: str | None, device: str | None) -> tuple[Any, Any]:
    from ..auto import AutoModelForCausalLM
    from ..hub import HubUnreachable
    from ..pipelines.devices import place
    from ..tokenization import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype)
    except HubUnreachable as error:
        raise Problem(say("not_reached", name=name, reason=error), code=1) from error
    place(model, int(device) if device is not None and device.lstrip("-").isdigit() else device)
    return model, tokenizer


class Terminal:
    """Answers go to standard output; what the program itself says, to standard error."""

    def __init__(self, conversation: Conversation, name: str) -> None:
        self.conversation = conversation
        self.name = name
        self.is_typed = sys.stdin.isatty()
        self.margin = Console(color_system="auto" if self.is_typed else None, stderr=True)

    def talk(self) -> int:
        if self.conversation.is_plain:
            self.note(say("no_template", name=self.name))
        if self.is_typed:
            self.note(say("chat_begins", key="Ctrl-Z, Enter" if os.name == "nt" else "Ctrl-D"))
        failed = False
        for line in typed() if self.is_typed else lines.of_stream(standard_input(), say("standard_input")):
            if not line.text.strip():
                continue
            try:
                if line.problem:
                    raise ValueError(f"{line.place}: {line.problem}")
                if not line.text.startswith("/"):
                    self.answer(line.text)
                elif not self.obey(*line.text.strip().split(maxsplit=1)):
                    break
            except BrokenPipeError:  # nobody reads the answers any more
                raise
            except (OSError, ValueError, RuntimeError) as error:
                failed = True
                self.note(say("error", message=error))
        return int(failed and not self.is_typed)

    def answer(self, text: str) -> None:
        left_out = self.conversation.ask(text)
        if left_out:
            self.note(say("left_out", count=left_out))
        with interrupts() as stop:
            answer = self.conversation.answer(self.show, stop)
        self.show("\n")
        if stop.is_set():
            self.note(say("stopped"))
        elif not answer.strip():
            self.note(say("empty_answer"))

    def obey(self, command: str, rest: str = "") -> bool:
        """Do what a command says; False if it ends the conversation."""
        if command == "/help":
            self.note(say("chat_help"))
        elif command == "/reset":
            self.conversation.reset()
            self.note(say("forgotten"))
        elif command == "/undo":
            self.note(say("taken_back" if self.conversation.undo() else "nothing_said"))
        elif command == "/system":
            self.conversation.system = rest
            self.note(say("system_set" if rest else "system_gone"))
        elif command == "/save":
            if not rest:
                raise ValueError(say("save_where"))
            self.conversation.save(Path(rest).expanduser())
            self.note(say("saved", path=rest))
        elif command != "/exit":
            near = difflib.get_close_matches(command, COMMANDS, n=1)
            hint = say("did_you_mean", name=near[0]) if near else ""
            raise ValueError(say("no_chat_command", name=command, hint=hint, known=", ".join(COMMANDS)))
        return command != "/exit"

    def show(self, piece: str) -> None:
        print(visible(piece), end="", flush=True)

    def note(self, text: str) -> None:
        self.margin.out(text, style="dim", highlight=False)


def typed() -> Iterator[Line]:
    """What the user types, line by line, with a history where there is readline."""
    with suppress(ImportError):
        import readline  # noqa: F401  input() then edits whole letters, Hangul too
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="replace")
    while True:
        try:
            text = input("> ")
        except (EOFError, KeyboardInterrupt):
            print()
            return
        yield Line(text, "")


@contextmanager
def interrupts() -> Iterator[Event]:
    """Inside, the first Ctrl-C sets the event; a second one, for a pass that takes long, is a KeyboardInterrupt."""
    stop = Event()

    def interrupt(*_: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def visible(text: str) -> str:
    """Without what steers a terminal."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", text)
