"""Translators of many languages, whose texts have their language's token beside them: mBART, NLLB, M2M100."""

from __future__ import annotations

import logging
import re
from difflib import get_close_matches
from typing import Any, ClassVar

from tokenizers.processors import PostProcessor

from ..batch_encoding import BatchEncoding
from ..engine import Engine
from ..fast import PreTrainedTokenizerFast
from ..formats.sentencepiece_model import SentencePieceModel
from ..frames import Frames, post_processor
from .numbered import NumberedEngine, NumberedTokenizerFast, Reader, contents
from .sentencepiece import XLMRobertaTokenizerFast

logger = logging.getLogger(__name__)

CODE_LAST = ("$A {eos} {lang}", "$A $B {eos} {lang}")
CODE_FIRST = ("{lang} $A {eos}", "{lang} $A $B {eos}")

MBART = (
    "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM ne_NP nl_XX "
    "ro_RO ru_RU si_LK tr_TR vi_VN zh_CN"
).split()
MBART50 = [
    *MBART,
    *(
        "af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX sv_SE sw_KE "
        "ta_IN te_IN th_TH tl_XX uk_UA ur_PK xh_ZA gl_ES sl_SI"
    ).split(),
]
FLORES200 = (
    "ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn amh_Ethi apc_Arab arb_Arab ars_Arab "
    "ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl "
    "bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn "
    "cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn "
    "est_Latn eus_Latn ewe_Latn fao_Latn pes_Arab fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn gla_Latn "
    "gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn "
    "ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab "
    "kas_Deva kat_Geor knc_Arab knc_Latn kaz_Cyrl kbp_Latn kea_Latn khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn "
    "kon_Latn kor_Hang kmr_Latn lao_Laoo lvs_Latn lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn "
    "lua_Latn lug_Latn luo_Latn lus_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Latn mkd_Cyrl plt_Latn mlt_Latn "
    "mni_Beng khk_Cyrl mos_Latn mri_Latn zsm_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nso_Latn nus_Latn "
    "nya_Latn oci_Latn gaz_Latn ory_Orya pag_Latn pan_Guru pap_Latn pol_Latn por_Latn prs_Arab pbt_Arab quy_Latn "
    "ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Beng scn_Latn shn_Mymr sin_Sinh slk_Latn slv_Latn smo_Latn "
    "sna_Latn snd_Arab som_Latn sot_Latn spa_Latn als_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn "
    "szl_Latn tam_Taml tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi taq_Latn taq_Tfng tpi_Latn tsn_Latn "
    "tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn "
    "vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zul_Latn"
).split()
M2M100 = (
    "af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht hu "
    "hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl ps pt "
    "ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu"
).split()
WMT21 = "en ha is ja cs ru zh de".split()


