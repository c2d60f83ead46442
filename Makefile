# Each target is complete: it sets up what it needs on a machine that has only the Swift toolchain.

PREFIX ?= /usr/local
DESTDIR ?=

PRODUCTS := s3migrate s3find
# The programs shall run on hosts that have no Swift; libcurl stays the host's, so that its security updates reach us.
RELEASE := swift build -c release --static-swift-stdlib
BOUNDARIES := --explicit-target-dependency-import-check error

export SWIFT_BACKTRACE := enable=no

.PHONY: build check lint build-tests test demo bench bench-check fuzz simulate soak install clean

build:
	@Scripts/install-build.sh
	$(foreach product,$(PRODUCTS),$(RELEASE) --product $(product) &&) true

# Formatting, module boundaries, unit and style tests: what to run before every commit.
check: lint build-tests
	swift test --skip-build

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

build-tests:
	@Scripts/install-build.sh
	swift build --build-tests $(BOUNDARIES)

# Everything, also against real servers; ends with "N passed, N failed".
test:
	@Scripts/test.sh

# A migration between two local servers, from listing to second pass.
demo: build
	@Scripts/install-venv.sh
	@cd Tests/EndToEnd && \
	    S3MIGRATE=$(CURDIR)/.build/release/s3migrate S3FIND=$(CURDIR)/.build/release/s3find \
	    $(CURDIR)/.build-tools/venv/bin/python -m servers rclone rclone -- bash $(CURDIR)/samples/demo.sh

# Side by side with rclone and with the least program that moves the same bytes; see bench/README.md. A quarter of an hour.
bench: build
	@Scripts/install-test.sh
	.build-tools/venv/bin/python bench/run.py --results bench/results

# libFuzzer over all that reads bytes from outside; see Tests/README.md.
fuzz:
	@Scripts/install-build.sh
	Scripts/fuzz.sh $(TARGET)

# Simulated migrations, as many as one likes: SEEDS (100000), a count or from..to; see Tests/README.md.
simulate:
	@Scripts/install-build.sh
	Scripts/simulate.sh $(SEEDS)

# Do memory and descriptors stay flat over a long run? MINUTES (20).
soak: build
	@Scripts/install-test.sh
	Scripts/soak.sh $(MINUTES)

# The bench's own tests, and a quick run against the thresholds of bench/thresholds.json.
bench-check: build
	@Scripts/install-test.sh
	cd bench && ../.build-tools/venv/bin/python -m pytest -q -p no:cacheprovider test_tools.py test_soak.py
	.build-tools/venv/bin/python bench/run.py --check

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(addprefix .build/release/,$(PRODUCTS)) $(DESTDIR)$(PREFIX)/bin

clean:
	rm -rf .build .build-release .build-fuzz .build-simulate .build-tools
