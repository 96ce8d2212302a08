"""return_overflowing_tokens with a stride: windows that overlap, with offsets into the text."""

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
question = "Where do I live?"
context = "My name is Minji and I work at a small company in Seoul, the capital of Korea. " * 4
windows = tokenizer(
    question,
    context,
    max_length=48,
    truncation="only_second",
    stride=12,
    return_overflowing_tokens=True,
    return_offsets_mapping=True,
    padding="max_length",
)
assert len(windows["input_ids"]) > 2 and all(len(row) == 48 for row in windows["input_ids"])
assert set(windows["overflow_to_sample_mapping"]) == {0}
covered = set()
spans = []
for number, offsets in enumerate(windows["offset_mapping"]):
    inside = [span for span, part in zip(offsets, windows.sequence_ids(number)) if part == 1]
    spans.append(inside)
    for start, end in inside:
        covered.update(range(start, end))
assert covered == {place for place, letter in enumerate(context) if letter != " "}
assert [tuple(span) for span in spans[0][-12:]] == [tuple(span) for span in spans[1][:12]]
