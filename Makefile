# Three Classrooms 三个课堂. `make` lists what can be made.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test kills relay-kills recording-soak lint system screenshots lock clean lines layers fuzz soak

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/installed ## load, plan and serve the demo county; prints a sign-in link for each of the four people
	$(BIN)/sanke demo

test: $(VENV)/installed system ## everything: style, types, layers, tests on both databases, in a real browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m pytest -n 3
	@echo "Style, types, layers and dependencies are in order, and no test failed."

kills: $(VENV)/installed ## kill the planner at fifty moments of a run: no plan is lost, no run left going on
	KILLS=50 $(BIN)/python -m pytest -rP tests/rooms/planning/test_killed.py

lines: $(VENV)/installed ## a class over lines that lose 5, 10 and 20 %, 300 ms there and back: joins and sound, as JSON
	cd tests/media && PYTHONPATH=.. ../../$(BIN)/python bad_lines.py
	cd tests/media && PYTHONPATH=.. ../../$(BIN)/python bad_lines.py --bursts --seeds 1
	cd tests/media && PYTHONPATH=.. ../../$(BIN)/python bad_lines.py --chromium

layers: $(VENV)/installed ## Chromium in three sizes: first pictures, changes of layer, thin lines, as JSON
	cd tests/media && PYTHONPATH=.. ../../$(BIN)/python layers_in_browser.py
	cd tests/media && PYTHONPATH=.. ../../$(BIN)/python layers_in_browser.py --codec VP8

fuzz: $(VENV)/installed ## ten minutes of mutated SDP, STUN, DTLS, RTP and RTCP beside a living class; SEED=n for another run
	cd tests/media && PYTHONPATH=.. ../../$(BIN)/python media_fuzz.py --seed $(or $(SEED),1)

soak: $(VENV)/installed ## an hour of classes that open and close beside one that goes on: nothing may grow; SOAK_MINUTES=n for another time
	PYTHONPATH=tests/media $(BIN)/python tests/load/soak.py --minutes $(or $(SOAK_MINUTES),60) --seed $(or $(SEED),1)

relay-kills: $(VENV)/installed system ## kill a class's relay worker fifty times: everybody comes back, no evidence is lost or doubled
	RELAY_KILLS=50 $(BIN)/python -m pytest -rP tests/api/test_relay_workers.py -k killed

recording-soak: $(VENV)/installed system ## record a class of ten minutes, decode all of it, watch it in Chromium
	$(BIN)/python -m pytest -rP tests/browser/soak_recording.py

lint: $(VENV)/installed ## style, types and layers only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

system: ## install chromium, redis-server and a CJK font, or say what is missing
	@sh tests/system-packages.sh

screenshots: $(VENV)/installed system ## take the pictures of the four desks anew
	$(BIN)/python docs/screenshots.py

lock: $(VENV)/installed ## resolve the dependencies anew: requirements.lock for work on it, requirements.server.lock for a server
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --quiet --custom-compile-command "make lock" -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --no-emit-find-links --quiet --custom-compile-command "make lock" -c requirements.lock -o requirements.server.lock

clean: ## remove the virtual environment and the local data
	rm -rf $(VENV) var
