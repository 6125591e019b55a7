# Every command is one line; what it does is in workbook/__main__.py.
# On a fresh machine with Python 3.11 or later, `make lab` and `make test` set up the rest.

PYTHON ?= python3
VENV   := .venv
ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
READY  := $(VENV)/.ready
RUN    := $(BIN)/python -m workbook

.DEFAULT_GOAL := help
.PHONY: setup lab check test progress list next watch hint solution reset export results book \
        update exercises expected notebooks format bench clean doctor help

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'The workbook needs Python 3.11 or later; this is %s. Try: make setup PYTHON=python3.12' % sys.version.split()[0])"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the workbook needs (once, some minutes) …"
	@$(BIN)/python -m pip install --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

setup: $(READY)      ## make the environment (.venv); the second time it costs nothing

lab: $(READY)        ## open the course in JupyterLab   (ARGS="--no-browser --port=8899")
	@$(RUN) lab $(ARGS)

check: $(READY)      ## run and compare every notebook, then report your exercises   (LESSON=03)
	@$(RUN) check $(LESSON) $(ARGS)

test: $(READY)       ## everything that CI runs: tests, known mistakes, a real browser, check
	@$(RUN) test $(ARGS)

progress: $(READY)   ## where you are: lessons, exercises, minutes left
	@$(RUN) progress $(ARGS)

list: $(READY)       ## every exercise with its state   (LESSON=02)
	@$(RUN) list $(LESSON)

next: $(READY)       ## the task of the exercise to take up now
	@$(RUN) next

watch: $(READY)      ## check a lesson's exercises at each save of its notebook   (LESSON=02)
	@$(RUN) watch $(LESSON)

hint: $(READY)       ## the next hint of an exercise   (EX=micrograd.value)
	@$(RUN) hint $(EX)

solution: $(READY)   ## an answer, and why it is right   (EX=micrograd.value)
	@$(RUN) solution $(EX)

reset: $(READY)      ## an exercise back to its TODO, your attempt kept   (EX=… or LESSON=…)
	@$(RUN) reset $(EX) $(LESSON)

export: $(READY)     ## your passed answers as plain modules in code/   (FROM=solutions)
	@$(RUN) export $(if $(FROM),--from $(FROM)) $(ARGS)

results: $(READY)    ## the headline numbers on the real data, into RESULTS.md   (QUICK=1)
	@$(RUN) results $(if $(QUICK),--quick) $(if $(LESSON),--lesson $(LESSON)) $(ARGS)

book: $(READY)       ## the course as a website to be read, in build/book/   (QUICK=1)
	@$(RUN) book $(if $(QUICK),--quick) $(if $(LESSON),--lesson $(LESSON)) $(ARGS)

update: $(READY)     ## the newest version of the course; your answers stay
	@$(RUN) update && $(MAKE) --no-print-directory notebooks

notebooks: $(READY)  ## build the notebooks; what you wrote stays
	@$(RUN) notebooks $(ARGS)

exercises: $(READY)  ## authors: make exercises/*.py and workbook/given/ from solutions/
	@$(RUN) exercises

expected: $(READY)   ## authors: record anew what the notebooks print   (LESSON=03)
	@$(RUN) expected $(LESSON)

format: $(READY)     ## authors: one format for all code
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix .

bench: $(READY)      ## authors: how fast things are, as ratios   (ARGS=engine)
	@$(BIN)/python benchmarks $(ARGS)

doctor: $(READY)     ## what is installed, what is missing, what to do about it
	@$(RUN) doctor

clean:               ## remove what was built; your answers, progress and data stay
	@rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +

help:                ## this list
	@$(PYTHON) -c "import re; [print('make %-10s %s' % m) for m in re.findall(r'^(\w+):[^#\n]*## (.*)', open('Makefile', encoding='utf-8').read(), re.M)]"
