"""Everything that the command line says, in English and Korean side by side."""

from __future__ import annotations

import os
import sys

KOREAN_WINDOWS_LANGUAGE = 0x12

# key: (English, Korean). Names in braces are filled in, and stand in both.
MESSAGES: dict[str, tuple[str, str]] = {
    # ------------------------------------------------------------ help
    "about": (
        "nabi runs language models on this machine.\n\n"
        'Try it:  nabi run sentiment-analysis "I loved every minute of it."',
        '나비는 언어 모델을 이 컴퓨터에서 실행합니다.\n\n써 보기:  nabi run sentiment-analysis "이 영화는 최고예요!"',
    ),
    "about_run": (
        "Run TASK on texts, images or sounds and print a result for each.\n\n"
        "They come from the command line, from a file, or line by line from standard input; images and sounds as "
        "paths or URLs:\n\n"
        "\b\n"
        '  nabi run sentiment-analysis "Great film." "What a bore."\n'
        "  nabi run sentiment-analysis --file reviews.csv --column review --out labels.csv\n"
        "  cat reviews.txt | nabi run sentiment-analysis --json\n"
        '  nabi run zero-shot-classification "The match ended 2:1." --candidate-labels "sport,politics"\n'
        '  nabi run question-answering "Who called?" "Min-ji called at noon."\n'
        "  nabi run image-classification cat.jpg\n\n"
        "A job with --out goes on after an interruption with --resume.\n\n"
        "Tasks: {tasks}\n\n"
        "Without --model sentiment-analysis uses the small Korean and English model inside nabi: no download, no "
        "network. Other tasks use the usual model of the Hugging Face Hub.",
        "텍스트, 이미지, 소리에 작업(TASK)을 실행하고 하나마다 결과를 출력합니다.\n\n"
        "명령줄이나 파일에서, 또는 표준 입력에서 한 줄씩 읽습니다. 이미지와 소리는 경로나 URL로 씁니다.\n\n"
        "\b\n"
        '  nabi run sentiment-analysis "정말 재미있어요." "지루했어요."\n'
        "  nabi run sentiment-analysis --file reviews.csv --column review --out labels.csv\n"
        "  cat reviews.txt | nabi run sentiment-analysis --json\n"
        '  nabi run zero-shot-classification "경기는 2:1로 끝났다." --candidate-labels "스포츠,정치"\n'
        '  nabi run question-answering "누가 전화했나요?" "민지가 정오에 전화했다."\n'
        "  nabi run image-classification cat.jpg\n\n"
        "--out으로 시작한 작업이 중단되면 --resume으로 이어서 합니다.\n\n"
        "작업: {tasks}\n\n"
        "--model을 쓰지 않으면 sentiment-analysis는 나비 안에 든 작은 한국어·영어 모델을 씁니다. 내려받기도 네트워크도 "
        "필요 없습니다. 다른 작업은 Hugging Face Hub에서 흔히 쓰는 모델을 씁니다.",
    ),
    "about_chat": (
        "Talk with the chat model MODEL.\n\n"
        "\b\n"
        '  nabi chat my-model --system "Answer in Korean."\n'
        "  nabi chat my-model --load talk.json          # go on with a saved conversation\n"
        "  cat questions.txt | nabi chat my-model       # one message per line\n\n"
        "While it answers, Ctrl-C stops the answer. /help lists the commands.",
        "대화 모델 MODEL과 이야기합니다.\n\n"
        "\b\n"
        '  nabi chat my-model --system "한국어로 대답해 주세요."\n'
        "  nabi chat my-model --load talk.json          # 저장한 대화를 이어 갑니다\n"
        "  cat questions.txt | nabi chat my-model       # 한 줄에 메시지 하나씩\n\n"
        "대답하는 동안 Ctrl-C를 누르면 대답이 멈춥니다. 명령은 /help에 있습니다.",
    ),
    "about_system": ("Instructions for the model.", "모델에게 주는 지시문(시스템 메시지)."),
    "about_load": (
        "Go on with a conversation that /save wrote as JSON.",
        "/save로 저장한 대화(JSON)를 이어 갑니다.",
    ),
    "about_max_new_tokens": (
        "At most so many tokens an answer. Left out, 512.",
        "대답의 최대 토큰 수. 쓰지 않으면 512.",
    ),
    "about_sample": (
        "Draw each token by chance, or take the likeliest. Left out, as the model's generation_config.json says.",
        "토큰을 확률에 따라 뽑거나(--sample) 가장 확률이 높은 것을 고릅니다(--greedy). 쓰지 않으면 모델의 "
        "generation_config.json을 따릅니다.",
    ),
    "about_temperature": (
        "Below 1 more sober, above 1 more varied; 0 is --greedy.",
        "1보다 작으면 차분하게, 크면 다양하게 대답합니다. 0은 --greedy와 같습니다.",
    ),
    "about_top_p": (
        "Draw from the likeliest tokens that together have this probability.",
        "확률을 더해 이 값이 되는, 가장 확률이 높은 토큰들 가운데에서 뽑습니다.",
    ),
    "about_top_k_tokens": ("Draw from the N likeliest tokens.", "확률이 높은 토큰 N개 가운데에서 뽑습니다."),
    "about_seed": ("Makes what is drawn by chance the same every time.", "같은 값을 쓰면 뽑는 결과가 매번 같습니다."),
    "about_loaded_dtype": (
        "float32, bfloat16, float16, or auto: the checkpoint's own. Left out, float32.",
        "float32, bfloat16, float16, 또는 auto(체크포인트의 형식). 쓰지 않으면 float32.",
    ),
    "about_convert": (
        "Write the checkpoint SOURCE into the folder TARGET as safetensors, and check what was written.\n\n"
        "SOURCE is a folder or a repository of the Hugging Face Hub with safetensors, PyTorch's .bin, TensorFlow's "
        "tf_model.h5 or Flax's flax_model.msgpack, in one file or in shards:\n\n"
        "\b\n"
        "  nabi convert old-model new-model\n"
        "  nabi convert big-model half-model --dtype float16 --max-shard-size 2GB\n\n"
        "Configuration and tokenizer come along, code never does.",
        "체크포인트 SOURCE를 safetensors로 바꾸어 폴더 TARGET에 쓰고, 쓴 내용을 검사합니다.\n\n"
        "SOURCE는 폴더 또는 Hugging Face Hub의 저장소이며 safetensors, PyTorch의 .bin, TensorFlow의 tf_model.h5, "
        "Flax의 flax_model.msgpack을 읽습니다. 한 파일이어도, 나뉘어 있어도 됩니다.\n\n"
        "\b\n"
        "  nabi convert old-model new-model\n"
        "  nabi convert big-model half-model --dtype float16 --max-shard-size 2GB\n\n"
        "설정과 토크나이저 파일도 함께 복사하며, 코드는 복사하지 않습니다.",
    ),
    "about_source": (
        "A folder with a checkpoint, or a repository of the Hugging Face Hub.",
        "체크포인트가 든 폴더, 또는 Hugging Face Hub의 저장소 이름.",
    ),
    "about_target": (
        "The folder to write, with no checkpoint in it yet.",
        "쓸 폴더. 아직 체크포인트가 없어야 합니다.",
    ),
    "about_dtype": (
        "float16, bfloat16 or float32. Left out, each weight keeps its own.",
        "float16, bfloat16 또는 float32. 쓰지 않으면 가중치마다 원래 형식을 유지합니다.",
    ),
    "about_shards": (
        "The largest file, such as 2GB, or all-in-one. Left out, 5GB.",
        "파일 하나의 최대 크기(예: 2GB), 또는 all-in-one(한 파일로). 쓰지 않으면 5GB.",
    ),
    "about_model_class": (
        "Whose weights these are, such as BertForPreTraining. Left out, config.json says it.",
        "가중치가 속한 클래스. 예: BertForPreTraining. 쓰지 않으면 config.json을 따릅니다.",
    ),
    "about_overwrite": (
        "Replace the checkpoint that is in TARGET.",
        "TARGET에 있는 체크포인트를 바꾸어 씁니다.",
    ),
    "about_explain": (
        "Show what a task does with a text, or how a family or a checkpoint is built.\n\n"
        "With a task: the text's pieces and ids, the shapes through the model, logits and answer, and what each piece "
        "adds to it; --html writes a page with the attention of every head.\n\n"
        "\b\n"
        '  nabi explain sentiment-analysis "Great film!" --html why.html\n'
        '  nabi explain text-generation "Once" -m my-model --set max_new_tokens=20\n'
        '  nabi explain question-answering "Who called?" "Min-ji called at noon." -m my-model\n\n'
        "Without: wiring, roles, names on disk, shapes, sizes.\n\n"
        "\b\n"
        "  nabi explain bert                 # a family, with its default configuration\n"
        "  nabi explain ./my-model           # a folder: its config.json is enough\n"
        "  nabi explain klue/bert-base       # a repository of the Hub\n"
        "  nabi explain bert --tree          # every module",
        "작업이 텍스트를 어떻게 처리하는지, 또는 모델 계열이나 체크포인트의 구조를 보여 줍니다.\n\n"
        "작업 이름을 쓰면: 텍스트의 조각과 번호, 모델을 지나는 모양, 로짓과 답, 조각마다 답에 준 영향. --html은 모든 "
        "헤드의 어텐션까지 볼 수 있는 페이지를 씁니다.\n\n"
        "\b\n"
        '  nabi explain sentiment-analysis "정말 재미있어요!" --html why.html\n'
        '  nabi explain text-generation "옛날에" -m my-model --set max_new_tokens=20\n'
        '  nabi explain question-answering "누가 전화했나요?" "민지가 정오에 전화했다." -m my-model\n\n'
        "그 밖에는: 배선, 역할, 디스크의 이름, 모양, 크기.\n\n"
        "\b\n"
        "  nabi explain bert                 # 계열, 기본 설정으로\n"
        "  nabi explain ./my-model           # 폴더: config.json만 있으면 됩니다\n"
        "  nabi explain klue/bert-base       # 허브의 저장소\n"
        "  nabi explain bert --tree          # 모든 모듈",
    ),
    "about_family": (
        "A task, such as sentiment-analysis; or a family's model_type, such as bert; a folder; a repository of the "
        "Hub.",
        "작업(예: sentiment-analysis), 또는 계열의 model_type(예: bert), 폴더, 허브의 저장소.",
    ),
    "about_explained": (
        "With a task: what to explain; all its parts where the task takes several.",
        "작업 이름을 썼을 때: 설명할 텍스트. 여러 부분이 필요한 작업에서는 차례대로 모두 씁니다.",
    ),
    "about_html": (
        "Write the page to this file. It opens without a network.",
        "페이지를 이 파일에 씁니다. 네트워크 없이 열립니다.",
    ),
    "about_method": (
        "How each piece's part is measured: integrated-gradients (the default), input-x-gradient, or none.",
        "조각마다 준 영향을 재는 방법: integrated-gradients(기본값), input-x-gradient, none(재지 않음).",
    ),
    "about_target_label": (
        "The label or token to explain. Left out, the likeliest.",
        "설명할 레이블이나 토큰. 쓰지 않으면 확률이 가장 높은 것.",
    ),
    "about_position": (
        "Which written token, or which piece's label, to explain.",
        "몇 번째로 쓴 토큰을, 또는 몇 번째 조각의 레이블을 설명할지.",
    ),
    "about_alternatives": (
        "List the N likeliest where there are many.",
        "후보가 많을 때 확률이 높은 N개를 보여 줍니다.",
    ),
    "about_tree": ("Print every module.", "모든 모듈을 출력합니다."),
    "at": ("at", "위치"),
    "around": ("around them", "그 밖의 가중치"),
    "parameters": ("{count} parameters", "파라미터 {count}개"),
    "memory": ("memory of the weights: {sizes}", "가중치의 메모리: {sizes}"),
    "context": ("a text may have {length} tokens", "텍스트의 최대 길이: 토큰 {length}개"),
    "rotary": (
        "rotary positions: {kind}, theta {theta}, {size} dimensions of a head turn",
        "회전 위치: {kind}, theta {theta}, 헤드마다 {size}차원이 회전합니다",
    ),
    "window": (
        "{count} of {total} layers see the last {window} tokens only",
        "{total}개 층 가운데 {count}개는 마지막 토큰 {window}개만 봅니다",
    ),
    "tokenizer": (
        "tokenizer: {name}, {kind} with {count} tokens; special: {special}",
        "토크나이저: {name}, {kind}, 토큰 {count}개, 특수 토큰: {special}",
    ),
    "no_tokenizer": ("tokenizer: none that nabi reads is there", "토크나이저: 나비가 읽을 수 있는 것이 없습니다"),
    "classes": ("classes: {names}", "클래스: {names}"),
    "read_on": ("read on: {file}", "소스: {file}"),
    "about_task": ("What to do, such as sentiment-analysis.", "할 작업. 예: sentiment-analysis"),
    "about_texts": (
        "The texts. Left out, lines are read from standard input.",
        "텍스트. 쓰지 않으면 표준 입력에서 한 줄씩 읽습니다.",
    ),
    "about_model": (
        "A folder, or a repository of the Hugging Face Hub.",
        "모델 폴더, 또는 Hugging Face Hub의 저장소 이름.",
    ),
    "about_json": (
        "Print one JSON object per line.",
        "결과를 한 줄에 JSON 하나씩 출력합니다.",
    ),
    "about_file": (
        "Read this file: .csv or .tsv with a header, .jsonl, else one item per line (UTF-8, UTF-16 with a mark, or "
        "cp949).",
        "이 파일을 읽습니다: 머리글이 있는 .csv와 .tsv, .jsonl, 그 밖에는 한 줄에 하나씩(UTF-8, BOM이 있는 UTF-16, "
        "cp949).",
    ),
    "about_column": (
        "The column to read; once for each part where a task takes several (question, then context).",
        "읽을 열. 여러 부분이 필요한 작업에서는 차례대로 여러 번 씁니다(question, context 순).",
    ),
    "about_out": (
        "Write results to this .jsonl or .csv file, a record for each record read, with a bar.",
        "결과를 .jsonl 또는 .csv 파일에 씁니다. 읽은 레코드마다 한 레코드를 쓰고 진행 막대를 보여 줍니다.",
    ),
    "about_resume": (
        "Go on with --out where an interrupted job left it.",
        "중단된 작업이 남긴 --out 파일을 이어서 씁니다.",
    ),
    "about_overwrite_out": ("Write --out anew.", "--out 파일을 처음부터 새로 씁니다."),
    "about_engine": (
        "local, or ray: the same job on a Ray cluster. Left out, local.",
        "local, 또는 ray(같은 작업을 Ray 클러스터에서). 쓰지 않으면 local.",
    ),
    "about_workers": (
        "How many of Ray's workers load the model. Left out, as many as it has processors or GPUs.",
        "모델을 올릴 Ray 작업자 수. 쓰지 않으면 프로세서나 GPU 수만큼 씁니다.",
    ),
    "about_question": ("The same question to every item.", "모든 입력에 똑같이 던질 질문."),
    "about_context": ("The same context for every question.", "모든 질문에 똑같이 쓸 본문."),
    "about_candidate_labels": (
        "The labels to choose from, with commas between them.",
        "고를 레이블들. 쉼표로 나눕니다.",
    ),
    "about_multi_label": ("Several labels may fit at once.", "여러 레이블이 함께 맞을 수 있습니다."),
    "about_hypothesis_template": (
        "The sentence that is made of a label, with {{}} in its place.",
        "레이블로 만드는 문장. 레이블 자리에 {{}}를 씁니다.",
    ),
    "about_max_new_tokens_run": ("Write at most N tokens.", "최대 토큰 N개까지 씁니다."),
    "about_set": (
        "Any other setting of the task or of generate, such as num_beams=4; may be repeated.",
        "작업이나 generate의 다른 설정. 예: num_beams=4. 여러 번 쓸 수 있습니다.",
    ),
    "about_top_k": (
        "The N best labels, answers or fillings of each item.",
        "하나마다 점수가 높은 레이블, 답, 채울 말 N개.",
    ),
    "about_batch_size": (
        "How many texts run together. It changes the speed, not the results.",
        "한 번에 처리할 텍스트 수. 속도만 바뀌고 결과는 같습니다.",
    ),
    "about_device": (
        "cpu, cuda, cuda:1, mps or a number. Left out, an accelerator if there is one.",
        "cpu, cuda, cuda:1, mps 또는 번호. 쓰지 않으면 가속기가 있을 때 가속기를 씁니다.",
    ),
    "about_revision": (
        "A branch, tag or commit of the repository.",
        "저장소의 브랜치, 태그 또는 커밋.",
    ),
    "about_truncate": (
        "Cut texts that are too long for the model. Left out, they are errors.",
        "모델에 너무 긴 텍스트를 잘라서 처리합니다. 쓰지 않으면 오류로 알립니다.",
    ),
    "about_offline": ("Use only files that are already here.", "이미 내려받은 파일만 씁니다."),
    "about_version": ("Print the version and exit.", "버전을 출력하고 끝냅니다."),
    "about_help": ("Show this text and exit.", "이 도움말을 출력하고 끝냅니다."),
    "Usage": ("Usage", "사용법"),
    "Arguments": ("Arguments", "인자"),
    "Options": ("Options", "옵션"),
    "Commands": ("Commands", "명령"),
    "required": ("required", "필수"),
    # ------------------------------------------------------------ while running
    "keyboard": (
        "Type one text per line; end with {key}.",
        "한 줄에 텍스트 하나씩 입력하세요. 끝내려면 {key}를 누르세요.",
    ),
    "line": ("line {number} of {name}", "{name} {number}번째 줄"),
    "text": ("text {number}", "{number}번째 텍스트"),
    "standard_input": ("standard input", "표준 입력"),
    "written": ("Records in {path}: {count}", "{path}의 레코드: {count}개"),
    "resumed": ("Records that were there before: {count}", "전에 끝낸 레코드: {count}개"),
    "written_errors": (
        'Records that could not be used: {count}. Why stands in their "error".',
        '처리하지 못한 레코드: {count}개. 이유는 각 레코드의 "error"에 있습니다.',
    ),
    "interrupted": (
        "Interrupted. What is done stands in {path}; --resume goes on with it.",
        "중단했습니다. 끝낸 것은 {path}에 있고, --resume으로 이어서 할 수 있습니다.",
    ),
    "blank_lines": ("Blank lines skipped: {count}", "건너뛴 빈 줄: {count}개"),
    "reading": ("reading, writing, checking", "읽기, 쓰기, 검사"),
    "before": ("before", "변환 전"),
    "after": ("after", "변환 후"),
    "files": ("files", "파일"),
    "files_counted": ("{count} files", "파일 {count}개"),
    "weights": ("weights", "가중치"),
    "parameters_row": ("parameters", "파라미터"),
    "size": ("size", "크기"),
    "tied_left_out": (
        "Tied weights, stored once: {names}",
        "공유되는 가중치라 한 번만 저장했습니다: {names}",
    ),
    "unused_left_out": (
        "Left out, for the model class does not use them: {names}",
        "모델 클래스가 쓰지 않아 저장하지 않았습니다: {names}",
    ),
    "checked": (
        "Every weight was read back from {target} and is the same.",
        "{target}에 쓴 모든 가중치를 다시 읽어 같음을 확인했습니다.",
    ),
    "checked_cast": (
        "Every weight was read back from {target} and is the source's, rounded to {dtype}.",
        "{target}에 쓴 모든 가중치를 다시 읽어, 원본을 {dtype}(으)로 바꾼 값과 같음을 확인했습니다.",
    ),
    # ------------------------------------------------------------ while talking
    "chat_begins": (
        "Type a message. /help lists the commands, {key} leaves.",
        "메시지를 입력하세요. 명령은 /help, 끝내려면 {key}를 누르세요.",
    ),
    "chat_help": (
        "/save FILE    write the conversation: JSON, or text for people if FILE ends in .md\n"
        "/reset        forget the conversation, keep the instructions\n"
        "/system TEXT  new instructions for the model; without TEXT, none\n"
        "/undo         take your last message and its answer back\n"
        "/exit         leave\n"
        "Ctrl-C        stop the answer that is being written\n"
        "A message that begins with / needs a space before it.",
        "/save FILE    대화를 저장합니다: JSON, FILE이 .md로 끝나면 읽기 좋은 글로\n"
        "/reset        대화를 잊습니다. 지시문은 남습니다\n"
        "/system TEXT  모델에게 새 지시문을 줍니다. TEXT가 없으면 지시문을 없앱니다\n"
        "/undo         마지막 메시지와 그 대답을 되돌립니다\n"
        "/exit         끝냅니다\n"
        "Ctrl-C        쓰고 있는 대답을 멈춥니다\n"
        "/로 시작하는 메시지는 앞에 빈칸을 두세요.",
    ),
    "no_template": (
        "{name} has no chat template, so it is probably no chat model: it goes on with a text of the form User: … "
        "Assistant: …",
        "{name}에는 대화 템플릿이 없어 대화 모델이 아닌 듯합니다. User: … Assistant: … 꼴의 글을 이어 쓰게 합니다.",
    ),
    "left_out": (
        "The conversation has become too long for the model. Oldest messages left out: {count}",
        "대화가 모델에 너무 길어졌습니다. 뺀 오래된 메시지: {count}개",
    ),
    "stopped": ("The answer was stopped.", "대답을 멈췄습니다."),
    "empty_answer": ("The answer is empty.", "대답이 비어 있습니다."),
    "forgotten": ("The conversation is forgotten.", "대화를 잊었습니다."),
    "taken_back": (
        "Your last message and its answer are taken back.",
        "마지막 메시지와 그 대답을 되돌렸습니다.",
    ),
    "nothing_said": ("There is no message to take back.", "되돌릴 메시지가 없습니다."),
    "system_set": ("The instructions are set.", "지시문을 정했습니다."),
    "system_gone": ("There are no instructions any more.", "지시문을 없앴습니다."),
    "saved": ("The conversation is in {path}.", "대화를 {path}에 저장했습니다."),
    # ------------------------------------------------------------ errors
    "error": ("nabi: {message}", "nabi: {message}"),
    "see_help": ("See: {command} --help", "도움말: {command} --help"),
    "unknown_task": (
        "there is no task {name!r}.{hint} The tasks are: {tasks}",
        "{name!r}라는 작업은 없습니다.{hint} 작업: {tasks}",
    ),
    "did_you_mean": (" Did you mean {name!r}?", " 혹시 {name!r}인가요?"),
    "unknown_family": (
        "there is no family {name!r}, and no folder or Hub repository of that name that can be read. The families are: "
        "{known}",
        "{name!r}라는 계열은 없고, 그런 이름의 폴더나 허브 저장소도 읽을 수 없습니다. 계열: {known}",
    ),
    "unknown_method": (
        "there is no method {name!r}. The methods are: {known}",
        "{name!r}라는 방법은 없습니다. 방법: {known}",
    ),
    "explain_what": (
        "give the text that {task} is to be explained with, behind its name.",
        "{task} 뒤에 설명할 텍스트를 쓰세요.",
    ),
    "page_of_one": (
        "--html writes the page of one text, and {count} were given.",
        "--html은 텍스트 하나의 페이지를 씁니다. 받은 텍스트: {count}개",
    ),
    "page_written": ("The page is in {path}.", "페이지를 {path}에 썼습니다."),
    "no_page": ("the page {path!r} cannot be written: {reason}", "페이지 {path!r}을(를) 쓸 수 없습니다: {reason}"),
    "texts_and_file": (
        "give texts or --file, not both.",
        "텍스트와 --file 가운데 하나만 쓰세요.",
    ),
    "column_of_no_file": (
        "--column names a column of a --file.",
        "--column은 --file로 읽는 파일의 열 이름입니다.",
    ),
    "no_engine": (
        "there is no engine {name!r}. Use local or ray.",
        "{name!r}라는 엔진은 없습니다. local 또는 ray를 쓰세요.",
    ),
    "workers_of_ray": ("--workers needs --engine ray.", "--workers는 --engine ray와 함께 씁니다."),
    "needs_out": ("{name} needs --out.", "{name}에는 --out이 필요합니다."),
    "kind_of_out": (
        "--out is {path!r}. The name must end in .jsonl or .csv.",
        "--out이 {path!r}입니다. 이름이 .jsonl 또는 .csv로 끝나야 합니다.",
    ),
    "resume_and_overwrite": (
        "use --resume or --overwrite, not both.",
        "--resume과 --overwrite 가운데 하나만 쓰세요.",
    ),
    "out_held": (
        "{path!r} is there already. --resume goes on with it, --overwrite writes it anew.",
        "{path!r} 파일이 이미 있습니다. 이어서 쓰려면 --resume, 새로 쓰려면 --overwrite를 쓰세요.",
    ),
    "bad_setting": (
        "--set is {text!r}. Write it as name=value.",
        "--set이 {text!r}입니다. 이름=값처럼 쓰세요.",
    ),
    "needs_setting": ("{task} needs {name}.", "{task}에는 {name}가 필요합니다."),
    "parts_of_item": (
        "this task takes one item of the command line, in its parts: {parts}. Texts given: {count}",
        "이 작업은 명령줄에서 하나를 부분별로 받습니다: {parts}. 받은 텍스트: {count}개",
    ),
    "no_file": ("the file {path!r} cannot be read: {reason}", "파일 {path!r}을(를) 읽을 수 없습니다: {reason}"),
    "no_texts": ("there is no text in {name}.", "{name}에 텍스트가 없습니다."),
    "empty_text": ("the text is empty.", "텍스트가 비어 있습니다."),
    "undecodable": (
        "this is neither UTF-8 nor cp949: {bytes}. Save the text as UTF-8.",
        "UTF-8도 cp949도 아닙니다: {bytes}. UTF-8로 저장하세요.",
    ),
    "too_long": (
        "the text has {tokens} tokens, but the model takes {most} at most. --truncate cuts such texts.",
        "텍스트가 {tokens}토큰인데 모델은 {most}토큰까지만 받습니다. --truncate를 쓰면 잘라서 처리합니다.",
    ),
    "no_model": (
        "there is no folder {name!r}, and it is no id of the Hub ('name' or 'owner/name'). Check --model.",
        "{name!r}라는 폴더가 없고, Hub의 저장소 이름('name' 또는 'owner/name')도 아닙니다. --model을 확인하세요.",
    ),
    "no_source": (
        "there is no folder {name!r}, and it is no id of the Hub ('name' or 'owner/name'). Check SOURCE.",
        "{name!r}라는 폴더가 없고, Hub의 저장소 이름('name' 또는 'owner/name')도 아닙니다. SOURCE를 확인하세요.",
    ),
    "no_chat_model": (
        "there is no folder {name!r}, and it is no id of the Hub ('name' or 'owner/name'). Check MODEL.",
        "{name!r}라는 폴더가 없고, Hub의 저장소 이름('name' 또는 'owner/name')도 아닙니다. MODEL을 확인하세요.",
    ),
    "greedy_and_sampling": (
        "{names} and --greedy exclude each other: with --greedy nothing is drawn by chance.",
        "{names}와(과) --greedy는 함께 쓸 수 없습니다. --greedy에서는 확률에 따라 뽑지 않습니다.",
    ),
    "message_too_long": (
        "the message comes to {tokens} tokens with all that goes around it, and the model has room for {most} beside "
        "an answer. Shorten it.",
        "메시지가 덧붙는 것까지 {tokens}토큰인데, 대답할 자리를 빼면 모델은 {most}토큰까지 받습니다. 줄여 주세요.",
    ),
    "no_chat_command": (
        "there is no command {name!r}.{hint} The commands are: {known}. A message that begins with / needs a space "
        "before it.",
        "{name!r}라는 명령은 없습니다.{hint} 명령: {known}. /로 시작하는 메시지는 앞에 빈칸을 두세요.",
    ),
    "save_where": ("/save needs the name of a file.", "/save 뒤에 파일 이름을 쓰세요."),
    "bad_conversation": (
        "{path!r} is no conversation to go on with: {reason}",
        "{path!r}은(는) 이어 갈 수 있는 대화가 아닙니다: {reason}",
    ),
    "no_messages": (
        'it must be JSON with a list of "messages", as /save writes it.',
        '/save가 쓰는 것처럼 "messages" 목록이 있는 JSON이어야 합니다.',
    ),
    "bad_message": (
        'message {place} must have a "role", one of {roles}, and a text as "content".',
        '메시지 {place}에는 "role"({roles} 가운데 하나)과 글인 "content"가 있어야 합니다.',
    ),
    "target_held": (
        "the folder {target!r} holds a checkpoint already ({file}). Name another, or use --overwrite.",
        "폴더 {target!r}에 이미 체크포인트가 있습니다({file}). 다른 폴더를 쓰거나 --overwrite를 쓰세요.",
    ),
    "unknown_dtype": (
        "there is no dtype {name!r}. Use one of {known}.",
        "{name!r}라는 형식은 없습니다. 다음 가운데 하나를 쓰세요: {known}",
    ),
    "bad_size": (
        "--max-shard-size is {size!r}. Write it as 2GB, 500MB or all-in-one.",
        "--max-shard-size가 {size!r}입니다. 2GB, 500MB 또는 all-in-one처럼 쓰세요.",
    ),
    "lacks_library": (
        "{library} is needed to read {file}: pip install {library}",
        "{file}을(를) 읽으려면 {library}이(가) 필요합니다: pip install {library}",
    ),
    "not_reached": (
        "the model {name!r} is not on this machine and cannot be fetched. {reason}",
        "모델 {name!r}이(가) 이 컴퓨터에 없고 내려받을 수도 없습니다. {reason}",
    ),
    "no_option": ("there is no option {name}.{hint}", "{name}라는 옵션은 없습니다.{hint}"),
    "no_command": (
        "there is no command {name!r}. The commands are: {known}",
        "{name!r}라는 명령은 없습니다. 명령: {known}",
    ),
    "missing": ("{name} is missing.", "{name}이(가) 빠졌습니다."),
    "bad_value": ("{name}: {reason}", "{name}의 값이 맞지 않습니다: {reason}"),
    "unexpected": (
        "unexpected {kind}: {message} (NABI_DEBUG=1 shows where)",
        "예상하지 못한 {kind}: {message} (NABI_DEBUG=1로 실행하면 위치를 보여 줍니다)",
    ),
}


def language() -> str:
    """ "ko" where the locale is Korean, else "en". Without a locale's variables, Windows says its own language."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    if sys.platform == "win32":
        import ctypes

        if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == KOREAN_WINDOWS_LANGUAGE:
            return "ko"
    return "en"


def say(key: str, /, **values: object) -> str:
    """The message in the user's language, its names filled in."""
    english, korean = MESSAGES[key]
    return (korean if language() == "ko" else english).format(**values)
