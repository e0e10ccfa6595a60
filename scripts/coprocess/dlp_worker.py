"""The other side of dlp.coprocess{"python3", "worker.py"}, for Python 3.6 or newer, with its standard library only.

    # worker.py
    from dlp_worker import serve

    def work(example):
        return example ** 2

    serve(work)

dlp-lua finds this file for the programs that it starts: it adds its directory to their PYTHONPATH. Import it before
anything prints: it takes standard input and output for itself, and gives standard output's place to standard error.

What goes to and fro: None and nil, True and False, int and integer, float and float (also nan and inf), str and string,
list or tuple and a table 1..n, dict and a table with other keys. A string that is not UTF-8 is here a str with the bytes
as os.fsencode has them ("surrogateescape"), and bytes become such a string there. What has a method tolist(), as arrays
and numbers of NumPy have, goes as what that returns. An exception is an error of the example, with its traceback; the
program goes on.
"""

import json
import os
import signal
import sys
import traceback

__all__ = ["serve"]


def _take_standard_descriptors():
    """Moves the lines that go to and fro to descriptors of their own, which nothing that is started inherits."""
    questions, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return os.fdopen(questions, "rb", 1 << 16), os.fdopen(answers, "wb", 1 << 16)


_questions, _answers = _take_standard_descriptors()

# Many ranks print to the same place, so whole lines are written, even where PYTHONUNBUFFERED would write every word
# separately.
if hasattr(sys.stdout, "reconfigure"):
    sys.stdout.reconfigure(line_buffering=True, write_through=False)

# Ctrl-C is for the whole job. The traceback of each KeyboardInterrupt would only hide dlp-lua's message.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _plain(value):
    """What JSON has no word for as something for which it has."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "surrogateescape")
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError("a value of type {} has no JSON".format(type(value).__name__))


def _plain_keys(value):
    """The same value where keys of its dictionaries are of types that JSON refuses, as numbers of NumPy are."""
    if isinstance(value, dict):
        return {
            key.item() if hasattr(key, "tolist") and hasattr(key, "item") else key: _plain_keys(inner)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain_keys(inner) for inner in value]
    return value


def _line(value):
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    except TypeError:
        text = json.dumps(_plain_keys(value), ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.encode("utf-8", "surrogateescape")


def _error(error):
    """The text of an exception: what it says, then where it was raised, without this file's own part."""
    said = "".join(traceback.format_exception_only(type(error), error)).strip()
    trace = traceback.format_exception(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
    told = "".join(trace).strip()
    return said + "\n" + (told[: -len(said)] if told.endswith(said) else told).rstrip()


def _complaint(text):
    """The line that says what went wrong; a file's name in it may have any bytes."""
    line = json.dumps(text, ensure_ascii=False)
    try:
        return b"!" + line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return b"!" + line.encode("utf-8", "backslashreplace")


def _answer(function, question):
    """The line that answers a line."""
    try:
        value = function(json.loads(question.decode("utf-8", "surrogateescape")))
    except Exception as error:  # One of SystemExit or KeyboardInterrupt ends the program.
        return _complaint(_error(error))
    try:
        return _line(value)
    except (TypeError, ValueError, RecursionError) as error:
        return _complaint("what it returns cannot go back: {}".format(error))


def serve(function):
    """Calls `function` with each value that comes, and sends back what it returns; returns when no more come."""
    for question in _questions:
        answer = _answer(function, question)
        # Its output must come before any output that follows from its answer.
        try:
            sys.stdout.flush()
        except (AttributeError, ValueError, OSError):
            pass
        try:
            _answers.write(answer + b"\n")
            _answers.flush()
        except BrokenPipeError:
            # The reader has gone. Writing the rest of the buffer at the end would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), _answers.fileno())
            return
