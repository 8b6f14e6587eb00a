from castsearch.evaluation.film_scores import read_truth, score_film, write_scores
from castsearch.files import read_table
from castsearch.film.shots import read_shots
from castsearch.workflow.logs import logging_to

with logging_to(snakemake.log[0]):
    inputs, scores, persons = snakemake.input, {}, iter(snakemake.input.persons)
    films = zip(snakemake.params.parts.items(), inputs.shots, inputs.tracks, inputs.truths, strict=True)
    for (movie, parts), shots, tracks, truth in films:
        starts = [shot.start for shot in read_shots(shots)][1:]
        own = [read_table(next(persons)) for _ in range(parts)]
        scores[movie] = score_film(starts, own, read_table(tracks), read_truth(truth))
    write_scores(snakemake.output[0], scores)
