#!/usr/bin/env bash
# `snakemake --touch` marks a finished run as up to date, as after a copy that lost its times. It only sets times.
#
# Expected: hundreds of files take a second or two, and more --cores make it faster.
# Seen (snakemake 9.27.1): every job sleeps for a tenth of a second first, one after the other, whatever --cores says: 100
# jobs take more than ten seconds, 9,000 a quarter of an hour, with a processor that has nothing to do.
# What helps: a copy that keeps times needs no --touch.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$room"
cat > Snakefile <<'SNAKEFILE'
rule all:
    input: expand("{number}.txt", number=range(100))

rule one:
    output: "{number}.txt"
    shell: "echo > {output}"
SNAKEFILE
touch {0..99}.txt
seconds() {
    local start=$SECONDS
    "$room/venv/bin/python" -m snakemake --quiet all "$@" > run.log 2>&1 || { cat run.log; exit 1; }
    echo $((SECONDS - start))
}

plan=$(seconds --cores 1 --forceall --dry-run)
one=$(seconds --cores 1 --forceall --touch)
many=$(seconds --cores 100 --forceall --touch)
echo "snakemake 9.27.1: 100 jobs are planned in $plan s, touched in $one s on one core, in $many s on 100"
[ $((one - plan)) -ge 9 ] && [ $((many - plan)) -ge 9 ]
