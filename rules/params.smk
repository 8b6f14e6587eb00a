# Snakemake remembers a job's params as a set of values without their names: two that exchange their values rerun nothing,
# and neither does what it cannot write down, a dataclass say. So each rule gets one more, a digest of them all as JSON,
# which refuses what has no plain form. The text itself would be many pages long where Snakemake says why a job runs
# again. To be included after all rules, and another time by another module.
from castsearch.workflow.provenance import value_digest


def by_name(params):
    """Param function: a digest of all named `params`."""

    def all_of_them(wildcards):
        values = {
            name: value(wildcards) if callable(value) else value
            for name, value in params.items()
        }
        return value_digest(values)

    return all_of_them


for each in workflow.rules:
    own = Path(str(each.snakefile)).is_relative_to(ROOT)
    if own and each.params and "all_by_name" not in each.params.keys():
        each.set_params(all_by_name=by_name(dict(each.params.items())))
