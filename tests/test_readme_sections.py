"""What the README says of views, commands, verbs and figures is what there is."""

from __future__ import annotations

import json

from evalstore.store import Store
from tests import readme_sections
from tests.benchmarks import figures


def test_the_generated_parts_of_the_readme_are_up_to_date():
    text = readme_sections.README.read_text(encoding="utf-8")
    assert readme_sections.parts(text).keys() == readme_sections.GENERATED.keys()
    assert readme_sections.rewritten(text) == text, "run `make readme`"


def test_each_bound_that_is_missed_has_a_reason():
    kept = json.loads(figures.RESULTS.read_text(encoding="utf-8"))["figures"]
    missed = {name for name, figure in kept.items() if figure["missed"]}
    assert missed <= figures.REASONS.keys()
    assert kept.keys() <= figures.BOUNDS.keys()


def test_each_verb_of_the_table_is_a_call_with_that_return_type():
    verbs = readme_sections.verbs()
    assert len(verbs) >= 8
    for _, call, kind in verbs:
        assert readme_sections.returns(call) == kind, call


def test_each_public_method_of_the_store_stands_in_the_table_of_verbs():
    calls = {call.partition("(")[0].split(".")[1] for _, call, _ in readme_sections.verbs()}
    methods = {name for name in dir(Store) if not name.startswith("_")} - {"close"}
    assert methods <= calls
