# The ReID features of one network for all candidates of a movie.


rule embed_bodies:
    input:
        crops=PEOPLE,
        weights=lambda wildcards: BODY_FILES[wildcards.network],
    output:
        "results/bodies/{network}/{split}/{movie}.npy",
    log:
        "results/logs/embed_bodies/{network}/{split}/{movie}.log",
    benchmark:
        "results/benchmarks/embed_bodies/{network}/{split}/{movie}.tsv"
    cache: SHARED
    conda:
        "../envs/reid.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=growing(
            lambda wildcards: claims.bodies_mb(
                SIZES[wildcards.split][wildcards.movie][1],
                WEIGHTS_MB[wildcards.network],
            )
        ),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("embed_bodies", describer_of(wildcards)),
        module=describer_of,
        options=describer_options,
        weights=lambda wildcards: contents([BODY_FILES[wildcards.network]]),
    script:
        "../src/scripts/embed_bodies.py"
