"""Train nabi's embedded sentiment model, Korean and English, from nothing, in under an hour on two CPU cores.

    python examples/train_embedded.py --data FOLDER --output FOLDER              # train, evaluate, write the folder
    python examples/train_embedded.py --data FOLDER --output FOLDER --evaluate   # only evaluate what is there

FOLDER holds nsmc/ and en_sentiment/, each with {train,validation,test}.tsv (columns id, document, label).
Needs nabi and scikit-learn. Read it from top to bottom; every step is one function:

1. a tokenizer of 12,000 Unigram pieces, learned from the training texts;
2. a teacher: logistic regression on n-grams, whose opinion about each text softens the noisy labels;
3. pre-training: word vectors from counts, then guessing masked tokens (BertForMaskedLM), in the same texts;
4. the classifier (BertForSequenceClassification), which starts from the pre-trained body.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from tokenizers.trainers import UnigramTrainer
from torch import Tensor

from nabi import AutoTokenizer, BertConfig, BertForMaskedLM, BertForSequenceClassification, PreTrainedTokenizerFast

CORPORA = {"ko": "nsmc", "en": "en_sentiment"}
COPIES = {"ko": 1, "en": 3}  # English has a tenth of the texts: each is seen three times in a pass
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, MASK = SPECIAL.index("[PAD]"), SPECIAL.index("[MASK]")
MAX_LENGTH = 256
TOKENS_PER_BATCH = 1536


# --- 1. texts and tokenizer ----------------------------------------------------------------------------------------
def read(data: Path, language: str, split: str) -> tuple[list[str], np.ndarray]:
    """The texts of one file, and their labels: 0 negative, 1 positive."""
    with open(data / CORPORA[language] / f"{split}.tsv", encoding="utf-8", newline="\n") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row["document"] for row in rows], np.array([int(row["label"]) for row in rows])


def train_tokenizer(texts: list[str], vocab_size: int = 12000) -> Tokenizer:
    """Unigram pieces of lower-cased text. Hangul stays composed (NFC); a rare letter is spelled in its bytes."""
    tokenizer = Tokenizer(Unigram())
    lower = normalizers.BertNormalizer(handle_chinese_chars=False, strip_accents=False, lowercase=True)
    spaces = normalizers.Replace(Regex(" +"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), lower, spaces, normalizers.Strip()])
    # "▁" marks where a word begins; runs of signs ("!!!") stand alone; apostrophes stay in their words.
    runs = pre_tokenizers.Split(Regex(r"[^\w\s▁']+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), runs])
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])

    clean = [tokenizer.normalizer.normalize_str(text) for text in texts]
    counts = Counter(letter for text in clean for letter in text)
    rare = str.maketrans({letter: " " for letter, count in counts.items() if count < 30})
    trainer = UnigramTrainer(
        vocab_size=vocab_size - 256, special_tokens=SPECIAL, unk_token="[UNK]", max_piece_length=16, show_progress=False
    )
    tokenizer.train_from_iterator((text.translate(rare) for text in clean), trainer)

    # The trainer knows no bytes: add the 256 pieces, less likely than any learned one, to the saved form.
    state = json.loads(tokenizer.to_str())
    pieces = [(piece, round(score, 3)) for piece, score in state["model"]["vocab"]]
    lowest = min(score for _, score in pieces)
    state["model"]["vocab"] = pieces + [(f"<0x{byte:02X}>", lowest - 10) for byte in range(256)]
    state["model"]["byte_fallback"] = True
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, SPECIAL.index(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


# --- batches -------------------------------------------------------------------------------------------------------
def join_some(ids: list[list[int]], targets: np.ndarray, alike: np.ndarray, count: int, rng: np.random.Generator):
    """More examples, each of two to eight texts that are `alike`: reviews are short, users' texts may be long."""
    ids, joined_targets = list(ids), [targets]
    for kind in np.unique(alike):
        members = np.flatnonzero(alike == kind)
        for _ in range(count):
            chosen = rng.choice(members, rng.integers(2, 9))
            inner = [token for i in chosen for token in ids[i][1:-1]]
            ids.append([ids[chosen[0]][0], *inner[: MAX_LENGTH - 2], ids[chosen[0]][-1]])
            joined_targets.append(targets[chosen].mean(keepdims=True))
    return ids, np.concatenate(joined_targets)


def batches(ids: list[list[int]], rng: np.random.Generator) -> list[list[int]]:
    """Shuffled batches of text numbers; the texts of one batch have nearly one length, so little is padding."""
    shuffled = rng.permutation(len(ids))
    result: list[list[int]] = []
    for start in range(0, len(ids), 20_000):
        batch: list[int] = []
        for i in sorted(shuffled[start : start + 20_000], key=lambda i: len(ids[i])):
            if batch and (len(batch) + 1) * len(ids[i]) > TOKENS_PER_BATCH:
                result.append(batch)
                batch = []
            batch.append(i)
        result.append(batch)
    rng.shuffle(result)
    return result


