"""Programs on HyperQueue: programs_hyperqueue.py CORES N|DIRECTORY; N times true, or gzip of the directory's files."""

import os
import sys
import tempfile

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

cores, what = int(sys.argv[1]), sys.argv[2]
job = Job()
if what.isdigit():
    for _ in range(int(what)):
        job.program(["true"])
else:
    for name in os.listdir(what):
        job.program(["sh", "-c", 'gzip -c "$0" >/dev/null', os.path.join(what, name)])
# HyperQueue leaves two files of each program's output in the working directory.
with tempfile.TemporaryDirectory() as outputs, LocalCluster() as cluster:
    os.chdir(outputs)
    cluster.start_worker(WorkerConfig(cores=cores))
    client = cluster.client()
    client.wait_for_jobs([client.submit(job)])