class LanguagesTokenizerFast(PreTrainedTokenizerFast):
    """What they share: `src_lang` and `tgt_lang`, options and attributes that can be set at any time.

    Texts get the token of `src_lang`, `text_target=` and texts within `as_target_tokenizer()` that of `tgt_lang`.
    Every special token that looks like a language's code is one, so languages can be added. A tokenizer.json's own
    frame is replaced. Raises ValueError for a language that the vocabulary does not have.
    """

    languages: ClassVar[list[str]]
    language_token: ClassVar[str] = "{}"  # how a language's code is written as a token
    language_frames: ClassVar[Frames] = CODE_FIRST
    default_language: ClassVar[str]

    cur_lang_code: int  # the id of the language whose token texts get now

    def __init__(self, *vocabulary: Any, **options: Any) -> None:
        super().__init__(*vocabulary, **options)
        self.src_lang = options.get("src_lang") or self.default_language
        self.tgt_lang = options.get("tgt_lang")

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        super().configure(given, options)
        named = options.get("extra_special_tokens") or options.get("additional_special_tokens") or []
        if isinstance(named, dict):  # v4: names for tokens of this model only
            return
        known = self._engine.tokenizer.token_to_id
        languages = [self.language_token.format(code) for code in self.codes(options)]
        there = [token for token in languages if known(token) is not None]
        options.pop("extra_special_tokens", None)
        options["additional_special_tokens"] = [*there, *(token for token in named if str(token) not in there)]

    @classmethod
    def codes(cls, options: dict[str, Any]) -> list[str]:
        """The languages of a vocabulary that is built from a `.model`, in the order of their ids."""
        return cls.languages

    # --- the languages

    @property
    def src_lang(self) -> str:
        """The language of the texts."""
        return self._src_lang

    @src_lang.setter
    def src_lang(self, language: str) -> None:
        self.set_src_lang_special_tokens(language)
        self._src_lang = self.init_kwargs["src_lang"] = language

    @property
    def tgt_lang(self) -> str | None:
        """The language of `text_target`; None: that of the texts."""
        return self._tgt_lang

    @tgt_lang.setter
    def tgt_lang(self, language: str | None) -> None:
        self._target_frame = None if language is None else self._language_frame(language)
        self._tgt_lang = self.init_kwargs["tgt_lang"] = language

    @property
    def lang_code_to_id(self) -> dict[str, int]:
        """Language -> the id of its token, in the order of the ids."""
        pattern = re.compile(self.language_token.format(r"([a-z]{2,3}(?:_\w+)?)"))
        named = {str(token) for token in self.special.named.values()}
        tokens = sorted(self.added_tokens_decoder.items())
        special = ((token_id, pattern.fullmatch(token.content)) for token_id, token in tokens if token.special)
        return {code[1]: token_id for token_id, code in special if code and code[0] not in named}

    @property
    def id_to_lang_code(self) -> dict[int, str]:
        return {token_id: code for code, token_id in self.lang_code_to_id.items()}

    def set_src_lang_special_tokens(self, src_lang: str) -> None:
        """Give texts the token of this language from now on, without changing `src_lang`."""
        frame = self._language_frame(src_lang)
        self._engine.set_frame(frame)
        self.cur_lang_code = self._language_id(src_lang)

    def set_tgt_lang_special_tokens(self, lang: str) -> None:
        """The same for a target language: its texts are framed alike."""
        self.set_src_lang_special_tokens(lang)

    @property
    def prefix_tokens(self) -> list[int]:
        """The ids before a text."""
        return self._ids_around()[0]

    @property
    def suffix_tokens(self) -> list[int]:
        """The ids behind a text."""
        return self._ids_around()[1]

    # --- what translation asks for

    def _build_translation_inputs(
        self,
        raw_inputs: Any,
        return_tensors: str | None = None,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        **kwargs: Any,
    ) -> BatchEncoding:
        """The encoded texts, and `forced_bos_token_id` for `generate`. Sets `src_lang`."""
        if src_lang is None or tgt_lang is None:
            missing = " and ".join(
                name for name, value in (("src_lang", src_lang), ("tgt_lang", tgt_lang)) if not value
            )
            raise ValueError(
                f"To translate, this model must be told from which language and into which: {missing} is missing. "
                f"Pass it, such as src_lang={self.default_language!r}; tokenizer.lang_code_to_id lists the languages."
            )
        target = self._language_id(tgt_lang)
        self.src_lang = src_lang
        inputs = self(raw_inputs, add_special_tokens=True, return_tensors=return_tensors, **kwargs)
        inputs["forced_bos_token_id"] = target
        return inputs

    def prepare_seq2seq_batch(  # type: ignore[override]  # HF's order of arguments here
        self,
        src_texts: Any,
        src_lang: str | None = None,
        tgt_texts: Any = None,
        tgt_lang: str | None = None,
        **kwargs: Any,
    ) -> BatchEncoding:
        """v4's name for a call with `text_target`; None leaves a language as it is."""
        if src_lang is not None:
            self.src_lang = src_lang
        if tgt_lang is not None:
            self.tgt_lang = tgt_lang
        kwargs.setdefault("padding", "longest")
        return super().prepare_seq2seq_batch(src_texts, tgt_texts, **kwargs)

    # --- parts of the above

    def _target_engine(self) -> Engine:
        if self._target_frame is not None:
            return self._engine.with_frame(self._target_frame)
        if not self.deprecation_warnings.get("no-tgt-lang"):
            self.deprecation_warnings["no-tgt-lang"] = True
            logger.warning(
                "tgt_lang is not set, so target texts get the token of src_lang=%r. If they are of another language, "
                "set it first: tokenizer.tgt_lang = '…'.",
                self.src_lang,
            )
        return self._engine

    def _frames(self) -> Frames:
        return self.language_frames

    def _language_frame(self, language: str) -> PostProcessor:
        self._language_id(language)
        named = {**self.special.named, "lang_token": self.language_token.format(language)}
        return post_processor(self.backend_tokenizer, self._frames(), named)

    def _language_id(self, language: str) -> int:
        known = self.lang_code_to_id
        token = self.language_token.format(language)
        if language in known:
            return known[language]
        if token in self.additional_special_tokens and self.backend_tokenizer.token_to_id(token) is not None:
            return self.convert_tokens_to_ids(token)  # a code of the user's own
        near = [code for code in known if code[:2] == str(language)[:2].lower()]
        near += [code for code in get_close_matches(str(language), known, cutoff=0.4) if code not in near]
        raise ValueError(
            f"{language!r} is no language of this tokenizer, which has {len(known)}"
            + (f" (near ones: {', '.join(near[:5])})" if near else "")
            + ". tokenizer.lang_code_to_id lists them; "
            + ("choose one with src_lang=… and tgt_lang=…." if known else "is it the tokenizer of another model?")
        )

    def _ids_around(self) -> tuple[list[int], list[int]]:
        parts = self.layout(pair=False).parts
        text = next(place for place, part in enumerate(parts) if part[0] is not None)
        ids = [part[1] for part in parts if part[1] is not None]
        return ids[:text], ids[text:]


