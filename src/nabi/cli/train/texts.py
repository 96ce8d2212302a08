"""What `nabi train` says and what its --help says, in English and Korean side by side."""

from __future__ import annotations

# As in messages.py, of which this is a part.
TRAIN: dict[str, tuple[str, str]] = {
    # ------------------------------------------------------------ help
    "about_train": (
        "Teach a model a task from files of examples, and write a folder that `nabi run` takes.\n\n"
        "\b\n"
        "  nabi train --model klue/roberta-base --data ratings_train.txt --output out\n"
        "  nabi train --task ner -m my-model --data train.tsv --eval dev.tsv --output out\n"
        "  nabi train --config out/train.yaml --lr 3e-5 --output out2\n"
        "  nabi train --output out --resume            # go on after Ctrl-C\n\n"
        "Data: .tsv, .csv, .jsonl, .json (SQuAD, KorQuAD, KLUE), CoNLL and .txt files, or a folder with train and "
        "validation files. Which column is what is guessed and told; --column ROLE=NAME says it.\n\n"
        "Tasks: {tasks}\n\n"
        "Usual: 3 epochs, an evaluation after each, the best one is kept; batches of 32 (questions 16, writing 8); "
        "learning rate 2e-5 (--lora 2e-4, --from-scratch 5e-4) with a warm-up of 6 %, weight decay 0.01; texts of "
        "like length go together.",
        "예시 파일로 모델에게 작업을 가르치고, `nabi run`이 바로 쓸 수 있는 폴더를 만듭니다.\n\n"
        "\b\n"
        "  nabi train --model klue/roberta-base --data ratings_train.txt --output out\n"
        "  nabi train --task ner -m my-model --data train.tsv --eval dev.tsv --output out\n"
        "  nabi train --config out/train.yaml --lr 3e-5 --output out2\n"
        "  nabi train --output out --resume            # Ctrl-C로 멈춘 학습을 이어서\n\n"
        "데이터: .tsv, .csv, .jsonl, .json(SQuAD, KorQuAD, KLUE), CoNLL, .txt 파일, 또는 train과 validation 파일이 든 "
        "폴더. 어느 열이 무엇인지는 짐작해서 알려 주며, --column 역할=열로 정할 수 있습니다.\n\n"
        "작업: {tasks}\n\n"
        "기본값: 3 에폭, 에폭마다 평가하고 가장 좋은 것을 남깁니다. 배치 32(질의응답 16, 글쓰기 8), 학습률 "
        "2e-5(--lora 2e-4, --from-scratch 5e-4), 처음 6 %는 워밍업, 가중치 감쇠 0.01, 길이가 비슷한 글끼리 묶습니다.",
    ),
    "about_trained": (
        "The model to begin with: a folder, or a repository of the Hugging Face Hub.",
        "출발할 모델: 폴더, 또는 Hugging Face Hub의 저장소 이름.",
    ),
    "about_data": (
        "A file of examples, or a folder of splits; several files may be named.",
        "예시 파일, 또는 학습/검증 파일이 든 폴더. 여러 번 쓸 수 있습니다.",
    ),
    "about_output": ("The folder for the trained model.", "학습한 모델을 쓸 폴더."),
    "about_trained_task": (
        "What to teach. Left out, what the columns say.",
        "가르칠 작업. 쓰지 않으면 열을 보고 정합니다.",
    ),
    "about_eval": ("A file of examples to evaluate on.", "평가할 예시 파일."),
    "about_eval_share": (
        "Without --eval, the part of --data to set aside for it. Left out, 0.1; 0: no evaluation.",
        "--eval이 없을 때 --data에서 평가용으로 떼어 둘 비율. 쓰지 않으면 0.1, 0이면 평가하지 않습니다.",
    ),
    "about_train_config": (
        "Take settings from this YAML file; it has the names of these options. The command line goes first.",
        "설정을 YAML 파일에서 읽습니다. 이름은 이 옵션들과 같고, 명령줄이 우선합니다.",
    ),
    "about_roles": (
        "Which column is what, as label=stars; may be repeated. Roles: text, text_pair, label, tokens, tags, "
        "question, context, answers, source, target, document, summary, prompt, completion, messages.",
        "어느 열이 무엇인지. 예: label=별점. 여러 번 쓸 수 있습니다. 역할: text, text_pair, label, tokens, tags, "
        "question, context, answers, source, target, document, summary, prompt, completion, messages.",
    ),
    "about_text_column": ("The column of texts.", "글이 있는 열."),
    "about_label_column": ("The column of labels.", "레이블이 있는 열."),
    "about_label_names": (
        "All labels in the order of their ids, with commas between them; 0, 1, … in the data stand for them.",
        "모든 레이블의 이름을 번호 순서로, 쉼표로 나누어. 데이터의 0, 1, …이 이 이름들을 뜻합니다.",
    ),
    "about_several_labels": (
        "A text may have several labels: lists, or names with commas between them.",
        "한 글에 레이블이 여러 개일 수 있습니다: 목록, 또는 쉼표로 나눈 이름.",
    ),
    "about_regression": ("Labels are numbers to hit.", "레이블이 맞혀야 할 수입니다(회귀)."),
    "about_limit": ("Read at most N rows of each file.", "파일마다 최대 N행만 읽습니다."),
    "about_epochs": ("How often the data are gone through. Left out, 3.", "데이터를 몇 번 볼지. 쓰지 않으면 3."),
    "about_train_batch": ("Rows in a batch.", "한 배치의 행 수."),
    "about_lr": ("The highest learning rate.", "가장 높은 학습률."),
    "about_max_length": ("Cut texts to N tokens.", "글을 토큰 N개까지만 씁니다."),
    "about_max_target_length": ("Cut texts that are to be written to N tokens.", "써야 할 글을 토큰 N개까지만 씁니다."),
    "about_prefix": (
        "What stands before each source text, as T5 wants it.",
        "원문마다 앞에 붙일 말(T5에 필요합니다).",
    ),
    "about_pack": (
        "Texts end to end in blocks, or each text a row. Left out: blocks for text-generation, rows for fill-mask.",
        "글을 이어 붙여 블록을 채우거나(--pack), 글마다 한 행으로(--no-pack). 쓰지 않으면 text-generation은 블록, "
        "fill-mask는 행.",
    ),
    "about_whole_words": ("Mask whole words, not pieces of them.", "조각이 아니라 단어(어절)를 통째로 가립니다."),
    "about_patience": (
        "Stop when N evaluations one after the other were no better.",
        "평가가 N번 잇달아 나아지지 않으면 멈춥니다.",
    ),
    "about_train_seed": (
        "For the order of the data, new weights and dropout. Left out, 42.",
        "데이터 순서, 새 가중치, 드롭아웃의 시드. 쓰지 않으면 42.",
    ),
    "about_fp16": ("Mixed precision in float16, on a GPU.", "float16 혼합 정밀도(GPU)."),
    "about_bf16": ("Mixed precision in bfloat16.", "bfloat16 혼합 정밀도."),
    "about_lora": (
        "Train small adapters beside the frozen weights (peft); they are worked into the model at the end.",
        "가중치는 두고 작은 어댑터만 학습합니다(peft). 끝나면 모델에 합칩니다.",
    ),
    "about_lora_rank": ("Their rank. Left out, 8.", "어댑터의 랭크. 쓰지 않으면 8."),
    "about_lora_alpha": ("Their scale, alpha. Left out, 16.", "어댑터의 알파. 쓰지 않으면 16."),
    "about_teacher": (
        "Learn from the scores of this trained model too (distillation).",
        "이미 학습한 이 모델의 점수도 함께 배웁니다(증류).",
    ),
    "about_from_scratch": (
        "Begin with random weights: only config and tokenizer of --model are taken.",
        "무작위 가중치로 시작합니다. --model의 설정과 토크나이저만 씁니다.",
    ),
    "about_freeze_body": ("Train the head alone.", "머리(head)만 학습합니다."),
    "about_train_set": (
        "Any field of TrainingArguments, as weight_decay=0.1; may be repeated.",
        "TrainingArguments의 다른 설정. 예: weight_decay=0.1. 여러 번 쓸 수 있습니다.",
    ),
    "about_keep_checkpoints": (
        "Leave the N newest checkpoints in checkpoints/. Left out, they go when the training is done.",
        "checkpoints/에 최근 체크포인트 N개를 남깁니다. 쓰지 않으면 학습이 끝날 때 지웁니다.",
    ),
    "about_train_resume": (
        "Go on with the interrupted training in --output, to the same weights as without the interruption.",
        "--output에서 중단된 학습을 이어서 합니다. 중단하지 않았을 때와 같은 가중치가 됩니다.",
    ),
    "about_train_overwrite": ("Begin anew though --output holds a model.", "--output에 모델이 있어도 새로 시작합니다."),
    # ------------------------------------------------------------ while it works
    "train_line_task": ("task", "작업"),
    "train_line_columns": ("columns", "열"),
    "train_line_labels": ("labels", "레이블"),
    "train_line_rows": ("rows", "데이터"),
    "train_line_model": ("model", "모델"),
    "train_line_length": ("length", "길이"),
    "train_line_plan": ("training", "학습"),
    "train_note": ("           note: {text}", "           알림: {text}"),
    "train_numbers": ("numbers to hit", "맞혀야 할 수"),
    "train_rows": (
        "{train} to train on, {eval} to evaluate on ({source})",
        "학습 {train}개, 평가 {eval}개 ({source})",
    ),
    "train_rows_alone": ("{train} to train on, none to evaluate on", "학습 {train}개, 평가 없음"),
    "train_set_aside": ("{share} set aside", "{share}를 떼어 둠"),
    "train_unused_split": ("not used: {names}", "쓰지 않은 파일: {names}"),
    "train_model": ("{name}: {kind}, {count} parameters", "{name}: {kind}, 파라미터 {count}"),
    "train_random_weights": ("its weights are random: --from-scratch", "가중치는 무작위입니다: --from-scratch"),
    "train_head_replaced": (
        "the checkpoint's head is for {before} labels, so there is a new one for {now}",
        "체크포인트의 머리(head)가 레이블 {before}개용이라 {now}개용으로 새로 만들었습니다",
    ),
    "train_head_of_others": (
        "the checkpoint's head is for other labels ({names}), so there is a new one",
        "체크포인트의 머리(head)가 다른 레이블({names})용이라 새로 만들었습니다",
    ),
    "train_new_head": (
        "not in the checkpoint, so new: {names}",
        "체크포인트에 없어 새로 만든 가중치: {names}",
    ),
    "train_length": (
        "{longest} tokens in the longest row, {most} allowed",
        "가장 긴 행 {longest}토큰, 최대 {most}토큰",
    ),
    "train_cut": (
        "rows that were longer than {most} tokens and are cut: {count}",
        "{most}토큰보다 길어서 자른 행: {count}개",
    ),
    "train_left_out": (
        "rows of which {most} tokens hold no answer, left out: {count}",
        "{most}토큰 안에 답이 없어 뺀 행: {count}개",
    ),
    "train_plan": (
        "{epochs} epochs, batches of {batch}, learning rate {rate}, on {device}",
        "{epochs} 에폭, 배치 {batch}, 학습률 {rate}, 장치 {device}",
    ),
    "train_part_learns": ("{count} weights learn ({share})", "학습하는 가중치: {count}개 ({share})"),
    "train_tokenizing_train": ("tokenizing the training rows", "학습 데이터 토큰화"),
    "train_tokenizing_eval": ("tokenizing the evaluation rows", "평가 데이터 토큰화"),
    "train_stopping": (
        "Stopping after this step; a checkpoint is saved. Ctrl-C again stops at once.",
        "이 단계를 마치고 체크포인트를 저장한 뒤 멈춥니다. Ctrl-C를 한 번 더 누르면 바로 멈춥니다.",
    ),
    "train_interrupted": (
        "Interrupted. Saved: {path}. Go on with:\n  {command}",
        "중단했습니다. 저장한 곳: {path}. 이어서 하려면:\n  {command}",
    ),
    "train_interrupted_early": (
        "Interrupted before the first checkpoint: nothing is saved.",
        "첫 체크포인트 전에 중단해서 저장한 것이 없습니다.",
    ),
    "train_best_of": ("best of {epochs} epochs: epoch {epoch}", "{epochs} 에폭 가운데 가장 좋은 것: 에폭 {epoch}"),
    "train_done_in": (
        "The model is in {path}, with {files}; it took {time}. Try it:",
        "모델을 {path}에 썼습니다({files} 포함, 걸린 시간 {time}). 써 보기:",
    ),
    # ------------------------------------------------------------ errors
    "train_unknown_key": (
        "{source} has {name!r}, which is no setting of nabi train.{hint}",
        "{source}의 {name!r}은(는) nabi train의 설정이 아닙니다.{hint}",
    ),
    "train_bad_value": (
        "{name} is {value!r} in {source}, which it cannot be.",
        "{source}에서 {name}의 값이 {value!r}인데, 쓸 수 없는 값입니다.",
    ),
    "train_command_line": ("the command line", "명령줄"),
    "train_no_yaml": ("{path} is no YAML of settings: {reason}", "{path}은(는) 설정을 쓴 YAML이 아닙니다: {reason}"),
    "train_yaml_is": ("it holds a {kind}, not names with values", "이름과 값이 아니라 {kind}입니다"),
    "train_too_small": (
        "{name} is {value}; it must be {least} or more.",
        "{name}이(가) {value}인데 {least} 이상이어야 합니다.",
    ),
    "train_eval_share": (
        "--eval-share is {value}; it is a share of the rows, from 0 to less than 1.",
        "--eval-share가 {value}인데, 0 이상 1 미만의 비율이어야 합니다.",
    ),
    "train_not_both": ("{one} and {other} exclude each other.", "{one}과(와) {other}은(는) 함께 쓸 수 없습니다."),
    "train_needs_evaluation": ("{name} needs an evaluation.", "{name}에는 평가가 필요합니다."),
    "train_own_option": ("{name} is said with {option}.", "{name}은(는) {option}으로 정합니다."),
    "train_not_of_task": ("{name} means nothing for {task}.", "{name}은(는) {task}에 쓰지 않습니다."),
    "train_no_device": (
        "there is no device {name!r} on this machine. Use cpu, cuda, cuda:1 or mps, or leave --device out.",
        "이 컴퓨터에 {name!r}라는 장치가 없습니다. cpu, cuda, cuda:1, mps를 쓰거나 --device를 빼세요.",
    ),
    "train_columns": (
        "{reason}. Say it with --column ROLE=NAME.",
        "열을 정할 수 없습니다: {reason}. --column 역할=열로 정해 주세요.",
    ),
    "train_eval_columns": (
        "{source} has no column {columns}; it has {has}.",
        "{source}에 {columns} 열이 없습니다. 있는 열: {has}",
    ),
    "train_no_train": (
        "the folder {path!r} has no training file, only {splits}.",
        "폴더 {path!r}에 학습 파일이 없고 {splits}만 있습니다.",
    ),
    "train_too_few": (
        "{count} rows are too few to set {share} of them aside: name a file with --eval, or say --eval-share 0.",
        "행이 {count}개뿐이라 {share}를 떼어 둘 수 없습니다. --eval로 파일을 주거나 --eval-share 0을 쓰세요.",
    ),
    "train_no_folder": ("{path!r} is no folder that can be written.", "{path!r}은(는) 쓸 수 있는 폴더가 아닙니다."),
    "train_output_held": (
        "the folder {path!r} holds a model already. Name another, or use --overwrite.",
        "폴더 {path!r}에 이미 모델이 있습니다. 다른 폴더를 쓰거나 --overwrite를 쓰세요.",
    ),
    "train_interrupted_there": (
        "the folder {path!r} holds an interrupted training. --resume goes on with it, --overwrite begins anew.",
        "폴더 {path!r}에 중단된 학습이 있습니다. 이어서 하려면 --resume, 새로 하려면 --overwrite를 쓰세요.",
    ),
    "train_nothing_there": (
        "the folder {path!r} holds no interrupted training: leave --resume out.",
        "폴더 {path!r}에 중단된 학습이 없습니다. --resume을 빼세요.",
    ),
    "train_done": (
        "the training in {path!r} is done: there is nothing to go on with.",
        "폴더 {path!r}의 학습은 이미 끝나서 이어서 할 것이 없습니다.",
    ),
    "train_changed": ("{name} was {before}, is {now}", "{name}: 전에는 {before}, 지금은 {now}"),
    "train_usual": ("the usual", "기본값"),
    "train_other_settings": (
        "the interrupted training had other settings ({changed}). Leave them as they were, or begin anew with "
        "--overwrite.",
        "중단된 학습과 설정이 다릅니다({changed}). 그대로 두거나, --overwrite로 새로 시작하세요.",
    ),
    "train_other_data": (
        "the data have changed since the training began: {files}. Begin anew with --overwrite.",
        "학습을 시작한 뒤 데이터가 바뀌었습니다: {files}. --overwrite로 새로 시작하세요.",
    ),
    "train_bad_row_train": ("in the training rows: {reason}", "학습 데이터: {reason}"),
    "train_bad_row_eval": ("in the evaluation rows: {reason}", "평가 데이터: {reason}"),
    "train_arguments": ("the training arguments do not fit: {reason}", "학습 설정이 맞지 않습니다: {reason}"),
}
