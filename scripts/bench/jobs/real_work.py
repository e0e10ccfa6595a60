"""The work of the real jobs, written in Python like the scripts in Lua: for each job its examples, the work on one, and
the lines that it prints. The variables DIGITS, PACKAGES and DOCUMENTS name the files of data; SWEEP has two numbers."""

import collections
import functools
import math
import os
import re

K = 3
WORD = re.compile(rb"[0-9A-Za-z'\x80-\xff]+")


# Digits, like scripts/examples/digits.lua. Each process reads the data when it first needs them.


@functools.cache
def digits():
    with open(os.environ["DIGITS"]) as file:
        rows = [[int(number) for number in line.split(",")] for line in file]
    return [row[:64] for row in rows], [row[64] for row in rows]


def digits_examples():
    return range(len(digits()[0]))


def digits_work(index):
    images, labels = digits()
    image = images[index]
    distances, neighbours = [math.inf] * K, [0] * K
    for other, candidate in enumerate(images):
        if other == index:
            continue
        farthest, distance = distances[-1], 0
        for row in range(0, 64, 8):
            for pixel in range(row, row + 8):
                difference = image[pixel] - candidate[pixel]
                distance += difference * difference
            if distance >= farthest:
                break
        if distance < farthest:
            place = K - 1
            while place > 0 and distance < distances[place - 1]:
                distances[place], neighbours[place] = distances[place - 1], neighbours[place - 1]
                place -= 1
            distances[place], neighbours[place] = distance, other
    votes = [0] * 10
    for neighbour in neighbours:
        votes[labels[neighbour]] += 1
    return votes.index(max(votes))


def digits_lines(results):
    labels = digits()[1]
    confusion = [[0] * 10 for _ in range(10)]
    for label, predicted in zip(labels, results):
        confusion[label][predicted] += 1
    correct, count = sum(confusion[label][label] for label in range(10)), len(labels)
    yield f"accuracy {correct / count:.4f} ({correct} of {count}), k = {K}, Euclidean"
    yield "\nconfusion matrix: a row per digit, a column per prediction"
    yield "     " + "".join(f"{label:5}" for label in range(10))
    for label, row in enumerate(confusion):
        yield "".join(f"{number:5}" for number in (label, *row))


# Package closures, like scripts/examples/packages.lua.


@functools.cache
def packages():
    fields, providers, current = {}, {}, {}

    def finish():
        name = current.get("Package")
        if name and name not in fields:
            fields[name] = dict(current)
            for provided in re.findall(r"([^\s,]+)[^,]*", current.get("Provides", "")):
                if provided not in providers or name < providers[provided]:
                    providers[provided] = name
        current.clear()

    with open(os.environ["PACKAGES"], encoding="utf-8") as file:
        for line in file:
            field, colon, value = line.rstrip("\n").partition(": ")
            if line == "\n":
                finish()
            elif colon and field in ("Package", "Depends", "Pre-Depends", "Provides"):
                current[field] = value
    finish()

    def needed(text):
        for dependency in text.split(","):
            for alternative in dependency.split("|"):
                wanted = re.match(r"\s*([^\s:(]+)", alternative)
                package = wanted and (wanted[1] if wanted[1] in fields else providers.get(wanted[1]))
                if package:
                    yield package
                    break

    return {
        name: [*needed(own.get("Pre-Depends", "")), *needed(own.get("Depends", ""))] for name, own in fields.items()
    }


def packages_examples():
    return sorted(packages())


def packages_work(name):
    needs = packages()
    closure, reached = [name], {name}
    for package in closure:
        for needed in needs[package]:
            if needed not in reached:
                reached.add(needed)
                closure.append(needed)
    return len(closure) - 1


def packages_lines(results):
    names, largest = packages_examples(), max(results)
    yield f"{len(results)} packages"
    yield f"largest closure: {names[results.index(largest)]}, {largest} packages"
    yield f"mean closure: {sum(results) / len(results):.2f} packages"


# Words of documents, like scripts/examples/wordcount.lua.


def words_examples():
    with open(os.environ["DOCUMENTS"], "rb") as file:
        return file.read().split(b"\0")[:-1]


def words_work(document):
    return collections.Counter(WORD.findall(document.lower()))


def words_lines(results):
    total = collections.Counter()
    for counts in results:
        total.update(counts)
    for word, count in sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))[:20]:
        yield f"{count:8}  " + word.decode("latin-1")


# A parameter sweep, like sweep.lua.


def sweep_size():
    return (int(number) for number in os.environ["SWEEP"].split())


def sweep_examples():
    side, _ = sweep_size()
    return [(0.02 * damping, 0.05 * drive) for damping in range(1, side + 1) for drive in range(1, side + 1)]


def sweep_work(example):
    damping, drive = example
    _, steps = sweep_size()
    sin, cos = math.sin, math.cos
    angle, speed, total, step = 0.2, 0.0, 0.0, 0.01
    for i in range(1, steps + 1):
        speed = speed + step * (drive * cos(0.6667 * i * step) - sin(angle) - damping * speed)
        angle = angle + step * speed
        total = total + speed * speed
    return total / steps


def sweep_lines(results):
    largest, total = max(results), 0.0
    # One after the other, as in Lua: sum() rounds differently.
    for result in results:
        total += result
    where = results.index(largest) + 1
    yield f"{len(results)} pendulums, {total / len(results):.6f} on average, the fastest is {where} with {largest:.6f}"


jobs = {
    "digits": (digits_examples, digits_work, digits_lines),
    "packages": (packages_examples, packages_work, packages_lines),
    "words": (words_examples, words_work, words_lines),
    "sweep": (sweep_examples, sweep_work, sweep_lines),
}


def work_through(name, part):
    """Returns the results of some examples of a job."""
    return [jobs[name][1](example) for example in part]
