# All that refuses a run before its first job starts: the configuration, the files that it names, the profile's claims.
import os
import sys

import yaml
from snakemake.exceptions import ResourceValidationError, WorkflowError
from snakemake.settings.types import DeploymentMethod

from castsearch.errors import InputError
from castsearch.workflow import configuration, planning
from castsearch.workflow.logs import said

# What profiles claim by name: accounts, and queues or partitions.
NAMES = ("slurm_account", "slurm_partition", "lsf_project", "lsf_queue")
# One of these is in every profile of a cluster.
QUEUES = ("slurm_partition", "lsf_queue", "qsub", "flux")


def or_stop(function, *arguments):
    """Turn a user's mistake into Snakemake's own kind of message, which has no stack trace."""
    try:
        return function(*arguments)
    except (InputError, OSError) as error:
        raise WorkflowError(said(error)) from None


def is_name(claim):
    """Whether a resource is a name, or none: Snakemake reads it as Python, in which 12345 and all are no names."""
    try:
        meant = claim.evaluate(
            None, input=(), attempt=1, threads=1, rulename="", async_run=None
        )
    except ResourceValidationError:
        return False
    except Exception:
        return True  # an expression that needs a job
    return not meant.is_evaluable() and not isinstance(meant.value, int)


def check_claims(settings):
    """Stop a run whose profile leaves open what only its user can know, the account and the partitions."""
    claims = [("default-resources", settings.default_resources)]
    claims += [
        (f"set-resources: {rule}", claim)
        for rule, claim in settings.overwrite_resources.items()
    ]
    for place, claimed in claims:
        for name, claim in (claimed or {}).items():
            if claim.raw == "SET_ME":
                raise WorkflowError(
                    f"{place}: {name} is SET_ME: in your profile, put your cluster's there, or null for none"
                )
            if name in NAMES and not is_name(claim):
                raise WorkflowError(
                    f"{place}: {name} is {claim.raw}, which Python takes for no name: "
                    f"in your profile, write \"'{claim.raw}'\""
                )


def check_gpus(settings, gpus):
    """Stop a run that would submit trainings to a cluster with fewer GPUs than they are to have."""
    allowed = workflow.global_resources.get("gpu").value
    on_cluster = any(name in (settings.default_resources or {}) for name in QUEUES)
    if on_cluster and allowed is not None and allowed < gpus:
        raise WorkflowError(
            f"reid.gpus is {gpus}, but your profile's resources allow a job {allowed}: "
            f"write gpu: {gpus} there, and cores: {8 * gpus}"
        )


def check_image(methods):
    """Stop a run whose jobs would start in an image that is not there."""
    if DeploymentMethod.APPTAINER in methods and not os.path.exists(IMAGE):
        raise WorkflowError(
            f"{IMAGE}: there is no such image in the working folder; docs/cluster.md says how to build it"
        )


or_stop(configuration.check_interpreter, sys.executable)
if workflow.is_main_process:
    for path in workflow.configfiles:
        or_stop(configuration.check_keys, path)
SCHEMA = yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text())
or_stop(configuration.validate_config, config, SCHEMA)

planning.adapt(config)

# Not once more in the jobs, which are given less than the run.
if workflow.is_main_process:
    check_claims(workflow.resource_settings)
    check_image(workflow.deployment_settings.deployment_method)
    if any(map(planning.is_trained, config["reid"]["networks"])):
        check_gpus(workflow.resource_settings, config["reid"]["gpus"])
