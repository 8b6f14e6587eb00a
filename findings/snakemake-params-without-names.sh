#!/usr/bin/env bash
# Snakemake remembers the params of a job as a set of values without names, and leaves out what it cannot write as plain
# values. So two params that exchange their values, and a param that is a dataclass, change the result without a rerun.
#
# Expected: a rule whose params have changed is run again ("params" is one of the rerun triggers, which are on by default).
# Seen (snakemake 9.27.1): nothing to be done after first=1 second=2 became first=2 second=1, and after a dataclass of 1
# became one of 2. A single new value (first=3) reruns, as expected.
# What helps: one param that says everything as text, such as sorted JSON.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$room"
cat > swapped.smk <<'SNAKEFILE'
rule a:
    output: "swapped.txt"
    params: first=config["first"], second=config["second"]
    shell: "echo {params.first} {params.second} > {output}"
SNAKEFILE
cat > dataclass.smk <<'SNAKEFILE'
from dataclasses import dataclass

@dataclass(frozen=True)
class Setting:
    value: int

rule a:
    output: "dataclass.txt"
    params: setting=Setting(config["number"])
    run:
        open(output[0], "w").write(str(params.setting.value))
SNAKEFILE
snakemake() { "$room/venv/bin/python" -m snakemake --cores 1 --snakefile "$@" 2>&1; }
nothing_to_do() { snakemake "$@" --dry-run | grep -q "Nothing to be done" && echo "nothing to be done" || echo "a rerun"; }

snakemake swapped.smk --quiet all --config first=1 second=2 > run.log || { cat run.log; exit 1; }
snakemake dataclass.smk --quiet all --config number=1 > run.log || { cat run.log; exit 1; }
[ "$(cat swapped.txt)" = "1 2" ] && [ "$(cat dataclass.txt)" = 1 ]
swap=$(nothing_to_do swapped.smk --config first=2 second=1)
new=$(nothing_to_do swapped.smk --config first=3 second=2)
object=$(nothing_to_do dataclass.smk --config number=2)
echo "snakemake 9.27.1: values exchanged: $swap; a new value: $new; another dataclass: $object"
[ "$swap" = "nothing to be done" ] && [ "$new" = "a rerun" ] && [ "$object" = "nothing to be done" ]
