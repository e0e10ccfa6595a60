# The work of digits_numpy.lua. dlp-lua starts this program once for each rank, with K and the file of the digits.

import sys

import numpy as np
from dlp_worker import serve

k, path = int(sys.argv[1]), sys.argv[2]
table = np.loadtxt(path, delimiter=",", dtype=np.int64)
images, labels = table[:, :-1], table[:, -1]


def classify(index):
    """The label of the digit, counted from 1, by a vote of the k nearest others."""
    own = index - 1
    distances = ((images - images[own]) ** 2).sum(axis=1)
    distances[own] = np.iinfo(np.int64).max
    # Equally distant images in the order of the file, and the smallest label among those with equally many votes.
    nearest = np.argsort(distances, kind="stable")[:k]
    return np.bincount(labels[nearest]).argmax()


serve(classify)
