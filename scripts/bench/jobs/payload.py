"""The values of payload.lua, the same for Python."""


def numbers(size):
    value = [i / 7 for i in range(1, size * 125_000 + 1)]
    return value, 8 * len(value)


def strings(size):
    value = [f"{i:010d}" for i in range(1, size * 100_000 + 1)]
    return value, 10 * len(value)


def records(size):
    value = [
        {"id": i, "name": f"item{i:07d}", "position": {"x": i / 7, "y": i / 3}, "tags": ["ab", "cd"], "done": True}
        for i in range(1, size * 25_000 + 1)
    ]
    return value, 40 * len(value)


def string(size):
    return b"payload\0" * (size * 125_000), size * 1_000_000


def payload(kind, size):
    return {"numbers": numbers, "strings": strings, "records": records, "string": string}[kind](int(size))
