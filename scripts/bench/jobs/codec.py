"""Encodes and decodes a value with pickle, like codec.lua: codec.py KIND SIZE REPEATS."""

import gc
import json
import pickle
import statistics
import sys
import time

from payload import payload

value, counted = payload(sys.argv[1], sys.argv[2])
encodings, decodings, size = [], [], 0
for _ in range(int(sys.argv[3])):
    gc.collect()
    begin = time.perf_counter()
    text = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    middle = time.perf_counter()
    copy = pickle.loads(text)
    end = time.perf_counter()
    assert len(copy) == len(value)
    encodings.append(middle - begin)
    decodings.append(end - middle)
    size = len(text)
report = {
    "encode": statistics.median(encodings),
    "decode": statistics.median(decodings),
    "bytes": counted,
    "size": size,
}
print(json.dumps(report))
