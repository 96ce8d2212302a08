"""KeyBERT: the words that say what a text is about, on the real MiniLM, and on a pipeline of transformers."""

from answer import answer
from keybert import KeyBERT
from sentence_transformers import SentenceTransformer
from transformers.pipelines import pipeline

TEXT = """Paris is the capital of France, and many people visit the city every summer. The museums of the city show
paintings, and the gardens along the river are full of butterflies."""

words = KeyBERT(SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2", device="cpu"))
features = KeyBERT(pipeline("feature-extraction", model="sentence-transformers/all-MiniLM-L6-v2"))

answer(
    words=words.extract_keywords(TEXT, top_n=5),
    phrases=words.extract_keywords(TEXT, keyphrase_ngram_range=(1, 2), use_mmr=True, diversity=0.7, top_n=4),
    features=features.extract_keywords(TEXT, top_n=5),
)
