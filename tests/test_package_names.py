"""The five packages are plain top-level names: no other installed distribution may claim one."""

from importlib.metadata import packages_distributions

import pytest

OURS = ("config", "scheduler", "media", "rooms", "api")


@pytest.mark.parametrize("name", OURS)
def test_no_other_distribution_claims_our_package(name: str) -> None:
    claimants = set(packages_distributions().get(name, ())) - {"sanke"}
    assert not claimants, f"the package {name!r} is also installed by {', '.join(sorted(claimants))}"


def test_no_installed_distribution_brings_a_tests_package() -> None:
    assert "tests" not in packages_distributions(), (
        "a distribution installs a top-level `tests` package, which hides ours"
    )
