"""lm-eval on a local task of each kind: choices, exact text, perplexity; on GPT-2 and on T5."""

import json
from pathlib import Path

from answer import answer
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager

QUESTIONS = [
    {"question": "Paris is the capital of", "choices": ["France", "Korea", "summer"], "answer": 0},
    {"question": "Once upon a", "choices": ["time", "king", "house"], "answer": 0},
    {"question": "서울은 대한민국의", "choices": ["수도이고", "나비가"], "answer": 0},
]
CHOICES = """
task: capitals
dataset_path: json
dataset_kwargs: {data_files: {test: questions.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: answer
num_fewshot: 0
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
"""
WRITTEN = """
task: next_word
dataset_path: json
dataset_kwargs: {data_files: {test: questions.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{choices[answer]}}"
generation_kwargs: {until: ["."], max_gen_toks: 6, do_sample: false}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
"""
ROLLING = """
task: texts
dataset_path: json
dataset_kwargs: {data_files: {test: questions.jsonl}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{question}}, {{choices[0]}}"
metric_list:
  - {metric: word_perplexity, aggregation: weighted_perplexity, higher_is_better: false}
"""
TASKS = {"capitals": CHOICES, "next_word": WRITTEN, "texts": ROLLING}

Path("questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS), encoding="utf-8")
Path("tasks").mkdir()
for name, text in TASKS.items():
    Path("tasks", f"{name}.yaml").write_text(text, encoding="utf-8")

manager = TaskManager(include_path="tasks", include_defaults=False)
asked = {"task_manager": manager, "device": "cpu", "batch_size": 2, "bootstrap_iters": 0, "log_samples": True}
found = {}
for model, tasks in (("gpt2", list(TASKS)), ("t5-small", ["capitals", "next_word"])):
    result = simple_evaluate("hf", model_args={"pretrained": model, "dtype": "float32"}, tasks=tasks, **asked)
    for task in tasks:
        scores = {key: value for key, value in result["results"][task].items() if isinstance(value, float)}
        found[f"{model} {task}"] = {"scores": scores, "answers": [row["resps"] for row in result["samples"][task]]}
answer(**found)
