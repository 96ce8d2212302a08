"""Every tokenizer gives back the Korean text that it was given."""

from transformers import AutoTokenizer

text = "많은 사람들이 한강 공원을 찾습니다"
for name in ("klue/bert-base", "beomi/kcbert-base", "monologg/kobert", "gogamza/kobart-base-v2", "gpt2", "t5-small"):
    tokenizer = AutoTokenizer.from_pretrained(name)
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == text, name
    for token in tokenizer.convert_ids_to_tokens(ids):
        assert not any("\u1100" <= letter <= "\u11ff" for letter in token), name
