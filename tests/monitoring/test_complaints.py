"""What users of other alert systems complain about, and the story that shows that ours does better."""

import pytest

from tests.monitoring import test_doors, test_metrics, test_sending, test_watching

ANSWERS = {
    "after a silence ends nothing is sent until the next repetition": [
        "test_a_silence_keeps_quiet_what_it_matches_and_its_end_is_told_at_once",
        "test_ending_a_silence_by_hand_is_told_as_well",
    ],
    "nobody is told that a silenced alert is over": ["test_what_ends_while_silenced_is_told_to_those_who_saw_it_fire"],
    "silences pile up and nobody knows why they are there": [
        "test_a_silence_lasts_a_day_at_most",
        "test_a_silence_that_has_nothing_more_to_keep_quiet_ends_by_itself",
        "test_a_silence_that_makes_no_sense_is_refused_in_words",
    ],
    "alerts cannot be acknowledged": ["test_an_alert_is_listed_acknowledged_and_cleared_at_the_terminal"],
    "an acknowledgement does not stop the rest of the chain": [
        "test_an_acknowledgement_stops_what_other_channels_have_not_sent_yet",
    ],
    "an acknowledged alert comes back months later, reminders come in floods": [
        "test_an_acknowledgement_belongs_to_its_episode",
        "test_it_is_said_again_only_after_the_time_for_repeating",
        "test_a_receiver_that_stumbles_is_tried_again_after_one_five_and_thirty_seconds",
    ],
    "missing data fires at once": ["test_a_measure_that_cannot_be_read_waits_and_then_is_an_alert_of_its_own"],
    "what flaps becomes a storm": [
        "test_what_comes_and_goes_all_the_time_becomes_one_alert_that_says_so",
        "test_too_many_messages_become_a_digest_and_the_critical_ones_do_not_wait_in_it",
    ],
    "what was muted is forgotten for ever": [
        "test_an_acknowledged_alert_is_quiet_and_comes_back_at_once_when_the_time_is_over_saying_why",
        "test_what_an_acknowledgement_needs",
    ],
    "alerting needs a heavy system beside": ["test_without_celery_and_redis_a_critical_alert_arrives_within_seconds"],
}
TOLD = {
    name
    for module in (test_doors, test_metrics, test_sending, test_watching)
    for holder in (module, *(each for each in vars(module).values() if isinstance(each, type)))
    for name in vars(holder)
}


@pytest.mark.parametrize("complaint", ANSWERS)
def test_every_complaint_is_answered_by_a_story_that_is_told(complaint):
    assert set(ANSWERS[complaint]) <= TOLD
