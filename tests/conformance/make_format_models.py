#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the same tiny models in several formats, for the table of families and formats.

For the dense families (Hugging Face folders made by make_hf_models.py): OUT/<family>.gguf.
For DeepSeek's: OUT/<family>/ (Hugging Face layout, two shards and an index, a layer of multi-token prediction
where the family has them, F8 with scales in deepseek_v3) and OUT/<family>.gguf; of deepseek_v2 also the older
spelling of MLA (attn_kv_b) and a file split in two.

GGUF is written with PyPI gguf; names and the order of rows are those of llama.cpp's converter
(conversion/llama.py, conversion/deepseek.py), restated here.

usage: pip install gguf==0.19.0 numpy safetensors; make_format_models.py tests/vectors/hf tests/vectors/formats
"""
import json
import os
import re
import shutil
import sys

import gguf
import numpy as np

TOKENS = 259


def read_safetensors(path):
    """name -> f32 array; F32 and BF16."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        table = json.loads(file.read(size))
        data = file.read()
    out = {}
    for name, entry in table.items():
        if name == "__metadata__":
            continue
        raw = data[slice(*entry["data_offsets"])]
        out[name] = np.frombuffer(raw, "<f4").reshape(entry["shape"])
    return out


def write_safetensors(path, tensors):
    """tensors: name -> (dtype, shape, bytes)."""
    table, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, raw) in tensors.items():
        table[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def permute(weights, heads):
    """llama.cpp's order of q and k of the llama architecture."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)


def add_tokenizer(writer, folder):
    model = json.load(open(os.path.join(folder, "tokenizer.json")))["model"]
    vocabulary = model["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * 3 + [1] * (len(tokens) - 3))
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)


def add_common(writer, config):
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def llama3_divisors(rope, dim):
    """As conversion/llama.py: what each frequency is divided by."""
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    context, factor = rope["original_max_position_embeddings"], rope["factor"]
    frequencies = 1.0 / (rope["rope_theta"] ** (np.arange(0, dim, 2, dtype=np.float32) / dim))
    out = []
    for wavelength in 2 * np.pi / frequencies:
        if wavelength < context / high:
            out.append(1)
        elif wavelength > context / low:
            out.append(factor)
        else:
            smooth = (context / wavelength - low) / (high - low)
            out.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(out, dtype=np.float32)


def write_dense(family, folder, path):
    config = json.load(open(os.path.join(folder, "config.json")))
    tensors = read_safetensors(os.path.join(folder, "model.safetensors"))
    writer = gguf.GGUFWriter(path, family)
    add_common(writer, config)
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    rope = config["rope_parameters"]
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    add_tokenizer(writer, folder)
    if rope["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_divisors(rope, head_dim))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[family.upper()], config["num_hidden_layers"])
    for name, value in tensors.items():
        if family == "llama" and re.search(r"[qk]_proj\.", name):
            heads = config["num_attention_heads" if "q_proj" in name else "num_key_value_heads"]
            value = permute(value, heads)
        writer.add_tensor(names.get_name(name, (".weight", ".bias")), np.ascontiguousarray(value))
    finish(writer)


DEEPSEEK = dict(
    vocab_size=TOKENS, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-6, rope_theta=10000.0, hidden_act="silu",
    tie_word_embeddings=False, kv_lora_rank=16, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=16,
    n_routed_experts=4, n_shared_experts=1, num_experts_per_tok=2, moe_intermediate_size=16,
    first_k_dense_replace=1, moe_layer_freq=1, attention_bias=False, bos_token_id=1, eos_token_id=2,
    rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=64, beta_fast=32, beta_slow=1,
                      mscale=0.707, mscale_all_dim=0.707))
FAMILIES = {
    "deepseek_v2": dict(q_lora_rank=None, topk_method="greedy", scoring_func="softmax", norm_topk_prob=False,
                        routed_scaling_factor=1.0, n_group=1, topk_group=1),
    "deepseek_v3": dict(q_lora_rank=24, topk_method="noaux_tc", scoring_func="sigmoid", norm_topk_prob=True,
                        routed_scaling_factor=2.5, n_group=2, topk_group=1, num_nextn_predict_layers=1,
                        quantization_config=dict(quant_method="fp8", fmt="e4m3", activation_scheme="dynamic",
                                                 weight_block_size=[128, 128])),
    "deepseek_v32": dict(q_lora_rank=24, topk_method="noaux_tc", scoring_func="sigmoid", norm_topk_prob=True,
                         routed_scaling_factor=2.5, n_group=2, topk_group=1, index_n_heads=2, index_head_dim=16,
                         index_topk=8),
}


def deepseek_shapes(c):
    """name -> shape, in transformers' names."""
    hidden, heads, rank = c["hidden_size"], c["num_attention_heads"], c["kv_lora_rank"]
    nope, rope, v, moe = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"], c["moe_intermediate_size"]
    out = {"model.embed_tokens.weight": (TOKENS, hidden), "model.norm.weight": (hidden,),
           "lm_head.weight": (TOKENS, hidden)}

    def mlp(prefix, width):
        out[prefix + "gate_proj.weight"] = out[prefix + "up_proj.weight"] = (width, hidden)
        out[prefix + "down_proj.weight"] = (hidden, width)

    for layer in range(c["num_hidden_layers"]):
        p = "model.layers.%d." % layer
        out[p + "input_layernorm.weight"] = out[p + "post_attention_layernorm.weight"] = (hidden,)
        if c["q_lora_rank"]:
            out[p + "self_attn.q_a_proj.weight"] = (c["q_lora_rank"], hidden)
            out[p + "self_attn.q_a_layernorm.weight"] = (c["q_lora_rank"],)
            out[p + "self_attn.q_b_proj.weight"] = (heads * (nope + rope), c["q_lora_rank"])
        else:
            out[p + "self_attn.q_proj.weight"] = (heads * (nope + rope), hidden)
        out[p + "self_attn.kv_a_proj_with_mqa.weight"] = (rank + rope, hidden)
        out[p + "self_attn.kv_a_layernorm.weight"] = (rank,)
        out[p + "self_attn.kv_b_proj.weight"] = (heads * (nope + v), rank)
        out[p + "self_attn.o_proj.weight"] = (hidden, heads * v)
        if "index_topk" in c:
            dim = c["index_head_dim"]
            out[p + "self_attn.indexer.wq_b.weight"] = (c["index_n_heads"] * dim, c["q_lora_rank"])
            out[p + "self_attn.indexer.wk.weight"] = (dim, hidden)
            out[p + "self_attn.indexer.k_norm.weight"] = out[p + "self_attn.indexer.k_norm.bias"] = (dim,)
            out[p + "self_attn.indexer.weights_proj.weight"] = (c["index_n_heads"], hidden)
        if layer < c["first_k_dense_replace"]:
            mlp(p + "mlp.", c["intermediate_size"])
            continue
        out[p + "mlp.gate.weight"] = (c["n_routed_experts"], hidden)
        if c["topk_method"] == "noaux_tc":
            out[p + "mlp.gate.e_score_correction_bias"] = (c["n_routed_experts"],)
        for expert in range(c["n_routed_experts"]):
            mlp(p + "mlp.experts.%d." % expert, moe)
        mlp(p + "mlp.shared_experts.", moe)
    return out


def bf16(values):
    """Nearest even, as (bits, value)."""
    bits = values.astype("<f4").view("<u4")
    bits = ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype("<u2")
    return bits, (bits.astype("<u4") << 16).view("<f4")


def e4m3_values():
    codes = np.arange(256)
    exponent, significand = codes >> 3 & 15, codes & 7
    size = np.where(exponent == 0, significand * 2.0 ** -9, (8 + significand) * 2.0 ** (exponent - 10.0))
    return np.where(codes & 128, -size, size).astype("<f4")


def store(rng, family, name, values):
    """(entries of a safetensors table, the f32 values that they mean)."""
    is_vector = len(values.shape) == 1 or name.endswith("mlp.gate.weight")
    if family == "deepseek_v3" and not is_vector and ("_proj" in name):
        codes = rng.integers(0, 256, values.shape, dtype=np.uint8)
        codes[codes & 127 == 127] = 0
        scale = np.float32(0.01 * rng.random() + 1e-4)
        return {name: ("F8_E4M3", values.shape, codes.tobytes()),
                name + "_scale_inv": ("F32", (1, 1), scale.tobytes())}, e4m3_values()[codes] * scale
    if is_vector:
        return {name: ("F32", values.shape, values.astype("<f4").tobytes())}, values.astype("<f4")
    bits, rounded = bf16(values)
    return {name: ("BF16", values.shape, bits.tobytes())}, rounded.reshape(values.shape)


def write_deepseek_folder(family, config, folder, tokenizer):
    rng = np.random.default_rng(len(family) * 17)
    os.makedirs(folder, exist_ok=True)
    shapes, values, shards = deepseek_shapes(config), {}, [{}, {}]
    if config.get("num_nextn_predict_layers"):
        shapes["model.layers.%d.eh_proj.weight" % config["num_hidden_layers"]] = (4, 4)
    for i, (name, shape) in enumerate(shapes.items()):
        is_norm = "norm" in name and name.endswith("weight")
        raw = rng.standard_normal(shape) * (0.2 if is_norm else 0.3) + (1 if is_norm else 0)
        entries, values[name] = store(rng, family, name, raw)
        shards[i * 2 // len(shapes)].update(entries)
    index = {}
    for number, shard in enumerate(shards):
        file = "model-%05d-of-00002.safetensors" % (number + 1)
        write_safetensors(os.path.join(folder, file), shard)
        index.update(dict.fromkeys(shard, file))
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {}, "weight_map": index}, file, indent=0)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(dict(config, model_type=family), file, indent=1)
    shutil.copy(tokenizer, os.path.join(folder, "tokenizer.json"))
    return values


