#!/usr/bin/env bash
# An ancient input is to be no reason to run a job again. In Snakemake it is more: when the job that makes it runs, no job
# behind it, however far, is asked for reasons of its own. A changed param or input file of theirs is seen in the next run.
#
# Expected: with the params of both rules changed, both run; "ancient" concerns time alone.
# Seen (snakemake 9.27.1): the first runs, the second does not, and the output is what the old param makes of it. Once more
# the same command, and the second runs. Likewise for a newer input file of the second rule.
# What helps: an input of the second rule that is not ancient, and which is made by the first as well.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$room"
cat > Snakefile <<'SNAKEFILE'
rule second:
    input: ancient("first.txt")
    output: "second.txt"
    params: value=config["second"]
    shell: "echo {params.value} > {output}"

rule first:
    output: "first.txt"
    params: value=config["first"]
    shell: "echo {params.value} > {output}"
SNAKEFILE
snakemake() { "$room/venv/bin/python" -m snakemake --cores 1 --quiet all "$@" > run.log 2>&1 || { cat run.log; exit 1; }; }

snakemake --config first=1 second=1
snakemake --config first=2 second=2
once=$(cat second.txt)
snakemake --config first=2 second=2
twice=$(cat second.txt)
echo "snakemake 9.27.1: after one run the second file has param $once, after two $twice"
[ "$once" = 1 ] && [ "$twice" = 2 ]
