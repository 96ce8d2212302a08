"""Entities: labels of words spread over their pieces, as every course on NER does."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
words, tags = ["Minji", "works", "in", "wonderful", "Seoul"], [3, 0, 0, 0, 7]


def align(labels, word_ids):
    aligned, current = [], None
    for word in word_ids:
        if word is None:
            aligned.append(-100)
        elif word != current:
            aligned.append(labels[word])
        else:
            aligned.append(labels[word] + 1 if labels[word] % 2 == 1 else labels[word])
        current = word
    return aligned


inputs = tokenizer(words, is_split_into_words=True)
aligned = align(tags, inputs.word_ids())
assert len(aligned) == len(inputs["input_ids"]) and aligned[0] == aligned[-1] == -100
firsts = [inputs.word_ids().index(number) for number in range(len(words))]
assert [aligned[place] for place in firsts] == tags
assert tokenizer.decode(inputs["input_ids"], skip_special_tokens=True) == "Minji works in wonderful Seoul"
