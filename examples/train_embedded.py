"""Train nabi's embedded sentiment model, Korean and English, from nothing, in two to three hours on two CPU cores.

    python examples/train_embedded.py --data FOLDER --output FOLDER              # train, evaluate, write the folder
    python examples/train_embedded.py --data FOLDER --output FOLDER --evaluate   # only evaluate what is there
    python examples/train_embedded.py … --work FOLDER                            # keep each step; go on after a break

FOLDER holds nsmc/ and en_sentiment/, each with {train,validation,test}.tsv (columns id, document, label).
Needs nabi and scikit-learn. Read it from top to bottom; every step is one function:

1. a tokenizer of 12,000 Unigram pieces, learned from the training texts;
2. a teacher: logistic regressions on n-grams, whose opinion about each text softens the noisy labels;
3. pre-training: word vectors from counts, then guessing masked tokens (BertForMaskedLM), in the same texts;
4. the classifier (BertForSequenceClassification), which starts from the pre-trained body;
5. distillation: on texts mixed from two, whose target is what teacher and classifier say of them together;
6. the mean of the weights that steps 4 and 5 ended with.
"""

from __future__ import annotations

import argparse
import copy
import csv
import itertools
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from tokenizers.trainers import UnigramTrainer

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
def shaken(tokenizer: Tokenizer, spread: float, rng: np.random.Generator) -> Tokenizer:
    """The same pieces, each a little more or less likely: words fall into other pieces than usual.

    To see one text cut in many ways makes a model rely less on single pieces (subword regularisation, Kudo 2018).
    """
    state = json.loads(tokenizer.to_str())
    vocab = state["model"]["vocab"]
    noise = spread * rng.standard_normal(len(vocab))
    state["model"]["vocab"] = [(piece, score + change) for (piece, score), change in zip(vocab, noise, strict=True)]
    return Tokenizer.from_str(json.dumps(state))


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


@dataclass
class Examples:
    """What the model learns from: texts, how positive each is (0 to 1), and a number for each language and label."""

    texts: list[str]
    targets: np.ndarray
    kinds: np.ndarray

    def passes(self, tokenizer: Tokenizer, count: int, rng: np.random.Generator) -> Iterator[tuple[list, np.ndarray]]:
        """The ids and targets of `count` passes over the texts, each cut anew, the last as usual."""
        for left in range(count, 0, -1):
            reading = shaken(tokenizer, 1.5, rng) if left > 1 else tokenizer
            ids = [encoding.ids for encoding in reading.encode_batch(self.texts)]
            yield join_some(ids, self.targets, self.kinds, 400, rng)


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


def steps(model, examples: Examples, tokenizer: Tokenizer, count: int, peak: float, rng: np.random.Generator):
    """The training loop around a loss: hands out (tokens, targets) of a batch, and steps on the gradients found then.

    AdamW; the learning rate rises for 6 % of the time and falls linearly to zero.
    """
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    start = time.time()
    for number, (ids, targets) in enumerate(examples.passes(tokenizer, count, rng)):
        plan = batches(ids, rng)
        for place, batch in enumerate(plan, start=1):
            done = (number + place / (len(plan) + 1)) / count
            optimizer.param_groups[0]["lr"] = peak * min(done / 0.06, (1 - done) / 0.94)
            rows = [torch.tensor(ids[i]) for i in batch]
            tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
            yield tokens, torch.tensor(targets[batch], dtype=torch.float32)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        print(f"  pass {number + 1} of {count}, {time.time() - start:.0f} s", flush=True)