def deepseek_tensors(config, values, legacy):
    """llama.cpp's names and orders."""
    heads, nope, v = config["num_attention_heads"], config["qk_nope_head_dim"], config["v_head_dim"]
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GLM_DSA, config["num_hidden_layers"])
    out, experts = {}, {}
    for name, value in values.items():
        found = re.match(r"model\.layers\.(\d+)\.(.*)", name)
        if found and int(found[1]) >= config["num_hidden_layers"]:
            continue
        expert = re.search(r"mlp\.experts\.(\d+)\.(\w+)_proj", name)
        if expert:
            experts.setdefault("blk.%s.ffn_%s_exps.weight" % (found[1], expert[2]), []).append(value)
            continue
        if name.endswith("kv_b_proj.weight") and not legacy:
            k, v_rows = np.split(value.reshape(heads, nope + v, -1), [nope], axis=1)
            blk = "blk.%s." % found[1]
            out[blk + "attn_k_b.weight"] = np.ascontiguousarray(k.transpose(0, 2, 1))
            out[blk + "attn_v_b.weight"] = np.ascontiguousarray(v_rows)
            continue
        if name.endswith("kv_b_proj.weight"):
            out["blk.%s.attn_kv_b.weight" % found[1]] = value
            continue
        if name.endswith("e_score_correction_bias"):
            out["blk.%s.exp_probs_b.bias" % found[1]] = value
            continue
        out[names.get_name(name, (".weight", ".bias"))] = value
    for name, parts in experts.items():
        out[name] = np.stack(parts)
    return out


