#!/usr/bin/env bash
# `snakedeploy deploy-workflow` takes the path of a local clone in place of an address. The Snakefile that it writes for a clone
# names the clone's Snakefile by its path inside the clone, and the clone not at all.
#
# Expected: what was deployed from a local clone is planned as it is, as what was deployed from an address.
# Seen (snakedeploy 0.17.1, snakemake 9.27.1): the module's snakefile is "workflow/Snakefile", also where the clone was given
# by an absolute path; Snakemake looks for it beside the deployed Snakefile and stops. With the clone's path in front, it runs.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakedeploy==0.17.1 snakemake==9.27.1
cd "$room"
git init --quiet origin
mkdir origin/workflow origin/config
printf 'rule all:\n    output: "done.txt"\n    shell: "touch {output}"\n' > origin/workflow/Snakefile
printf 'usage:\n  mandatory-flags:\n    desc: ""\n    flags: ""\n' > origin/.snakemake-workflow-catalog.yml
echo "key: value" > origin/config/config.yaml
git -C origin add .
git -C origin -c user.name=a -c user.email=a@example.org commit --quiet -m first
git -C origin tag v1
"$room/venv/bin/snakedeploy" deploy-workflow "$room/origin" deployed --tag v1 > deploy.log 2>&1 || { cat deploy.log; exit 1; }
cd deployed
plan() { "$room/venv/bin/python" -m snakemake --cores 1 --dry-run > ../plan.log 2>&1 && echo "is planned" || echo "fails"; }
written=$(grep -A1 'snakefile:' workflow/Snakefile | tr -d ' \n')
as_it_is=$(plan)
sed -i "s|\"workflow/Snakefile\"|\"$room/origin/workflow/Snakefile\"|" workflow/Snakefile
corrected=$(plan)
echo "snakedeploy 0.17.1 writes $written, which $as_it_is; with the clone's path in front it $corrected"
[ "$written" = 'snakefile:"workflow/Snakefile"' ] && [ "$as_it_is" = fails ] && [ "$corrected" = "is planned" ]
