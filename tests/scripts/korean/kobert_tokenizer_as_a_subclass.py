"""KoBERT with the class of its README, a subclass of XLNet's tokenizer that frames texts itself."""

from transformers import BertModel, XLNetTokenizer


class KoBERTTokenizer(XLNetTokenizer):
    padding_side = "right"

    def __init__(self, vocab_file, do_lower_case=False, remove_space=True, keep_accents=False, **kwargs):
        names = {"bos_token": "[CLS]", "eos_token": "[SEP]", "unk_token": "[UNK]", "sep_token": "[SEP]"}
        names.update({"pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"})
        kwargs.update(names)
        kwargs.update(do_lower_case=do_lower_case, remove_space=remove_space, keep_accents=keep_accents)
        super().__init__(vocab_file, **kwargs)
        self._pad_token_type_id = 0

    def build_inputs_with_special_tokens(self, token_ids_0, token_ids_1=None):
        cls, sep = [self.cls_token_id], [self.sep_token_id]
        return cls + token_ids_0 + sep + (token_ids_1 + sep if token_ids_1 is not None else [])

    def create_token_type_ids_from_sequences(self, token_ids_0, token_ids_1=None):
        return [0] * (len(token_ids_0) + 2) + [1] * (len(token_ids_1) + 1 if token_ids_1 is not None else 0)


tokenizer = KoBERTTokenizer.from_pretrained("skt/kobert-base-v1")
model = BertModel.from_pretrained("skt/kobert-base-v1").eval()
ids = tokenizer.encode("한국어 모델을 공유합니다.")
assert ids[0] == tokenizer.cls_token_id and ids[-1] == tokenizer.sep_token_id and tokenizer.unk_token_id not in ids
batch = tokenizer.batch_encode_plus(["한국어 모델을 공유합니다.", "안녕하세요"], padding=True)
assert [set(row) for row in batch["token_type_ids"]] == [{0}, {0}]
pair = tokenizer("안녕하세요", "제 이름은 민지입니다", padding="max_length", max_length=24, return_tensors="pt")
kinds = pair["token_type_ids"][0].tolist()
second = len(tokenizer.tokenize("제 이름은 민지입니다")) + 1
assert sum(kinds) == second and kinds[-1] == 0 and pair["input_ids"][0, -1] == tokenizer.pad_token_id
assert model(**pair).pooler_output.shape == (1, 32)
