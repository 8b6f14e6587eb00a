#!/usr/bin/env bash
# Snakemake runs a job again when its set of input files has changed. Which input is which does not count: two files that
# trade names, or places, are the same set.
#
# Expected: `left` and `right` name each other's file from now on, the command is another one, and the job runs.
# Seen (snakemake 9.27.1): "Nothing to be done", for named inputs and for a list; the output is that of the former order.
# The command is no trigger either: its text, before the names are filled in, is the same. A params entry that holds the
# same order is one, and the job runs.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$room"
echo first > a.txt; echo second > b.txt
cat > Snakefile <<'SNAKEFILE'
order = config["order"].split("-")

rule named:
    input: left=order[0], right=order[1]
    output: "named.txt"
    shell: "cat {input.left} {input.right} > {output}"

rule listed:
    input: order
    output: "listed.txt"
    shell: "cat {input} > {output}"

rule told:
    input: order
    output: "told.txt"
    params: order=order
    shell: "cat {input} > {output}"
SNAKEFILE
snakemake() {
    "$room/venv/bin/python" -m snakemake --cores 1 --quiet all "$@" -- named.txt listed.txt told.txt > run.log 2>&1 ||
        { cat run.log; exit 1; }
}

snakemake --config order=a.txt-b.txt
snakemake --config order=b.txt-a.txt
for name in named listed told; do echo "snakemake 9.27.1: $name.txt holds" $(cat $name.txt); done
[ "$(echo $(cat named.txt listed.txt))" = "first second first second" ]
[ "$(echo $(cat told.txt))" = "second first" ]
