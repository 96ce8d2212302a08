"""Whisper: GPT-2's vocabulary, then tokens for what is to be done, the languages, and the times of speech.

    <|startoftranscript|> <|ko|> <|transcribe|> <|0.00|> 안녕하세요. <|1.20|> <|endoftext|>

Times are the ids behind <|notimestamps|>, 0.02 seconds apart, and begin again every 30 seconds.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from ..tensors import as_tensor, tensor_kind
from .byte_bpe import GPT2TokenizerFast

# The order is the order of the tokens' ids.
LANGUAGES = dict(
    pair.split("=")
    for pair in (
        "en=english zh=chinese de=german es=spanish ru=russian ko=korean fr=french ja=japanese pt=portuguese "
        "tr=turkish pl=polish ca=catalan nl=dutch ar=arabic sv=swedish it=italian id=indonesian hi=hindi fi=finnish "
        "vi=vietnamese he=hebrew uk=ukrainian el=greek ms=malay cs=czech ro=romanian da=danish hu=hungarian ta=tamil "
        "no=norwegian th=thai ur=urdu hr=croatian bg=bulgarian lt=lithuanian la=latin mi=maori ml=malayalam cy=welsh "
        "sk=slovak te=telugu fa=persian lv=latvian bn=bengali sr=serbian az=azerbaijani sl=slovenian kn=kannada "
        "et=estonian mk=macedonian br=breton eu=basque is=icelandic hy=armenian ne=nepali mn=mongolian bs=bosnian "
        "kk=kazakh sq=albanian sw=swahili gl=galician mr=marathi pa=punjabi si=sinhala km=khmer sn=shona yo=yoruba "
        "so=somali af=afrikaans oc=occitan ka=georgian be=belarusian tg=tajik sd=sindhi gu=gujarati am=amharic "
        "yi=yiddish lo=lao uz=uzbek fo=faroese ht=haitian_creole ps=pashto tk=turkmen nn=nynorsk mt=maltese "
        "sa=sanskrit lb=luxembourgish my=myanmar bo=tibetan tl=tagalog mg=malagasy as=assamese tt=tatar haw=hawaiian "
        "ln=lingala ha=hausa ba=bashkir jw=javanese su=sundanese yue=cantonese"
    ).split()
)
LANGUAGES = {code: name.replace("_", " ") for code, name in LANGUAGES.items()}
_OTHER_NAMES = dict(
    pair.split("=")
    for pair in (
        "burmese=my valencian=ca flemish=nl haitian=ht letzeburgesch=lb pushto=ps panjabi=pa moldavian=ro "
        "moldovan=ro sinhalese=si castilian=es mandarin=zh"
    ).split()
)
TO_LANGUAGE_CODE = {**{name: code for code, name in LANGUAGES.items()}, **_OTHER_NAMES}
TASKS = ("transcribe", "translate")

_TIME = re.compile(r"<\|\d+\.\d+\|>")
_STEP = 0.02  # seconds from one time token to the next
_WINDOW = 1500  # steps in the 30 seconds that the model hears at once


class WhisperTokenizerFast(GPT2TokenizerFast):
    """`<|startoftranscript|> (<|language|> <|task|>) <|notimestamps|> text <|endoftext|>`. See GPT2Tokenizer.

    `language` (a code or an English name, None), `task` ("transcribe" or "translate", None) and
    `predict_timestamps` (False: texts have no times) say what labels begin with; `set_prefix_tokens` changes it.
    """

    defaults = {**GPT2TokenizerFast.defaults, "language": None, "task": None, "predict_timestamps": False}

    language: str | None
    task: str | None
    predict_timestamps: bool

    def __init__(self, *vocabulary: Any, **options: Any) -> None:
        options.pop("normalizer_file", None)  # English spellings, for `normalize`, which is not here
        super().__init__(*vocabulary, **options)
        self.set_prefix_tokens()

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        super().configure(given, options)
        self.language, self.task = options["language"], options["task"]
        self.predict_timestamps = bool(options["predict_timestamps"])

    # --- what stands around a text

    def set_prefix_tokens(
        self, language: str | None = None, task: str | None = None, predict_timestamps: bool | None = None
    ) -> None:
        """Change what labels begin with; None leaves it as it is. Raises ValueError for an unknown name."""
        before = self.language, self.task, self.predict_timestamps
        self.language = self.language if language is None else language
        self.task = self.task if task is None else task
        self.predict_timestamps = self.predict_timestamps if predict_timestamps is None else predict_timestamps
        try:
            prefix = " ".join(self._prefix())
        except ValueError:
            self.language, self.task, self.predict_timestamps = before
            raise
        self._set_frame((f"{prefix} $A {{eos}}", f"{prefix} $A $B:1 {{eos}}:1"))
        self.init_kwargs.update(language=self.language, task=self.task, predict_timestamps=self.predict_timestamps)

    @property
    def prefix_tokens(self) -> list[int]:
        """The ids that labels begin with."""
        return self.convert_tokens_to_ids(self._prefix())

    def get_decoder_prompt_ids(
        self, task: str | None = None, language: str | None = None, no_timestamps: bool = True
    ) -> list[tuple[int, int]]:
        """The prefix as (position, id), for `forced_decoder_ids`, without the first token, with which decoding starts.

        The names given stay set, as with `set_prefix_tokens`.
        """
        self.set_prefix_tokens(language, task, predict_timestamps=not no_timestamps)
        return list(enumerate(self.prefix_tokens))[1:]

    def get_prompt_ids(self, text: str, return_tensors: str | None = "np") -> Any:
        """The ids of what was said before (names and terms to expect), for `generate(prompt_ids=…)`."""
        ids = self("<|startofprev|>", " " + text.strip(), add_special_tokens=False)["input_ids"]
        known = set(self.all_special_tokens)
        special = [token for token in self.convert_ids_to_tokens(ids[1:]) if token in known or _TIME.fullmatch(token)]
        if special:
            raise ValueError(f"The prompt holds the special token {special[0]!r}, which would steer the model: cut it.")
        kind = tensor_kind(return_tensors)
        return ids if kind is None else as_tensor("prompt_ids", ids, kind)

    def _prefix(self) -> list[str]:
        prefix = ["<|startoftranscript|>"]
        if self.language is not None:
            prefix.append(f"<|{self._language_code()}|>")
        if self.task is not None:
            if self.task not in TASKS:
                raise ValueError(f"task={self.task!r} is unknown: use 'transcribe' or 'translate' (into English).")
            prefix.append(f"<|{self.task}|>")
        if not self.predict_timestamps:
            prefix.append("<|notimestamps|>")
        for token in prefix:
            if self.backend_tokenizer.token_to_id(token) is None:
                raise ValueError(
                    f"The token {token!r} is not in this vocabulary of {len(self)} tokens, so no label can begin with "
                    "it. Is it an English-only Whisper (language=None, task=None)? Else its added_tokens.json or "
                    "tokenizer.json is missing."
                )
        return prefix

    def _language_code(self) -> str:
        name = str(self.language).lower()
        code = TO_LANGUAGE_CODE.get(name, name)
        if code not in LANGUAGES:
            known = LANGUAGES if len(name) <= 3 else TO_LANGUAGE_CODE
            raise ValueError(f"language={self.language!r} is unknown: use one of {', '.join(known)}.")
        self.language = name
        return code

    # --- ids -> text

    def _decode_row(
        self,
        ids: Any,
        skip_special_tokens: bool,
        clean_up: bool,
        *,
        output_offsets: bool = False,
        time_precision: float = _STEP,
        decode_with_timestamps: bool = False,
        normalize: bool = False,
        basic_normalize: bool = False,
        remove_diacritics: bool = False,
        **kwargs: Any,
    ) -> Any:
        """One row's text without times, or with them as "<|1.20|>" (`decode_with_timestamps`).

        `output_offsets`: {"text", "offsets": [{"text", "timestamp": (start, end)}]}. `basic_normalize` lowers the
        text and takes punctuation out, to compare transcripts; `normalize` (English) raises NotImplementedError.
        """
        ids = [ids] if isinstance(ids, int) else list(ids)
        kept = self._without_prompt(ids) if skip_special_tokens else ids
        if decode_with_timestamps:
            text = self._with_times(kept, skip_special_tokens, time_precision)
        else:
            text = _TIME.sub("", super()._decode_row(kept, skip_special_tokens, clean_up))
            if normalize:
                text = self.normalize(text)
            elif basic_normalize:
                text = self.basic_normalize(text, remove_diacritics)
        if output_offsets:
            return {"text": text, "offsets": self._offsets(ids, time_precision)}
        return text

    def timestamp_ids(self, time_precision: float = _STEP) -> list[int]:
        """The ids of the times from 0.00 to 30.00."""
        return self.convert_tokens_to_ids([f"<|{step * time_precision:.2f}|>" for step in range(_WINDOW + 1)])

    def normalize(self, text: str) -> str:
        raise NotImplementedError(
            "Whisper's English normalizer (spellings, numbers, contractions) is not in nabi. Use "
            "basic_normalize=True, or the package whisper-normalizer on the decoded text."
        )

    @staticmethod
    def basic_normalize(text: str, remove_diacritics: bool = False) -> str:
        """Lower case, without what stands in brackets, without punctuation and symbols; Hangul stays composed."""
        text = re.sub(r"[<\[][^>\]]*[>\]]", "", text.lower())
        text = re.sub(r"\([^)]+\)", "", text)
        if remove_diacritics:
            text = "".join(_without_mark(letter) for letter in unicodedata.normalize("NFKD", text))
            text = unicodedata.normalize("NFC", text)  # syllables, which NFKD took apart as well
        else:
            text = "".join(_no_symbol(letter) for letter in unicodedata.normalize("NFKC", text))
        return re.sub(r"\s+", " ", text.lower())

    def _without_prompt(self, ids: list[int]) -> list[int]:
        """The ids from <|startoftranscript|> on, if a prompt (<|startofprev|> …) stands before it."""
        previous, start = self.convert_tokens_to_ids(["<|startofprev|>", "<|startoftranscript|>"])
        if not ids or ids[0] != previous:
            return ids
        return ids[ids.index(start) :] if start in ids else []

    def _first_time(self) -> int:
        return self.convert_tokens_to_ids("<|notimestamps|>") + 1

    def _with_times(self, ids: list[int], skip_special_tokens: bool, step: float) -> str:
        """Text and times in turn, the times counted on over all windows of 30 seconds."""
        first = self._first_time()
        parts: list[str | list[int]] = [[]]
        shift = last = before_last = 0.0
        for position, token_id in enumerate(ids):
            if token_id < first:
                parts[-1].append(token_id)  # type: ignore[union-attr]
                continue
            time = (token_id - first) * step
            if time < last:  # times begin again: the next window
                if _stands_alone(ids, position, first):
                    shift += step * _WINDOW
                else:  # of the two times at a window's end, the second began what the next window repeats
                    last = before_last
                    shift += before_last
                    del parts[-2:]
            before_last, last = last, time
            parts += [f"<|{time + shift:.2f}|>", []]
        spell = super()._decode_row
        return "".join(part if isinstance(part, str) else spell(part, skip_special_tokens, False) for part in parts)

    def _offsets(self, ids: list[int], step: float) -> list[dict[str, Any]]:
        """Each stretch between two times that stand side by side: its text, when it begins and when it ends."""
        first = self._first_time()
        times = [position for position, token_id in enumerate(ids) if token_id >= first]
        ends = [position for position in times if position > 0 and ids[position - 1] >= first]
        if not times or (not ends and len(times) == 1):
            return []
        if times[-1] + 1 not in ends:
            ends.append(times[-1] + 1)
        offsets = []
        begin, last, shift = times[0], 0, 0
        for end in ends:
            stretch = ids[begin:end]
            if len(stretch) > 1:
                start, stop = stretch[0] - first, stretch[-1] - first
                if start < last:
                    shift += _WINDOW if begin >= 2 and not all(ids[begin - back] >= first for back in (1, 2)) else last
                last = stop
                text = _TIME.sub("", super()._decode_row(stretch, False, False))
                offsets.append({"text": text, "timestamp": (start * step + shift * step, stop * step + shift * step)})
            begin = end
        return offsets


WhisperTokenizer = WhisperTokenizerFast


def _stands_alone(ids: list[int], position: int, first_time: int) -> bool:
    """Whether the window before this time ended in one time token instead of two."""
    return position >= 2 and not (ids[position - 1] >= first_time and ids[position - 2] >= first_time)


# Letters that Unicode does not take apart into a letter and a mark.
_PLAIN = dict(zip("œøæßđðþł", ("oe", "o", "ae", "ss", "d", "d", "th", "l"), strict=True))


def _no_symbol(letter: str) -> str:
    """A space for marks, symbols and punctuation."""
    return " " if unicodedata.category(letter)[0] in "MSP" else letter


def _without_mark(letter: str) -> str:
    if letter.lower() in _PLAIN:
        return _PLAIN[letter.lower()]
    return "" if unicodedata.category(letter) == "Mn" else _no_symbol(letter)
