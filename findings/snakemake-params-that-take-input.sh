#!/usr/bin/env bash
# A params function may take `input` besides the wildcards. Snakemake remembers no value of such a param, so that a change of
# it is no reason to run a rule again.
#
# Expected: a param is remembered by its value, whatever its function takes; another value reruns the rule.
# Seen (snakemake 9.27.1): with `lambda wildcards, input: config["number"]`, nothing to be done after number=1 became
# number=2; with `lambda wildcards: config["number"]`, a rerun.
# What helps: functions of the wildcards alone in params that decide on results.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$room"
cat > Snakefile <<'SNAKEFILE'
rule all:
    input: "with_input.txt", "without.txt"

rule with_input:
    input: "given.txt"
    output: "with_input.txt"
    params: number=lambda wildcards, input: config["number"]
    shell: "echo {params.number} > {output}"

rule without:
    input: "given.txt"
    output: "without.txt"
    params: number=lambda wildcards: config["number"]
    shell: "echo {params.number} > {output}"
SNAKEFILE
touch given.txt
snakemake() { "$room/venv/bin/python" -m snakemake --cores 1 "$@" 2>&1; }

snakemake --quiet all --config number=1 > run.log || { cat run.log; exit 1; }
[ "$(cat with_input.txt)" = 1 ] && [ "$(cat without.txt)" = 1 ]
rerun() { snakemake "$1.txt" --dry-run --config number=2 | grep -q "Nothing to be done" && echo "nothing to be done" || echo "a rerun"; }
with_input=$(rerun with_input)
without=$(rerun without)
echo "snakemake 9.27.1: a function of wildcards and input: $with_input; of wildcards alone: $without"
[ "$with_input" = "nothing to be done" ] && [ "$without" = "a rerun" ]
