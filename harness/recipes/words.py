"""The words that authors and other trainers have for the keys of a recipe, and examples of what to write."""

from __future__ import annotations

from harness.documents.part import meanings

RECIPE = meanings(
    recipe="name title id",
    about="description desc summary",
    base="model base_model model_name model_id model_name_or_path pretrained checkpoint",
    target="suite target_suite eval eval_suite",
    corpus="data dataset train train_file training training_data train_data examples",
    method="peft tuning technique adapter",
    learning_rate="lr rate learningrate",
    epochs="num_epochs num_train_epochs epoch n_epochs",
    steps="max_steps num_steps updates",
    batch="batch_size per_device_train_batch_size train_batch_size bs",
    accumulation="gradient_accumulation gradient_accumulation_steps grad_accum grad_accumulation",
    warmup="warmup_ratio warm_up",
    schedule="lr_scheduler lr_scheduler_type scheduler lr_schedule",
    weight_decay="decay wd",
    precision="dtype torch_dtype mixed_precision",
    seed="random_seed",
    replay="rehearsal",
    distill="distillation kd",
    masked_kl="tmkl masked_target_kl mask_the_target",
    stm="token_masking selective_token_masking",
    flow="sample_weights sample_weighting",
    eaft="use_eaft_loss entropy_gating",
    talr="token_reweighting",
    finch="loss_adaptive_rate",
    oplora="orthogonal_lora",
    sdft="self_distillation opsd",
)
CORPUS = meanings(
    file="path data dataset train_file filename",
    split="subset part",
    limit="max_examples max_samples num_examples first",
)
LORA = meanings(
    r="rank lora_r",
    alpha="lora_alpha",
    dropout="lora_dropout",
    target_modules="modules targets target layers",
    modules_to_save="save_modules",
)
OF_KEYS = {
    "stm": meanings(threshold="perplexity ppl max_perplexity tau"),
    "flow": meanings(temperature="tau"),
    "eaft": meanings(top="k top_k topk", power="alpha eaft_alpha exponent"),
    "talr": meanings(temperature="tau", least="floor weight_floor w_min minimum"),
    "masked_kl": meanings(weight="lambda beta kl_weight alpha", temperature="tau"),
    "finch": meanings(at_loss="loss reference_loss", smoothing="alpha ema beta", most="max_factor highest"),
    "sdft": meanings(
        max_new_tokens="max_completion_length max_length",
        teacher_rate="ema ema_rate alpha teacher_alpha",
        skip="num_loss_tokens_to_skip skip_tokens",
        divergence="kl loss",
    ),
}
"""Of the keys that mitigations bring, where they are no corpora."""
METHOD = meanings(lora="peft adapter qlora", full="all fine_tune finetune full_fine_tuning")

RECIPES = {
    "recipe": "recipe: careful",
    "base": "base: embedded, or a folder or hub id of a model",
    "corpus": "corpus: {file: corpus.jsonl}",
    "method": "method: {lora: {r: 16, alpha: 32}}",
    "learning_rate": "learning_rate: 2e-4",
}
CORPORA = {"": "{file: corpus.jsonl}", "file": "file: corpus.jsonl"}
METHODS = {"": "{lora: {r: 16, alpha: 32}}", "lora": "{lora: {}}", "full": "{full: {}}"}
LORAS = {"": "{r: 16, alpha: 32}"}
FULLS = {"": "{}"}
