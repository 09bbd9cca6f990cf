#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tiny random models of DeepSeek's families, how much each expert of theirs matters (REAP), and the pruned models' logits.

Written from arXiv 2510.13999, equation 9, on transformers' own routers: the saliency of an expert is the mean, over the
tokens routed to it, of (the weight it is added with) * (2-norm of its output); the lowest of a layer go, the same number
from every group of a group-limited router.

Each folder: config.json, tokenizer.json, model.safetensors (BF16; computed with in f32), model.gguf (F32), and pruned.bin:
what transformers makes of the model with the kept experts only, as logits.bin of make_hf_models.py. saliency.json beside
them: by family `keep`, and by layer `counts`, `saliency` and `kept`.

usage: pip install torch==2.13.0 transformers==5.24.0 gguf==0.19.0 tokenizers numpy safetensors
       make_reap_vectors.py tests/vectors/reap
"""
import json
import os
import sys

import make_format_models as formats
import make_hf_models as hf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, DeepseekV2Config, DeepseekV3Config, DeepseekV32Config, GenerationConfig

VOCABULARY = hf.VOCABULARY + 1
SHAPE = dict(hf.LATENT, first_k_dense_replace=0, vocab_size=VOCABULARY)
V3 = dict(q_lora_rank=16, n_shared_experts=1, norm_topk_prob=True, routed_scaling_factor=1.5,
          rope_parameters=dict(mscale=1.0, mscale_all_dim=1.0, **hf.YARN))
# family: (configuration, experts that stay)
MODELS = {
    "deepseek_v2": (lambda experts: DeepseekV2Config(**dict(
        SHAPE, n_routed_experts=experts, q_lora_rank=None, n_shared_experts=2, num_experts_per_tok=3, n_group=3,
        topk_group=2, topk_method="group_limited_greedy", norm_topk_prob=False, routed_scaling_factor=2.0,
        rope_parameters=dict(mscale=0.707, mscale_all_dim=0.707, **hf.YARN))), 12, 6),
    "deepseek_v3": (lambda experts: DeepseekV3Config(**dict(
        SHAPE, n_routed_experts=experts, num_experts_per_tok=3, n_group=2, topk_group=1, **V3)), 12, 8),
    # Eight heads of the indexer: with fewer, positions that no head likes tie at 0, and torch.topk takes any of them.
    "deepseek_v32": (lambda experts: DeepseekV32Config(**dict(
        SHAPE, n_routed_experts=experts, num_experts_per_tok=2, n_group=1, topk_group=1, index_n_heads=8,
        index_head_dim=16, index_topk=12, **V3)), 8, 5),
}


def write_tokenizer(path):
    """As hf.write_tokenizer, and one merge, without which no GGUF file is complete."""
    hf.write_tokenizer(path)
    with open(path, encoding="utf-8") as file:
        table = json.load(file)
    table["model"]["vocab"]["ab"] = VOCABULARY - 1
    table["model"]["merges"] = [["a", "b"]]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(table, file, ensure_ascii=False, indent=1)


def make(config):
    config.dtype = torch.float32
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()


def round_to_bf16(model):
    """What is saved; not the frequencies, which every reader computes."""
    for value in model.state_dict().values():
        value.copy_(value.to(torch.bfloat16).float())


def expert_output(experts, index, x):
    gate, up = experts.gate_up_proj[index].chunk(2, dim=0)
    return (torch.nn.functional.silu(x @ gate.T) * (x @ up.T)) @ experts.down_proj[index].T


def saliencies(model, ids):
    """By layer: (counts, saliencies)."""
    seen = {}

    def observe(layer):
        def hook(experts, arguments):
            x, chosen, weights = arguments
            count = experts.gate_up_proj.shape[0]
            sums, counts = np.zeros(count), np.zeros(count, dtype=int)
            for index in range(count):
                rows, slots = torch.where(chosen == index)
                counts[index] = len(rows)
                norms = expert_output(experts, index, x[rows]).double().norm(dim=-1)
                sums[index] = float((weights[rows, slots].double() * norms).sum())
            seen[layer] = counts.tolist(), (sums / np.maximum(counts, 1)).tolist()
        return hook

    hooks = [block.mlp.experts.register_forward_pre_hook(observe(i)) for i, block in enumerate(model.model.layers)]
    with torch.no_grad():
        model(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return [seen[i] for i in range(len(model.model.layers))]


def kept_of(saliency, groups, keep):
    """The best of each group; of equal ones the first."""
    size = len(saliency) // groups
    out = []
    for group in range(groups):
        members = range(group * size, (group + 1) * size)
        out += sorted(members, key=lambda e: (-saliency[e], e))[:keep // groups]
    return sorted(out)


def pruned(model, config, kept):
    other = make(config)
    state = model.state_dict()
    for name, value in other.state_dict().items():
        source = state[name]
        if source.shape != value.shape:
            source = source[kept[int(name.split(".")[2])]]
        value.copy_(source)
    return other


def write_logits(model, ids, path):
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].float().numpy()
    with open(path, "wb") as out:
        out.write(np.array([len(ids), VOCABULARY], dtype="<u4").tobytes())
        out.write(np.array(ids, dtype="<i4").tobytes())
        out.write(logits.astype("<f4").tobytes())


def write_gguf(family, config, folder):
    """From the folder that was written, so that names are those of the published layout."""
    from safetensors import safe_open
    with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
        names = sorted(file.keys(), key=lambda name: [int(p) if p.isdigit() else p for p in name.split(".")])
        values = {name: file.get_tensor(name).float().numpy() for name in names}
    rope = config.rope_parameters
    table = dict(config.to_dict(), rope_theta=rope["rope_theta"], rope_scaling=rope,
                 scoring_func="softmax" if family == "deepseek_v2" else "sigmoid")
    # The group-limited choice of deepseek2 files has no key of its own: it is the group count.
    formats.write_deepseek_gguf(family, table, values, os.path.join(folder, "model.gguf"), folder)


def write_model(family, configure, experts, keep, folder):
    model = make(configure(experts))
    hf.fill(model, seed=len(family) * 100 + experts)
    round_to_bf16(model)
    ids = torch.randint(0, VOCABULARY, (hf.POSITIONS,), generator=torch.Generator().manual_seed(11)).tolist()
    layers = saliencies(model, ids)
    kept = [kept_of(saliency, model.config.n_group, keep) for _, saliency in layers]
    write_logits(pruned(model, configure(keep), kept), ids, os.path.join(folder, "pruned.bin"))
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=[2, 0], pad_token_id=0)
    model.to(torch.bfloat16).save_pretrained(folder)
    write_tokenizer(os.path.join(folder, "tokenizer.json"))
    write_gguf(family, model.config, folder)
    return {"keep": keep, "layers": [{"counts": counts, "saliency": saliency, "kept": kept[i]}
                                     for i, (counts, saliency) in enumerate(layers)]}


def main():
    out, table = sys.argv[1], {}
    for family, (configure, experts, keep) in MODELS.items():
        folder = os.path.join(out, family)
        os.makedirs(folder, exist_ok=True)
        table[family] = write_model(family, configure, experts, keep, folder)
    with open(os.path.join(out, "saliency.json"), "w", encoding="utf-8") as file:
        json.dump(table, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
