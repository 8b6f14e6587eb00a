# A pack of today's face networks, where neither a folder of that name nor insightface's own download is here.


rule insightface_pack:
    output:
        directory("results/models/{pack}"),
    log:
        "results/logs/insightface_pack/{pack}.log",
    benchmark:
        "results/benchmarks/insightface_pack/{pack}.tsv"
    wildcard_constraints:
        pack="[^/]+",
    localrule: True  # where a cluster is started from, there is a network
    conda:
        "../envs/faces.yaml"
    threads: 1
    resources:
        mem_mb=growing(600),
        runtime=growing(60),
    params:
        code=lambda wildcards: code("insightface_pack"),
    script:
        "../src/scripts/insightface_pack.py"