def padded(ids: list[list[int]], batch: list[int]) -> Tensor:
    """(batch, length), filled with PAD."""
    rows = [torch.tensor(ids[i]) for i in batch]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)


def steps(model, ids, epochs: float, peak: float, rng: np.random.Generator) -> Iterator[list[int]]:
    """The training loop around a loss: hands out a batch, and steps on the gradients found after it.

    AdamW; the learning rate rises for 6 % of the steps and falls linearly to zero.
    """
    model.train()
    total = int(len(batches(ids, rng)) * epochs)
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    warmup = 0.06 * total
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (total - step) / (total - warmup))
    )
    queue: list[list[int]] = []
    start = time.time()
    for step in range(total):
        queue = queue or batches(ids, rng)
        yield queue.pop()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if (step + 1) % 500 == 0:
            print(f"  step {step + 1} of {total}, {time.time() - start:.0f} s", flush=True)


# --- 2. the teacher ------------------------------------------------------------------------------------------------
def teacher_opinions(texts: list[str], labels: np.ndarray) -> np.ndarray:
    """How likely positive each text is to a logistic regression on n-grams that was fitted on OTHER texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_union

    options = {"min_df": 3, "sublinear_tf": True, "dtype": np.float32}
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **options)
    words = TfidfVectorizer(token_pattern=r"[\w']+|[^\w\s]+", ngram_range=(1, 2), **options)
    features = make_union(letters, words).fit_transform(texts).tocsr()
    scores = np.zeros(len(labels), dtype=np.float32)
    for known, unknown in StratifiedKFold(5, shuffle=True, random_state=0).split(features, labels):
        # Weighting each n-gram by its naive Bayes log ratio (NB-SVM, Wang and Manning 2012) helps a little.
        positive, negative = (1 + features[known][labels[known] == c].sum(0).A1 for c in (1, 0))
        ratio = np.log((positive / positive.sum()) / (negative / negative.sum()))
        weighted = features.multiply(ratio).tocsr()
        model = LogisticRegression(C=4, solver="liblinear", dual=True, tol=0.01).fit(weighted[known], labels[known])
        scores[unknown] = model.predict_proba(weighted[unknown])[:, 1]
    print(f"  the teacher is right on {((scores > 0.5) == labels).mean():.4f} of texts that it was not fitted on")
    return scores


# --- 3. pre-training -----------------------------------------------------------------------------------------------
def word_vectors(ids: list[list[int]], vocab_size: int, width: int) -> np.ndarray:
    """(vocabulary, width): pieces that stand among the same neighbours get nearly the same vector.

    Singular vectors of the positive pointwise mutual information (Levy and Goldberg 2014): a start that takes
    seconds, so that pre-training need not begin with finding out which pieces are alike.
    """
    from scipy.sparse import coo_matrix, csr_matrix
    from sklearn.utils.extmath import randomized_svd

    reach, inner = 5, len(SPECIAL)
    stream = np.concatenate([[*text[1:-1], *[PAD] * reach] for text in ids])
    together = csr_matrix((vocab_size, vocab_size), dtype=np.float32)
    for distance in range(1, reach + 1):
        left, right = stream[:-distance], stream[distance:]
        real = (left >= inner) & (right >= inner)
        weight = np.full(real.sum(), 1 / distance, dtype=np.float32)
        pairs = coo_matrix((weight, (left[real], right[real])), shape=together.shape).tocsr()
        together = together + pairs + pairs.T
    together = together.tocoo()
    count = np.asarray(together.sum(1)).ravel() + 1e-9
    chance = count**0.75 / (count**0.75).sum()
    information = np.log(together.data / (count[together.row] * chance[together.col]))
    kept = information > 0
    matrix = csr_matrix((information[kept], (together.row[kept], together.col[kept])), shape=together.shape)
    vectors, strengths, _ = randomized_svd(matrix, width, n_iter=3, random_state=0)
    vectors *= np.sqrt(strengths)
    return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6)


def pretrain(ids: list[list[int]], vocab_size: int, epochs: float, rng: np.random.Generator) -> BertForMaskedLM:
    """Guess 15 % of the tokens from the others. Only those positions pass through the vocabulary's large matrix."""
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=384,
        max_position_embeddings=MAX_LENGTH,
        hidden_dropout_prob=0.0,  # slow on a CPU; hidden tokens do its work below
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.1,
        pad_token_id=PAD,
    )
    model = BertForMaskedLM(config)
    with torch.no_grad():
        vectors = torch.from_numpy(word_vectors(ids, vocab_size, config.hidden_size))
        model.get_input_embeddings().weight.copy_(vectors)
    for batch in steps(model, ids, epochs, 1e-3, rng):
        tokens = padded(ids, batch)
        chosen = (torch.rand(tokens.shape) < 0.15) & (tokens >= len(SPECIAL))
        # Of the chosen tokens 80 % are masked, 10 % become any token, 10 % stay: the model must doubt every one.
        fate = torch.rand(tokens.shape)
        noisy = tokens.masked_fill(chosen & (fate < 0.8), MASK)
        noisy = torch.where(chosen & (fate > 0.9), torch.randint_like(tokens, len(SPECIAL), vocab_size), noisy)
        hidden = model.bert(noisy, attention_mask=tokens.ne(PAD).long()).last_hidden_state
        F.cross_entropy(model.score_tokens(hidden[chosen]), tokens[chosen]).backward()
    return model


