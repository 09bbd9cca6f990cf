#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes random LoRA adapters for the models of tests/vectors/hf as peft saves them, and what it makes of a prompt.

For each model a folder: adapter_config.json, adapter_model.safetensors (llama, qwen3: bf16), and logits.bin as
make_hf_models.py writes it: the same ids, with the adapter.

usage: pip install torch==2.13.0 transformers==5.24.0 peft==0.21.2 numpy
       PYTHONHASHSEED=0 make_hf_adapters.py tests/vectors/hf tests/vectors/lora
"""
import json
import os
import sys

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import transformers_weight_conversion
from transformers import AutoModelForCausalLM

MLP = ["gate_proj", "up_proj", "down_proj"]
DENSE = ["q_proj", "k_proj", "v_proj", "o_proj", *MLP]
# With transformers 5 peft takes gate_proj and the like of a model with experts for those of routed experts, which are one
# tensor there, wherever they stand. Adapters of dense layers and shared experts, as peft saves them with transformers
# 4, need that left out.
transformers_weight_conversion.convert_peft_config_for_transformers = lambda *_, **__: None
FEED_FORWARD = r"(0\.mlp|shared_experts)\.(gate|up|down)_proj"


def latent(*names):
    """One regular expression: the attention's modules, and those of dense layers and shared experts."""
    return rf".*\.({'|'.join(names)}|kv_a_proj_with_mqa|o_proj|{FEED_FORWARD})|lm_head"


ADAPTERS = {
    "llama": dict(r=4, lora_alpha=8, target_modules=DENSE, rank_pattern={"q_proj": 6, "layers.1.mlp.down_proj": 2},
                  alpha_pattern={"o_proj": 3}),
    "qwen2": dict(r=3, lora_alpha=6, target_modules=DENSE, use_rslora=True),
    "qwen3": dict(r=40, lora_alpha=20, target_modules=["q_proj", "v_proj", "up_proj"]),
    "deepseek_v2": dict(r=4, lora_alpha=8, target_modules=latent("q_proj")),
    "deepseek_v3": dict(r=4, lora_alpha=8, target_modules=latent("q_a_proj", "q_b_proj")),
    "deepseek_v32": dict(r=4, lora_alpha=8, target_modules=latent("q_a_proj", "q_b_proj", "wq_b", "wk", "weights_proj")),
}
BF16 = ("llama", "qwen3")


def fill(model, seed):
    """Both matrices of every pair, so that B A is about a third of the weights that it is added to."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" not in name:
            continue
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data.copy_((1.0 if "lora_A" in name else 0.3) * noise / parameter.shape[1] ** 0.5)
        if model.peft_config["default"].base_model_name_or_path in BF16:
            parameter.data = parameter.data.to(torch.bfloat16).float()


def write(family, base, out):
    golden = np.fromfile(os.path.join(base, "logits.bin"), dtype="<u4")
    count = int(golden[0])
    ids = golden[2:2 + count].astype(np.int64)
    model = AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager", dtype=torch.float32).eval()
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **ADAPTERS[family])).eval()
    model.peft_config["default"].base_model_name_or_path = family
    fill(model, seed=len(family))
    with torch.no_grad():
        logits = model(torch.from_numpy(ids)[None]).logits[0].float().numpy()
    if family in BF16:
        # The values are bf16 already; so is what is stored.
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.data = parameter.data.to(torch.bfloat16)
    model.save_pretrained(out, save_embedding_layers=False)
    os.remove(os.path.join(out, "README.md"))
    with open(os.path.join(out, "logits.bin"), "wb") as file:
        file.write(np.array([count, logits.shape[1]], dtype="<u4").tobytes())
        file.write(ids.astype("<i4").tobytes())
        file.write(logits.astype("<f4").tobytes())


def main():
    for family in ADAPTERS:
        write(family, os.path.join(sys.argv[1], family), os.path.join(sys.argv[2], family))


if __name__ == "__main__":
    main()
