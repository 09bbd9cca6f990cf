#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requantises a GGUF model with llama.cpp's own quantiser, one file for each type asked for.

The library is libllama of the npm package @node-llama-cpp/linux-x64 3.21.1 (llama.cpp release v0.4.0), whose
C function llama_model_quantize is called through ctypes.

usage: npm install --ignore-scripts @node-llama-cpp/linux-x64@3.21.1
       make_quantised.py node_modules/@node-llama-cpp/linux-x64/bins/linux-x64 MODEL.gguf OUT_DIR Q4_0 Q8_0 ...
"""
import ctypes
import glob
import os
import sys

# llama_ftype by name.
FTYPES = {"F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q4_K_S": 14, "Q4_K_M": 15,
          "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "BF16": 32}


class QuantizeParams(ctypes.Structure):
    """llama_model_quantize_params of llama.h, release v0.4.0."""
    _fields_ = [("nthread", ctypes.c_int32), ("ftype", ctypes.c_int), ("output_tensor_type", ctypes.c_int),
                ("token_embedding_type", ctypes.c_int), ("allow_requantize", ctypes.c_bool),
                ("quantize_output_tensor", ctypes.c_bool), ("only_copy", ctypes.c_bool), ("pure", ctypes.c_bool),
                ("keep_split", ctypes.c_bool), ("dry_run", ctypes.c_bool), ("imatrix", ctypes.c_void_p),
                ("kv_overrides", ctypes.c_void_p), ("tt_overrides", ctypes.c_void_p),
                ("prune_layers", ctypes.c_void_p)]


def load(folder):
    """libllama, after the libraries that it needs."""
    for pattern in ("libggml-base*.so*", "libggml.*so*", "libllama.*so*"):
        for path in sorted(glob.glob(os.path.join(folder, pattern))):
            library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    library.llama_model_quantize_default_params.restype = QuantizeParams
    library.llama_model_quantize.restype = ctypes.c_uint32
    library.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(QuantizeParams)]
    library.llama_backend_init()
    return library


def main():
    library = load(sys.argv[1])
    for name in sys.argv[4:]:
        params = library.llama_model_quantize_default_params()
        params.ftype = FTYPES[name]
        params.allow_requantize = True
        params.nthread = 2
        out = os.path.join(sys.argv[3], os.path.basename(sys.argv[2]).split(".")[0] + "." + name + ".gguf")
        if library.llama_model_quantize(sys.argv[2].encode(), out.encode(), ctypes.byref(params)) != 0:
            raise SystemExit("quantising to " + name + " failed")
        print(out, os.path.getsize(out))


main()