# --- 4. the classifier ---------------------------------------------------------------------------------------------
def finetune(body: Path, ids: list[list[int]], targets: np.ndarray, epochs: float, rng: np.random.Generator):
    """Teach the labels' side of it: `targets` (texts,) say how positive each text is, from 0 to 1."""
    labels = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}}
    model = BertForSequenceClassification.from_pretrained(body, **labels)
    wanted = torch.tensor(targets, dtype=torch.float32)
    for batch in steps(model, ids, epochs, 5e-4, rng):
        tokens = padded(ids, batch)
        # Hide 0 to 20 % of a text's tokens: no single word may decide alone. Pre-training has taught it to cope.
        hide = (torch.rand(tokens.shape) < 0.2 * torch.rand(len(batch), 1)) & (tokens >= len(SPECIAL))
        logits = model(tokens.masked_fill(hide, MASK), attention_mask=tokens.ne(PAD).long()).logits
        F.cross_entropy(logits, torch.stack([1 - wanted[batch], wanted[batch]], dim=-1)).backward()
    return model


# --- the whole -----------------------------------------------------------------------------------------------------
def train(data: Path, output: Path) -> None:
    """All four steps. The last one's model goes to `output`, the weights in half precision."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    corpora = {language: read(data, language, "train") for language in CORPORA}

    print("1. tokenizer", flush=True)
    tokenizer = train_tokenizer(corpora["ko"][0] + 4 * corpora["en"][0])
    names = {f"{token[1:-1].lower()}_token": token for token in SPECIAL}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=MAX_LENGTH, **names).save_pretrained(output)

    print("2. teacher", flush=True)
    tokenizer.enable_truncation(MAX_LENGTH)
    ids, targets, kinds = [], [], []
    for number, (language, (texts, labels)) in enumerate(corpora.items()):
        copies = COPIES[language]
        softened = (labels + teacher_opinions(texts, labels)) / 2
        ids += copies * [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        targets += copies * [softened]
        kinds += copies * [2 * number + labels]
    ids, wanted = join_some(ids, np.concatenate(targets), np.concatenate(kinds), 400, rng)

    with tempfile.TemporaryDirectory() as body:
        print("3. pre-training", flush=True)
        pretrain(ids, tokenizer.get_vocab_size(), 1, rng).save_pretrained(body)
        print("4. classifier", flush=True)
        model = finetune(Path(body), ids, wanted, 4, rng)
    vars(model.config).pop("_name_or_path", None)  # the temporary folder is nobody's business
    model.half().save_pretrained(output)


@torch.inference_mode()
def evaluate(data: Path, folder: Path) -> None:
    """Print the accuracy by split and language, as the folder's README.md, its model card, quotes it."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = BertForSequenceClassification.from_pretrained(folder).eval()
    for split, language in itertools.product(("validation", "test"), CORPORA):
        texts, labels = read(data, language, split)
        right = 0
        for start in range(0, len(texts), 100):
            inputs = tokenizer(texts[start : start + 100], padding=True, truncation=True, return_tensors="pt")
            found = model(**inputs).logits.argmax(-1).numpy()
            right += int((found == labels[start : start + 100]).sum())
        print(f"{split} {language}: {right / len(texts):.4f} of {len(texts)} texts", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train nabi's embedded sentiment model, or evaluate it.")
    parser.add_argument("--data", type=Path, required=True, help="folder with nsmc/ and en_sentiment/")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint folder to write, or to evaluate")
    parser.add_argument("--evaluate", action="store_true", help="only evaluate the checkpoint in --output")
    args = parser.parse_args()
    if not args.evaluate:
        train(args.data, args.output)
    evaluate(args.data, args.output)
