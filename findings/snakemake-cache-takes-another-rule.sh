#!/usr/bin/env bash
# Snakemake keeps results for other workflows (`cache: True` and --cache), and knows them again by a hash of "all steps,
# parameters, software stacks and raw input", as its documentation says. Wildcards and config are left out, which it also says.
#
# Expected: two rules with different code have two results in the cache, and so do two jobs that read the same files in
# another order.
# Seen (snakemake 9.27.1): of a rule with a `run:` block no code is hashed: the maximum of some numbers is taken from the cache,
# where their minimum lies, by another rule. Input files are hashed as a set: `cat b a` gives what `cat a b` gave, though both
# are named inputs. The log says "Symlinking output file from cache", as for every result that is right.
# What helps: `script:` or `shell:` in place of `run:`, and a param that says which input is which.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$room"
cat > Snakefile <<'SNAKEFILE'
rule least:
    input: "numbers.txt"
    output: "least.txt"
    cache: True
    run:
        numbers = open(input[0]).read().split()
        print(min(numbers), file=open(output[0], "w"))

rule most:
    input: "numbers.txt"
    output: "most.txt"
    cache: True
    run:
        numbers = open(input[0]).read().split()
        print(max(numbers), file=open(output[0], "w"))

rule forwards:
    input: left="a.txt", right="b.txt"
    output: "forwards.txt"
    cache: True
    shell: "cat {input.left} {input.right} > {output}"

rule backwards:
    input: left="b.txt", right="a.txt"
    output: "backwards.txt"
    cache: True
    shell: "cat {input.left} {input.right} > {output}"
SNAKEFILE
echo 1 2 3 > numbers.txt; echo a > a.txt; echo b > b.txt; mkdir cache
snakemake() { SNAKEMAKE_OUTPUT_CACHE="$room/cache" "$room/venv/bin/python" -m snakemake --cores 1 "$@" > run.log 2>&1 ||
    { cat run.log; exit 1; }; }
results() { for name in least most forwards backwards; do echo "$name" $(cat $name.txt); done; }

snakemake least.txt most.txt forwards.txt backwards.txt
without=$(results)
rm least.txt most.txt forwards.txt backwards.txt
snakemake --cache -- least.txt forwards.txt
snakemake --cache -- most.txt backwards.txt
echo "snakemake 9.27.1 without its cache:" $without
echo "snakemake 9.27.1 with it:" $(results)
[ "$(echo $without)" = "least 1 most 3 forwards a b backwards b a" ]
[ "$(echo $(results))" = "least 1 most 1 forwards a b backwards a b" ]
