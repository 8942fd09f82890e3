"""The chain: whatever is done to its records is named, and where."""

import json

from hypothesis import given
from hypothesis import strategies as st

from trading.core.chain import (
    BEGINNING,
    DELETED,
    EDITED,
    INSERTED,
    REORDERED,
    REWRITTEN,
    TRUNCATED,
    Link,
    Start,
    check,
    digest,
)  # fmt: skip

NUMBERS = st.integers(0, 10_000)


def written(count, start=BEGINNING):
    """A chain as it was written."""
    links, before = [], start.digest
    for number in range(start.number + 1, start.number + 1 + count):
        text = json.dumps([f"record {number}", before])
        links.append(Link(number, before, text, digest(text)))
        before = links[-1].carried
    return links


def renumbered(links):
    return [link._replace(number=number) for number, link in enumerate(links, 1)]


def named(links, anchors=None, **more):
    return [(each.number, each.what) for each in check(links, anchors or {}, **more)]


@given(st.integers(0, 30), NUMBERS)
def test_a_chain_as_it_was_written_is_sound_from_wherever_it_is_read(count, cut):
    links = written(count)
    anchors = {link.number: link.carried for link in links}
    assert named(links, anchors) == []
    kept = links[cut % (count + 1) :]
    before = links[cut % (count + 1) - 1] if cut % (count + 1) else None
    start = Start(before.number, before.carried) if before else BEGINNING
    assert named(kept, {each.number: each.carried for each in kept}, start=start) == []


@given(st.integers(1, 30), NUMBERS)
def test_a_record_that_was_edited_is_named(count, which):
    links = written(count)
    spot = which % count
    links[spot] = links[spot]._replace(text=links[spot].text.replace("record", "Record"))
    assert named(links) == [(spot + 1, EDITED)]


@given(st.integers(2, 30), NUMBERS, st.integers(1, 5))
def test_records_that_were_taken_out_are_named(count, which, many):
    links = written(count)
    spot = which % (count - 1)  # the last one is cut off, not taken out
    gone = links[spot : min(spot + many, count - 1)]
    assert named([link for link in links if link not in gone]) == [(spot + 1, DELETED)]


@given(st.integers(2, 30), NUMBERS)
def test_a_record_taken_out_and_the_rest_renumbered_is_named_where_the_chain_was_closed(count, which):
    links = written(count)
    spot = which % (count - 1)
    assert named(renumbered(links[:spot] + links[spot + 1 :])) == [(spot + 1, DELETED)]


@given(st.integers(2, 30), NUMBERS, NUMBERS)
def test_two_records_that_changed_places_are_named(count, one, other):
    links = written(count)
    a, b = sorted((one % count, other % count))
    if a == b:
        b = (a + 1) % count
        a, b = min(a, b), max(a, b)
    links[a], links[b] = links[b], links[a]
    found = named(renumbered(links))
    assert {what for _, what in found} == {REORDERED}
    assert {a + 1, b + 1} & {number for number, _ in found}
    assert {number for number, _ in found} <= ({a + 1, b + 1} if b - a > 2 else {a + 1, a + 2, b + 1})


@given(st.integers(3, 30), NUMBERS, NUMBERS)
def test_a_record_that_was_moved_is_named(count, which, where):
    links = written(count)
    moved = links.pop(which % count)
    links.insert(where % count, moved)
    if (spots := (which % count, where % count)) and spots[0] != spots[1]:
        found = named(renumbered(links))
        assert {what for _, what in found} == {REORDERED}
        assert all(min(spots) + 1 <= number <= max(spots) + 1 for number, _ in found)


@given(st.integers(2, 30), NUMBERS, st.booleans())
def test_a_record_that_was_slipped_in_is_named_even_when_it_links_back(count, which, linked):
    links = written(count)
    spot = 1 + which % (count - 1)
    before = links[spot - 1].carried if linked else digest("nowhere")
    text = json.dumps(["forged", before])
    found = named(renumbered([*links[:spot], Link(0, before, text, digest(text)), *links[spot:]]))
    assert (spot + 1, INSERTED) in found
    assert all(number == spot + 1 for number, _ in found)


@given(st.integers(1, 30), NUMBERS)
def test_a_tail_that_was_cut_off_is_seen_by_what_was_kept_elsewhere(count, which):
    links = written(count)
    kept = which % count
    assert named(links[:kept], {count: links[-1].carried}) == [(kept + 1, TRUNCATED)]
    assert named(links[:kept]) == []  # and by nothing else


@given(st.integers(1, 30), NUMBERS)
def test_a_chain_that_was_written_anew_disagrees_with_its_anchors(count, which):
    links, spot = written(count), which % count
    forged = links[:spot]
    before = forged[-1].carried if forged else ""
    for number in range(spot + 1, count + 1):
        text = json.dumps([f"forged {number}", before])
        forged.append(Link(number, before, text, digest(text)))
        before = forged[-1].carried
    assert named(forged) == []
    assert named(forged, {count: links[-1].carried}) == [(count, REWRITTEN)]


@given(st.integers(2, 30), NUMBERS)
def test_a_record_written_anew_with_a_digest_of_its_own_is_found_by_the_one_after_it(count, which):
    links = written(count)
    spot = which % (count - 1)
    text = json.dumps(["forged", links[spot].previous])
    links[spot] = Link(spot + 1, links[spot].previous, text, digest(text))
    assert named(links) == [(spot + 2, DELETED)]


@given(st.permutations(range(1, 9)), st.sets(st.integers(0, 7), max_size=3))
def test_no_mixture_of_moving_and_taking_out_goes_unseen(order, gone):
    links = written(8)
    left = [links[number - 1] for spot, number in enumerate(order) if spot not in gone]
    whole = [link.carried for link in left] == [link.carried for link in links]
    assert (named(renumbered(left), {8: links[-1].carried}) == []) is whole


def test_a_chain_of_nothing_is_sound_and_an_anchor_without_records_is_not():
    assert check([], {}) == []
    (found,) = check([], {2: "x"}, chain="run 7")
    assert (found.chain, found.number, found.why) == ("run 7", 1, "records up to 2 were anchored and are gone")
