"""InputExample and a processor of one's own, as the scripts of 2019 had them."""

from transformers import AutoTokenizer, InputExample, glue_convert_examples_to_features

tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
examples = [InputExample("1", "Hello world", "a story", "0"), InputExample("2", "a king", "three daughters", "1")]
features = glue_convert_examples_to_features(
    examples, tokenizer, max_length=24, label_list=["0", "1"], output_mode="classification"
)
assert [feature.label for feature in features] == [0, 1]
assert all(len(feature.input_ids) == 24 for feature in features)
assert features[1].input_ids[: sum(features[1].attention_mask)] == tokenizer("a king", "three daughters")["input_ids"]
