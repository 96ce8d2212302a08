"""What run_clm.py and its like import and call before they train."""

from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING
from transformers.testing_utils import CaptureLogger
from transformers.utils import check_min_version, logging
from transformers.utils.versions import require_version

check_min_version("4.21.0")
require_version("datasets>=1.8.0", "pip install datasets")
assert "gpt2" in [config.model_type for config in MODEL_FOR_CAUSAL_LM_MAPPING]
config = CONFIG_MAPPING["gpt2"]()
config.update_from_string("n_embd=10,resid_pdrop=0.2,scale_attn_weights=false,summary_type=cls_index")
assert (config.n_embd, config.resid_pdrop, config.scale_attn_weights) == (10, 0.2, False)
assert config.summary_type == "cls_index"
logger = logging.get_logger("transformers.tokenization_utils_base")
with CaptureLogger(logger) as captured:
    logger.error("Token indices sequence length is longer than")
assert "longer than" in captured.out
