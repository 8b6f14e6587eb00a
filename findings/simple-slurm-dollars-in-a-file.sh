#!/usr/bin/env bash
# simple-slurm writes job scripts for SLURM in Python and submits them. With job_file= it writes the script to a file and
# submits that file, so that one can look at it later. A job of an array knows by $SLURM_ARRAY_TASK_ID which film is its own.
#
# Expected: the same job with a file as without one; and srun gets the options that sbatch gets.
# Seen (simple-slurm 0.3.6): without a file the script goes through the shell, and each "$" gets a backslash against that. With
# a file it gets the backslash, too, though nothing takes it off again: every job of the array gets the text
# "$SLURM_ARRAY_TASK_ID" for its number, and none fails by it. srun loses all options without a value: a job that is
# exclusive by sbatch shares its node.
# What helps: convert=False when there is a file. There is nothing for srun but a value: exclusive="user".
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check simple-slurm==0.3.6
cd "$room"
# It takes a script as sbatch does, from a file or from its input, and runs it at once as the job 7 of an array.
cat > sbatch <<'SBATCH'
#!/usr/bin/env bash
SLURM_ARRAY_TASK_ID=7 bash "${1:-/dev/stdin}" > said.txt
echo "Submitted batch job 1"
SBATCH
chmod +x sbatch
cat > show.py <<'PYTHON'
from pathlib import Path

from simple_slurm import Slurm


def said(**options):
    """What the job says, when it was submitted so."""
    Slurm(array=range(10)).sbatch("echo film $SLURM_ARRAY_TASK_ID", sbatch_cmd="./sbatch", verbose=False, **options)
    return Path("said.txt").read_text().strip()


seen = {str(options): said(**options) for options in ({}, {"job_file": "job.sh"}, {"job_file": "job.sh", "convert": False})}
for options, text in seen.items():
    print(f"simple-slurm 0.3.6, sbatch with {options}: the job says {text!r}")
assert list(seen.values()) == ["film 7", "film $SLURM_ARRAY_TASK_ID", "film 7"]

job = Slurm(exclusive=True, job_name="film")
print("the script for sbatch:", job.script().split("\n")[2:4])
assert "#SBATCH --exclusive" in job.script()
print("the command line of srun: ", end="", flush=True)
job.srun("true", srun_cmd="echo srun >srun.txt")
[line] = Path("srun.txt").read_text().splitlines()
print(line)
assert line == "srun --job-name=film true"
PYTHON
"$room/venv/bin/python" show.py