def write_deepseek_gguf(family, config, values, path, folder, legacy=False, split=False):
    arch = "deepseek32" if family == "deepseek_v32" else "deepseek2"
    tensors = deepseek_tensors(config, values, legacy)
    writer = gguf.GGUFWriter(path, arch, split_max_tensors=(len(tensors) + 1) // 2 if split else 0)
    add_common(writer, config)
    nope, rope, rank = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["kv_lora_rank"]
    writer.add_head_count_kv(config["num_attention_heads"] if legacy else 1)
    writer.add_key_length(nope + rope if legacy else rank + rope)
    writer.add_value_length(config["v_head_dim"] if legacy else rank)
    if not legacy:
        writer.add_key_length_mla(nope + rope)
        writer.add_value_length_mla(config["v_head_dim"])
    writer.add_rope_dimension_count(rope)
    writer.add_rope_freq_base(config["rope_theta"])
    if config["q_lora_rank"]:
        writer.add_q_lora_rank(config["q_lora_rank"])
    writer.add_kv_lora_rank(rank)
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    writer.add_expert_count(config["n_routed_experts"])
    writer.add_expert_used_count(config["num_experts_per_tok"])
    writer.add_expert_shared_count(config["n_shared_experts"])
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    if config["norm_topk_prob"]:
        writer.add_expert_weights_norm(True)
    writer.add_expert_group_count(config["n_group"])
    writer.add_expert_group_used_count(config["topk_group"])
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType[config["scoring_func"].upper()])
    scaling = config["rope_scaling"]
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(scaling["factor"])
    writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
    writer.add_rope_scaling_yarn_log_mul(0.1 * scaling["mscale_all_dim"])
    if "index_topk" in config:
        writer.add_uint32(arch + ".attention.indexer.head_count", config["index_n_heads"])
        writer.add_uint32(arch + ".attention.indexer.key_length", config["index_head_dim"])
        writer.add_uint32(arch + ".attention.indexer.top_k", config["index_topk"])
    add_tokenizer(writer, folder)
    for name, value in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(value, dtype=np.float32))
    finish(writer)


def main():
    source, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    for family in ("llama", "qwen2", "qwen3"):
        write_dense(family, os.path.join(source, family), os.path.join(out, family + ".gguf"))
    for family, changes in FAMILIES.items():
        config, folder = dict(DEEPSEEK, **changes), os.path.join(out, family)
        values = write_deepseek_folder(family, config, folder, os.path.join(source, "llama", "tokenizer.json"))
        write_deepseek_gguf(family, config, values, folder + ".gguf", folder)
        if family == "deepseek_v2":
            write_deepseek_gguf(family, config, values, folder + "_legacy.gguf", folder, legacy=True)
            write_deepseek_gguf(family, config, values, folder + "_split.gguf", folder, split=True)


if __name__ == "__main__":
    main()