# --- 2. the teacher ------------------------------------------------------------------------------------------------
class Ngrams:
    """Five logistic regressions on n-grams, each fitted without one fifth (a fold) of the texts, which it judges."""

    def __init__(self, texts: list[str], labels: np.ndarray) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold
        from sklearn.pipeline import make_union

        options = {"min_df": 3, "sublinear_tf": True, "dtype": np.float32}
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **options)
        words = TfidfVectorizer(token_pattern=r"[\w']+|[^\w\s]+", ngram_range=(1, 2), **options)
        self.features = make_union(letters, words)
        seen = self.features.fit_transform(texts).tocsr()
        self.folds = np.zeros(len(texts), dtype=int)
        self.models = []
        for fold, (known, unknown) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(seen, labels)):
            # Weighting each n-gram by its naive Bayes log ratio (NB-SVM, Wang and Manning 2012) helps a little.
            positive, negative = (1 + seen[known][labels[known] == c].sum(0).A1 for c in (1, 0))
            ratio = np.log((positive / positive.sum()) / (negative / negative.sum()))
            weighted = seen[known].multiply(ratio).tocsr()
            model = LogisticRegression(C=4, solver="liblinear", dual=True, tol=0.01, random_state=0).fit(
                weighted, labels[known]
            )
            self.models.append((ratio, model))
            self.folds[unknown] = fold
        self.opinions = self._judge(seen, self.folds)
        right = ((self.opinions > 0.5) == labels).mean()
        print(f"  the teacher is right on {right:.4f} of texts that it was not fitted on", flush=True)

    def judge(self, texts: list[str], folds: np.ndarray) -> np.ndarray:
        """How likely positive each text is to the model that never saw the texts of its fold."""
        return self._judge(self.features.transform(texts).tocsr(), folds)

    def _judge(self, features, folds: np.ndarray) -> np.ndarray:
        scores = np.zeros(len(folds), dtype=np.float32)
        for fold, (ratio, model) in enumerate(self.models):
            mine = folds == fold
            scores[mine] = model.predict_proba(features[mine].multiply(ratio).tocsr())[:, 1]
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


def pretrain(examples: Examples, tokenizer: Tokenizer, count: int, rng: np.random.Generator) -> BertForMaskedLM:
    """Guess 20 % of the tokens from the others. Only those positions pass through the vocabulary's large matrix."""
    vocab_size = tokenizer.get_vocab_size()
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=384,
        max_position_embeddings=MAX_LENGTH,
        hidden_dropout_prob=0.0,  # slow on a CPU; hidden tokens and shaken pieces do its work
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.1,
        pad_token_id=PAD,
    )
    model = BertForMaskedLM(config)
    with torch.no_grad():
        ids = [encoding.ids for encoding in tokenizer.encode_batch(examples.texts)]
        vectors = torch.from_numpy(word_vectors(ids, vocab_size, config.hidden_size))
        model.get_input_embeddings().weight.copy_(vectors)
    for tokens, _ in steps(model, examples, tokenizer, count, 1e-3, rng):
        chosen = (torch.rand(tokens.shape) < 0.2) & (tokens >= len(SPECIAL))
        # Of the chosen tokens 80 % are masked, 10 % become any token, 10 % stay: the model must doubt every one.
        fate = torch.rand(tokens.shape)
        noisy = tokens.masked_fill(chosen & (fate < 0.8), MASK)
        noisy = torch.where(chosen & (fate > 0.9), torch.randint_like(tokens, len(SPECIAL), vocab_size), noisy)
        hidden = model.bert(noisy, attention_mask=tokens.ne(PAD).long()).last_hidden_state
        F.cross_entropy(model.score_tokens(hidden[chosen]), tokens[chosen]).backward()
    return model


# --- 4. the classifier ---------------------------------------------------------------------------------------------
def classifier(body: Path) -> BertForSequenceClassification:
    """The pre-trained body with a head for two labels."""
    labels = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}}
    return BertForSequenceClassification.from_pretrained(body, **labels)


def finetune(model, examples: Examples, tokenizer: Tokenizer, count: int, peak: float, rng: np.random.Generator):
    """Teach the model the examples' targets, in place."""
    for tokens, targets in steps(model, examples, tokenizer, count, peak, rng):
        # Hide 0 to 20 % of a text's tokens: no single word may decide alone. Pre-training has taught it to cope.
        hide = (torch.rand(tokens.shape) < 0.2 * torch.rand(len(tokens), 1)) & (tokens >= len(SPECIAL))
        logits = model(tokens.masked_fill(hide, MASK), attention_mask=tokens.ne(PAD).long()).logits
        F.cross_entropy(logits, torch.stack([1 - targets, targets], dim=-1)).backward()


# --- 5. distillation -----------------------------------------------------------------------------------------------
def mixed(texts: list[str], groups: np.ndarray, rng: np.random.Generator) -> list[str]:
    """For each text a new one: its first words, then the last words of another of its group."""
    partners = np.arange(len(texts))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        partners[members] = rng.permutation(members)
    result = []
    for text, partner, place in zip(texts, partners, rng.random(len(texts)), strict=True):
        first, last = text.split(" "), texts[partner].split(" ")
        words = first[: round(place * len(first))] + last[round(place * len(last)) :]
        result.append(" ".join(words or first))
    return result