class _FairseqLanguages(LanguagesTokenizerFast, XLMRobertaTokenizerFast):
    """Fairseq's four tokens, the pieces of the model, the languages, `<mask>`."""

    frames = None  # type: ignore[assignment]  # the languages'

    @classmethod
    def pieces_of(cls, model: SentencePieceModel, files: dict[str, Any], options: dict[str, Any]) -> list[str]:
        head = [str(options[name]) for name in ("bos_token", "pad_token", "eos_token", "unk_token")]
        return [*head, *model.pieces[3:], *cls.codes(options), str(options["mask_token"])]

    def _saved_class(self) -> str:
        """Their own: without it, HF's library would have no languages. It reads tokenizer.json."""
        return type(self).__name__.removesuffix("Fast")


class MBartTokenizerFast(_FairseqLanguages):
    """`text </s> ko_KR`, 25 languages; `src_lang` is "en_XX" where nobody says otherwise."""

    languages = MBART
    language_frames = CODE_LAST
    default_language = "en_XX"


class MBart50TokenizerFast(_FairseqLanguages):
    """`ko_KR text </s>`, 52 languages; `src_lang` is "en_XX" where nobody says otherwise."""

    languages = MBART50
    default_language = "en_XX"

    @property
    def cur_lang_code_id(self) -> int:
        return self.cur_lang_code


class NllbTokenizerFast(_FairseqLanguages):
    """`kor_Hang text </s>`, or with `legacy_behaviour=True` (default False) `text </s> kor_Hang`.

    The languages are those of FLORES-200, or those among `additional_special_tokens`. `src_lang` is "eng_Latn" where
    nobody says otherwise.
    """

    languages = FLORES200
    default_language = "eng_Latn"
    defaults = {**XLMRobertaTokenizerFast.defaults, "legacy_behaviour": False}

    legacy_behaviour: bool

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        self.legacy_behaviour = bool(options["legacy_behaviour"])
        super().configure(given, options)

    @classmethod
    def codes(cls, options: dict[str, Any]) -> list[str]:
        named = options.get("extra_special_tokens") or options.get("additional_special_tokens") or []
        return [str(token) for token in named if re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", str(token))] or cls.languages

    def _frames(self) -> Frames:
        return CODE_LAST if self.legacy_behaviour else CODE_FIRST


class M2M100TokenizerFast(LanguagesTokenizerFast, NumberedTokenizerFast):
    """`__ko__ text </s>`, from a `vocab_file` (vocab.json) and an `spm_file`; the languages' ids come behind.

    `language_codes`: "m2m100" (default, 100 languages) or "wmt21" (8). `src_lang` is "en" where nobody says otherwise.
    The model has room for `num_madeup_words` (8) more ids, which have no token.
    """

    vocab_files_names = {"vocab_file": "vocab.json", "spm_file": "sentencepiece.bpe.model"}
    languages = M2M100
    language_token = "__{}__"
    default_language = "en"
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "language_codes": "m2m100",
        "num_madeup_words": 8,
    }

    @classmethod
    def codes(cls, options: dict[str, Any]) -> list[str]:
        sets = {"m2m100": M2M100, "wmt21": WMT21}
        if options["language_codes"] not in sets:
            raise ValueError(f"language_codes={options['language_codes']!r} is unknown: use one of {', '.join(sets)}.")
        return sets[options["language_codes"]]

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Engine:
        cls.check_files(files, ["vocab_file", "spm_file"])
        unk = str(options["unk_token"])
        vocab = cls.read_numbers(files["vocab_file"], unk)
        names = {number: piece for piece, number in vocab.items()}
        reader = Reader(cls.read_model(files, "spm_file"), dict(vocab), names, vocab[unk])
        kept = {cls.vocab_files_names[name]: contents(files[name]) for name in ("vocab_file", "spm_file")}
        engine = NumberedEngine.numbering(vocab, [reader], kept)
        engine.add([cls.language_token.format(code) for code in cls.codes(options)], special=True)
        return engine

    def get_lang_token(self, lang: str) -> str:
        """ "ko" -> "__ko__"."""
        self._language_id(lang)
        return self.language_token.format(lang)

    def get_lang_id(self, lang: str) -> int:
        """ "ko" -> the id of "__ko__", which `generate` takes as forced_bos_token_id."""
        return self._language_id(lang)

    @property
    def cur_lang_id(self) -> int:
        return self.cur_lang_code

    @property
    def lang_code_to_token(self) -> dict[str, str]:
        return {code: self.language_token.format(code) for code in self.lang_code_to_id}

    @property
    def lang_token_to_id(self) -> dict[str, int]:
        return {self.language_token.format(code): token_id for code, token_id in self.lang_code_to_id.items()}

    @property
    def id_to_lang_token(self) -> dict[int, str]:
        return {token_id: token for token, token_id in self.lang_token_to_id.items()}


M2M100Tokenizer = M2M100TokenizerFast
MBart50Tokenizer = MBart50TokenizerFast
MBartTokenizer = MBartTokenizerFast
NllbTokenizer = NllbTokenizerFast
