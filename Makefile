# Everything runs in .venv, made from the pinned requirements: `make quickstart`, `make test`.
# PYTHON=python3.12 chooses another interpreter, 3.11 or newer.
PYTHON ?= python3
VENV = . .venv/bin/activate &&
unexport PYTHONSAFEPATH PYTHONHOME # under which Python would not find the project, or not its own library

.PHONY: quickstart digits cifar32 cifar prove rebuild test check trials requirements first-contact

# The small study, whole, on handwritten digits; params.yaml is put back as it was, however the run ends. Without a shell in
# between, so that signals reach it.
quickstart: .venv/study
	@.venv/bin/python -m tools.quickstart

# Choose a study; then dvc repro, or python -m tools.fanout.
digits cifar32 cifar: .venv/study
	@$(VENV) python -m tools.study $@

# Cells of the committed studies, made again and held against dvc.lock, in minutes; make prove CELLS="CELL ..."; in hours,
# make prove STUDY=cifar32: all that dvc.lock has of it, at each call those that are left.
prove: .venv/study
	@$(VENV) python -m tools.prove $(if $(STUDY),--study $(STUDY)) $(CELLS)

# The report of the study in params.yaml, from what ships with the repository.
rebuild: .venv/study
	@$(VENV) python -m tools.shipped pull

# What a first run needs, looked at before anything is installed.
first-contact:
	@command -v "$(PYTHON)" > /dev/null || { \
		echo "error: there is no $(PYTHON) here; name a Python: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" tools/first_contact.py "$(SHELL)"

test: .venv/dev
	@$(VENV) $(MAKE) check

# Linter, types and tests, in the environment that is active: what test, CI and pre-commit run.
check:
	ruff check .
	ruff format --check .
	mypy
	pytest

# What takes servers and minutes: changed files and lying servers (ten minutes), killed workers, a full disk, a Slurm cluster
# (slurm-wlm, munge), workers over SSH, remotes, other processors (qemu-user).
trials: .venv/dev
	@$(VENV) for trial in fuzz failures slurm away remotes processors; do echo "== $$trial" && python -m trials.$$trial || exit 1; done

.venv/python: | first-contact
	@mkdir -p .venv && touch .venv/begun
	"$(PYTHON)" -m venv .venv
	@touch $@

.venv/study: requirements.txt | first-contact .venv/python
	.venv/bin/python -m pip install --quiet -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/study
	$(VENV) python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# Pin anew what requirements*.in ask for; platform markers are kept, so that one file serves Linux and macOS.
requirements: .venv/python
	$(VENV) python -m pip install --quiet uv
	for name in requirements requirements-dev requirements-parquet requirements-remotes requirements-scale; do \
		$(VENV) uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
			--custom-compile-command "make requirements" $$name.in -o $$name.txt || exit 1; \
	done
