"""Adapters on decoders: LoRA on GPT-2's Conv1D layers, soft prompts, prefixes, IA3; on Llama and T5; generating."""

import torch
from answer import answer
from peft import (
    AutoPeftModelForCausalLM,
    IA3Config,
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    get_peft_model,
    prepare_model_for_kbit_training,
)
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer


def learn(model, batch, steps=4):
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05)
    model.eval()
    losses = []
    for _ in range(steps):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def written(model, inputs, **settings):
    return model.generate(**inputs, max_new_tokens=8, do_sample=False, pad_token_id=0, **settings).tolist()


found = {}
tokenizer = AutoTokenizer.from_pretrained("gpt2")
batch = tokenizer("Once upon a time, in a land far away,", return_tensors="pt")
batch["labels"] = batch["input_ids"].clone()
prompt = {name: batch[name] for name in ("input_ids", "attention_mask")}

torch.manual_seed(1)
lora = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules=["c_attn", "c_proj"], fan_in_fan_out=True)
model = get_peft_model(AutoModelForCausalLM.from_pretrained("gpt2"), lora)
found["gpt2 layer"] = type(model.base_model.model.transformer.h[0].attn.c_attn.base_layer).__name__
found["gpt2 losses"] = learn(model, batch)
found["gpt2 writes"] = written(model, prompt)
model.save_pretrained("gpt2_lora")
whole = AutoPeftModelForCausalLM.from_pretrained("gpt2_lora")
found["gpt2 reloaded writes"] = written(whole, prompt)
merged = whole.merge_and_unload()
found["gpt2 merged writes"] = written(merged, prompt)
with torch.no_grad():
    found["gpt2 merged logits"] = merged(**prompt).logits[0, -1, :20]

torch.manual_seed(1)  # the target modules are peft's own choice for the architecture
model = get_peft_model(AutoModelForCausalLM.from_pretrained("gpt2"), LoraConfig(task_type="CAUSAL_LM", r=2))
found["gpt2 chosen"] = sorted(model.peft_config["default"].target_modules)

torch.manual_seed(1)
soft = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
model = get_peft_model(AutoModelForCausalLM.from_pretrained("gpt2"), soft)
found["soft prompt losses"] = learn(model, batch)
found["soft prompt writes"] = written(model, prompt)

torch.manual_seed(1)
prefix = PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
model = get_peft_model(AutoModelForCausalLM.from_pretrained("gpt2"), prefix)
found["prefix losses"] = learn(model, batch)
found["prefix writes"] = written(model, prompt)

torch.manual_seed(1)
model = get_peft_model(AutoModelForCausalLM.from_pretrained("gpt2"), IA3Config(task_type="CAUSAL_LM"))
found["IA3 losses"] = learn(model, batch)

tokenizer = AutoTokenizer.from_pretrained("TinyLlama/TinyLlama-1.1B-Chat-v1.0")
chat = tokenizer.apply_chat_template(
    [{"role": "user", "content": "서울은 어떤 도시인가요?"}],
    add_generation_prompt=True,
    return_tensors="pt",
    return_dict=True,
)
llama = AutoModelForCausalLM.from_pretrained("TinyLlama/TinyLlama-1.1B-Chat-v1.0")
llama = prepare_model_for_kbit_training(llama, use_gradient_checkpointing=True)
torch.manual_seed(1)
model = get_peft_model(llama, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear"))
with torch.no_grad():  # nabi's layers stand in another order, in which peft would draw other numbers
    for name, weight in model.named_parameters():
        if "lora_A" in name:
            weight.copy_(torch.linspace(-0.3, 0.3, weight.numel()).reshape(weight.shape))
model.train()
batch = {**chat, "labels": chat["input_ids"]}
model(**batch).loss.backward()  # recomputed in the backward pass
found["llama gradient"] = sum(p.grad.norm().item() for p in model.parameters() if p.grad is not None)
found["llama adapted"] = sum("lora_A" in name for name, _ in model.named_parameters())
model.gradient_checkpointing_disable()
found["llama losses"] = learn(model, batch)
model.save_pretrained("llama_first")
model.load_adapter("llama_first", adapter_name="second")
model.set_adapter("second")
found["llama second writes"] = written(model, chat)
model.add_weighted_adapter(["default", "second"], [0.5, 0.5], "both", combination_type="linear")
model.set_adapter("both")
found["llama both writes"] = written(model, chat)

tokenizer = AutoTokenizer.from_pretrained("t5-small")
batch = tokenizer("Translate English to German: the house is wonderful.", return_tensors="pt")
labels = tokenizer(text_target="The weather was good today.", return_tensors="pt")["input_ids"]
torch.manual_seed(1)
lora = LoraConfig(task_type="SEQ_2_SEQ_LM", r=4, target_modules=["q", "v"], modules_to_save=["lm_head"])
model = get_peft_model(AutoModelForSeq2SeqLM.from_pretrained("t5-small"), lora)
found["t5 losses"] = learn(model, {**batch, "labels": labels})
found["t5 writes"] = written(model, batch, num_beams=2)
model.save_pretrained("t5_lora")
loaded = PeftModel.from_pretrained(AutoModelForSeq2SeqLM.from_pretrained("t5-small"), "t5_lora")
found["t5 reloaded writes"] = written(loaded, batch, num_beams=2)

answer(**found)
