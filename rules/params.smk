# Snakemake remembers a job's params as a set of values without their names: two that exchange their values rerun nothing,
# and neither does what it cannot write down, a dataclass say. So each rule gets one more that says them all, as JSON,
# which refuses what has no plain form. To be included after all rules, and another time by another module.
import json


def by_name(params):
    """Param function: all named `params` as one text."""

    def text(wildcards):
        values = {
            name: value(wildcards) if callable(value) else value
            for name, value in params.items()
        }
        return json.dumps(values, sort_keys=True)

    return text


for each in workflow.rules:
    own = Path(str(each.snakefile)).is_relative_to(ROOT)
    if own and each.params and "all_by_name" not in each.params.keys():
        each.set_params(all_by_name=by_name(dict(each.params.items())))
