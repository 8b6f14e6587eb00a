#!/usr/bin/env bash
# The executor plugin for Flux hands on a rule's `runtime`, which Snakemake has in minutes, as the duration of the job, which
# Flux has in seconds.
#
# Expected: a rule that claims 20 minutes is submitted with a duration of 1200 seconds.
# Seen (snakemake-executor-plugin-flux 0.1.1, snakemake 9.27.1): with a duration of 20 seconds; and without GPUs and memory.
# The Python bindings of Flux are not in the package index, so a stand-in for them notes what the plugin asks for.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1 snakemake-executor-plugin-flux==0.1.1
cd "$room"
mkdir -p bindings/flux
echo 'from flux import job' > bindings/flux/__init__.py
cat > bindings/flux/job.py <<'PYTHON'
import subprocess

class JobspecV1:
    @classmethod
    def from_command(cls, command):
        spec = cls()
        spec.command = command
        return spec

class Future:
    def __init__(self, spec):
        self.code = subprocess.run(spec.command).returncode
    def jobid(self):
        return 1
    def done(self):
        return True
    def result(self, timeout):
        return self.code

class FluxExecutor:
    def submit(self, spec):
        with open("asked.txt", "w") as file:
            file.write(f"{spec.duration}")
        return Future(spec)
PYTHON
cat > Snakefile <<'SNAKEFILE'
rule a:
    output: "a.txt"
    resources: runtime=20
    shell: "touch {output}"
SNAKEFILE
PYTHONPATH=bindings "$room/venv/bin/python" -m snakemake --executor flux --jobs 1 --seconds-between-status-checks 1 > run.log 2>&1 || true
[ -f asked.txt ] || { cat run.log; exit 1; }
echo "snakemake-executor-plugin-flux 0.1.1: 20 minutes are a duration of $(cat asked.txt), in seconds"
[ "$(cat asked.txt)" = 20 ]
