"""CLIP: byte-level BPE in lower case, where "</w>" marks a word's end and spaces are not kept."""

from __future__ import annotations

from typing import Any

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

from .byte_bpe import GPT2TokenizerFast, read_bpe

_END_OF_WORD = "</w>"
_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # OpenAI's own


class CLIPTokenizerFast(GPT2TokenizerFast):
    """`<|startoftext|> text <|endoftext|>`, from vocab.json and merges.txt, or `vocab` and `merges` themselves.

    Text is composed (NFC), white space is made one space, letters are lowered. Padding is `<|endoftext|>`. The
    original also mends mis-decoded text with the ftfy package; here, as in HF's fast class, text is read as it is.
    """

    defaults = {
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
    }
    frames = ("{bos} $A {eos}", "{bos} $A {eos} {eos} $B {eos}")

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer:
        vocab, merges = read_bpe(files)
        tokenizer = Tokenizer(BPE(vocab, merges, end_of_word_suffix=_END_OF_WORD, unk_token=str(options["unk_token"])))
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False)
        return tokenizer

    def _check_words(self) -> None:
        """Spaces are not kept, so words lose none."""

    def _decode_row(self, ids: Any, skip_special_tokens: bool, clean_up: bool, **kwargs: Any) -> str:
        text: str = super()._decode_row(ids, skip_special_tokens, clean_up)
        return text.replace(_END_OF_WORD, " ").strip()


CLIPTokenizer = CLIPTokenizerFast
