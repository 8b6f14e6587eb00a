#!/usr/bin/env bash
# `snakedeploy deploy-workflow` takes the path of a local clone in place of an address. The Snakefile that it writes names the
# clone's workflow by that path as it was given, although it lies in another folder.
#
# Expected: what was deployed from ./origin into ./deployed runs, as it does from an address.
# Seen (snakedeploy 0.17.1, snakemake 9.27.1): deployed/workflow/Snakefile says snakefile: "origin/workflow/Snakefile", which
# Snakemake looks for beside it. With an absolute path of the clone, it runs.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakedeploy==0.17.1 snakemake==9.27.1
cd "$room"
git init --quiet origin
mkdir origin/workflow origin/config
printf 'rule all:\n    output: "done.txt"\n    shell: "touch {output}"\n' > origin/workflow/Snakefile
printf 'usage:\n  mandatory-flags:\n    desc: ""\n    flags: ""\n' > origin/.snakemake-workflow-catalog.yml
touch origin/config/config.yaml
git -C origin add . && git -C origin -c user.name=a -c user.email=a@example.org commit --quiet -m first
git -C origin tag v1
plan() {
    "$room/venv/bin/snakedeploy" deploy-workflow "$1" "$2" --tag v1 > deploy.log 2>&1 || { cat deploy.log >&2; exit 1; }
    (cd "$2" && "$room/venv/bin/python" -m snakemake --cores 1 --dry-run > ../plan.log 2>&1) && echo "is planned" || echo "fails"
}
relative=$(plan origin by_relative_path)
absolute=$(plan "$room/origin" by_absolute_path)
grep -o 'snakefile: *\S*' -A1 by_relative_path/workflow/Snakefile | tr -s ' \n' ' '
echo "snakedeploy 0.17.1: deployed from a relative path $relative, from an absolute one $absolute"
[ "$relative" = fails ] && [ "$absolute" = "is planned" ]
