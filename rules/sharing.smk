# Snakemake refuses to measure what may come from another run, and a rule has no public way to lose its benchmark. To be
# included after all rules.
for each in workflow.rules:
    if SHARED and each.cache and each.cache.output and each.benchmark:
        each._benchmark = None
