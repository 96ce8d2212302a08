"""text-generation: to write on, from plain texts, prompts with completions, or conversations.

{"text": "…"}                      blocks of tokens, texts end to end; or each text a row (pack=False)
{"prompt": "…", "completion": "…"} only the completion is learned, and to end after it
{"messages": [{"role", "content"}, …]}  by the tokenizer's chat template; only what the assistant says is learned
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...data.rows import Rows
from ...nn.losses import IGNORED
from .packing import blocks
from .task import Encoded, Task, shortest


class TextGeneration(Task):
    """Measured by the loss, of which the perplexity is told at the end."""

    name = "text-generation"
    auto = "AutoModelForCausalLM"
    takes = frozenset({"max_length", "pack"})
    own_head = False
    usual_batch = 8

    def learn(self, train: Rows, config: Any) -> None:
        if self.settings.pack and "text" not in train.columns:
            raise ValueError("only plain texts are packed: leave pack out for prompts and messages")

    def encode(
        self, rows: Rows, tokenizer: Any, length: int, advance: Callable[[int], object] = lambda count: None
    ) -> Encoded:
        encoded = super().encode(rows, tokenizer, length, advance)
        if "text" in rows.columns and self.settings.pack is not False:
            packed = blocks([one["input_ids"] for one in encoded.examples], length)
            return Encoded([{"input_ids": ids, "labels": ids} for ids in packed])
        return encoded

    def encode_batch(self, rows: Rows, first: int, tokenizer: Any, length: int) -> Encoded:
        if "messages" in rows.columns:
            parts = [turns(row["messages"], first + number, tokenizer) for number, row in enumerate(rows)]
        elif "prompt" in rows.columns:
            end = tokenizer.eos_token or ""
            parts = [[(row["prompt"], False), (row["completion"] + end, True)] for row in rows]
        else:
            return self.encode_texts(rows, tokenizer, length)
        part = Encoded()
        for pieces in parts:
            ids, labels = spelled(pieces, tokenizer, with_beginning="prompt" in rows.columns)
            if all(label == IGNORED for label in labels[:length]):  # the prompt alone is as long as that
                part.left_out += 1
                continue
            part.cut += len(ids) > length
            part.examples.append({"input_ids": ids[:length], "labels": labels[:length]})
        return part

    def encode_texts(self, rows: Rows, tokenizer: Any, length: int) -> Encoded:
        """Each text ends with the token that ends texts, where the tokenizer has one."""
        packs = self.settings.pack is not False
        all_ids = tokenizer(rows["text"], return_attention_mask=False, verbose=False)["input_ids"]
        end = tokenizer.eos_token_id
        part = Encoded()
        for ids in all_ids:
            if end is not None and ids[-1:] != [end]:
                ids = [*ids, end]
            part.cut += not packs and len(ids) > length
            ids = ids if packs else ids[:length]
            part.examples.append({"input_ids": ids, "labels": ids})
        return part

    def collator(self, tokenizer: Any, model: Any) -> Any:
        from ..collators import DataCollatorForSeq2Seq

        return DataCollatorForSeq2Seq(tokenizer)  # pads ids, and labels with -100

    def example(self, rows: Rows, tokenizer: Any) -> list[str]:
        if "text" in rows.columns:
            return [" ".join(shortest(rows["text"]).split()[:3])]
        if "prompt" in rows.columns:
            return [shortest(rows["prompt"])]
        return [shortest([row["messages"][0]["content"] for row in rows[:50]])]


def spelled(pieces: Sequence[tuple[str, bool]], tokenizer: Any, with_beginning: bool) -> tuple[list[int], list[int]]:
    """Ids and labels of texts end to end, each (text, whether it is learned). They are tokenized one by one, since a
    prompt is alone when the model is used; the first may get the special tokens that begin a text."""
    ids: list[int] = []
    labels: list[int] = []
    for number, (text, learned) in enumerate(pieces):
        own = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        if number == 0 and with_beginning:
            own = beginning(tokenizer) + own
        ids += own
        labels += own if learned else [IGNORED] * len(own)
    return ids, labels


def beginning(tokenizer: Any) -> list[int]:
    """The special tokens that stand before a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    return list(whole[: whole.index(bare[0])]) if bare and bare[0] in whole else []


def turns(messages: Any, row: int, tokenizer: Any) -> list[tuple[str, bool]]:
    """A conversation by the chat template, in parts: what the assistant says is learned, to the end of its turn."""
    if not getattr(tokenizer, "chat_template", None):
        raise ValueError(
            "the tokenizer has no chat_template, so messages cannot be written as it knows them: take a chat model, "
            "or columns prompt and completion"
        )
    if not isinstance(messages, list) or not any(one.get("role") == "assistant" for one in messages):
        raise ValueError(f"row {row} has no message of the assistant, so there is nothing to learn in it")
    parts: list[tuple[str, bool]] = []
    done = ""
    for number, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = tokenizer.apply_chat_template(messages[:number], tokenize=False, add_generation_prompt=True)
        after = tokenizer.apply_chat_template(messages[: number + 1], tokenize=False)
        if not (before.startswith(done) and after.startswith(before)):
            raise ValueError(
                f"row {row}: the chat template writes earlier messages otherwise once message {number} is there, so it "
                "cannot be told which tokens are the assistant's: give one answer a row, as prompt and completion"
            )
        parts += [(before[len(done) :], False), (after[len(before) :], True)]
        done = after
    return parts