@torch.inference_mode()
def opinions_of(model, tokenizer: Tokenizer, texts: list[str], rng: np.random.Generator) -> np.ndarray:
    """How likely positive each text is to the model."""
    model.eval()
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    scores = np.zeros(len(ids), dtype=np.float32)
    for batch in batches(ids, rng):
        rows = [torch.tensor(ids[i]) for i in batch]
        tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
        scores[batch] = model(tokens, attention_mask=tokens.ne(PAD).long()).logits.softmax(-1)[:, 1].numpy()
    return scores


def distil(
    model, tokenizer: Tokenizer, corpora: dict, teachers: dict[str, Ngrams], count: int, rng: np.random.Generator
):
    """The classifier alone errs where the n-grams do not, and the other way round: teach it what both say together.

    They say it of texts that neither was fitted on: each is mixed from two of one label and one fold.
    """
    parts = []
    for number, (language, (texts, labels)) in enumerate(corpora.items()):
        teacher, kinds = teachers[language], 2 * number + labels
        for _ in range(COPIES[language]):
            new = mixed(texts, 5 * labels + teacher.folds, rng)
            both = (teacher.judge(new, teacher.folds) + opinions_of(model, tokenizer, new, rng)) / 2
            parts.append((new, both, kinds))
            some = rng.permutation(len(texts))[: len(texts) // 2]  # and half of the real ones, as before
            softened = (labels + teacher.opinions)[some] / 2
            parts.append(([texts[i] for i in some], softened, kinds[some]))
    texts, targets, kinds = zip(*parts, strict=True)
    examples = Examples([text for part in texts for text in part], np.concatenate(targets), np.concatenate(kinds))
    finetune(model, examples, tokenizer, count, 3e-4, rng)


# --- the whole -----------------------------------------------------------------------------------------------------
def train(data: Path, output: Path, work: Path) -> None:
    """All six steps. The last one's model goes to `output`, the weights in half precision.

    Steps 1, 3, 4 and 5 leave what they made in `work`, and what stands there is not made again. Each starts from a
    seed of its own, so that a run with breaks gives what a run without them gives.
    """
    corpora = {language: read(data, language, "train") for language in CORPORA}

    def begin(step: str, seed: int = 0) -> np.random.Generator:
        print(step, flush=True)
        torch.manual_seed(seed)
        return np.random.default_rng(seed)

    begin("1. tokenizer")
    learned = work / "tokenizer.json"
    if not learned.exists():
        train_tokenizer(corpora["ko"][0] + 4 * corpora["en"][0]).save(str(learned))
    tokenizer = Tokenizer.from_file(str(learned))
    names = {f"{token[1:-1].lower()}_token": token for token in SPECIAL}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=MAX_LENGTH, **names).save_pretrained(output)
    tokenizer.enable_truncation(MAX_LENGTH)

    begin("2. teacher")
    teachers = {language: Ngrams(*corpus) for language, corpus in corpora.items()}
    chosen, targets, kinds = [], [], []
    for number, (language, (texts, labels)) in enumerate(corpora.items()):
        copies = COPIES[language]
        chosen += copies * texts
        targets += copies * [(labels + teachers[language].opinions) / 2]
        kinds += copies * [2 * number + labels]
    examples = Examples(chosen, np.concatenate(targets), np.concatenate(kinds))

    body = work / "body"
    if not body.exists():
        pretrain(examples, tokenizer, 6, begin("3. pre-training")).save_pretrained(body)
    model = classifier(body)
    if not (work / "classifier").exists():
        finetune(model, examples, tokenizer, 4, 5e-4, begin("4. classifier"))
        model.save_pretrained(work / "classifier")
    ends = [classifier(work / "classifier")]
    for number, count in enumerate((3, 2)):  # passes; the second time the classifier is a better teacher
        end = work / f"distilled-{number}"
        if not end.exists():
            model = copy.deepcopy(ends[-1])
            distil(model, tokenizer, corpora, teachers, count, begin("5. distillation", seed=number))
            model.save_pretrained(end)
        ends.append(classifier(end))
    # Models that began as one lie near enough for the mean of their weights to be better than each (Wortsman 2022).
    states = [end.state_dict() for end in ends]
    model.load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    vars(model.config).pop("_name_or_path", None)  # the work folder is nobody's business
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
    parser.add_argument("--work", type=Path, help="folder that keeps what each step made, to go on after a break")
    parser.add_argument("--evaluate", action="store_true", help="only evaluate the checkpoint in --output")
    args = parser.parse_args()
    if not args.evaluate:
        with tempfile.TemporaryDirectory() as temporary:
            work = args.work or Path(temporary)
            work.mkdir(parents=True, exist_ok=True)
            train(args.data, args.output, work)
    evaluate(args.data, args.output)
