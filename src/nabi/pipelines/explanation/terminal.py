"""The explanation in a terminal, by rich: coloured pieces, tables of shapes and scores, trees of beams."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from .contents import Attribution, Beams, Branch, Lens, Outputs, Part, Sequence, plain
from .pieces import shown

if TYPE_CHECKING:
    from . import Explanation

FOR, AGAINST = (38, 130, 80), (196, 64, 64)  # what colours say: this piece speaks for the target, or against it
WIDTH = 100  # of the text without a terminal
MOST_ROWS = 24


def as_text(explanation: Explanation) -> str:
    """Without colours, as print() shows it."""
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None).print(explanation)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def rendered(explanation: Explanation) -> RenderableType:
    source = f" · {explanation.checkpoint}" if explanation.checkpoint else ""
    lines: list[RenderableType] = [
        Text.assemble((explanation.task, "bold"), f"  {explanation.model}{source}"),
        Text(f"in   {one_line(explanation.input)}"),
        Text(f"out  {one_line(explanation.result)}"),
    ]
    for part in explanation.parts:
        if len(explanation.parts) > 1:
            lines.append(Rule(part.title, align="left"))
        lines += of_part(part)
    return Group(*lines)


def one_line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) < 400 else f"{text[:400]} …"


def of_part(part: Part) -> Iterator[RenderableType]:
    for sequence in part.sequences:
        scores = part.attribution.scores.get(sequence.name) if part.attribution else None
        yield heading(f"1  {sequence.name}: {len(sequence.pieces)} pieces, ids, mask")
        if part.attribution and scores:
            yield coloured(sequence, scores)
        yield pieces_table(sequence, scores)
    if part.attribution:
        yield Text(of_attribution(part.attribution), style="dim")
    yield heading("2  shapes through the model")
    yield stages_table(part)
    if part.outputs:
        yield heading(f"3  logits and probabilities ({part.outputs.function})")
        yield scores_table(part.outputs)
    if part.attentions:
        shapes = "; ".join(
            f"{each.name} {tuple(each.weights.shape)}{f' ({each.left_out})' if each.left_out else ''}"
            for each in part.attentions
        )
        yield Text(f"attention (layers, heads, from, to): {shapes}. The page shows each head.", style="dim")
    if part.lens:
        yield heading("logit lens: what the head would say after each layer")
        yield lens_table(part.lens, part.sequence(part.lens.sequence))
    if part.beams:
        yield heading(f"beam tree, {part.beams.width} beams: sums of log-probabilities")
        yield beam_tree(part.beams)
    for missing in part.missing:
        yield Text(f"not given - {missing}", style="yellow")


def heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold cyan")


def coloured(sequence: Sequence, scores: list[float]) -> Text:
    """The pieces in a row, greener the more they speak for the target, redder the more against it."""
    most = max((abs(score) for score in scores), default=0.0) or 1.0
    line = Text()
    for piece, score in zip(sequence.pieces, scores, strict=False):
        strength = abs(score) / most
        if piece.special or strength < 0.08:
            line.append(shown(piece.text), style="dim" if piece.special else "")
        else:
            red, green, blue = FOR if score > 0 else AGAINST
            line.append(
                shown(piece.text),
                style=f"white on rgb({red},{green},{blue})" if strength > 0.5 else f"rgb({red},{green},{blue})",
            )
        line.append(" ")
    return line


def pieces_table(sequence: Sequence, scores: list[float] | None) -> Table:
    table = plain_table("piece", "token", "id", "mask", "characters", *(["attribution", ""] if scores else []))
    most = max((abs(score) for score in scores or ()), default=0.0) or 1.0
    for place, piece in enumerate(sequence.pieces):
        if place == 2 * MOST_ROWS:
            table.add_row(f"… {len(sequence.pieces) - place} more")
            break
        share = f" {piece.share}" if piece.share else ""
        where = "" if piece.start is None else f"{piece.start}-{piece.end}"
        row = [f"{shown(piece.text)}{share}", shown(piece.token), str(piece.id), str(piece.mask), where]
        if scores and place < len(scores):
            bar = "█" * round(12 * abs(scores[place]) / most)
            style = "rgb({},{},{})".format(*(FOR if scores[place] > 0 else AGAINST))
            table.add_row(*map(Text, row), Text(f"{scores[place]:+.4f}"), Text(bar, style=style))
        else:
            table.add_row(*map(Text, row))
    return table


def of_attribution(found: Attribution) -> str:
    name = found.method.replace("_", " ")
    if found.baseline_value is None:
        return f"{name} of the {found.target} = {found.value:.4f}"
    return (
        f"{name} of the {found.target}: from {found.baseline_value:.4f} ({found.baseline}) to {found.value:.4f}; "
        f"the scores' sum is off by {found.error:.1e}, {found.steps} steps"
    )


def stages_table(part: Part) -> Table:
    table = plain_table("module, as on disk", "class", "in", "out", "parameters")
    stages = part.stages
    for place, stage in enumerate(stages):
        if len(stages) > MOST_ROWS and MOST_ROWS - 8 <= place < len(stages) - 8:
            if place == MOST_ROWS - 8:
                table.add_row(f"… {len(stages) - MOST_ROWS} more")
            continue
        shapes = ["×".join(map(str, shape)) for shape in (stage.shape_in, stage.shape_out)]
        table.add_row(stage.name, stage.kind, *shapes, f"{stage.parameters:,}")
    return table


def scores_table(outputs: Outputs) -> Table:
    drawn = any(score.drawn_from is not None for group in outputs.groups for score in group.scores)
    table = plain_table("", "", "logit", "probability", *(["after settings"] if drawn else []))
    for number, group in enumerate(outputs.groups):
        if number == MOST_ROWS:
            table.add_row(f"… {len(outputs.groups) - number} more")
            break
        for place, score in enumerate(group.scores):
            mark = "▶ " if score.chosen else "  "
            after = [] if score.drawn_from is None else [f"{score.drawn_from:.4f}"]
            table.add_row(
                Text(shown(group.title) if place == 0 else ""),
                Text(mark + shown(score.label), style="bold" if score.chosen else ""),
                f"{score.logit:.4f}",
                f"{score.probability:.4f}",
                *after,
            )
    return table


def lens_table(lens: Lens, sequence: Sequence) -> Table:
    """A column for each of the last places, a row for each layer, the likeliest token in each cell."""
    last = lens.places[-6:]
    columns = [lens.places.index(place) for place in last]
    table = plain_table("", *(shown(sequence.pieces[place].text) for place in last))
    for name, row in zip(lens.layers, lens.rows, strict=True):
        table.add_row(name, *(Text(f"{shown(row[i][0].label)} {row[i][0].probability:.2f}") for i in columns))
    return table


def beam_tree(beams: Beams) -> Tree:
    tree = Tree("(the prompt)")
    nodes: dict[int | None, Any] = {None: tree}
    for branch in beams.branches:
        if branch.fate != "dropped" or branch.parent in nodes:
            parent = nodes.get(branch.parent)
            if parent is not None:
                nodes[branch.number] = parent.add(of_branch(branch))
    return tree


def of_branch(branch: Branch) -> Text:
    style = "bold green" if branch.best else "dim" if branch.fate == "dropped" else ""
    said = f"  score {branch.score:.4f}" if branch.score is not None else ""
    return Text(f"{shown(branch.text)}  {branch.total:.4f}  {branch.fate}{said}", style=style)


def plain_table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
