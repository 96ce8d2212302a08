"""monologg's KoBERT tokenizer: a class of one's own around a `.model` and a vocab.txt, saved and pickled."""

import pickle

import sentencepiece
from transformers import PreTrainedTokenizer


class KoBertTokenizer(PreTrainedTokenizer):
    vocab_files_names = {"vocab_file": "tokenizer_78b3253a26.model", "vocab_txt": "vocab.txt"}

    def __init__(self, vocab_file, vocab_txt, **kwargs):
        with open(vocab_txt, encoding="utf-8") as file:
            self.idx2token = [line.strip() for line in file]
        self.token2idx = {token: number for number, token in enumerate(self.idx2token)}
        self.vocab_file = vocab_file
        self.sp_model = sentencepiece.SentencePieceProcessor(model_file=vocab_file)
        names = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
        super().__init__(**{**names, "mask_token": "[MASK]", **kwargs})

    def __getstate__(self):
        return {**self.__dict__, "sp_model": None}

    def __setstate__(self, state):
        self.__dict__ = state
        self.sp_model = sentencepiece.SentencePieceProcessor(model_file=self.vocab_file)

    @property
    def vocab_size(self):
        return len(self.idx2token)

    def get_vocab(self):
        return dict(self.token2idx, **self.added_tokens_encoder)

    def _tokenize(self, text):
        return self.sp_model.encode(text, out_type=str)

    def _convert_token_to_id(self, token):
        return self.token2idx.get(token, self.token2idx[self.unk_token])

    def _convert_id_to_token(self, index):
        return self.idx2token[index]

    def build_inputs_with_special_tokens(self, token_ids_0, token_ids_1=None):
        second = [] if token_ids_1 is None else token_ids_1 + [self.sep_token_id]
        return [self.cls_token_id] + token_ids_0 + [self.sep_token_id] + second

    def create_token_type_ids_from_sequences(self, token_ids_0, token_ids_1=None):
        return [0] * (len(token_ids_0) + 2) + [1] * (len(token_ids_1) + 1 if token_ids_1 else 0)


tokenizer = KoBertTokenizer.from_pretrained("monologg/kobert")
single = tokenizer("서울은 수도", max_length=12, padding="max_length", truncation=True)
assert list(single) == ["input_ids", "token_type_ids", "attention_mask"] and len(single["input_ids"]) == 12
pair = tokenizer("이 영화는 최고예요", "지루했어요")
assert pair["token_type_ids"].count(1) == len(tokenizer.tokenize("지루했어요")) + 1
again = pickle.loads(pickle.dumps(tokenizer))
assert again("안녕하세요 한국어")["input_ids"] == tokenizer("안녕하세요 한국어")["input_ids"]
tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>", "</e1>"]})
assert "<e1>" in tokenizer.tokenize("이 <e1>영화</e1>는") and len(tokenizer) == tokenizer.vocab_size + 2
