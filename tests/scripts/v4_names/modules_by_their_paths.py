"""Names imported from where version 4 kept them."""

import torch
from transformers.data.data_collator import default_data_collator
from transformers.generation.logits_process import TopKLogitsWarper
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput
from transformers.models.bert.modeling_bert import BertModel, BertPreTrainedModel
from transformers.models.bert.tokenization_bert import BertTokenizer
from transformers.tokenization_utils_base import BatchEncoding, PreTrainedTokenizerBase
from transformers.trainer_utils import EvalPrediction, get_last_checkpoint
from transformers.utils import logging

logger = logging.get_logger(__name__)
assert issubclass(BertModel, BertPreTrainedModel)
tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
assert isinstance(tokenizer, PreTrainedTokenizerBase) and isinstance(tokenizer("hello"), BatchEncoding)
output = SequenceClassifierOutput(logits=torch.zeros(1, 2))
assert output["logits"] is output[0] and output.loss is None
assert BaseModelOutput(last_hidden_state=torch.ones(1)).to_tuple()[0].item() == 1
assert default_data_collator([{"label": 1}, {"label": 0}])["labels"].tolist() == [1, 0]
scores = TopKLogitsWarper(top_k=2)(None, torch.tensor([[1.0, 3.0, 2.0]]))
assert scores[0, 0] == float("-inf") and scores[0, 1] == 3
assert EvalPrediction(predictions=1, label_ids=2).label_ids == 2 and get_last_checkpoint(".") is None
