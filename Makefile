# Everything runs in .venv, made from the pinned requirements: `make quickstart`, `make test`.
# PYTHON=python3.12 chooses another interpreter, 3.11 or newer.
PYTHON ?= python3
VENV = . .venv/bin/activate &&
DIGITS = -S study.name=digits -S 'study.datasets=[digits,digits100]' \
	-S 'study.models=[cnn_scratch,cnn_glyphs,vit_scratch,vit_glyphs]'

.PHONY: quickstart test check trials requirements

# The small study, whole, on handwritten digits; params.yaml is put back as it was, however the run ends.
quickstart: .venv/study
	@$(VENV) kept=$$(mktemp) && cp params.yaml "$$kept" && trap 'cp "$$kept" params.yaml; rm -f "$$kept"' EXIT \
		&& dvc exp run $(DIGITS) && echo && cat reports/digits/tables/errors_*.md \
		&& echo && echo "The report: reports/digits/README.md"

test: .venv/dev
	@$(VENV) $(MAKE) check

# Linter, types and tests, in the environment that is active: what test, CI and pre-commit run.
check:
	ruff check .
	ruff format --check .
	mypy
	pytest

# What takes servers and minutes: killed workers, a full disk, a Slurm cluster (slurm-wlm, munge), workers over SSH, remotes,
# other processors (qemu-user).
trials: .venv/dev
	@$(VENV) for trial in failures slurm away remotes processors; do echo "== $$trial" && python -m trials.$$trial || exit 1; done

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $$($(PYTHON) --version) is too old; name a newer one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/study: requirements.txt | .venv/python
	$(VENV) python -m pip install --quiet -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/study
	$(VENV) python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# Pin anew what requirements*.in ask for; platform markers are kept, so that one file serves Linux and macOS.
requirements: .venv/python
	$(VENV) python -m pip install --quiet uv
	for name in requirements requirements-dev requirements-remotes requirements-scale; do \
		$(VENV) uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
			--custom-compile-command "make requirements" $$name.in -o $$name.txt || exit 1; \
	done
