"""Reads or writes data, like inputs.lua: inputs.py CASE FILE REPEATS."""

import csv
import gc
import json
import statistics
import sys
import time

case, path, repeats = sys.argv[1:]


def counted(records):
    return sum(1 for _ in records)


def table(reader):
    with open(path, newline="", encoding="utf-8") as file:
        return counted(reader(file))


def json_lines():
    with open(path, encoding="utf-8") as file:
        return counted(map(json.loads, file))


source = open(path, encoding="utf-8").read() if case.startswith("json ") else None
value = json.loads(source) if case == "json encode" else None
size = 0


def encode():
    global size
    size = len(json.dumps(value, ensure_ascii=False).encode())
    return len(value)


cases = {
    "csv": lambda: table(csv.DictReader),
    "csv lists": lambda: table(csv.reader) - 1,
    "json decode": lambda: len(json.loads(source)),
    "json encode": encode,
    "json lines": json_lines,
}
times, count = [], 0
for _ in range(int(repeats)):
    gc.collect()
    begin = time.process_time()
    count = cases[case]()
    times.append(time.process_time() - begin)
print(json.dumps({"seconds": statistics.median(times), "records": count, "bytes": size}))
