# RL Classroom. `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TORCH := $(shell grep -E '^torch==' constraints.txt | cut -d' ' -f1)

# make run: a short training, so that the whole path is seen in a few minutes.
ALGO ?= dqn
GAME ?= SpaceInvadersNoFrameskip-v4
RUN_FOLDER ?= logs
RUN_STEPS ?= 3000
RUN_EPISODES ?= 5
CLASSROOM_DATA ?= classroom-data
HOST ?= 127.0.0.1
CLASSROOM_PORT ?= 7880
HUB_PORT ?= 7870
JUDGES ?= 1
CLIENTS_FLAGS ?=
MLAGENTS := .venv-mlagents

.DEFAULT_GOAL := help
.PHONY: help install run demo serve test lint format types imports tests test-clients test-slow notebooks \
	notebooks-check pictures baselines safe-agents-table judge-corpus mlagents \
	mlagents-versions bench learning-curves wheels-check clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Create the environment in .venv

# torch goes first, at the pinned version: a build that is there already (a CPU build, Colab's) is kept.
$(INSTALLED): pyproject.toml constraints.txt
	@echo "Installing into $(VENV): once, a few minutes (torch is most of it)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install "$(TORCH)"
	$(BIN)/python -m pip install --quiet --editable ".[dev]" --constraint constraints.txt
	@touch $@

mlagents: $(MLAGENTS)/.installed ## Create an environment with Unity ML-Agents in .venv-mlagents

# One of its own, because ML-Agents states requirements of years ago, of which pip would complain for ever.
$(MLAGENTS)/.installed: pyproject.toml constraints.txt
	@echo "Installing into $(MLAGENTS): once, some minutes (torch is most of it)"
	$(PYTHON) -m venv $(MLAGENTS)
	$(MLAGENTS)/bin/python -m pip install --quiet "$(TORCH)"
	$(MLAGENTS)/bin/python -m pip install --quiet --editable ".[envs,mlagents]" --constraint constraints.txt
	PIP_CONSTRAINT=constraints.txt $(MLAGENTS)/bin/python -m mlagents_bridge install
	@touch $@

run: install ## Start the classroom, send a first student through the course, and keep serving until Ctrl-C
	$(BIN)/python leaderboard/first_student.py --data $(CLASSROOM_DATA) --port $(CLASSROOM_PORT) \
		--hub-port $(HUB_PORT) --runs $(RUN_FOLDER) --algo $(ALGO) --env $(GAME) --steps $(RUN_STEPS) \
		--episodes $(RUN_EPISODES)

demo: run ## The same as run

serve: install ## Serve the classroom and its Hub with a judge, until Ctrl-C
	RL_LEADERBOARD_DATA=$(CLASSROOM_DATA) $(BIN)/python -m rl_leaderboard serve --host $(HOST) \
		--port $(CLASSROOM_PORT) --hub-port $(HUB_PORT) --workers $(JUDGES)

test: lint types imports notebooks-check tests ## Everything that has to be green: style, types, imports, notebooks, tests

lint: install ## Check style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: install ## Mend style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: install ## Check types
	$(BIN)/mypy

imports: install ## Check who imports whom
	$(BIN)/lint-imports

tests: install ## Run the tests with the coverage gate
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not slow and not bench" --numprocesses 2 --dist loadfile
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-clients: install ## Run the contract tests with three versions of the real client, and write their table
	PYTHONPATH=tests $(BIN)/python -m clients $(CLIENTS_FLAGS)

test-slow: install ## Run the tests that take minutes
	$(BIN)/python -m pytest -m slow

notebooks: install ## Generate the notebooks from their sources
	$(BIN)/python notebooks/build.py

notebooks-check: install ## Check that the notebooks are those of their sources
	$(BIN)/python notebooks/build.py --check

pictures: install ## Draw the lessons' and the environment's pictures again, with AGENT=model.zip its film, too
	$(BIN)/python notebooks/pictures.py
	$(BIN)/python envs/pictures.py $(if $(AGENT),--agent $(AGENT))

baselines: install ## Play every board's random and do-nothing agent again, 10 to 20 minutes
	$(BIN)/python -m rl_units.baseline_agents

screenshots: install ## Draw the pictures of the classroom's pages again (needs Chromium)
	PYTHONPATH=tests $(BIN)/python tests/screenshots.py

safe-agents-table: install ## Write the table of agents that load safely into units/README.md
	PYTHONPATH=tests $(BIN)/python -m units.agents.table

judge-corpus: install ## Judge every hostile submission in each sandbox that works here, and print a table
	PYTHONPATH=tests $(BIN)/python -m judge_corpus

mlagents-versions: install ## Train with ML-Agents on every Python that is here, and print the table of versions
	PYTHONPATH=tests $(BIN)/python tests/mlagents_versions.py

bench: install ## Measure speed and memory, both sides in one run
	PYTHONPATH=tests $(BIN)/python -m tests.benchmarks

learning-curves: install ## Compare the learning of our DQN with SB3's, hours
	PYTHONPATH=tests $(BIN)/python -m learning_curves $(CURVES_FLAGS)

wheels-check: install ## Prove that every extra has wheels on Python 3.11 to 3.14, Linux, macOS and Windows
	$(BIN)/python tests/wheels_check.py

clean: ## Remove the environment and every cache; runs in logs/ stay
	rm -rf $(VENV) $(MLAGENTS) .mlagents .clients .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
