#!/usr/bin/env bash
# Snakemake starts a Python script by the path of its own Python, which it puts into a command line as it is.
#
# Expected: Snakemake installed in a virtual environment whose folder has a blank in its name runs scripts like any other.
# Seen (snakemake 9.27.1): `shell:` rules run; `script:` rules fail with exit status 127, as the shell takes the path apart at
# the blank.
# What helps: a folder without blanks; a workflow can look at sys.executable before anything runs.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/a folder"
"$room/a folder/bin/python" -m pip install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$room"
echo 'open(snakemake.output[0], "w").write("done")' > script.py
cat > Snakefile <<'SNAKEFILE'
rule by_script:
    output: "by_script.txt"
    script: "script.py"

rule by_shell:
    output: "by_shell.txt"
    shell: "echo done > {output}"
SNAKEFILE
snakemake() { "$room/a folder/bin/python" -m snakemake --cores 1 "$@" > "$1.log" 2>&1 && echo "runs" || echo "fails"; }
shell=$(snakemake by_shell)
script=$(snakemake by_script)
status=$(grep -o "exit status [0-9]*" by_script.log | head -1)
echo "snakemake 9.27.1: a shell rule $shell, a script rule $script with $status"
[ "$shell" = runs ] && [ "$script" = fails ] && [ "$status" = "exit status 127" ]
