"""Does the soak notice what is not flat? Run by `make bench-check`."""

import pytest

from soak import Sample, verdict


def samples(resident=lambda second: 80_000, descriptors=lambda second: 90, objects=lambda second: second * 10):
    return [Sample(s, resident(s), descriptors(s), objects(s)) for s in range(1, 301)]


def test_what_is_still_is_flat():
    assert verdict(samples()) == []


def test_what_grows_at_the_beginning_only_is_flat():
    assert verdict(samples(resident=lambda second: min(20_000 + second * 3000, 80_000))) == []


def test_what_goes_up_and_down_is_flat():
    assert verdict(samples(resident=lambda second: 80_000 + second % 7 * 2000)) == []


@pytest.mark.parametrize(
    "named, words",
    [
        ({"resident": lambda second: 80_000 + second * 40}, "memory"),
        ({"descriptors": lambda second: 90 + second // 50}, "descriptors"),
        ({"objects": lambda second: min(second, 150)}, "nothing was copied"),
    ],
)
def test_a_leak_and_a_standstill_are_found(named, words):
    [found] = verdict(samples(**named))
    assert words in found


def test_too_few_samples_say_nothing():
    assert verdict(samples()[:5]) != []
