"""At least 500 lines that tokenizers stumble over, the same in every run. `LINES` holds all but the long one."""

from __future__ import annotations

import random
import unicodedata

KOREAN = [
    "이 영화는 정말 최고예요! 배우들의 연기가 훌륭했습니다.",
    "오늘 날씨가 맑아서 한강 공원에 산책하러 나갔다.",
    "값이 싸고 맛도 좋아서 자주 가는 식당입니다, 닭볶음탕을 추천해요.",
    "뷁쀍꿹쒧 같은 글자는 드물다; 훍붧믃도.",
    "ㅋㅋㅋㅋ 진짜 ㅠㅠ 너무 웃김ㅋㅋ ㅋㅠ ㅎㅏㄴ글 ㄱㄴㄷ ㅏㅑㅓ",
    "漢字와 한글을 섞어 쓴 文章도 있다. 大韓民國 憲法 第一條",
    "ㄱㅏㄴㅏㄷㅏ 각낙닫 가각간 ㄳㄵㄺ",
    "﻿한글 앞의 BOM, 그리고 ㈜나비 ㉠ ㉮ ㍿ ㎏ ㏂",
]
ENGLISH = [
    "The butterfly rests on a flower while children are laughing nearby.",
    "This film was far too long, and I didn't like its ending at all...",
    "``Quoted'' text, ''more'' of it -- it's e.g. U.S.A., 1,000.50 and 9, 10, 11,",
    "naïve café décor, Ångström, ﬁnd ﬂuid oﬃce, İstanbul ıssız, straße STRASSE",
    "ΟΔΥΣΣΕΥΣ λόγος, Привет мир, ђаци",
]
SCRIPTS = [
    "שלום עולם, זה מבחן",
    "שָׁלוֹם עֲלֵיכֶם",
    "مرحبا بالعالم! هذا اختبار",
    "اَلْعَرَبِيَّةُ ـــ لا إله",
    "नमस्ते दुनिया, हिन्दी में लिखना क्षत्रिय",
    "สวัสดีชาวโลก ภาษาไทยไม่มีช่องว่าง",
    "こんにちは世界。ｶﾀｶﾅ ﾊﾟﾋﾟﾌﾟ ガギグ がぎぐ",
    "你好，世界！繁體中文，简体中文。",
    "வணக்கம் உலகம் தமிழ்",
    "ជំរាបសួរ ពិភពលោក",
    "མཱ་ བོད་སྐད་",
    "გამარჯობა მსოფლიო Բարեւ աշխարհ",
    "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ߒߞߏ ⵜⴰⵎⴰⵣⵉⵖⵜ",
]
EMOJI = [
    "😀😃😄 웃자 😂",
    "👨‍👩‍👧‍👦 가족 👩🏽‍🚀 👍🏿 ✌️ ❤️‍🔥",
    "🇰🇷🇺🇸 대한민국 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ #️⃣",
    "☺☻ ⌚️ ⌚︎ ♥♡",
    "𝒜𝓃𝒹 𝔾𝕠 𝟙𝟚𝟛 𠀀𠮷𪚥 𐍈𐌰 𒀀 𓂀 🜁",
    "\U000e0041\U000e0042 \U0010fffd \U000f0000",
]
SPACES = [
    "",
    " ",
    "   ",
    "\t",
    "\n",
    "\r\n",
    " \t\n ",
    "　",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "▁",
    "▁▁",
    " ▁ ",
    "  앞에 빈칸",
    "뒤에 빈칸  ",
    "  둘  다   많이  ",
    "줄\n바꿈\n\n둘",
    "캐리지\r리턴\r\n윈도",
    "탭\t탭\t\t탭",
    "넓은　빈칸 no\u00a0break\u202fnarrow\u2009thin\u2003em\u3000ideographic",
    "zero\u200bwidth\u200cnon\u200djoiner\u2060word\ufeffbom",
    "line\u2028separator\u2029paragraph\x85next",
    "\x0b\x0c vertical \x1c\x1d\x1e\x1f separators",
    "▁literal▁meta▁space ▁ 한글▁",
    "a ▁ b ▁▁ c▁ ▁d",
    "soft\u00adhyphen non\u2011breaking – — ― ‐ − ~ ～ 〜",
]
CONTROLS = [
    "nul?\x01\x02\x03 bell\x07 back\x08 esc\x1b[31mred\x1b[0m del\x7f",
    "\x01",
    "\x01한글",
    "한글\x01\x02",
    "\x80\x81\x8f\x90\x9f C1",
    "\ufffd replacement \ufffe \uffff \ufdd1",
    "\u202eright to left\u202c \u2066isolate\u2069 \u200f\u200e",
    "interlinear \ufff9a\ufffab\ufffb object \ufffc",
]
MARKS = [
    "e\u0301 a\u0300 o\u0302 n\u0303 u\u0308",
    "ﬁ\u0301 ①\u0301 ½\u0308 ²\u0300",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞"[:12],
    "\u0301 lone accent, ́ again",
    "ｶﾞｷﾞｸﾞ ﾊﾟ は\u3099 は\u309a",
    "x̂ ȳ q̃ 한\u0301 글\u0308",
]
CODE = [
    "def f(x: int) -> int:\n    return x ** 2  # 제곱\n",
    "https://example.com/경로?q=%EA%B0%80&x=1#frag mailto:a.b+c@d.co.kr",
    'for (int i = 0; i < n; ++i) { printf("%d\\n", a[i]); }',
    "<html><body class='x'>안녕&nbsp;&lt;b&gt;</body></html>",
    "C:\\Users\\나비\\Documents\\파일.txt /usr/local/bin",
    '{"key": [1, 2.5, -3e-10, null, true], \'한글\': "\\uac00"}',
    "SELECT * FROM t WHERE a='b' AND c<>d; -- 주석",
    "3.14159 1,234,567 0xDEADBEEF 1e-9 ５６７ ٣٤٥ ⅷ Ⅻ ½ ⅓ 10,000원 2024-01-02T03:04:05Z",
    "a=b+c*d/e%f^g&h|i~j!k?l:m;n,o.p(q)r[s]t{u}v<w>x@y#z$",
    "snake_case camelCase PascalCase kebab-case SCREAMING_CASE",
]
SPECIAL = (
    "<s> </s> <pad> <unk> <mask> <cls> <sep> <eop> <eod> <bos> <eos> [CLS] [SEP] [PAD] [UNK] [MASK] <extra_id_0> "
    "<extra_id_99> <mask_1> <mask_2> <unk_2> <|endoftext|> <|im_start|> <0x0A> <0x41> <s>NOTUSED"
).split()
LONG = " ".join(KOREAN[:3] + ENGLISH[:1]) + " "
LONG = LONG * (100_000 // len(LONG.encode()) + 1)  # 100 kB


def _lines() -> list[str]:
    rng = random.Random(20240229)
    plain = [*KOREAN, *ENGLISH, *SCRIPTS, *EMOJI]
    lines = [*plain, *SPACES, *CONTROLS, *MARKS, *CODE]
    for form in ("NFD", "NFC", "NFKD", "NFKC"):
        lines += [unicodedata.normalize(form, line) for line in [*plain, *MARKS]]
    lines += [line.upper() for line in ENGLISH] + [line[::-1] for line in [*KOREAN, *ENGLISH]]
    for token in SPECIAL:
        lines += [
            token,
            f" {token} ",
            f"앞{token}뒤",
            f"이 영화는 {token} 최고예요",
            f"{token}{token} a{token}  {token}b",
        ]
    lines += ["가" * 300, "a" * 300, "=" * 200, "ㅋ" * 200, "! " * 100, "🎉" * 60, " " * 300 + "끝", "▁" * 50 + "x"]
    lines += [line * 20 for line in KOREAN[:3]]
    # Words of all kinds, joined by spaces of all kinds.
    words = sorted({word for line in lines for word in line.split() if len(word) < 20})
    for _ in range(180):
        chosen = rng.choices(words, k=rng.randint(1, 12))
        lines.append("".join(word + rng.choice((" ", " ", " ", "", "  ", "\n", "\t", "　")) for word in chosen))
    # One letter of each of many blocks.
    assigned = [
        chr(code) for code in range(0x20, 0x20000, 37) if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
    ]
    lines += ["".join(assigned[start : start + 16]) for start in range(0, len(assigned), 48)]
    lines += [" ".join(rng.choices(assigned, k=10)) for _ in range(30)]
    return list(dict.fromkeys(lines))


LINES = _lines()

assert len(LINES) >= 500 and len(LONG.encode()) >= 100_000
