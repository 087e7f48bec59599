# platen: `make start` and `make test` are the whole set-up. `make help` lists the rest.

BUILD   ?= build
ASAN    ?= build-asan
TSAN    ?= build-tsan
FUZZ    ?= build-fuzz
PYTHON  ?= /usr/bin/python3
SECONDS_PER_FUZZ ?= 60
PDF_ENGINE ?= mupdf

MESON   = meson setup --fatal-meson-warnings -Dpdf_engine=$(PDF_ENGINE)
PYTEST  = $(PYTHON) -m pytest -q -p no:cacheprovider

.DEFAULT_GOAL := build
.PHONY: help build deps start demo test unit e2e examples asan tsan fault fuzz crash model golden docs format check layers bench bench-quality install clean deps-test asan-build web-test screenshots

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(BUILD)/build.ninja ## build/platen and the engines beside it
	@ninja -C $(BUILD) >$(BUILD)/ninja.log || { cat $(BUILD)/ninja.log; exit 1; }

deps: ## install the Debian packages that are missing (apt; root or sudo), fetch token tables and what builds the app (npm)
	@tools/deps.sh deploy/debian-packages.txt
	@tools/npm.sh
	@$(PYTHON) tools/web.py --packages

deps-test: deps
	@tools/deps.sh deploy/debian-packages-test.txt
	@tools/npm.sh --peers

start: deps build ## build, serve on loopback, run the demo, keep serving until Ctrl-C
	@$(BUILD)/platen serve --data data --listen 127.0.0.1:8080 --log-level warn --demo samples

demo: deps build ## the demo alone: free port, temporary folder; exits with its status
	@$(BUILD)/platen demo samples

test: deps-test build asan-build ## every test: unit, end to end, examples, checks of contracts, with sanitizers and without
	@tools/run_tests.sh $(BUILD) $(ASAN)

unit: asan-build ## unit tests, with sanitizers and faults
	@meson test -C $(ASAN) --no-rebuild --print-errorlogs

e2e: build ## end-to-end tests against the release build (BUILD=build-asan: against the other)
	@PLATEN_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/e2e

web-test: build ## the web app: unit tests, every page in a browser against the release build
	@tools/web_test.sh $(BUILD)

screenshots: build ## every page of the web app as pictures, in build/screenshots
	@tools/deps.sh deploy/debian-packages-test.txt
	@PLATEN_BUILD=$(abspath $(BUILD)) tools/web.sh vite-node --config vitest.e2e.config.ts tests/e2e/screenshots.ts $(abspath $(BUILD))/screenshots

examples: build ## run every example of every contract
	@PLATEN_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/e2e/test_examples.py

asan-build: $(ASAN)/build.ninja
	@ninja -C $(ASAN) >$(ASAN)/ninja.log || { cat $(ASAN)/ninja.log; exit 1; }

asan: asan-build unit ## unit and end-to-end tests under AddressSanitizer and UBSan, faults compiled in
	@PLATEN_BUILD=$(abspath $(ASAN)) $(PYTEST) tests/e2e

tsan: $(TSAN)/build.ninja ## our threads under ThreadSanitizer (engines run in processes of their own)
	@ninja -C $(TSAN) >$(TSAN)/ninja.log || { cat $(TSAN)/ninja.log; exit 1; }
	@TSAN_OPTIONS=halt_on_error=1 setarch -R meson test -C $(TSAN) --no-rebuild --print-errorlogs --timeout-multiplier 4

fault: asan-build ## end-to-end tests with a disk that fills up, and every start-up failing at every site
	@PLATEN_BUILD=$(abspath $(ASAN)) $(PYTEST) tests/e2e/test_faults.py

crash: build ## kill -9 the server at 200 random instants under load
	@PLATEN_BUILD=$(abspath $(BUILD)) PLATEN_KILLS=$${PLATEN_KILLS:-200} $(PYTEST) -s tests/e2e/test_crash.py tests/e2e/test_flow_crash.py

model: ## check the models of tasks and pipelines with spin: every property holds, every broken rule is found
	@$(PYTHON) tests/model/run.py

fuzz: $(FUZZ)/build.ninja ## every fuzz target for 60 s (SECONDS_PER_FUZZ)
	@ninja -C $(FUZZ) >$(FUZZ)/ninja.log || { cat $(FUZZ)/ninja.log; exit 1; }
	@tools/run_fuzz.sh $(FUZZ) $(SECONDS_PER_FUZZ)

golden: $(BUILD)/build.ninja ## rewrite tests/golden and docs/steps from the contracts
	@PLATEN_WEB=unchecked ninja -C $(BUILD) >$(BUILD)/ninja.log || { cat $(BUILD)/ninja.log; exit 1; }
	@tools/golden.sh $(BUILD)

format: ## clang-format all of our C
	@git ls-files '*.c' '*.cc' '*.h' | xargs clang-format -i

check: build ## layers, formatting, banned calls, headers that compile alone, current golden files
	@$(PYTHON) tools/check.py --build $(BUILD)

layers: ## draw which folder uses which
	@$(PYTHON) tools/check.py --draw

bench: deps build ## measure; a table, and one JSON line per figure in build/bench.jsonl
	@tools/deps.sh deploy/debian-packages-bench.txt
	@tools/npm.sh --peers
	@ninja -C $(BUILD) $$(cat bench/targets.txt) >$(BUILD)/ninja.log || { cat $(BUILD)/ninja.log; exit 1; }
	@$(PYTHON) bench/run.py --build $(BUILD)

bench-quality: deps build ## how good the reading is, over the folder of real files: docs/quality.md
	@$(PYTHON) bench/quality.py --build $(BUILD)

install: build ## into DESTDIR and PREFIX (/usr/local)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean: ## remove what was built
	rm -rf $(BUILD) $(ASAN) $(TSAN) $(FUZZ)

$(BUILD)/build.ninja:
	@tools/npm.sh
	@$(MESON) $(BUILD) >/dev/null
$(ASAN)/build.ninja:
	@tools/npm.sh
	@$(MESON) -Db_sanitize=address,undefined -Db_lundef=false -Dfaults=true -Doptimization=1 $(ASAN) >/dev/null
$(TSAN)/build.ninja:
	@tools/npm.sh
	@$(MESON) -Db_sanitize=thread -Db_lundef=false -Dweb=false -Doptimization=1 $(TSAN) >/dev/null
$(FUZZ)/build.ninja:
	@tools/npm.sh
	@CC=clang CXX=clang++ meson setup -Dpdf_engine=$(PDF_ENGINE) -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true -Dtests=false -Dweb=false $(FUZZ) >/dev/null
