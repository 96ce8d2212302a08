"""The commands and their options, and how errors leave: one line, no traceback."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from .messages import language, say
from .options import Options, Problem
from .run import run
from .train.command import train_command

HEADINGS = ("Usage", "Arguments", "Options", "Commands")
# typer carries its own copy of click, or click itself, by its version: these are whichever it uses.
UsageError: Any = typer.BadParameter.__mro__[1]
ClickException: Any = UsageError.__mro__[1]


class Command(TyperCommand):
    def get_help(self, ctx: Any) -> str:
        return localised(super().get_help(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """As it is usually written, whatever the library's version makes of it: [OPTIONS] TASK [TEXT]..."""
        arguments = [p for p in self.get_params(ctx) if p.param_type_name == "argument"]
        return ["[OPTIONS]", *(str(argument.metavar) for argument in arguments)]


class Group(TyperGroup):
    def get_help(self, ctx: Any) -> str:
        return localised(super().get_help(ctx))


def localised(text: str) -> str:
    """The library's own words in the user's language, without the Python types that it adds to arguments."""
    text = re.sub(r" <(list\[)?str\]?>", lambda found: " " * len(found[0]), text)
    if language() != "en":
        for heading in HEADINGS:
            text = text.replace(f"{heading}:", f"{say(heading)}:", 1)
        text = text.replace("[required]", f"[{say('required')}]")
        text = text.replace("Show this message and exit.", say("about_help"))
    return text


def print_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"nabi {__version__}")
        raise typer.Exit


def top(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help=say("about_version"))
    ] = False,
) -> None:
    pass


def run_command(
    task: Annotated[str, typer.Argument(metavar="TASK", help=say("about_task"))],
    text: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help=say("about_texts"))] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help=say("about_model"))] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help=say("about_file"))] = None,
    json: Annotated[bool, typer.Option("--json", help=say("about_json"))] = False,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, metavar="N", help=say("about_top_k"))] = None,
    truncate: Annotated[bool, typer.Option("--truncate", help=say("about_truncate"))] = False,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, metavar="N", help=say("about_batch_size"))
    ] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="D", help=say("about_device"))] = None,
    revision: Annotated[str | None, typer.Option("--revision", metavar="R", help=say("about_revision"))] = None,
    offline: Annotated[bool, typer.Option("--offline", help=say("about_offline"))] = False,
    column: Annotated[list[str] | None, typer.Option("--column", metavar="NAME", help=say("about_column"))] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help=say("about_out"))] = None,
    resume: Annotated[bool, typer.Option("--resume", help=say("about_resume"))] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=say("about_overwrite_out"))] = False,
    engine: Annotated[
        str, typer.Option("--engine", metavar="ENGINE", show_default=False, help=say("about_engine"))
    ] = "local",
    workers: Annotated[int | None, typer.Option("--workers", min=1, metavar="N", help=say("about_workers"))] = None,
    question: Annotated[str | None, typer.Option("--question", metavar="TEXT", help=say("about_question"))] = None,
    context: Annotated[str | None, typer.Option("--context", metavar="TEXT", help=say("about_context"))] = None,
    candidate_labels: Annotated[
        str | None, typer.Option("--candidate-labels", metavar="A,B", help=say("about_candidate_labels"))
    ] = None,
    multi_label: Annotated[bool, typer.Option("--multi-label", help=say("about_multi_label"))] = False,
    hypothesis_template: Annotated[
        str | None, typer.Option("--hypothesis-template", metavar="TEXT", help=say("about_hypothesis_template"))
    ] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option("--max-new-tokens", min=1, metavar="N", help=say("about_max_new_tokens_run"))
    ] = None,
    more: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=say("about_set"))] = None,
) -> None:
    options = Options(
        model=model,
        revision=revision,
        device=device,
        batch_size=batch_size,
        top_k=top_k,
        truncate=truncate,
        offline=offline,
        json=json,
        column=tuple(column or ()),
        question=question,
        context=context,
        candidate_labels=candidate_labels,
        multi_label=multi_label,
        hypothesis_template=hypothesis_template,
        max_new_tokens=max_new_tokens,
        more=tuple(more or ()),
        out=out,
        resume=resume,
        overwrite=overwrite,
        engine=engine,
        workers=workers,
    )
    raise typer.Exit(run(task, text or [], file, options))


def chat_command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=say("about_model"))],
    system: Annotated[str | None, typer.Option("--system", metavar="TEXT", help=say("about_system"))] = None,
    load: Annotated[Path | None, typer.Option("--load", metavar="FILE", help=say("about_load"))] = None,
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", min=1, metavar="N", show_default=False, help=say("about_max_new_tokens"))
    ] = 512,
    sample: Annotated[
        bool | None, typer.Option("--sample/--greedy", show_default=False, help=say("about_sample"))
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", min=0.0, metavar="T", help=say("about_temperature"))
    ] = None,
    top_p: Annotated[
        float | None, typer.Option("--top-p", min=0.0, max=1.0, metavar="P", help=say("about_top_p"))
    ] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, metavar="N", help=say("about_top_k_tokens"))] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help=say("about_seed"))] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", metavar="D", help=say("about_loaded_dtype"))] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="D", help=say("about_device"))] = None,
) -> None:
    from .chat import chat

    code = chat(
        model,
        system=system,
        load=load,
        max_new_tokens=max_new_tokens,
        sample=sample,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        seed=seed,
        dtype=dtype,
        device=device,
    )
    raise typer.Exit(code)


