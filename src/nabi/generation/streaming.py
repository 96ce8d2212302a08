"""Text while it is being generated: ids come one by one, and whole letters come out.

A token is no letter. A Hangul syllable may be three tokens of one byte each, an emoji seven characters joined, and
a next token may change how earlier ones are spelled. `IncrementalDecoder` keeps back what may still change; the
streamers, which `generate(streamer=…)` feeds, print its pieces or hand them to another thread.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from queue import Queue
from typing import TYPE_CHECKING, Any

from ..tokenization.decoding import cleans_up, tidy

if TYPE_CHECKING:
    from torch import Tensor

    from ..tokenization import PreTrainedTokenizerFast

_CUT = "\ufffd"  # what bytes that are no letter, or not yet one, decode to

# Characters at the end of a text that a next one may join: of an emoji (modifiers, joiners), half a flag, and the
# jamo of a syllable that is written in jamo. No longer than people write them, so nonsense is not held for ever.
_FLAG = "[\U0001f1e6-\U0001f1ff]"
_EMOJI = "[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
_EMOJI += "[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]{0,8}"
_JAMO = "[\u1100-\u115f\ua960-\ua97c]{0,3}[\u1160-\u11a7\ud7b0-\ud7c6]{0,3}[\u11a8-\u11ff\ud7cb-\ud7fb]{0,3}"
_UNFINISHED = re.compile(
    rf"(?:(?<!{_FLAG})(?:{_FLAG}{_FLAG})*{_FLAG}|{_EMOJI}(?:\u200d{_EMOJI}){{0,5}}\u200d?|{_JAMO})\Z"
)
_NOT_TIDY = " 'nvr"  # every pattern of tidy() is a space, perhaps some of these, and one last character


class IncrementalDecoder:
    """Ids -> pieces of text, each given out as soon as no later id can change it.

    All pieces joined, finish() included, are `tokenizer.decode(all ids, **decode_kwargs)`. A piece never ends within
    a Hangul syllable or an emoji. Bytes of SentencePiece's byte fallback wait for the end of their run, for one bad
    byte spoils the whole run. A step costs the same however long the text has become.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, **decode_kwargs: Any) -> None:
        clean = decode_kwargs.pop("clean_up_tokenization_spaces", None)
        if clean is None:
            clean = tokenizer.clean_up_tokenization_spaces and cleans_up(tokenizer.backend_tokenizer)
        self._tokenizer = tokenizer
        self._clean = bool(clean)
        self._options = {**decode_kwargs, "clean_up_tokenization_spaces": False}  # tidied here, piece by piece
        self._skipped: set[int] = set()
        if decode_kwargs.get("skip_special_tokens"):
            added = tokenizer.backend_tokenizer.get_added_tokens_decoder()
            self._skipped = {token_id for token_id, token in added.items() if token.special}
        self._begin()

    def _begin(self) -> None:
        # The window that is decoded: the first ids that gave text, for many decoders treat the beginning of a text
        # in a way of its own, and the last ids. Of its text, so many characters are spelled already.
        self._head: list[int] | None = None
        self._tail: list[int] = []
        self._spelled = 0
        self._text = ""  # spelled, but a next character may join or tidy it

    def push(self, ids: Iterable[int]) -> str:
        """The text that has become final by these ids; often "", if they end within a letter."""
        self._text += "".join(self._spell(token_id) for token_id in ids)
        found = _UNFINISHED.search(self._text)
        end = found.start() if found else len(self._text)
        return self._release(len(self._text[:end].rstrip(_NOT_TIDY)) if self._clean else end)

    def finish(self) -> str:
        """The rest of the text; the decoder is as new."""
        self._text += self._window()[self._spelled :]
        piece = self._release(len(self._text))
        self._begin()
        return piece

    def _spell(self, token_id: int) -> str:
        self._tail.append(token_id)
        token = self._tokenizer.convert_ids_to_tokens(token_id)
        if token is None or token_id in self._skipped or _is_byte(token):
            return ""  # nothing to see, or within a run of bytes
        text = self._window()
        closed = not text.endswith(_CUT)
        final = text if closed else text[:-1]  # only the last can become a letter, however many there are
        piece = final[self._spelled :]
        if not piece:
            return ""
        if self._head is not None:
            # Whatever was open before this id is closed by now, or the piece would be empty: the id is context enough.
            self._tail = [token_id]
            self._spelled = len(self._window()) - (not closed)
        else:
            self._spelled = len(final)
            if closed:
                self._head, self._tail = self._tail, []
        return piece

    def _window(self) -> str:
        text: str = self._tokenizer.decode([*(self._head or ()), *self._tail], **self._options)
        return text

    def _release(self, end: int) -> str:
        piece, self._text = self._text[:end], self._text[end:]
        return tidy(piece) if self._clean else piece


