"""What columns are called in English and Korean data, in small letters without blanks and signs."""

from __future__ import annotations

# Role -> names that say so, in ranks: a name of an earlier rank is believed before one of a later rank.
NAMES: dict[str, tuple[str, ...]] = {
    "text": (
        "text 텍스트",
        "document sentence review content contents comment utterance body tweet message headline 문장 리뷰 내용 본문 "
        "댓글 발화 문서 후기",
        "title 제목",
    ),
    "label": (
        "label 라벨 레이블",
        "labels goldlabel class category sentiment intent emotion rating stars score grade topic 평점 별점 점수 감정 "
        "감성 분류 카테고리 의도 주제",
    ),
    "tokens": ("tokens words 토큰 단어",),
    "tags": ("nertags tags 태그 개체명", "labels postags"),
    "question": ("question 질문",),
    "context": ("context passage 지문 문맥 본문",),
    "answers": ("answers answer 정답 답변",),
    "summary": ("summary highlights abstract 요약 요약문",),
    "document": ("document article text dialogue content 본문 원문 문서 기사 대화",),
    "prompt": ("prompt instruction 지시 지시문 프롬프트",),
    "completion": ("completion response output chosen 응답 출력",),
    "messages": ("messages conversations conversation",),
}
PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text", "textpair"),
    ("sentencea", "sentenceb"),
    ("question", "sentence"),
    ("문장1", "문장2"),
    ("전제", "가설"),
)
LANGUAGES = (
    "ko en ja zh de fr es ru vi th it pt ar korean english japanese chinese source target src tgt "
    "한국어 영어 일본어 중국어 한글 영문 원문 번역문"
).split()
NO_CONTENT = "id guid idx index no num number url link date 번호 날짜 unnamed0".split()
