"""No stage: `python stages/train.py` puts this folder before the project's, and finds this file for the library."""

raise SystemExit("error: run it as python -m stages.NAME, in the project's root.")
