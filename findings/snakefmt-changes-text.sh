#!/usr/bin/env bash
# snakefmt formats workflows of Snakemake: Python by Black, which never touches the value of a string, and since
# version 2 also the shell commands in triple quotes, by shfmt.
#
# Expected: a workflow does the same after it was formatted.
# Seen (snakefmt 2.1.0, snakemake 9.27.1): three results change, without a word.
# - `echo scene_12 | sed -E 's/scene_(.*)/\\1/'` in backticks becomes $(...) with \1, which Python takes for the
#   character of number 1: the name "12" is now a control character.
# - A text of several lines in Python behind a rule, both within an "if", is indented: its lines begin with blanks.
# - A tab in a text of several lines in a `run:` block becomes four blanks: the table has one column in place of two.
# What helps: $(...) in place of backticks, "\t" in place of tabs, and texts above the rules, or in files of their
# own.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1 snakefmt==2.1.0 shfmt-py==4.2.0
export PATH="$room/venv/bin:$PATH"
cd "$room"
sed "s/TAB/$(printf '\t')/" > Snakefile <<'SNAKEFILE'
if config.get("people", True):

    rule scene:
        output:
            "scene.txt",
        shell:
            """
            number=`echo scene_12 | sed -E 's/scene_(.*)/\\1/'`
            echo "$number" >{output}
            """

    NOTE = """first
second
"""


rule texts:
    output:
        "texts.txt",
    run:
        text = """personTABseconds
adaTAB12
"""
        with open(output[0], "w") as file:
            file.write(text + NOTE)
SNAKEFILE
results() {
    rm -f scene.txt texts.txt
    python -m snakemake --cores 1 scene.txt texts.txt > run.log 2>&1 || { cat run.log; exit 1; }
    cat -A scene.txt texts.txt
}
before=$(results)
snakefmt Snakefile 2> format.log
after=$(results)
echo "before:"; echo "$before"
echo "formatted by snakefmt 2.1.0:"; echo "$after"
[ "$before" = $'12$\nperson^Iseconds$\nada^I12$\nfirst$\nsecond$' ]
[ "$after" = $'^A$\nperson    seconds$\nada    12$\nfirst$\n    second$\n    ' ]
