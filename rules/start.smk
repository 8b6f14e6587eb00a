# What is said, checked and watched once a run starts: not when it is only planned, nor in its jobs.
import threading
import time

from snakemake.logging import logger

from castsearch.workflow import deletion, leftovers, slurm


def watch(path):
    """Say where Snakemake, whose log is given, waits for jobs that SLURM does not have."""
    for said in slurm.looks(path, os.getcwd()):
        if said:
            logger.warning(said)
        time.sleep(60)


onstart:
    for engine, licence in LICENCES.items():
        print(f"Face models of {engine}: {licence}", file=sys.stderr)
    or_stop(leftovers.check_folder, os.getcwd())
    if left := deletion.movies_left(RESULTS, sum(MOVIES.values(), [])):
        shown = " ".join(left[:10]) + (" …" if len(left) > 10 else "")
        logger.warning(
            f"{RESULTS} still has files of movies that this configuration does not have ({len(left)}). They stay as they "
            f"are. If you do not want them any more: castsearch delete-movie {shown}"
        )
    tree = DATA["films"]
    if (
        DATA["source"] == "films"
        and DATA["cast"] is not None
        and isinstance(tree, str)
    ):
        if unread := films.passed_over(tree, FILMS):
            shown = ", ".join(unread[:5]) + (", …" if len(unread) > 5 else "")
            logger.warning(
                f"data.films: with data.cast, images and truths beside the videos are not read ({len(unread)}): {shown}. "
                "To use them, name their film in the configuration, with its own `cast` or `truth`."
            )
    if workflow.executor_plugin.name == "slurm":
        settings = workflow.executor_settings
        or_stop(
            slurm.check_status_command,
            settings.status_command,
            settings.init_seconds_before_status_checks,
        )
        or_stop(slurm.check_no_jobs, ".snakemake/log")
        for path in log:
            threading.Thread(target=watch, args=(path,), daemon=True).start()
