#!/usr/bin/env bash
# LSF says of a job that it is in the state UNKWN when it has lost contact with the node that runs it. That may last for
# minutes, in which the job goes on, or the node is gone. Snakemake's executor plugin for LSF asks for the states by bjobs.
#
# Expected: it waits until LSF knows more, or takes the job for failed.
# Seen (snakemake-executor-plugin-lsf 0.3.3, Snakemake 9.24.0): the job has succeeded. What it has written until now is its
# result, and the next rule begins, while the job goes on writing: of two lines the next rule counts one. Snakemake ends
# without an error. The same job that LSF says RUN and then DONE of gives two.
# What helps: rules that write a file under another name, and give it its name when it is whole. Then Snakemake misses the
# file and says so. A job that is tried again then may run beside the first one.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.24.0 snakemake-executor-plugin-lsf==0.3.3
cd "$room"
# The commands of LSF as far as the plugin calls them: bsub starts a job at once, and bjobs says of it what stands in `state`.
mkdir -p bin conf/lsbatch/small/configdir
echo "DEFAULT_QUEUE = normal" > conf/lsbatch/small/configdir/lsb.params
cat > bin/badmin <<BADMIN
#!/usr/bin/env bash
printf 'Configuration\nLSB_SHAREDIR = $room\nLSF_CONFDIR = $room/conf\nLSF_UNIT_FOR_LIMITS = MB\n'
BADMIN
printf '#!/usr/bin/env bash\nprintf "CLUSTER_NAME STATUS\\nsmall ok\\n"\n' > bin/lsclusters
cat > bin/bsub <<BSUB
#!/usr/bin/env bash
bash -c "\${@: -1}; touch $room/ended" > "$room/job.log" 2>&1 &
echo "Job <1> is submitted to queue <normal>."
BSUB
cat > bin/bjobs <<BJOBS
#!/usr/bin/env bash
if [ "\$(cat "$room/state")" = UNKWN ]; then echo 1 UNKWN; elif [ -e "$room/ended" ]; then echo 1 DONE; else echo 1 RUN; fi
BJOBS
chmod +x bin/*
export PATH="$room/bin:$PATH"
cat > Snakefile <<'SNAKEFILE'
localrules: count
rule count:
    input: "names.txt"
    output: "count.txt"
    shell: "wc -l < {input} > {output}"
rule names:
    output: "names.txt"
    shell: "echo ada > {output}; until [ -e go ]; do sleep 0.2; done; echo bo >> {output}"
SNAKEFILE

run() {  # with the state that bjobs is to say of the job, prints what the next rule counted
    echo "$1" > state
    [ "$1" = UNKWN ] || touch go
    "$room/venv/bin/snakemake" --executor lsf --jobs 1 --quiet all --default-resources mem_mb=100 runtime=5 lsf_project=film \
        > run.log 2>&1 || { cat run.log; return 1; }
    touch go
    until [ -e ended ]; do sleep 0.2; done
    cat count.txt
}

known=$(run RUN)
rm -rf go ended names.txt count.txt .snakemake
unknown=$(run UNKWN)
echo "snakemake-executor-plugin-lsf 0.3.3: the next rule counted $known lines when LSF said RUN and then DONE"
echo "it counted $unknown when LSF said UNKWN; at the end the file has $(wc -l < names.txt)"
[ "$known" = 2 ] && [ "$unknown" = 1 ] && [ "$(wc -l < names.txt)" = 2 ]