def _is_byte(token: str) -> bool:
    """Whether this is one of SentencePiece's bytes, such as <0xEA>."""
    return len(token) == 6 and token.startswith("<0x") and token.endswith(">")


class BaseStreamer:
    """What `generate(streamer=…)` feeds: first the prompt's ids, then each new id, and at last end()."""

    def put(self, value: Tensor) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no put(): write it to receive the ids.")

    def end(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no end(): write it to learn that all ids have come.")


class TextStreamer(BaseStreamer):
    """Prints the text while it is generated, and a newline at the end.

    `skip_prompt` leaves the prompt out; further keywords are those of `tokenizer.decode`, such as
    `skip_special_tokens=True`. Subclasses override `on_finalized_text` to do something else with the pieces.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, skip_prompt: bool = False, **decode_kwargs: Any) -> None:
        self.tokenizer = tokenizer
        self.skip_prompt = skip_prompt
        self.decode_kwargs = decode_kwargs
        self.next_tokens_are_prompt = True
        self._decoder = IncrementalDecoder(tokenizer, **decode_kwargs)

    def put(self, value: Tensor) -> None:
        """Take ids, (1, n) or (n,). Raises ValueError for more than one row."""
        if value.dim() > 1 and value.shape[0] != 1:
            raise ValueError(
                f"{type(self).__name__} writes one text, but got ids of {value.shape[0]} rows: generate for one text "
                "at a time, with num_beams=1 and num_return_sequences=1, or without a streamer."
            )
        is_prompt, self.next_tokens_are_prompt = self.next_tokens_are_prompt, False
        if not (is_prompt and self.skip_prompt):
            self.on_finalized_text(self._decoder.push(value.flatten().tolist()))

    def end(self) -> None:
        """Give out the rest, and be ready for a next text."""
        self.next_tokens_are_prompt = True
        self.on_finalized_text(self._decoder.finish(), stream_end=True)

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Called with each piece, which may be empty."""
        print(text, end="\n" if stream_end else "", flush=True)


class _QueueStreamer(TextStreamer):
    """Puts the pieces into `text_queue`, and behind them `stop_signal` or an exception."""

    stop_signal = None

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        self._deliver(text)
        if stream_end:
            self._deliver(self.stop_signal)

    def error(self, error: BaseException) -> None:
        """End the text with an exception, which the reader gets; generate() calls it."""
        self.next_tokens_are_prompt = True
        self._deliver(self._decoder.finish())
        self._deliver(error)

    def _deliver(self, item: str | BaseException | None) -> None:
        raise NotImplementedError


class TextIteratorStreamer(_QueueStreamer):
    """An iterator over the pieces, for one thread, while another one generates:

        Thread(target=model.generate, kwargs={**inputs, "streamer": streamer}).start()
        for piece in streamer:
            ...

    An error of generate() is raised here too. `timeout`, in seconds from one id to the next, raises queue.Empty.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        skip_prompt: bool = False,
        timeout: float | None = None,
        **decode_kwargs: Any,
    ) -> None:
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue: Queue[str | BaseException | None] = Queue()
        self.timeout = timeout

    def _deliver(self, item: str | BaseException | None) -> None:
        self.text_queue.put(item)

    def __iter__(self) -> TextIteratorStreamer:
        return self

    def __next__(self) -> str:
        while True:
            item = self.text_queue.get(timeout=self.timeout)
            if item is self.stop_signal:
                raise StopIteration
            if isinstance(item, BaseException):
                raise item
            if item:
                return item


class AsyncTextIteratorStreamer(_QueueStreamer):
    """The same for `async for`. Make it inside a coroutine, and generate in a thread; `timeout` raises TimeoutError."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        skip_prompt: bool = False,
        timeout: float | None = None,
        **decode_kwargs: Any,
    ) -> None:
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        self.timeout = timeout
        self.loop = asyncio.get_running_loop()

    def _deliver(self, item: str | BaseException | None) -> None:
        self.loop.call_soon_threadsafe(self.text_queue.put_nowait, item)

    def __aiter__(self) -> AsyncTextIteratorStreamer:
        return self

    async def __anext__(self) -> str:
        while True:
            item = await asyncio.wait_for(self.text_queue.get(), self.timeout)
            if item is self.stop_signal:
                raise StopAsyncIteration
            if isinstance(item, BaseException):
                raise item
            if item:
                return item
