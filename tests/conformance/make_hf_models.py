#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tiny random models of every family as Hugging Face folders, and what transformers makes of a prompt.

Each folder: config.json, generation_config.json, tokenizer.json, model.safetensors (f32), and logits.bin,
little-endian: u32 positions, u32 vocabulary; i32 ids[positions]; f32 logits[positions][vocabulary].
rope.json beside them: inverse frequencies and attention factor that transformers computes for several settings.

usage: pip install torch==2.13.0 transformers==5.24.0 tokenizers numpy
       make_hf_models.py tests/vectors/hf
"""
import json
import os
import sys

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (AutoModelForCausalLM, DeepseekV2Config, DeepseekV3Config, DeepseekV32Config, GenerationConfig,
                          LlamaConfig, Qwen2Config, Qwen3Config)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

POSITIONS = 40
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 256 + len(SPECIALS)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32, beta_fast=32.0,
            beta_slow=1.0)
COMMON = dict(vocab_size=VOCABULARY, bos_token_id=1, eos_token_id=2, pad_token_id=0, attention_dropout=0.0)
LATENT = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4,
              kv_lora_rank=16, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=16, n_routed_experts=8,
              moe_intermediate_size=16, first_k_dense_replace=1, max_position_embeddings=128, rms_norm_eps=1e-6,
              tie_word_embeddings=False, **COMMON)
CONFIGS = {
    "llama": LlamaConfig(
        hidden_size=40, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        head_dim=16, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
        rope_parameters=dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0,
                             high_freq_factor=4.0, original_max_position_embeddings=32), **COMMON),
    "qwen2": Qwen2Config(
        hidden_size=48, intermediate_size=56, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
        max_position_embeddings=256, rms_norm_eps=1e-6, tie_word_embeddings=True,
        rope_parameters=dict(rope_type="default", rope_theta=1000000.0), use_sliding_window=False, **COMMON),
    "qwen3": Qwen3Config(
        hidden_size=40, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        head_dim=16, max_position_embeddings=128, rms_norm_eps=1e-6, tie_word_embeddings=True,
        rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0,
                             original_max_position_embeddings=32), use_sliding_window=False, **COMMON),
    "deepseek_v2": DeepseekV2Config(
        q_lora_rank=None, n_shared_experts=2, num_experts_per_tok=3, n_group=4, topk_group=2,
        topk_method="group_limited_greedy", norm_topk_prob=False, routed_scaling_factor=2.0,
        rope_parameters=dict(mscale=0.707, mscale_all_dim=0.707, **YARN), **LATENT),
    "deepseek_v3": DeepseekV3Config(
        q_lora_rank=16, n_shared_experts=1, num_experts_per_tok=3, n_group=4, topk_group=2, norm_topk_prob=True,
        routed_scaling_factor=1.5, rope_parameters=dict(mscale=1.0, mscale_all_dim=1.0, **YARN), **LATENT),
    "deepseek_v32": DeepseekV32Config(
        q_lora_rank=16, n_shared_experts=1, num_experts_per_tok=2, n_group=2, topk_group=1, norm_topk_prob=True,
        routed_scaling_factor=1.5, rope_parameters=dict(mscale=1.0, mscale_all_dim=1.0, **YARN),
        index_n_heads=4, index_head_dim=16, index_topk=12, **LATENT),
}


def fill(model, seed):
    """Weights of the size that a trained model has, and norms and biases that matter."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith("bias"):
            value = 0.5 * noise
        elif parameter.dim() == 1:
            value = 1 + 0.2 * noise
        elif "embed_tokens" in name:
            value = noise
        else:
            sharp = any(part in name for part in ("q_proj", "q_b_proj", "k_proj"))
            value = (2.5 if sharp else 1.3) * noise / parameter.shape[-1] ** 0.5
        parameter.data.copy_(value)
    for name, buffer in model.named_buffers():
        # Most values that experts are chosen by become negative: masks must not let closed groups win.
        if name.endswith("e_score_correction_bias"):
            buffer.copy_(0.2 * torch.randn(buffer.shape, generator=generator) - 0.9)


def write_tokenizer(path):
    vocabulary = {token: i for i, token in enumerate(SPECIALS)}
    for token in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[token] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.save(path)


def write_model(family, config, folder):
    config.dtype = torch.float32
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    fill(model, seed=len(family) * 1000 + config.hidden_size)
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=[2, 0], pad_token_id=0)
    model.save_pretrained(folder)
    write_tokenizer(os.path.join(folder, "tokenizer.json"))
    ids = torch.randint(0, VOCABULARY, (POSITIONS,), generator=torch.Generator().manual_seed(7)).tolist()
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].float().numpy()
    with open(os.path.join(folder, "logits.bin"), "wb") as out:
        out.write(np.array([POSITIONS, VOCABULARY], dtype="<u4").tobytes())
        out.write(np.array(ids, dtype="<i4").tobytes())
        out.write(logits.astype("<f4").tobytes())


def rope_cases():
    """Published settings (llama 3.1, qwen 2.5 and 3) and odd ones."""
    settings = [
        (128, 131072, dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0,
                           high_freq_factor=4.0, original_max_position_embeddings=8192)),
        (64, 131072, dict(rope_type="llama3", rope_theta=500000.0, factor=32.0, low_freq_factor=1.0,
                          high_freq_factor=4.0, original_max_position_embeddings=8192)),
        (128, 131072, dict(rope_type="yarn", rope_theta=1000000.0, factor=4.0,
                           original_max_position_embeddings=32768)),
        (96, 4096, dict(rope_type="yarn", rope_theta=10000.0, factor=16.0, beta_fast=16.0, beta_slow=2.0,
                        original_max_position_embeddings=256)),
        (64, 8192, dict(rope_type="linear", rope_theta=10000.0, factor=2.5)),
    ]
    out = []
    for head_dim, context, rope in settings:
        config = LlamaConfig(hidden_size=head_dim, num_attention_heads=1, num_key_value_heads=1, head_dim=head_dim,
                             max_position_embeddings=context, rope_parameters=dict(rope))
        inverse, factor = ROPE_INIT_FUNCTIONS[rope["rope_type"]](config, "cpu")
        out.append(dict(head_dim=head_dim, rope=rope, inv_freq=[float(x) for x in inverse], attention_factor=factor))
    return out


def main():
    out = sys.argv[1]
    for family, config in CONFIGS.items():
        write_model(family, config, os.path.join(out, family))
    with open(os.path.join(out, "rope.json"), "w", encoding="utf-8") as file:
        json.dump(rope_cases(), file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
