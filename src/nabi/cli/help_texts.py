"""What --help and `nabi explain` say, in English and Korean side by side."""

from __future__ import annotations

# As in messages.py, of which this is the first part.
HELP: dict[str, tuple[str, str]] = {
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
}
