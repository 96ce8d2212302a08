"""Many requests at once: they join a running batch when they come, and leave it when they are done.

    engine = Engine(model, rows=16).start()
    request = engine.submit(tokenizer("안녕", return_tensors="pt"), max_new_tokens=50, seed=3)
    for token in request: ...            # as they are written; or request.result()

Every step reads one token of each running text in one pass of the model, which costs little more than one text alone.
Each request has its own settings, seed and streamer, and gets what `generate` would have written for it alone.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..nn.cache import Cache
from .generate import prepare
from .run import Run
from .running_cache import RunningCache
from .stepper import SEEN_ONCE, Stepper

_END = object()


class Request:
    """A text being written. Iterate over it for its new tokens; `result` waits for all of them.

    finish_reason, once it is done: "stop" (an end token, a stop string, a criterion of one's own), "length",
    "cancelled" or "error". waited and took are seconds: until the first pass, and from then on.
    """

    def __init__(self, run: Run, seed: int | None) -> None:
        self.run = run
        self.ids = run.ids  # (1, length): the prompt, and what has been written so far
        self.prompt_length = run.ids.shape[1]
        self.generator = None if seed is None else torch.Generator(run.ids.device).manual_seed(seed)
        self.finish_reason: str | None = None
        self.error: BaseException | None = None
        self._tokens: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._done = threading.Event()
        self._cancelled = False
        self._came = self._began = time.perf_counter()
        self.waited = self.took = 0.0

    @property
    def new_tokens(self) -> list[int]:
        return self.ids[0, self.prompt_length :].tolist()

    def __iter__(self) -> Iterator[int]:
        """New tokens as they are written, once; an error while writing is raised here."""
        while (token := self._tokens.get()) is not _END:
            yield token
        if self.error is not None:
            raise self.error

    def result(self, timeout: float | None = None) -> Tensor:
        """(1, length): the prompt and all that was written. TimeoutError if that takes longer than so many seconds."""
        if not self._done.wait(timeout):
            raise TimeoutError(f"the text was not finished within {timeout} s: wait longer, or cancel it")
        if self.error is not None:
            raise self.error
        return self.ids

    def cancel(self) -> None:
        """Stop after the step that is running; what has been written stays."""
        self._cancelled = True

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def choose(self, logits: Tensor) -> None:
        """Take the next token by its scores (1, vocabulary), and find out whether the text is at its end."""
        run, settings = self.run, self.run.settings
        scores = run.processors(self.ids, logits)
        if settings.do_sample:
            chosen = torch.multinomial(torch.softmax(scores, dim=-1), 1, generator=self.generator)[0]
        else:
            chosen = scores.argmax(dim=-1)
        self.ids = torch.cat((self.ids, chosen[None]), dim=1)
        self._tokens.put(int(chosen))
        if run.streamer is not None:
            run.streamer.put(chosen.cpu())
        if bool(run.stopping(self.ids, None)[0]):
            ended = int(chosen) in settings.eos or self.ids.shape[1] < settings.max_length
            self.finish("stop" if ended else "length")

    def finish(self, reason: str, error: BaseException | None = None) -> None:
        self.finish_reason, self.error = reason, error
        self.took = time.perf_counter() - self._began
        streamer = self.run.streamer
        if streamer is not None:
            tell = getattr(streamer, "error", None) if error is not None else None
            streamer.end() if tell is None else tell(error)
        self._done.set()
        self._tokens.put(_END)


class Engine:
    """Writes texts for requests, at most `rows` at a time; the others wait in the order in which they came.

    model: a decoder with a cache. length: the most positions that a text may have (default: those the model was
    trained for). prompt_tokens: how many tokens of new prompts are read in one step at most, so that long ones do not
    hold up the texts that run (a single longer prompt is read at once). tokenizer: for stop strings and forms.
    Use `start` and `stop` for a thread of its own (or `with Engine(model) as engine`), or call `step` yourself.
    """

    def __init__(
        self,
        model: Any,
        *,
        rows: int = 16,
        length: int | None = None,
        prompt_tokens: int = 2048,
        tokenizer: Any = None,
    ) -> None:
        if model.config.is_encoder_decoder or not model.can_generate() or hasattr(model, "_reorder_cache"):
            raise ValueError(
                f"the engine runs decoders that keep a cache, which {type(model).__name__} is not: call its generate"
            )
        if rows < 1 or prompt_tokens < 1:
            raise ValueError(f"rows is {rows} and prompt_tokens {prompt_tokens}; expected whole numbers from 1")
        limit = getattr(model.config, "max_position_embeddings", None)
        self.model, self.tokenizer = model, tokenizer
        self.rows, self.prompt_tokens = rows, prompt_tokens
        self.length = length or limit  # None: there is no limit
        self._waiting: deque[Request] = deque()
        self._running: list[Request] = []
        self._cache = RunningCache(rows)
        self._takes = model._arguments()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    # --- requests -------------------------------------------------------------------------------------------

    def submit(
        self, inputs: Tensor | Mapping[str, Tensor], *, seed: int | None = None, streamer: Any = None, **options: Any
    ) -> Request:
        """Queue one prompt: ids (1, length), or what the tokenizer gave; options as of `generate`.

        seed: for sampling, as torch.manual_seed before `generate`; None draws from torch's own generator. Bad settings
        and prompts are errors here.
        """
        given: dict[str, Any] = dict(inputs) if isinstance(inputs, Mapping) else {"input_ids": inputs}
        options.setdefault("tokenizer", self.tokenizer)
        run = prepare(self.model, **given, **options, streamer=streamer)
        if len(run.ids) != 1 or run.settings.num_beams > 1:
            raise ValueError(
                f"a request is one text, but the prompt and num_beams={run.settings.num_beams}, num_return_sequences="
                f"{run.settings.num_return_sequences} make {len(run.ids)}: submit one request for each"
            )
        if run.search.__name__ != "sample" or not run.settings.use_cache or run.settings.return_dict_in_generate:
            raise ValueError(
                "the engine writes token by token with a cache, and returns tokens alone: leave out penalty_alpha, "
                "assistants, use_cache=False and return_dict_in_generate, or call generate"
            )
        unknown = set(run.inputs) - {"attention_mask", "past_key_values", *SEEN_ONCE}
        if unknown:
            raise ValueError(f"the engine does not pass {min(unknown)!r} on: leave it out, or call generate")
        if self.length is not None and run.settings.max_length > self.length:
            raise ValueError(
                f"the text may come to {run.settings.max_length} tokens, but the engine was made for {self.length}: "
                "pass a lower max_new_tokens, or make it with a larger length"
            )
        request = Request(run, seed)
        with self._changed:
            if self._stopping:
                raise RuntimeError("the engine has been stopped: make another one")
            self._waiting.append(request)
            self._changed.notify()
        return request

    # --- running --------------------------------------------------------------------------------------------

    @torch.no_grad()
    def step(self) -> bool:
        """Let requests join, and write one token of each. False if there was nothing to do."""
        self._let_go()
        joined = self._admit()
        for request, logits in joined:
            self._write(request, logits)
        going = [request for request in self._running if not request.done]
        if len(going) == len(self._running) and going and not joined:
            self._pass()
        self._let_go()
        return bool(joined) or bool(going)

    def run(self) -> None:
        """Until every request is done."""
        while self.step():
            pass

    def start(self) -> Engine:
        """Run in a thread of its own, until `stop`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="nabi-engine", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Finish the step that runs; requests that are not done are cancelled."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        for request in (*self._running, *self._waiting):
            if not request.done:
                request.finish("cancelled")
        self._running.clear()
        self._waiting.clear()

    __enter__ = start

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not (self._stopping or self._waiting or self._running):
                    self._changed.wait()
                if self._stopping:
                    return
            try:
                self.step()
            except Exception as error:  # of the model itself: nobody who waits may wait for ever
                for request in self._running:
                    if not request.done:
                        request.finish("error", error)

    # --- one step -------------------------------------------------------------------------------------------

    def _admit(self) -> list[tuple[Request, Tensor]]:
        """Read the prompts of requests that find a place, and give the scores of their first tokens."""
        joined: list[tuple[Request, Tensor]] = []
        budget = self.prompt_tokens
        while len(self._running) < self.rows:
            with self._changed:
                if not self._waiting or (joined and self._waiting[0].prompt_length > budget):
                    break
                request = self._waiting.popleft()
            request._began = time.perf_counter()
            request.waited = request._began - request._came
            if request._cancelled:
                request.finish("cancelled")
                continue
            budget -= request.prompt_length
            try:
                stepper = request.run.stepper()
                logits = stepper(request.ids)[:, -1]
                cache = self._positions(stepper)
            except Exception as error:
                request.finish("error", error)
                continue
            most = request.run.prompt.before + request.run.settings.max_length
            self._cache.join(cache, cache.get_seq_length(), most)
            self._running.append(request)
            joined.append((request, logits))
        return joined

    def _positions(self, stepper: Stepper) -> Cache:
        if not isinstance(stepper.cache, Cache) or not stepper.cache.layers:
            raise ValueError(f"{type(self.model).__name__} keeps no cache of positions: call its generate")
        return stepper.cache

    def _pass(self) -> None:
        """One pass of the model over the last token of each running text."""
        cache, texts = self._cache, self._running
        device = self.model.device
        inputs: dict[str, Any] = {name: value for name, value in cache.inputs(device).items() if name in self._takes}
        if bool(inputs["attention_mask"].all()):
            inputs.pop("attention_mask")
        tokens = torch.cat([request.ids[:, -1:] for request in texts])
        out = self.model(input_ids=tokens, past_key_values=cache, use_cache=True, return_dict=True, **inputs)
        cache.advance()
        for request, logits in zip(texts, out.logits[:, -1:].float(), strict=True):
            self._write(request, logits)

    @staticmethod
    def _write(request: Request, logits: Tensor) -> None:
        if request._cancelled:
            request.finish("cancelled")
            return
        try:
            request.choose(logits)
        except Exception as error:  # of its own processors or streamer: the others go on
            request.finish("error", error)

    def _let_go(self) -> None:
        """Done requests leave; the last one takes the place of each."""
        for place in range(len(self._running) - 1, -1, -1):
            request = self._running[place]
            if request._cancelled and not request.done:
                request.finish("cancelled")
            if request.done:
                self._cache.leave(place)
                self._running[place] = self._running[-1]
                self._running.pop()
