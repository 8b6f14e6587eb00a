# The answer in the challenge's format: a line per cast member, the searched candidates from best to worst.


rule submission:
    input:
        lambda wildcards: of_groups(
            "results/rankings/{split}/{group}.arrow", [wildcards.split]
        ),
    output:
        "results/submission/{split}.txt",
    log:
        "results/logs/submission/{split}.log",
    benchmark:
        "results/benchmarks/submission/{split}.tsv"
    conda:
        "../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(RANKED_MB),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("submission"),
        variant=MAIN.key,
    script:
        "../src/scripts/submission.py"