def explain_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("about_family"))],
    text: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help=say("about_explained"))] = None,
    tree: Annotated[bool, typer.Option("--tree", help=say("about_tree"))] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help=say("about_html"))] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help=say("about_model"))] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="METHOD", show_default=False, help=say("about_method"))
    ] = "integrated-gradients",
    target: Annotated[str | None, typer.Option("--target", metavar="LABEL", help=say("about_target_label"))] = None,
    position: Annotated[int | None, typer.Option("--position", metavar="N", help=say("about_position"))] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, metavar="N", help=say("about_alternatives"))] = None,
    candidate_labels: Annotated[
        str | None, typer.Option("--candidate-labels", metavar="A,B", help=say("about_candidate_labels"))
    ] = None,
    more: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=say("about_set"))] = None,
    json: Annotated[bool, typer.Option("--json", help=say("about_json"))] = False,
    device: Annotated[str | None, typer.Option("--device", metavar="D", help=say("about_device"))] = None,
    offline: Annotated[bool, typer.Option("--offline", help=say("about_offline"))] = False,
) -> None:
    from .explain_text import Look, explain_texts, is_task

    if text or is_task(name):
        options = Options(
            model=model, candidate_labels=candidate_labels, more=tuple(more or ()), device=device, offline=offline
        )
        look = Look(method=method, target=target, position=position, alternatives=top_k, html=html, json=json)
        return explain_texts(name, text or [], options, look)
    from .explain import explain

    explain(name, tree)


def convert_command(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=say("about_source"))],
    target: Annotated[str, typer.Argument(metavar="TARGET", help=say("about_target"))],
    dtype: Annotated[str | None, typer.Option("--dtype", metavar="D", help=say("about_dtype"))] = None,
    max_shard_size: Annotated[
        str, typer.Option("--max-shard-size", metavar="SIZE", show_default=False, help=say("about_shards"))
    ] = "5GB",
    model_class: Annotated[
        str | None, typer.Option("--model-class", metavar="NAME", help=say("about_model_class"))
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=say("about_overwrite"))] = False,
    revision: Annotated[str | None, typer.Option("--revision", metavar="R", help=say("about_revision"))] = None,
) -> None:
    from .convert import convert

    convert(
        source,
        target,
        dtype=dtype,
        max_shard_size=max_shard_size,
        model_class=model_class,
        overwrite=overwrite,
        revision=revision,
    )


def make_app() -> typer.Typer:
    """The commands, with their help in the user's language."""
    from ..pipelines.tasks import ALIASES, TASKS

    app = typer.Typer(
        name="nabi",
        cls=Group,
        help=say("about"),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # plain help reads as well and comes up faster
        pretty_exceptions_enable=False,
    )
    app.callback()(top)
    tasks = ", ".join(sorted([*TASKS, *ALIASES]))
    app.command("run", cls=Command, help=say("about_run", tasks=tasks), no_args_is_help=True)(run_command)
    app.command("train", cls=Command, help=say("about_train", tasks=trainable()), no_args_is_help=True)(train_command)
    app.command("chat", cls=Command, help=say("about_chat"), no_args_is_help=True)(chat_command)
    app.command("convert", cls=Command, help=say("about_convert"), no_args_is_help=True)(convert_command)
    app.command("explain", cls=Command, help=say("about_explain"), no_args_is_help=True)(explain_command)
    return app


def trainable() -> str:
    from ..training.tasks import ALIASES, TASKS

    return ", ".join(sorted([*TASKS, *ALIASES]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 for what could not be done, 2 for a wrong command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that lacks a letter shows '?', and goes on
    try:
        code = answered(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has left, as `head` does. Python would complain once more when it flushes at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def answered(arguments: Sequence[str] | None) -> int:
    """The exit code, once the command has run or its error has been told."""
    try:
        return int(make_app()(args=arguments, prog_name="nabi", standalone_mode=False) or 0)
    except Problem as problem:
        return fail(str(problem), problem.code)
    except ClickException as error:
        return fail_of_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("NABI_DEBUG"):
            raise
        if isinstance(error, (OSError, ValueError, TypeError)):
            return fail(one_line(error), 1)
        return fail(say("unexpected", kind=type(error).__name__, message=one_line(error)), 1)


def fail(message: str, code: int) -> int:
    print(say("error", message=message), file=sys.stderr)
    return code


def fail_of_usage(error: Any) -> int:
    """A mistake in the command, found by the library; what it says is put into our words."""
    context: Any = getattr(error, "ctx", None)
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        print(error.format_message())
        return 0
    parameter = getattr(error, "param", None)
    name = parameter.opts[0] if parameter is not None and parameter.opts else ""
    if kind == "NoSuchOption":
        near = (getattr(error, "possibilities", None) or [""])[0]
        hint = say("did_you_mean", name=near) if near else ""
        message = say("no_option", name=error.option_name, hint=hint)
    elif (command_name := re.match(r"No such command '([^']+)'", error.format_message())) is not None:
        message = say("no_command", name=command_name[1], known=", ".join(context.command.commands))
    elif kind == "MissingParameter":
        message = say("missing", name=name.upper() if not name.startswith("-") else name)
    elif parameter is not None:
        message = say("bad_value", name=name, reason=error.message)
    else:
        message = error.format_message()
    command = context.command_path if context is not None else "nabi"
    return fail(f"{message}\n{say('see_help', command=command)}", 2)


def one_line(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split()) or type(error).__name__
